"""Hearts of every rate, with pauses, blocks and noise: what is found, and that no wrong rate looks right."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from benchmarks.quality.hearts import sweep
from benchmarks.quality.sweep import Outcome, outcomes, total

LONG = bool(os.environ.get("VITALAKE_TEST_LONG"))
SEEDS = range(11, 14) if LONG else (11,)


def misleading(some: Sequence[Outcome]) -> list[str]:
    """Those whose wrong count or rate is told as acceptable and plausible."""
    return [f"{each.heart.family}, {each.heart.name}" for each in some if each.told and each.wrong]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_beat_of_a_clean_heart_is_found(seed: int) -> None:
    found = outcomes(heart for heart in sweep(seed) if heart.ratio_db is None)
    assert len(found) > 800
    assert total(found).f1 >= 0.999
    assert misleading(found) == []
    assert sum(each.rate_bpm is None for each in found) <= 0.02 * len(found)


@pytest.mark.skipif(not LONG, reason="takes minutes: set VITALAKE_TEST_LONG=1")
@pytest.mark.parametrize("seed", SEEDS)
def test_in_noise_beats_are_found_or_the_rate_is_not_told(seed: int) -> None:
    found = outcomes(heart for heart in sweep(seed) if heart.ratio_db is not None)
    assert total([each for each in found if each.rate_bpm is not None]).f1 >= 0.995
    assert len(misleading(found)) <= 0.005 * len(found)
    assert total([each for each in found if each.told]).f1 >= 0.999
