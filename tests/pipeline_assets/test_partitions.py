"""Dagster's days and hours are just those that have come."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from pipeline_assets.partitions import daily, hourly
from vitalake.arrivals.calendar import Calendar

FIRST_DAY = date(2015, 1, 1)


@pytest.mark.parametrize("hour", [0, 5, 23])
def test_dagster_has_just_those_that_have_come(hour: int) -> None:
    now = datetime(2026, 11, 20, hour, 59, 59, tzinfo=timezone.utc)
    with partition_loading_context(effective_dt=now):
        for calendar, theirs in (
            (Calendar(FIRST_DAY), daily(FIRST_DAY)),
            (Calendar(FIRST_DAY, "hour"), hourly(FIRST_DAY)),
        ):
            found = theirs.get_first_partition_key(), theirs.get_last_partition_key()
            assert found == (str(calendar.of(FIRST_DAY)), str(calendar.newest(now)))
