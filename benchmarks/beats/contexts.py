"""Candidates of annotated and of generated hearts, each marked as a beat or not: what the weights are fitted on.

Belongs here: cutting leads into contexts as the product does, and marking. Does not belong here: fitting
(`__main__.py`), generating (`benchmarks/quality/hearts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.quality import sources
from benchmarks.quality.cases import Case, IntArray
from benchmarks.quality.hearts import sweep
from benchmarks.quality.scores import TOLERANCE_S
from vitalake.ecg.signals.candidates import candidates
from vitalake.ecg.signals.filters import Bands, FloatArray
from vitalake.ecg.signals.peaks import beat_bands, contexts

LONG_S, SHORT_S = 600.0, 5.0  # pieces of a lead, each by itself
# Of a candidate: generated hearts are many, and in strong noise some of their labels are luck.
GENERATED_WEIGHT = {None: 0.4, 20: 0.1, 10: 0.1, 5: 0.04, 0: 0.02}
CPSC_WEIGHT = 3.0


@dataclass(frozen=True)
class Marked:
    """Candidates of one recording: evidence by name, whether each is a beat, their weight; shape (m,) each."""

    group: str
    evidence: dict[str, FloatArray]
    is_beat: npt.NDArray[np.bool_]
    weight: float


def annotated(data: Path) -> list[Marked]:
    """The recordings with reference beats; a beat at a cut end may have its reference beyond it and is left out."""
    found = []
    for case in sources.load("plawiak", data):
        if case.truth != sources.FLUTTER:
            for seconds in (LONG_S, SHORT_S):  # short strips hold few beats to compare
                found += _of_lead(f"mitdb {_record(case.name)}", case, seconds, edges=False)
    for name, weight in (("mitdb", 1.0), ("cpsc2019", CPSC_WEIGHT)):
        for case in sources.load(name, data):
            found += _of_lead(f"{name} {case.name}", case, LONG_S, weight, edges=False)
    return found


def generated(seed: int) -> Iterable[Marked]:
    """The sweep of made-up hearts; their beats are known to the very ends."""
    for heart in sweep(seed):
        ratio = None if heart.ratio_db is None else round(heart.ratio_db)
        yield from _marked(
            heart.family, heart.x_mv, heart.sampling_rate_hz, heart.beats, (), GENERATED_WEIGHT[ratio], edges=True
        )


def _of_lead(group: str, case: Case, seconds: float, weight: float = 1.0, *, edges: bool) -> list[Marked]:
    lead = case.recording.leads[0]
    x, rate = lead.values(), lead.sampling_rate_hz
    beats = np.empty(0, np.int64) if case.beats is None else case.beats
    piece = round(seconds * rate)
    found = []
    for start in range(0, len(x), piece):
        inside = beats[(beats >= start) & (beats < start + piece)] - start
        silent = [(first - start, last - start) for first, last in case.excluded]
        found += _marked(group, x[start : start + piece], rate, inside, silent, weight, edges=edges)
    return found


def _marked(
    group: str,
    x_mv: FloatArray,
    rate: float,
    beats: IntArray,
    excluded: Iterable[tuple[int, int]],
    weight: float,
    *,
    edges: bool,
) -> list[Marked]:
    bands = beat_bands(Bands(x_mv[None], rate))
    samples, reach = len(x_mv), TOLERANCE_S * rate
    found = []
    for start, stop, first, last in contexts(samples, rate):
        here = candidates(bands, 0, first, last)
        at = here.at + first
        kept = (at >= start) & (at < stop)
        if not edges:
            kept &= (at > reach) & (at < samples - reach)
        for begin, end in excluded:
            kept &= (at < begin) | (at > end)
        is_beat = _is_beat(at, here.energy, beats, reach)
        evidence = {name: values[kept] for name, values in here.evidence.items()}
        if len(at):
            found.append(Marked(group, evidence, is_beat[kept], weight))
    return found


def _is_beat(at: IntArray, energy: FloatArray, beats: IntArray, reach: float) -> npt.NDArray[np.bool_]:
    """The most energetic candidate within reach of each reference beat."""
    marked = np.zeros(len(at), dtype=np.bool_)
    for beat in beats:
        near = np.flatnonzero((np.abs(at - beat) <= reach) & ~marked)
        if len(near):
            marked[near[np.argmax(energy[near])]] = True
    return marked


def _record(name: str) -> str:
    """The MIT-BIH record of a fragment of Pławiak's: ``"7 PVC/201m (0).mat"`` -> ``"201"``."""
    return name.rpartition("/")[2].partition("m")[0]
