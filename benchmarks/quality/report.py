"""The page docs/quality.md.

Belongs here: laying out what was measured. Does not belong here: measuring, or drawing (`plots.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from benchmarks.quality.ours import NAME
from benchmarks.quality.peers import PACKAGES, PEERS
from benchmarks.quality.results import Results
from benchmarks.quality.tasks import TASKS, CrossValidated, Task

INTRO = """\
# How right it is

Verdicts and R peaks against public annotations, beside other programs on the same recordings. `make bench-quality`
measures everything anew and writes this page; it needs the extra `bench` for the other programs, and the recordings
in `../shared/data` or `$VITALAKE_TEST_DATA`. A data set that is not there is left out, and the page says so.

| data set | judged against | from |
|---|---|---|
| `cinc2011` | records: acceptable or not; leads: bad or not | PhysioNet/CinC challenge 2011, set-a |
| `cinc2017` | class `~`, too noisy to classify, against all rhythms | PhysioNet/CinC challenge 2017 |
| `plawiak` | the beats of MIT-BIH in each fragment | Pławiak 2017, doi 10.17632/7dybx7wyfn.3 |
| `mitdb` | beats, first lead | MIT-BIH arrhythmia database |
"""

METHOD = """\
* A bad lead or record is found when it is `unacceptable`; "good leads kept" are those that are not. "Marginal or
  worse" is `marginal` or `unacceptable`.
* R peaks are matched one to one within 150 ms (ANSI/AAMI EC57) and added up over strips. An unmatched beat within
  150 ms of either end of a strip is no error, for any program: its partner may lie beyond the cut. Detections in
  ventricular flutter are not counted.
* Noise is added to calm fragments (no noise annotated, beats of one kind) at 24 to −6 dB with S = (mean QRS
  peak-to-peak)²/8. It is generated, the same at every run: muscle (20–150 Hz in bursts), electrode motion (jolts
  and 0.5–8 Hz), baseline wander (below 0.3 Hz), white, 50 Hz with its third harmonic. A rise of mean Q by less
  than 0.001 is the rounding of the ADC and no rise.
* CPU is process time in this process, the best of two runs over the same strips in memory, per 10 s of one lead."""

PEERS_METHOD = """\
* NeuroKit2: `ecg_peaks` and `ecg_quality(method="zhao2018")` on `ecg_clean`. BioSPPy: `hamilton_segmenter` and
  `quality_ecg(methods=["Level3"])`. XQRS: `wfdb.processing.XQRS`. sleepecg: `detect_heartbeats`. All with defaults.
* None of them judges records: theirs is the verdict on the worst lead. A lead on which a program raises counts as
  unacceptable, a strip on which it raises as without beats.
* A figure of ours with * is as shipped: our model was trained on recordings of these sets, theirs were not.
* They are slow, so they meet an evenly spread part of the recordings; so does Vitalake in this table."""

PARTS = {"detect": "CPU per 10-s strip: R peaks alone", "quality": "CPU per 10-s strip: quality alone"}


def page(results: Results) -> str:
    """The whole page, ending in a line break."""
    parts = [INTRO, "## Figures\n", _figures(results), _honesty(results), _extras(results), "", METHOD, ""]
    parts += ["## Beside other programs, on the same recordings\n", _beside(results), "", PEERS_METHOD, ""]
    remarks = [
        f"* {program}, {source}: {remark}"
        for source, comparison in results.compared.items()
        for program, remark in comparison.remarks.items()
    ]
    if remarks:
        parts += ["What went wrong:\n", *remarks, ""]
    for name, words in results.pictures.items():
        parts += [f"![{words}](quality/{name})\n"]
    parts += [f"Measured with {_versions()}."]
    return "\n".join(parts) + "\n"


def said(value: float | None, unit: str) -> str:
    """A figure as a person reads it."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.2f} %"
    if unit == "area":
        return f"{value:.3f}"
    return f"{value:.2f} ms" if unit == "ms" else f"{round(value, 1):g}"


def goal(task: Task) -> str:
    """The target as a person reads it."""
    number = f"{100 * task.target:g} %" if task.unit == "share" else f"{task.target:g}"
    sign = {">=": "≥", "<=": "≤"}[task.comparison]
    return f"{sign} {number}" if task.target else f"{number} {task.unit}" if task.unit != "share" else "0 %"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _figures(results: Results) -> str:
    rows = []
    for task in TASKS:
        met = results.met(task)
        if met is None:
            outcome = [f"skipped: {results.why_not(task)}", "–", "–", "–"]
        else:
            shipped = said(results.figures.get(task.id), task.unit) + ("*" if task.fitted else "")
            crossed = results.crossed.get(task.id)
            unseen = [said(crossed.value if crossed else None, task.unit), _interval(crossed)]
            outcome = [shipped, *unseen, "yes" if met else "**no**"]
        rows.append([task.words, goal(task), *outcome, results.on.get(task.source, "–"), task.published or "–"])
    head = ("figure", "target", "as shipped", "cross-validated", "95 %", "met", "on", "published best")
    return table(head, rows)


def _interval(crossed: CrossValidated | None) -> str:
    return "–".join(f"{100 * end:.1f}" for end in crossed.interval) if crossed and crossed.interval else "–"


def _extras(results: Results) -> str:
    said_so = [f"{words} {said(value, unit)}" for value, unit, words in results.extras.values()]
    return f"\nWithout a target: {'; '.join(said_so)}." if said_so else ""


def _honesty(results: Results) -> str:
    if not results.crossed:
        return (
            "\n\\* As shipped: the fitted model has a say. These are not the recordings it was trained on, or"
            " nobody knows them: no figure is cross-validated."
        )
    return (
        "\n\\* As shipped: the fitted model has a say, and it was trained on these recordings, so the figure is"
        " optimistic. Cross-validated: five folds, ten times; each record is judged by a model that has seen"
        " neither it nor a copy of it (set-a of CinC 2011 holds one record 50 times, one 10 times and one twice),"
        " with limits that were chosen without it. This figure decides whether a target is met; its interval draws"
        " whole groups of copies and of cuts from one record anew. What is uncertain:\n\n"
        "* The sets are small where it matters: 15 noisy records of CinC 2017, one patient with ventricular"
        " flutter, 125 different unacceptable records of CinC 2011. An interval holds for more of the same, not for"
        " another hospital or device.\n"
        "* Copies are easy: with each content counted once the figures of records are lower; [quality-model.md]"
        "(quality-model.md) has both.\n"
        "* Labels disagree with each other: of records with one single bad lead half are called unacceptable.\n"
        "* Features and form of the model were chosen in view of some of these records; all that was tried is in"
        " [quality-model.md](quality-model.md). What a verdict means for your work: [verdict.md](verdict.md)."
    )


def _beside(results: Results) -> str:
    programs = [NAME, *(peer.name for peer in PEERS)]
    rows = []
    for source, comparison in results.compared.items():
        for task in TASKS:
            if task.source == source and task.id in comparison.figures.get(NAME, {}):
                cells = [_cell(results, source, program, task) for program in programs]
                rows.append([task.words, comparison.on, *cells])
    for comparison in (results.compared[name] for name in ("cpu",) if name in results.compared):
        for part, words in PARTS.items():
            spent = [said(comparison.figures.get(program, {}).get(part), "ms") for program in programs]
            rows.append([words, comparison.on, *spent])
    return table(["figure", "on", *programs], rows)


def _cell(results: Results, source: str, program: str, task: Task) -> str:
    comparison = results.compared[source]
    if comparison.remarks.get(program, "").startswith("not installed"):
        return "not installed"
    value = comparison.figures.get(program, {}).get(task.id)
    return said(value, task.unit) + ("*" if task.fitted and program == NAME and value is not None else "")


def _versions() -> str:
    found = []
    for package in ("numpy", "scipy", *PACKAGES):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    return ", ".join(found)
