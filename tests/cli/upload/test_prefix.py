"""Which folder of the bucket files go to."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
import typer

from cli.upload.prefix import upload_prefix, upload_time
from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.datasets.ecg import ECG
from vitalake.datasets.entities import ENTITIES

NOW = datetime(2026, 1, 5, 7, 30, tzinfo=timezone.utc)
FIRST = date(2015, 1, 1)


def test_files_go_to_the_present_day_or_hour_or_the_one_that_is_named() -> None:
    assert upload_time(ECG, None, Calendar(FIRST), NOW) == Partition(NOW.date())
    assert upload_time(ECG, None, Calendar(FIRST, "hour"), NOW) == Partition(NOW.date(), 7)
    assert upload_time(ECG, "2020-02-01", Calendar(FIRST), NOW) == Partition(date(2020, 2, 1))
    with pytest.raises(typer.BadParameter, match="the first day of the lake"):
        upload_time(ECG, "2014-12-31", Calendar(FIRST), NOW)


def test_source_and_device_are_folders_behind_the_day() -> None:
    on = Partition(NOW.date())
    assert upload_prefix(ECG, on, None, None) == "ecg/date=2026-01-05/"
    assert upload_prefix(ECG, on, "h1", None) == "ecg/date=2026-01-05/device=h1/"
    assert upload_prefix(ENTITIES, on, None, "crm") == "entities/date=2026-01-05/source=crm/"
    for device in ("", ".", "..", "a/b", "a\u200bb"):
        with pytest.raises(typer.BadParameter, match="one part of a key"):
            upload_prefix(ECG, on, device, None)
    for dataset, why in ((ECG, "takes no notice"), (ENTITIES, "has no mapping")):
        with pytest.raises(typer.BadParameter, match=why):
            upload_prefix(dataset, on, None, "nobody")
