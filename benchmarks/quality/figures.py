"""From cases and answers to figures, the same way for every program.

Belongs here: which verdict counts as what. Does not belong here: the mathematics (`scores.py`) or the targets
(`tasks.py`).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.quality.cases import Case, Judged
from benchmarks.quality.noise import KINDS, RATIOS_DB
from benchmarks.quality.scores import Beats, Counts, count, score_beats
from benchmarks.quality.sources import FLUTTER

NOISY = "~"
SURE_DB = 12  # from this ratio on every beat should be found
RISE = 1e-3  # of a mean of Q: below it is the rounding of the ADC

Figures = dict[str, float]
Response = dict[tuple[str, int], tuple[Sequence[Case], Sequence[Judged]]]


def lead_counts(cases: Sequence[Case], judged: Sequence[Judged]) -> Counts:
    """Leads that the reference calls bad against leads called unacceptable."""
    truth: list[bool] = []
    called: list[bool] = []
    for case, answer in zip(cases, judged, strict=True):
        if case.bad_leads is not None:
            truth += case.bad_leads
            called += [verdict == "unacceptable" for verdict in answer.leads]
    return count(truth, called)


def cinc2011(cases: Sequence[Case], judged: Sequence[Judged]) -> Figures:
    """Records and leads; those that the reference leaves without a label are left out."""
    labelled = [pair for pair in zip(cases, judged, strict=True) if pair[0].truth in ("acceptable", "unacceptable")]
    truth = [case.truth == "unacceptable" for case, _ in labelled]
    records = count(truth, [answer.verdict == "unacceptable" for _, answer in labelled])
    leads = lead_counts(cases, judged)
    good = [answer.verdict == "marginal" for case, answer in labelled if case.truth == "acceptable"]
    return {
        "cinc2011_good_records_marginal": float(np.mean(good)) if good else float("nan"),
        "cinc2011_record_accuracy": records.accuracy,
        "cinc2011_record_balanced_accuracy": records.balanced_accuracy,
        "cinc2011_lead_accuracy": leads.accuracy,
        "cinc2011_good_leads_kept": leads.specificity,
    }


def cinc2017(cases: Sequence[Case], judged: Sequence[Judged]) -> Figures:
    """The noisy class against all rhythms."""
    noisy = [case.truth == NOISY for case in cases]
    doubted = count(noisy, [answer.verdict != "acceptable" for answer in judged])
    rejected = count(noisy, [answer.verdict == "unacceptable" for answer in judged])
    return {
        "cinc2017_noisy_sensitivity": doubted.sensitivity,
        "cinc2017_noisy_specificity": doubted.specificity,
        "cinc2017_noisy_rejected": rejected.sensitivity,
        "cinc2017_clean_rejected": 1 - rejected.specificity,
    }


def beats(cases: Sequence[Case], judged: Sequence[Judged], *, forgive_edges: bool = True) -> Beats:
    """Beats of the first leads, added up over cases; ventricular flutter has none."""
    total = Beats()
    for case, answer in zip(cases, judged, strict=True):
        if case.beats is not None and case.truth != FLUTTER:
            lead = case.recording.leads[0]
            rate, samples = lead.sampling_rate_hz, len(lead.samples)
            total += score_beats(
                case.beats, answer.r_peaks[0], rate, samples, case.excluded, forgive_edges=forgive_edges
            )
    return total


def plawiak(cases: Sequence[Case], judged: Sequence[Judged]) -> Figures:
    """R peaks where the program finds any, rejections where it judges."""
    figures: Figures = {}
    if all(answer.r_peaks for answer in judged):
        figures["plawiak_r_peaks_f1"] = beats(cases, judged).f1
    if all(answer.verdict for answer in judged):
        figures["plawiak_unacceptable"] = sum(answer.verdict == "unacceptable" for answer in judged)
    return figures


def mitdb(cases: Sequence[Case], judged: Sequence[Judged]) -> Figures:
    """R peaks of all records together, and of that with the most errors."""
    each = [beats([case], [answer]).f1 for case, answer in zip(cases, judged, strict=True)]
    return {"mitdb_r_peaks_f1": beats(cases, judged).f1, "mitdb_worst_r_peaks_f1": min(each)}


def cpsc2019(cases: Sequence[Case], judged: Sequence[Judged]) -> Figures:
    """R peaks of all strips together."""
    return {"cpsc2019_r_peaks_f1": beats(cases, judged).f1}


def hearts(cases: Sequence[Case], judged: Sequence[Judged]) -> Figures:
    """R peaks of generated hearts, and how many of them are miscounted, ends included."""
    counts = [
        abs(len(answer.r_peaks[0]) - len(case.beats)) > 1
        for case, answer in zip(cases, judged, strict=True)
        if case.beats is not None
    ]
    return {"hearts_r_peaks_f1": beats(cases, judged).f1, "hearts_miscounted": sum(counts)}


SCORED: dict[str, Callable[[Sequence[Case], Sequence[Judged]], Figures]] = {
    function.__name__: function for function in (cinc2011, cinc2017, plawiak, mitdb, cpsc2019, hearts)
}


def mean_q(response: Response) -> dict[str, list[float]]:
    """Mean quality index of each kind of noise, from the best ratio to the worst."""
    return {
        kind: [float(np.mean([a.quality_index[0] for a in response[kind, ratio][1]])) for ratio in RATIOS_DB]
        for kind in KINDS
    }


def f1_in_noise(response: Response) -> dict[str, list[float]]:
    """F1 of the R peaks of each kind of noise, from the best ratio to the worst."""
    return {kind: [beats(*response[kind, ratio]).f1 for ratio in RATIOS_DB] for kind in KINDS}


def noise(response: Response) -> Figures:
    """What the noise stress says of a program."""
    f1 = f1_in_noise(response)
    sure = [ratio >= SURE_DB for ratio in RATIOS_DB]
    figures = {"noise_r_peaks_f1": min(min(np.compress(sure, values)) for values in f1.values())}
    if all(answer.verdict for _, judged in response.values() for answer in judged):
        wander = [answer for ratio in RATIOS_DB for answer in response["baseline wander", ratio][1]]
        figures["noise_wander_rejected"] = sum(answer.verdict == "unacceptable" for answer in wander)
    if all(answer.quality_index for _, judged in response.values() for answer in judged):
        q = mean_q(response)
        if not np.isnan(list(q.values())).any():
            figures["noise_q_rises"] = sum(bool((np.diff(values) > RISE).any()) for values in q.values())
    return figures


def cpu_ms(step: Callable[[], object], strips: float, times: int = 2) -> float:
    """CPU milliseconds a strip, the best of several runs: the first may still import and allocate."""
    best = float("inf")
    gc.collect()
    for _ in range(times):
        started = time.process_time()
        step()
        best = min(best, time.process_time() - started)
    return best / strips * 1e3


def shown(figures: Mapping[str, float]) -> Figures:
    """The figures that are numbers: a class without any member gives none."""
    return {name: float(value) for name, value in figures.items() if not np.isnan(value)}
