"""The other programs on a part of each data set, with the product on the same part.

Belongs here: who answers what, and on how many recordings. Does not belong here: calling them (`peers.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.quality import figures, peers
from benchmarks.quality.cases import Case, Judged, evenly
from benchmarks.quality.ours import NAME, judge_recordings, parse
from benchmarks.quality.peers import PEERS, Answers, Peer
from benchmarks.quality.results import Comparison

# Recordings that the other programs meet: what they do in a few minutes together.
AT_MOST = {
    "cinc2011": 120,
    "cinc2017": 80,
    "plawiak": 400,
    "mitdb": 4,
    "cpsc2019": 100,
    "hearts": 60,
    "noise": 30,
    "cpu": 60,
}
JUDGED = ("cinc2011", "cinc2017")

Answered = dict[str, tuple[Sequence[Case], Sequence[Judged]]]


def progress(words: str) -> None:
    """Said on stderr, because stdout is for figures."""
    print(words, file=sys.stderr, flush=True)


def compare(source: str, cases: Sequence[Case], judged: Sequence[Judged]) -> tuple[Comparison, Answered]:
    """Every program's figures on the same recordings of a data set, and every program's answers."""
    chosen = evenly(list(zip(cases, judged, strict=True)), AT_MOST[source])
    some = [case for case, _ in chosen]
    answered: Answered = {NAME: (some, [answer for _, answer in chosen])}
    comparison = Comparison(f"{len(some):,} of {len(cases):,}")
    for peer in PEERS:
        answers = _ask(peer, source, some, comparison)
        if answers:
            answered[peer.name] = (some, answers.judged)
    for program, (_, answers_of) in answered.items():
        comparison.figures[program] = figures.shown(figures.SCORED[source](some, answers_of))
    return comparison, answered


def compare_in_noise(response: figures.Response) -> tuple[Comparison, dict[str, figures.Response]]:
    """Every program's R peaks in noise, on a part of the strips, by program."""
    strips = len(next(iter(response.values()))[0])
    part = {
        key: tuple(zip(*evenly(list(zip(*pair, strict=True)), AT_MOST["noise"]), strict=True))
        for key, pair in response.items()
    }
    responses: dict[str, figures.Response] = {NAME: {key: (pair[0], pair[1]) for key, pair in part.items()}}
    comparison = Comparison(f"{min(strips, AT_MOST['noise']):,} of {strips:,} strips")
    for peer in PEERS:
        answers = {key: _ask(peer, "noise", cases, comparison) for key, (cases, _) in part.items()}
        responses[peer.name] = {key: (part[key][0], found.judged) for key, found in answers.items() if found}
        if not responses[peer.name]:
            del responses[peer.name]
    for program, answered in responses.items():
        comparison.figures[program] = figures.shown(figures.noise(answered))
    return comparison, responses


def compare_cpu(cases: Sequence[Case]) -> tuple[float, Comparison]:
    """CPU milliseconds per 10 s of one lead: the product over all strips at once; every program over a part."""
    some = evenly(cases, AT_MOST["cpu"])
    comparison = Comparison(f"{len(some):,} of {len(cases):,} strips", {NAME: {"cpu_strip": _ours_ms(some)}})
    for peer in PEERS:
        if peer.missing():
            comparison.remarks[peer.name] = str(peer.missing())
            continue
        progress(f"  CPU: {peer.name}")
        peers.detect(peer, some[:1])
        strips = _strips(some)
        spent = {"detect": figures.cpu_ms(partial(peers.detect, peer, some), strips)}
        if peer.quality:
            spent["quality"] = figures.cpu_ms(partial(peers.judge, peer, some), strips)
        comparison.figures[peer.name] = spent
    return _ours_ms(cases), comparison


def _ours_ms(cases: Sequence[Case]) -> float:
    contents = [case.file.read_bytes() for case in cases if case.file]

    def everything() -> list[Judged]:
        return judge_recordings([parse(data) for data in contents])

    everything()
    return figures.cpu_ms(everything, _strips(cases))


def _strips(cases: Sequence[Case]) -> float:
    return sum(lead.duration_s for case in cases for lead in case.recording.leads) / 10


def _ask(peer: Peer, source: str, cases: Sequence[Case], comparison: Comparison) -> Answers | None:
    """Verdicts or R peaks, whichever the data set is about; None where the program has none."""
    reason = peer.missing()
    if reason:
        comparison.remarks[peer.name] = reason
        return None
    ask: Callable[[Peer, Sequence[Case]], Answers] = peers.judge if source in JUDGED else peers.detect
    if source in JUDGED and peer.quality is None:
        return None
    if source != "noise":
        progress(f"  {source}: {peer.name} on {len(cases)} recordings")
    answers = ask(peer, cases)
    asked = sum(len(case.recording.leads) for case in cases) if source in JUDGED else len(cases)
    if answers.failed == asked:
        # That is a program which does not run with these versions, not one which rejects everything.
        comparison.remarks[peer.name] = f"raised on all {asked} strips, so it has no figures"
        return None
    if answers.failed:
        before = comparison.failures.get(peer.name, 0)
        comparison.failures[peer.name] = before + answers.failed
        comparison.remarks[peer.name] = f"failed on {before + answers.failed} strips"
    return answers
