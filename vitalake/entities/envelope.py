"""One object of business records: its records, and what is said around them.

Belongs here: which kind of object it is, and where its records stand in it. Does not belong here: reading records
(`vitalake/records/json/reader.py`), what stands around them (`envelope_fields.py`), what the fields mean, of a
record (`mapping.py`) or of the metadata (`metadata.py`).

An object is `{"records": […], "metadata": {…}, "summary": {…}}`, or records as every dataset reads them: an array,
one record, or one on each line. JSON as RFC 8259 has it, in UTF-8 with or without a byte order mark.

An envelope that does not end is refused: nobody knows what a torn one says of itself. Its bytes are all in memory,
because the metadata, which say how a record is to be read, may stand behind the records. These are decoded a block
at a time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitalake.entities.envelope_fields import Fault, decoded, key_named, without_faults
from vitalake.errors import UnusableDataError
from vitalake.records.json.enclosed import enclosed_in
from vitalake.records.json.nesting import Nesting, NestingError
from vitalake.records.json.reader import read_json

if TYPE_CHECKING:
    from vitalake.records.json.block import JsonRecords

_CHUNK_BYTES = 4 << 20
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\{")
_NAME = re.compile(rb'[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,:"{}\[\]]+')
_BEHIND = re.compile(rb"[ \t\r\n]*([,}])")
_BLANK = re.compile(rb"[ \t\r\n]*")
_RECORDS, _METADATA = "records", "metadata"
_SECTIONS = frozenset({_METADATA, "summary"})


@dataclass(frozen=True)
class Envelope:
    """The text of the records, and everything around them.

    Args:
        text: JSON of the records.
        around: every other field of the object, without faults; empty where there are only records.
        problems: what was wrong with these, in words.
    """

    text: memoryview
    around: dict[str, Any]
    problems: tuple[str, ...] = ()

    def records(self) -> Iterator[JsonRecords]:
        """The records, a block at a time.

        Raises:
            UnusableDataError: S02, there are none.
        """
        return read_json(bytes(self.text[at : at + _CHUNK_BYTES]) for at in range(0, len(self.text), _CHUNK_BYTES))

    def section(self, name: str) -> Mapping[str, Any]:
        """`metadata` or `summary`; empty where there is none."""
        found = self.around.get(name)
        return found if isinstance(found, dict) else {}


def read_envelope(data: bytes, keys: Collection[str] = ()) -> Envelope:
    """Find the records of a whole object, and read what is around them.

    Args:
        data: the object, in UTF-8.
        keys: by which records are known.

    Raises:
        UnusableDataError: S02, it is an envelope that is broken, or holds no array of records, at least not where
            it should.
    """
    text = memoryview(data)
    begin = _OBJECT.match(data)
    members: dict[str, slice] = {}
    end = None
    if begin is not None:
        try:
            end = _find_members(data, begin.end(), members)
        except (UnusableDataError, NestingError) as error:
            if _RECORDS in members:
                message = error.message if isinstance(error, UnusableDataError) else str(error)
                raise UnusableDataError("S02", f"the export is broken: {message}") from None
    if _RECORDS not in members:
        if end is not None and _BLANK.match(data, end).end() == len(data):  # type: ignore[union-attr]
            _refuse_around(data, members, keys)
        return Envelope(text, {})
    if end is not None and _BLANK.match(data, end).end() < len(data):  # type: ignore[union-attr]
        raise UnusableDataError("S02", f"the export ends at byte {end:,}, but the object goes on")
    place = members.pop(_RECORDS)
    if not data.startswith(b"[", place.start):
        raise UnusableDataError("S02", f"`records` is {kind_of(decoded(data[place]))}, not an array")
    found = {name: decoded(data[place]) for name, place in members.items()}
    if isinstance(metadata := found.get(_METADATA), Fault):
        raise UnusableDataError("S02", f"the metadata cannot be trusted: {metadata.message}")
    problems: list[str] = []
    around = without_faults(found, "", problems, depth=0)
    for name in (_METADATA, "summary"):
        if not isinstance(around.get(name), (dict, type(None))):
            problems.append(f"{name}: {kind_of(around[name])}, not an object")
    return Envelope(text[place], around, tuple(problems))


def _refuse_around(data: bytes, members: Collection[str], keys: Collection[str]) -> None:
    """Holds an object that is not called an export to be a record. Raises UnusableDataError."""
    inside = enclosed_in(data, keys)
    is_envelope = not _SECTIONS.isdisjoint(members) and not set(keys) & set(members)
    if inside.count or (keys and is_envelope):
        raise UnusableDataError(
            "S02",
            f'{inside.around()}, and no `records`: expected {{"records": […], "metadata": {{…}}}}, or the records '
            "alone, as an array or one on each line; rename what holds them",
            max(inside.count, 1),
        )


def canonical(value: Any) -> str:
    """The one JSON text of a value without faults: keys sorted, no blanks."""
    import msgspec

    return msgspec.json.encode(value, order="sorted").decode()


def kind_of(value: Any) -> str:
    """What a value of a document is, in words."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _find_members(data: bytes, at: int, found: dict[str, slice]) -> int:
    """Adds to `found` where each value of an object lies, from behind its brace on; returns where the object ends.

    Raises:
        UnusableDataError: S02, it is no object, or has a key twice.
        NestingError: brackets do not match.
    """
    known = _values(data)
    while True:
        name = _NAME.match(data, at)
        if name is None:
            raise UnusableDataError("S02", f"a key was expected at byte {at:,}")
        key, begin = decoded(name[1]), name.end()
        if key in found:
            raise UnusableDataError("S02", f"{key_named(key)} is there twice")
        found[key] = slice(begin, begin)
        found[key] = slice(begin, end := _end(data, begin, known.get(key)))
        behind = _BEHIND.match(data, end)
        if behind is None:
            raise UnusableDataError("S02", f"a comma or brace was expected at byte {end:,}")
        at = behind.end()
        if behind[1] == b"}":
            return at


def _values(data: bytes) -> dict[str, Any]:
    """The text of each member's value; nothing where the object is not valid JSON. Of equal keys, the last."""
    import msgspec

    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _end(data: bytes, at: int, known: Any) -> int:
    """Where the value ends that begins at `at`: a hundred times sooner where it is the one that was decoded."""
    if data[at : at + 1] in (b"{", b"[", b'"'):
        if known is not None and data.startswith(known, at):
            return at + len(memoryview(known))
        end, ended = Nesting().follow(data, at)
        if not ended:
            raise UnusableDataError("S02", f"the value that begins at byte {at:,} does not end")
        return end
    scalar = _SCALAR.match(data, at)
    if scalar is None:
        raise UnusableDataError("S02", f"a value was expected at byte {at:,}")
    return scalar.end()
