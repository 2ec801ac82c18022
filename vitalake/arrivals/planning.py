"""Which partitions need a run now: the decision, from what is listed and what the orchestrator knows.

Belongs here: a pure function from fingerprints and states to runs. Does not belong here: listing
(`listing.py`, `sweep.py`), asking or telling Dagster (`sensors/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(hours=1)
# Some two days of attempts. What fails for so long fails by its content; each attempt stays in Dagster's storage.
_MANY_ATTEMPTS = 50
_DAILY = timedelta(days=1)


@dataclass(frozen=True)
class PartitionState:
    """What the orchestrator knows of a partition and the fingerprint now listed for it.

    Args:
        recorded: every table of the partition was last built from this very fingerprint.
        active: a run of the partition is queued or under way.
        attempts: runs for this fingerprint that have ended.
        last_ended_at: when the last of them ended.
    """

    recorded: bool
    active: bool = False
    attempts: int = 0
    last_ended_at: datetime | None = None


@dataclass(frozen=True)
class RunPlan:
    """One run to request."""

    dataset: str
    partition: str
    fingerprint: str
    attempt: int

    @property
    def run_key(self) -> str:
        """Unique per dataset, partition, content and attempt: the same request twice is one run."""
        return f"{self.dataset}:{self.partition}:{self.fingerprint}:{self.attempt}"


def plan(
    dataset: str, listed: Mapping[str, str], states: Mapping[str, PartitionState], now: datetime
) -> list[RunPlan]:
    """The runs to request now, newest partition first.

    Args:
        dataset: name of the dataset.
        listed: partition → fingerprint of its raw objects, as just listed.
        states: what is known of each of these partitions.
        now: the present, for the pause between attempts: 30 s, doubled each time, at most an hour; after 50, a day.
    """
    plans = []
    for partition in sorted(listed, reverse=True):
        state = states[partition]
        if state.recorded or state.active:
            continue
        if state.last_ended_at is not None and timedelta(0) <= now - state.last_ended_at < _pause(state.attempts):
            continue
        plans.append(RunPlan(dataset, partition, listed[partition], state.attempts))
    return plans


def _pause(attempts: int) -> timedelta:
    if attempts >= _MANY_ATTEMPTS:
        return _DAILY
    return min(_FIRST_RETRY * 2 ** min(attempts - 1, 20), _LONGEST_RETRY) if attempts else timedelta(0)
