"""What a strip of each verdict is good for: are its beats found, is its rate right, can its shape be read.

python -m benchmarks.quality.worth    # the figures of docs/verdict.md

Belongs here: the worth of a verdict for who uses the strip. Does not belong here: whether it is the verdict that
people gave (`figures.py`).
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.quality import sources
from benchmarks.quality.cases import Case, Judged, evenly
from benchmarks.quality.noise import KINDS, RATIOS_DB, add_noise
from benchmarks.quality.ours import judge_recordings
from benchmarks.quality.scores import Beats, score_beats
from vitalake.ecg.recording import Recording
from vitalake.ecg.signals.filters import FloatArray

NOISE_STRIPS = 120
WINDOW_S = 10
RATE_WITHIN = 0.05
BEFORE_S, AFTER_S = 0.2, 0.4  # about the R peak: from the P wave to the T wave
OFF_MV = 0.1  # what a clinician calls an elevation of the ST segment


def windows(case: Case) -> list[Case]:
    """A long record in strips of 10 s with their beats, those with ventricular flutter left out."""
    lead, width = case.recording.leads[0], round(WINDOW_S * case.recording.leads[0].sampling_rate_hz)
    found = []
    for start in range(0, len(lead.samples) - width + 1, width):
        if case.beats is None or any(first < start + width and last > start for first, last in case.excluded):
            continue
        beats = case.beats[(case.beats >= start) & (case.beats < start + width)] - start
        part = replace(lead, samples=lead.samples[start : start + width])
        found.append(Case(f"{case.name} {start}", Recording((part,), "wfdb"), "", beats=beats))
    return found


def beats_found(cases: Sequence[Case], judged: Sequence[Judged]) -> dict[str, Beats]:
    """Beats by verdict."""
    total: defaultdict[str, Beats] = defaultdict(Beats)
    for case, answer in zip(cases, judged, strict=True):
        if case.beats is not None:
            lead = case.recording.leads[0]
            at = score_beats(case.beats, answer.r_peaks[0], lead.sampling_rate_hz, len(lead.samples), ())
            total[str(answer.verdict)] += at
    return total


def rate_is_right(case: Case, answer: Judged) -> bool:
    """Whether the mean interval is within 5 % of the annotated one."""
    peaks = answer.r_peaks[0]
    if case.beats is None or len(peaks) < 2:
        return False
    return bool(abs(np.diff(peaks).mean() / np.diff(case.beats).mean() - 1) <= RATE_WITHIN)


def shape_errors_mv(noisy: Case, clean: Case) -> FloatArray:
    """Of each annotated beat, the mean distance of the trace from the clean one once their offset is taken off."""
    lead = clean.recording.leads[0]
    added, rate = noisy.recording.leads[0].values() - lead.values(), lead.sampling_rate_hz
    before, after = round(BEFORE_S * rate), round(AFTER_S * rate)
    beats = clean.beats if clean.beats is not None else np.empty(0, dtype=np.int64)
    inside = [added[at - before : at + after] for at in beats if before <= at <= len(added) - after]
    return np.array([np.abs(each - np.median(each)).mean() for each in inside])


def main() -> int:
    """Prints one JSON line a verdict and set; 1 where no recordings are there."""
    folder = sources.data_folder()
    try:
        long, calm = sources.load("mitdb", folder), [case for case in sources.load("plawiak", folder) if case.calm]
    except sources.MissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 1
    strips = [window for case in long for window in windows(case)]
    judged = judge_recordings([case.recording for case in strips])
    counts = Counter(str(answer.verdict) for answer in judged)
    for verdict, beats in beats_found(strips, judged).items():
        print(json.dumps({"on": "mitdb", "verdict": verdict, "strips": counts[verdict], "f1": round(beats.f1, 4)}))
    calm = evenly(calm, NOISE_STRIPS)
    noisy = [case for kind in KINDS for ratio in RATIOS_DB for case in add_noise(calm, kind, ratio)]
    judged = judge_recordings([case.recording for case in noisy])
    rates: defaultdict[str, list[bool]] = defaultdict(list)
    off: defaultdict[str, list[float]] = defaultdict(list)
    for number, (case, answer) in enumerate(zip(noisy, judged, strict=True)):
        rates[str(answer.verdict)].append(rate_is_right(case, answer))
        off[str(answer.verdict)] += shape_errors_mv(case, calm[number % len(calm)]).tolist()
    for verdict, beats in beats_found(noisy, judged).items():
        line = {"on": "noise", "verdict": verdict, "strips": len(rates[verdict]), "f1": round(beats.f1, 4)}
        line |= {"rate_within_5_percent": round(float(np.mean(rates[verdict])), 3)}
        line |= {"beats_off_by_0.1_mv": round(float(np.mean(np.array(off[verdict]) > OFF_MV)), 3)}
        print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
