"""What an export says of itself: where it is from, when it was made, how many records it has.

Belongs here: the fields of `metadata`, and the source system by metadata or key. Does not belong here: JSON
(`envelope.py`), the records.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vitalake.arrivals.keys import date_in_key
from vitalake.entities.envelope import Envelope, kind_of
from vitalake.entities.mapping import number_of
from vitalake.errors import UnusableDataError
from vitalake.records.timestamps import parse_timestamp

_FIRST_YEAR = 1970
_CLOCKS_DIFFER = timedelta(days=1)
_MOST = 2**63 - 1
_EXPECTED_CODE = "a number, or up to 64 letters, digits and . _ : + / # -"
# An id or a version is a column that everybody sees: letters, digits and what joins them, but no words.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/#-]{0,63}")
_NO_SYSTEM = re.compile(r"[\d-]+|[^=]*=.*", re.DOTALL)  # parts of a date, name=value


@dataclass(frozen=True)
class ExportMetadata:
    """The fields of the metadata that have a column, and what of them could not be used, in words."""

    source_system: str
    export_id: str | None
    exported_at: datetime | None
    exported_at_is_said: bool
    exported_at_has_time: bool
    data_version: str | None
    declared_count: int | None
    problems: list[str]

    def metadata(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """Of the metadata as written, the fields that have a column and could be used."""
        usable = {
            "sourceSystem": isinstance(written.get("sourceSystem"), str),
            "exportId": self.export_id is not None,
            "exportDate": self.exported_at_is_said,
            "dataVersion": self.data_version is not None,
            "recordCount": self.declared_count is not None,
        }
        return {name: written[name] for name, good in usable.items() if good and name in written}


def source_system(envelope: Envelope, key: str, known: Collection[str]) -> str:
    """The source system, by the metadata, else by a folder of the key.

    A folder is `source=crm` anywhere in the key, or the first one that is neither a date nor `name=value`:
    `entities/crm/…`, `entities/2026/07/01/crm/…`.

    Raises:
        UnusableDataError: E01 neither says it; E02 it has no mapping.
    """
    said = envelope.section("metadata").get("sourceSystem")
    if said is not None and not isinstance(said, str):
        raise UnusableDataError("E01", f"metadata.sourceSystem is {kind_of(said)}; a text was expected")
    by_metadata, by_key = (said or "").strip().lower(), _in_key(key)
    found = by_metadata or by_key
    systems = ", ".join(sorted(known))
    if not found:
        raise UnusableDataError(
            "E01", f"neither metadata.sourceSystem nor a folder names the source system ({systems})"
        )
    if found not in known:
        where = "metadata.sourceSystem is a text" if by_metadata else f"a folder of the key is {by_key[:40]!a}"
        raise UnusableDataError("E02", f"{where}, which has no mapping; known: {systems}")
    return found


def read_metadata(envelope: Envelope, key: str, uploaded_at: datetime, known: Collection[str]) -> ExportMetadata:
    """The fields of the metadata; one that cannot be used is null, and told.

    When it was exported the date in the key says, where the metadata do not. An export cannot be made after its
    upload: believed, one slip of the year would stay the newest for years.

    Raises:
        UnusableDataError: as `source_system`.
    """
    system = source_system(envelope, key, known)
    metadata, problems = envelope.section("metadata"), list(envelope.problems)
    if (by_key := _in_key(key)) in known and by_key != system:
        problems.append(f"metadata.sourceSystem: {system}, though the key says {by_key}")

    def checked(name: str, found: Any, expected: str) -> Any:
        if found is None and metadata.get(name) is not None:
            problems.append(f"metadata.{name}: {kind_of(metadata[name])}; {expected} was expected")
        return found

    latest = uploaded_at + _CLOCKS_DIFFER
    written = metadata.get("exportDate")
    exported_at = _time(written, latest)
    checked("exportDate", exported_at, "a date or time by ISO 8601, from 1970 to the upload,")
    return ExportMetadata(
        system,
        checked("exportId", _code(metadata.get("exportId")), _EXPECTED_CODE),
        exported_at or _time(str(date_in_key(key)), latest),
        exported_at is not None,
        exported_at is not None and len(str(written).strip()) > len("2026-11-20"),
        checked("dataVersion", _code(metadata.get("dataVersion")), _EXPECTED_CODE),
        checked("recordCount", _count(metadata.get("recordCount")), "a whole number from 0"),
        problems,
    )


def _in_key(key: str) -> str:
    folders = [folder.strip().lower() for folder in key.split("/")[1:-1]]
    for folder in folders:
        name, equals, value = folder.partition("=")
        if name == "source" and equals:
            return value
    return next((folder for folder in folders if folder and not _NO_SYSTEM.fullmatch(folder)), "")


def _code(value: Any) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    found = value.strip() if isinstance(value, str) else ""
    return found if _CODE.fullmatch(found) else None


def _count(value: Any) -> int | None:
    found = number_of(value)
    return int(found) if found is not None and 0 <= found <= _MOST and found == int(found) else None


def _time(value: Any, latest: datetime) -> datetime | None:
    try:
        found = parse_timestamp(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.year >= _FIRST_YEAR and found <= latest else None
