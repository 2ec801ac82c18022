"""The product, asked as the pipeline asks it: bytes to recordings, recordings to verdicts.

Belongs here: every call into the product, and nothing else. Does not belong here: how its answers are scored
(`figures.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.quality.cases import IntArray, Judged
from vitalake.ecg.peaks import r_peaks
from vitalake.ecg.quality import Verdict, judge, judge_record, measure
from vitalake.ecg.recording import Lead, Recording
import io, scipy.io

NAME = "Vitalake"


def parse(data: bytes) -> Recording:
    x = scipy.io.loadmat(io.BytesIO(data))["val"][0].astype(np.int32)
    return Recording((Lead("MLII", x, 360.0, 200.0, 1024.0, "mV"),), "matlab_v4")


def judge_recordings(recordings: Sequence[Recording]) -> list[Judged]:
    """Verdicts, quality indices and R peaks, one a recording, in order."""
    flat = [lead for recording in recordings for lead in recording.leads]
    groups = defaultdict(list)
    for row, lead in enumerate(flat):
        groups[lead.sampling_rate_hz, len(lead.samples)].append(row)
    verdicts, q, peaks = {}, {}, {}
    for (rate, length), rows in groups.items():
        size = max(1, 256 * 3600 // length)
        for batch in (rows[at : at + size] for at in range(0, len(rows), size)):
            x = np.stack([flat[row].values() for row in batch])
            values = measure(x, rate, np.array([1 / flat[row].gain_adu_per_unit for row in batch]))
            for position, (row, verdict, found) in enumerate(
                zip(batch, judge(values), r_peaks(x, rate), strict=True)
            ):
                verdicts[row], peaks[row] = verdict, found
                q[row] = float(values["quality_index"][position]) if "quality_index" in values else np.nan
    answers, row = [], 0
    for recording in recordings:
        mine = range(row, row + len(recording.leads))
        row += len(recording.leads)
        answers.append(
            Judged(
                judge_record([verdicts[n] for n in mine]).verdict,
                tuple(verdicts[n].verdict for n in mine),
                tuple(q[n] for n in mine),
                tuple(peaks[n] for n in mine),
            )
        )
    return answers
