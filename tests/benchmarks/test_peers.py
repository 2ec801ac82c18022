"""Other programs on bad data: what raises is counted, and never ends the run."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.cases import Case
from benchmarks.quality.peers import PEERS, Peer, detect, judge
from vitalake.ecg.quality.rules import Quality
from vitalake.ecg.recording import Lead, Recording
from vitalake.ecg.signals.filters import FloatArray


def recording(*heights: int) -> Case:
    """One lead a height, with a beat of that height in its middle."""
    leads = []
    for number, height in enumerate(heights):
        samples = np.zeros(3600, dtype=np.int32)
        samples[1800] = height
        leads.append(Lead(f"lead {number}", samples, 360.0, 200.0, 0.0, "mV"))
    return Case("made", Recording(tuple(leads), "test"), "")


def highest(x_mv: FloatArray, rate: float) -> list[int]:  # noqa: ARG001 (every program takes a rate)
    if not x_mv.any():
        raise IndexError("no peak")
    return [int(x_mv.argmax())]


def by_height(x_mv: FloatArray, rate: float) -> Quality:  # noqa: ARG001
    if not x_mv.any():
        raise ZeroDivisionError("flat")
    return "acceptable" if x_mv.max() > 1 else "marginal"


PROGRAM = Peer("program", (), highest, by_height)


def test_a_strip_on_which_a_program_raises_has_no_beats_and_is_counted() -> None:
    answers = detect(PROGRAM, [recording(400), recording(0)])
    assert [list(answer.r_peaks[0]) for answer in answers.judged] == [[1800], []]
    assert answers.failed == 1


def test_a_record_is_as_good_as_its_worst_lead_and_a_lead_that_raises_is_the_worst() -> None:
    answers = judge(PROGRAM, [recording(400, 400), recording(400, 100), recording(400, 0)])
    assert [answer.verdict for answer in answers.judged] == ["acceptable", "marginal", "unacceptable"]
    assert answers.judged[2].leads == ("acceptable", "unacceptable")
    assert answers.failed == 1


def test_a_program_that_is_not_installed_says_what_is_missing() -> None:
    program = Peer("absent", ("no_such_module_at_all",), highest)
    assert program.missing() == "not installed (no_such_module_at_all)"


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_program_finds_ten_plain_beats(peer: Peer) -> None:
    if peer.missing():
        pytest.skip(f"{peer.name} comes with the extra bench")
    time = np.arange(3600) / 360.0
    beats = np.exp(-(((time % 1.0) - 0.5) ** 2) / (2 * 0.012**2))
    waves = 0.2 * np.exp(-(((time % 1.0) - 0.8) ** 2) / (2 * 0.05**2))
    noise = np.random.default_rng(1).normal(0, 0.01, 3600)
    samples = np.round(200 * (beats + waves + noise)).astype(np.int32)
    case = Case("ten beats", Recording((Lead("I", samples, 360.0, 200.0, 0.0, "mV"),), "test"), "")
    answers = detect(peer, [case])
    assert answers.failed == 0
    found = answers.judged[0].r_peaks[0]
    expected = np.arange(180, 3600, 360)
    near = np.abs(found[:, None] - expected).min(axis=1) <= 18
    assert near.all()
    assert 9 <= len(found) <= 10
