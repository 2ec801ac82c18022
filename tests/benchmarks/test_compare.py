"""Programs that raise: on some strips that counts against them, on all it says nothing about them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import compare, peers
from benchmarks.quality.cases import Case, Judged
from benchmarks.quality.peers import Answers, Peer
from benchmarks.quality.results import Comparison
from vitalake.ecg.recording import Lead, Recording

CASES = [Case(name, Recording((Lead("II", np.zeros(3600, np.int32), 360.0),), "npz"), "good") for name in "abc"]


@pytest.mark.parametrize(
    ("failed", "remark"), [(0, None), (1, "failed on 1 strips"), (3, "raised on all 3 strips")]
)
def test_a_program_that_runs_nowhere_has_no_figures(
    monkeypatch: pytest.MonkeyPatch, failed: int, remark: str | None
) -> None:
    peer = Peer("Peer", ("numpy",), detect=lambda *_: [], quality=lambda *_: "acceptable")
    monkeypatch.setattr(peers, "judge", lambda _peer, cases: Answers([Judged() for _ in cases], failed))
    comparison = Comparison("3 of 3")
    answers = compare._ask(peer, "cinc2011", CASES, comparison)
    assert (answers is None) == (failed == len(CASES))
    said = comparison.remarks.get("Peer")
    assert said is None if remark is None else said is not None and said.startswith(remark)
