"""What the report works on: an annotated recording, and what a program says about it.

Belongs here: the two records that every other module shares. Does not belong here: where the recordings come from
(`sources.py`), or who judges them (`ours.py`, `peers.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vitalake.ecg.quality.rules import Quality
from vitalake.ecg.recording import Recording

IntArray = npt.NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """One recording with its reference.

    Args:
        name: of the record in its data set.
        truth: class that the data set gives it, in the data set's own words.
        bad_leads: True where the reference calls a lead bad, one a lead; None where it does not say.
        beats: sample indices of the annotated beats of the first lead, ascending; None where there are none.
        excluded: (first, last) sample of episodes in which no beat is annotated: ventricular flutter.
        calm: no noise is annotated and all beats are of one kind: noise can be added to it.
        file: where its bytes are, if one file holds it and nothing else.
    """

    name: str
    recording: Recording
    truth: str
    bad_leads: tuple[bool, ...] | None = None
    beats: IntArray | None = None
    excluded: tuple[tuple[int, int], ...] = ()
    calm: bool = False
    file: Path | None = None


@dataclass(frozen=True)
class Judged:
    """What a program says about one recording; None, or an empty tuple, where it has no say.

    Args:
        verdict: on the record as a whole.
        leads: verdict of each lead.
        quality_index: 0 (noise) to 1 of each lead, NaN where not computed.
        r_peaks: sample indices of each lead's R peaks, ascending.
        probability: that a lead is bad, after the fitted model, of each lead.
    """

    verdict: Quality | None = None
    leads: tuple[Quality, ...] = ()
    quality_index: tuple[float, ...] = ()
    r_peaks: tuple[IntArray, ...] = ()
    probability: tuple[float, ...] | None = None


def evenly(items: Sequence[T], at_most: int) -> list[T]:
    """At most so many of the items, evenly spread from the first on, the same ones every time."""
    if len(items) <= at_most:
        return list(items)
    return [items[position * len(items) // at_most] for position in range(at_most)]
