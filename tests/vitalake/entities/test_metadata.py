"""Where an export is from, and when it was made."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.vitalake.entities.samples import UPLOADED_AT
from vitalake.entities.envelope import Envelope, read_envelope
from vitalake.entities.metadata import ExportMetadata, read_metadata, source_system
from vitalake.errors import UnusableDataError

KNOWN = ("crm", "erp", "legacy")


def envelope(**metadata: Any) -> Envelope:
    return read_envelope(json.dumps({"records": [], "metadata": metadata}).encode())


def said_by(**metadata: Any) -> ExportMetadata:
    """What an export of system crm says."""
    return read_metadata(envelope(**metadata), "entities/crm/x.json", UPLOADED_AT, KNOWN)


@pytest.mark.parametrize(
    ("said", "key", "system"),
    [
        (" CRM ", "entities/x.json", "crm"),
        ("crm", "entities/erp/x.json", "crm"),
        (None, "entities/erp/x.json", "erp"),
        ("", "entities/source=Legacy/x.json", "legacy"),
        (None, "entities/date=2026-11-20/source=erp/x.json", "erp"),
        (None, "entities/erp/2026/11/20/x.json", "erp"),
        (None, "entities/date=2026-11-20/crm/x.json", "crm"),
        (None, "entities/2026/11/20/07/crm/daily/x.json", "crm"),
        (None, "entities//2026-11-20/region=eu/crm/x.json", "crm"),
    ],
)
def test_the_metadata_names_the_system_else_a_folder_does(said: str | None, key: str, system: str) -> None:
    assert source_system(envelope(sourceSystem=said), key, KNOWN) == system


@pytest.mark.parametrize(
    ("said", "key", "rule"),
    [
        (None, "entities/x.json", "E01"),
        (None, "entities/2026/11/20/x.json", "E01"),
        (None, "entities/date=2026-11-20/x.json", "E01"),
        (5, "entities/crm/x.json", "E01"),
        ("sap", "entities/crm/x.json", "E02"),
        (None, "entities/sap/x.json", "E02"),
    ],
)
def test_an_export_of_no_known_system_is_refused_naming_those_that_are(said: Any, key: str, rule: str) -> None:
    with pytest.raises(UnusableDataError) as caught:
        source_system(envelope(sourceSystem=said), key, KNOWN)
    assert caught.value.rule == rule
    assert said == 5 or "crm, erp, legacy" in caught.value.message


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-20T06:07:08Z", datetime(2026, 11, 20, 6, 7, 8)),
        ("2026-11-20 06:07", datetime(2026, 11, 20, 6, 7)),
        ("2026-11-20T06:07:08.1234567+02:00", datetime(2026, 11, 20, 4, 7, 8, 123456)),
        ("2026-11-20T00:30:00-0130", datetime(2026, 11, 20, 2)),
        ("2026-11-20T06:07:08+02", datetime(2026, 11, 20, 4, 7, 8)),
    ],
)
def test_times_are_read_as_utc(text: str, time: datetime) -> None:
    said = said_by(exportDate=text)
    assert (said.exported_at, said.problems) == (time.replace(tzinfo=timezone.utc), [])


@pytest.mark.parametrize(
    ("text", "has_time"),
    [
        ("2026-11-20", False),
        (" 2026-11-20 ", False),
        ("2026-11-20T00:00:00Z", True),
        ("2026-11-20 00", True),
        ("2026-11-20T02:00+02:00", True),
        (None, False),
        ("today", False),
    ],
)
def test_midnight_is_a_time_and_a_date_alone_is_none(text: str | None, has_time: bool) -> None:
    said = said_by(exportDate=text)
    assert said.exported_at_has_time is has_time
    assert (said.exported_at is None) == (text in (None, "today"))


@pytest.mark.parametrize(
    "text", ["20/11/2026", "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-20T25:00Z", 5, []]
)
def test_a_date_that_is_none_is_told_and_not_guessed(text: Any) -> None:
    said = said_by(exportDate=text)
    assert said.exported_at is None
    assert [problem.partition(":")[0] for problem in said.problems] == ["metadata.exportDate"]


def test_fields_of_another_type_are_told() -> None:
    said = said_by(exportId=["a"], dataVersion=1.4, recordCount="many")
    assert (said.export_id, said.data_version, said.declared_count) == (None, "1.4", None)
    assert [problem.partition(":")[0] for problem in said.problems] == ["metadata.exportId", "metadata.recordCount"]
    assert said_by(recordCount="1,000").declared_count == 1000


def test_an_export_dated_after_its_upload_does_not_stay_the_newest_for_years() -> None:
    tomorrow = UPLOADED_AT + timedelta(hours=23)
    assert said_by(exportDate=tomorrow.isoformat()).exported_at == tomorrow
    assert said_by(exportDate="2062-11-20").exported_at is None
    assert len(said_by(exportDate="2062-11-20").problems) == 1


def test_where_the_metadata_have_no_date_that_of_the_key_counts() -> None:
    def exported(key: str, **metadata: Any) -> datetime | None:
        return read_metadata(envelope(**metadata), key, UPLOADED_AT, KNOWN).exported_at

    for key in ("entities/date=2026-11-18/crm/x.json", "entities/crm/2026/11/18/x.json"):
        assert exported(key) == exported(key, exportDate="today") == datetime(2026, 11, 18, tzinfo=timezone.utc)
        assert exported(key, exportDate="2026-11-19") == datetime(2026, 11, 19, tzinfo=timezone.utc)
        assert not read_metadata(envelope(), key, UPLOADED_AT, KNOWN).exported_at_has_time
    for key in ("entities/crm/x.json", "entities/crm/2062/11/18/x.json", "entities/date=2026-02-30/crm/x.json"):
        assert exported(key) is None


def test_a_folder_that_says_otherwise_than_the_metadata_is_told() -> None:
    assert said_by(sourceSystem="crm").problems == []
    said = said_by(sourceSystem="erp")
    assert said.source_system == "erp"
    assert said.problems == ["metadata.sourceSystem: erp, though the key says crm"]
