"""Measure how right the product is, print every figure, and write docs/quality.md with its pictures.

python -m benchmarks.quality
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.quality import figures, plots, report, scores, sources
from benchmarks.quality.cases import Case, Judged, evenly
from benchmarks.quality.compare import Answered, compare, compare_cpu, compare_in_noise, progress
from benchmarks.quality.hearts import sweep
from benchmarks.quality.noise import KINDS, RATIOS_DB, add_noise
from benchmarks.quality.ours import NAME, judge_recordings
from benchmarks.quality.results import Results
from benchmarks.quality.sweep import outcomes, total
from benchmarks.quality.tasks import TASKS, cross_validated
from vitalake.ecg.quality.rules import QUALITIES

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOISE_STRIPS = 120
Pair = tuple[Sequence[Case], Sequence[Judged]]


def main() -> int:
    """0 if every figure that could be measured meets its target, else 1."""
    folder = sources.data_folder()
    results = Results(crossed=cross_validated(folder))
    judged: dict[str, Pair] = {}
    answered: dict[str, Answered] = {}
    for name in sources.SOURCES:
        try:
            cases = sources.load(name, folder)
        except sources.MissingError as error:
            results.skipped[name] = str(error)
            progress(f"{name}: skipped, {error}")
            continue
        progress(f"{name}: {len(cases)} recordings")
        judged[name] = (cases, judge_recordings([case.recording for case in cases]))
        results.figures |= figures.shown(figures.SCORED[name](*judged[name]))
        results.on[name] = _how_many(name, cases)
        results.compared[name], answered[name] = compare(name, *judged[name])
    _noise(results, judged.get("plawiak"))
    _sweep(results)
    _cpu(results, judged.get("plawiak"))
    _draw_rocs(results, judged, answered)
    _draw_verdicts(results, judged)
    if "plawiak" in judged:
        strict = figures.beats(*judged["plawiak"], forgive_edges=False).f1
        results.extras["plawiak_r_peaks_f1_with_edges"] = (
            strict,
            "share",
            "R peaks, Plawiak without flutter, F1 with unmatched beats at the cut ends as errors",
        )
    DOCS.joinpath("quality.md").write_text(report.page(results))
    for line in results.lines():
        print(json.dumps(line), flush=True)
    _print_table(results)
    return 0 if all(results.met(task) is not False for task in TASKS) else 1


def _noise(results: Results, plawiak: Pair | None) -> None:
    calm = [case for case in plawiak[0] if case.calm] if plawiak else []
    if not calm:
        results.skipped["noise"] = "no calm fragments with annotated beats"
        return
    calm = evenly(calm, NOISE_STRIPS)
    progress(f"noise: {len(calm)} strips, {len(KINDS)} kinds, {len(RATIOS_DB)} ratios")
    response: figures.Response = {}
    for kind in KINDS:
        for ratio in RATIOS_DB:
            noisy = add_noise(calm, kind, ratio)
            response[kind, ratio] = (noisy, judge_recordings([case.recording for case in noisy]))
    results.figures |= figures.shown(figures.noise(response))
    results.on["noise"] = f"{len(calm):,} strips × {len(KINDS)} kinds × {len(RATIOS_DB)} ratios"
    results.compared["noise"], responses = compare_in_noise(response)
    f1 = {program: figures.f1_in_noise(part) for program, part in responses.items()}
    q = figures.mean_q(response)
    panels = {} if np.isnan(list(q.values())).any() else {"Mean Q": q}
    panels |= {
        "F1 of R peaks": figures.f1_in_noise(response),
        "F1, mean of all kinds": {
            program: [sum(values) / len(values) for values in zip(*lines.values(), strict=True)]
            for program, lines in f1.items()
        },
    }
    plots.noise_png(panels, DOCS / "quality" / "noise.png")
    results.pictures["noise.png"] = "Quality index and R peaks as noise grows"


def _sweep(results: Results) -> None:
    progress("generated hearts in noise")
    noisy = outcomes(heart for heart in sweep(sources.HEARTS_SEED) if heart.ratio_db is not None)
    rated = [each for each in noisy if each.rate_bpm is not None]
    misleading = [each for each in noisy if each.told and each.wrong]
    results.figures |= {"sweep_r_peaks_f1": total(rated).f1, "sweep_misleading": len(misleading) / len(noisy)}
    results.on["sweep"] = f"{len(noisy):,} hearts, a rate for {len(rated):,}"


def _cpu(results: Results, plawiak: Pair | None) -> None:
    cases = [case for case in plawiak[0] if case.file] if plawiak else []
    if not cases:
        results.skipped["cpu"] = "no strip of a single lead in a file of its own"
        return
    progress(f"CPU: {len(cases)} strips")
    results.figures["cpu_strip"], results.compared["cpu"] = compare_cpu(cases)
    results.on["cpu"] = f"{len(cases):,} strips"


def _draw_rocs(results: Results, judged: dict[str, Pair], answered: dict[str, Answered]) -> None:
    titles = {"cinc2011": "CinC 2011, leads", "cinc2017": "CinC 2017, noisy records"}
    panels = []
    for name, title in titles.items():
        if name not in judged:
            continue
        truth, scored = _scores(*judged[name])
        curves = {}
        for score, values in scored.items():
            if values and any(truth) and not all(truth):
                curves[score] = scores.roc(truth, values)
                results.extras[f"{name}_area.{score}"] = (
                    curves[score].area,
                    "area",
                    f"area under the ROC of {score}, {title}",
                )
        points = {f"{NAME}: unacceptable": _table(*judged[name], ("unacceptable",))}
        points[f"{NAME}: marginal or worse"] = _table(*judged[name], ("marginal", "unacceptable"))
        for program, pair in answered[name].items():
            if program != NAME:
                points[f"{program}: unacceptable"] = _table(*pair, ("unacceptable",))
        panels.append(plots.RocPanel(title, curves, points))
    if panels:
        plots.roc_png(panels, DOCS / "quality" / "roc.png")
        results.pictures["roc.png"] = "ROC of the quality index, and where each program decides"


def _draw_verdicts(results: Results, judged: dict[str, Pair]) -> None:
    rows: dict[str, Counter[str]] = {}
    for name, (cases, answers) in judged.items():
        if name in ("mitdb", "cpsc2019", "hearts"):  # beats only, and half-hour records say nothing by one verdict
            continue
        for case, answer in zip(cases, answers, strict=True):
            if case.truth == "unlabelled":
                continue
            label = {"cinc2011": f"records, {case.truth}", "cinc2017": f"class {case.truth}"}.get(name, "fragments")
            rows.setdefault(f"{name} {label}", Counter())[str(answer.verdict)] += 1
            for bad, verdict in zip(case.bad_leads or (), answer.leads, strict=False):
                rows.setdefault(f"{name} leads, {'bad' if bad else 'good'}", Counter())[verdict] += 1
    if rows:
        counts = {name: {quality: rows[name][quality] for quality in QUALITIES} for name in sorted(rows)}
        plots.verdicts_png(counts, DOCS / "quality" / "verdicts.png")
        results.pictures["verdicts.png"] = "Verdicts by reference class"


def _truth(case: Case) -> Sequence[bool]:
    """What the ROC looks for in each lead: bad by the reference, or of a noisy record."""
    return case.bad_leads or ([case.truth == figures.NOISY] if len(case.recording.leads) == 1 else [])


def _scores(cases: Sequence[Case], judged: Sequence[Judged]) -> tuple[list[bool], dict[str, list[float]]]:
    """Whether each lead is bad, and how bad each score says it is; a score that is nowhere computed is empty."""
    pairs = [(case, answer) for case, answer in zip(cases, judged, strict=True) if _truth(case)]
    truth = [bad for case, _ in pairs for bad in _truth(case)]
    found = {"1 − Q": [1 - q for _, answer in pairs for q in answer.quality_index]}
    found["fitted model"] = [p for _, answer in pairs for p in answer.probability or ()]
    return truth, {
        name: values
        for name, values in found.items()
        if len(values) == len(truth) and any(value == value for value in values)  # noqa: PLR0124 (NaN)
    }


def _table(cases: Sequence[Case], judged: Sequence[Judged], bad: tuple[str, ...]) -> scores.Counts:
    pairs = [(case, answer) for case, answer in zip(cases, judged, strict=True) if _truth(case)]
    called = [verdict in bad for _, answer in pairs for verdict in answer.leads]
    return scores.count([truth for case, _ in pairs for truth in _truth(case)], called)


def _how_many(name: str, cases: Sequence[Case]) -> str:
    leads = sum(len(case.bad_leads or ()) for case in cases)
    beats = sum(len(case.beats) for case in cases if case.beats is not None)
    also = f", {leads:,} labelled leads" if leads else f", {beats:,} beats" if beats else ""
    noisy = sum(case.truth == figures.NOISY for case in cases)
    return f"{len(cases):,} recordings{also}" + (f", {noisy:,} noisy" if name == "cinc2017" else "")


def _print_table(results: Results) -> None:
    shown = Table("figure", "target", "as shipped", "cross-validated", "met")
    for task in TASKS:
        met = results.met(task)
        crossed = results.crossed.get(task.id)
        value = results.figures.get(task.id)
        cells = (f"skipped: {results.why_not(task)}", "–", "–")
        if met is not None:
            cells = (
                report.said(value, task.unit),
                report.said(crossed.value if crossed else None, task.unit),
                "yes" if met else "NO",
            )
        shown.add_row(task.words, report.goal(task), *cells)
    Console().print(shown)


if __name__ == "__main__":
    sys.exit(main())
