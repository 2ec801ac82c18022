"""The product, asked as the pipeline asks it: bytes to recordings, recordings to verdicts.

Belongs here: every call into the product, and nothing else. Does not belong here: how its answers are scored
(`figures.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.quality.cases import Judged
from vitalake.datasets.ecg import DEVICES
from vitalake.ecg.assess import assess
from vitalake.ecg.readers.formats import read_one
from vitalake.ecg.recording import Recording
from vitalake.ecg.structure import SourceConfig, checked, completed

NAME = "Vitalake"
# Of whatever is asked here, only Plawiak's fragments leave out what they are.
FRAGMENTS = SourceConfig((replace(DEVICES[0], keys="*"),))
NO_BEATS = np.empty(0, dtype=np.int64)


def parse(data: bytes) -> Recording:
    """One object as the pipeline reads it, with what the dataset knows and every structural check.

    Raises:
        UnusableDataError: no recording, or none that can be used.
    """
    return checked(completed(read_one(data), FRAGMENTS))


def judge_recordings(recordings: Sequence[Recording]) -> list[Judged]:
    """Verdicts, quality indices, R peaks and the model's probabilities, one a recording, in order.

    A lead that the product does not judge, because it is no ECG or too short, counts as unacceptable.
    """
    return [
        Judged(
            verdict=found.verdict.verdict,
            leads=tuple(lead.verdict.verdict if lead else "unacceptable" for lead in found.leads),
            quality_index=tuple(lead.values["quality_index"] if lead else np.nan for lead in found.leads),
            r_peaks=tuple(lead.r_peaks if lead else NO_BEATS for lead in found.leads),
            probability=tuple(lead.poor_probability if lead else np.nan for lead in found.leads),
        )
        for found in assess(recordings)
    ]
