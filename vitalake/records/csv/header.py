"""The header of a CSV file: its delimiter, its columns, and where the records begin.

Belongs here: what is decided from the first lines. Does not belong here: records (`vitalake/records/csv/block.py`).
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from vitalake.errors import UnusableDataError
from vitalake.records.decoding.file_kinds import marked_encoding
from vitalake.records.names import DeclaredNames, declared_names, unlike

DELIMITERS = ",;\t|"
MAX_HEADER_BYTES = 1 << 20
_SAID = re.compile(rb'"?sep=([^\r\n\0"A-Za-z0-9])"?[,;\t|]*(?:\r\n|\r|\n)', re.IGNORECASE)
_JSON = re.compile(rb"[ \t\r\n]*[\[{]")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_SHOWN_NAMES = 10
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class CsvHeader:
    """What the header says.

    Attributes:
        delimiter: one character between fields.
        fields: names of all columns as they stand in the file, without spaces around them.
        names: the same as they are declared, where they are.
        spelled: the same with the spaces, and with the fields without a name at the end, which must stay empty.
        size_bytes: of all that stands before the first record, a byte order mark included.
        line_count: physical lines up to and with the header.
    """

    delimiter: str
    fields: tuple[str, ...]
    names: tuple[str, ...]
    spelled: tuple[str, ...]
    size_bytes: int
    line_count: int

    @property
    def width(self) -> int:
        """Fields of a record."""
        return len(self.spelled)


def read_header(
    data: bytes,
    declared: Sequence[str],
    required: Collection[str],
    ignored: Collection[str],
    private: bool = False,
    delimiter: str | None = None,
) -> CsvHeader:
    """The header of a file; blank lines may stand before it, and `sep=` with the delimiter on the first line.

    Else the delimiter is the one of `DELIMITERS` with which most names are known, of equals that with most fields.

    Args:
        data: the beginning of the file: all of it, or more than `MAX_HEADER_BYTES`.
        declared: names of the columns that a file may have.
        required: those that it must have.
        ignored: names of further columns that it may have.
        private: the file is about people, so none of its words goes into a message.
        delimiter: that the file must have; None: any of `DELIMITERS`.

    Raises:
        UnusableDataError: S02, this is no UTF-8 text; D01, there is no header, or it lacks a required column, has
            one twice, or one that nobody declared, or says that it has another delimiter.
    """
    if encoding := marked_encoding(data):
        raise UnusableDataError("S02", f"the file is in {encoding.upper()}, expected UTF-8")
    known = declared_names((*declared, *ignored))
    best, best_known = None, -1
    begin = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    said = _SAID.match(data, begin)
    candidates = _candidates(said.group(1).decode("latin-1") if said else None, delimiter)
    for each in candidates:
        found = _split(data, each, said.end() if said else begin, 1 if said else 0, known)
        count = sum(known.declared(name) is not None for name in found.fields)
        if count == len(found.fields) and count:
            best, best_known = found, count
            break
        if best is None or (count, len(found.fields)) > (best_known, len(best.fields)):
            best, best_known = found, count
    assert best is not None  # noqa: S101 - there are delimiters
    _check(best.names, known, required, private, _otherwise(data, begin, delimiter))
    return best


def _candidates(said: str | None, declared: str | None) -> str:
    """The delimiters that a file may have, by what it says itself and what is declared."""
    allowed = declared or DELIMITERS
    if said is not None and said not in allowed:
        raise UnusableDataError(
            "D01", f"the first line says that the delimiter is {said!r}, expected {' or '.join(map(repr, allowed))}"
        )
    return said or allowed


def _split(data: bytes, delimiter: str, begin: int, lines_before: int, known: DeclaredNames) -> CsvHeader:
    used = begin

    def lines() -> Iterator[str]:
        nonlocal used
        for line in _LINE.finditer(data, begin, begin + MAX_HEADER_BYTES):
            used = line.end()
            if b"\0" in line.group():
                raise UnusableDataError("S02", "a NUL byte in the header: the file is no UTF-8 text")
            try:
                yield line.group().decode()
            except UnicodeDecodeError as error:
                byte = f"byte {error.start + 1:,} of its line is {error.object[error.start]:02X}"
                advice = "save the file as UTF-8, or declare its encoding, e.g. encoding='cp1252'"
                raise UnusableDataError("S02", f"the header is no UTF-8 text: {byte}; {advice}") from None

    reader = csv.reader(lines(), delimiter=delimiter)
    try:
        fields = next((fields for fields in reader if any(fields)), None)
    except csv.Error as error:
        raise UnusableDataError("D01", f"the header cannot be read: {error}") from None
    if used >= MAX_HEADER_BYTES or (fields is None and len(data) > MAX_HEADER_BYTES):
        raise UnusableDataError("D01", f"the header does not end within {MAX_HEADER_BYTES:,} bytes")
    if fields is None:
        raise UnusableDataError("D01", "there is no header")
    names = [name.strip() for name in fields]
    while not names[-1] and len(names) > 1:
        names.pop()
    declared = tuple(known.declared(name) or name for name in names)
    return CsvHeader(delimiter, tuple(names), declared, tuple(fields), used, lines_before + reader.line_num)


def _otherwise(data: bytes, begin: int, delimiter: str | None) -> str:
    """What else may be the matter with a file in which no column is known."""
    if _JSON.match(data, begin):
        return "; the file looks like JSON"
    return f"; the delimiter is declared as {delimiter!r}" if delimiter else ""


def _check(
    fields: Sequence[str], known: DeclaredNames, required: Collection[str], private: bool, otherwise: str
) -> None:
    undeclared = [name for name in dict.fromkeys(fields) if known.declared(name) is None]
    alike = "".join(f"; {said}" for said in unlike(undeclared, known)[:_SHOWN_NAMES])
    if len(undeclared) == len(dict.fromkeys(fields)):
        # Without a header the first record stands in its place: its values are not for messages.
        raise UnusableDataError(
            "D01",
            f"none of the {len(fields):,} fields of the first line is a declared column, expected a header with "
            f"{_shown(sorted(required or known.names))}{alike or otherwise}",
        )
    said = []
    if missing := [name for name in required if name not in fields]:
        said.append(f"lacks {_shown(sorted(missing))}")
    if repeated := [name for name in dict.fromkeys(fields) if fields.count(name) > 1]:
        shown = [name for name in repeated if not private or known.declared(name)]
        said.append(f"repeats {_shown(shown)}" if shown else "repeats columns")
    if undeclared:
        said.append(f"has {len(undeclared):,} undeclared columns" + ("" if private else f": {_shown(undeclared)}"))
    if said:
        raise UnusableDataError("D01", f"the header {'; '.join(said)}{alike}")


def _shown(names: Sequence[str]) -> str:
    """Names for a message, few and short."""
    cut = [name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "…" for name in names]
    more = f" and {len(cut) - _SHOWN_NAMES:,} more" if len(cut) > _SHOWN_NAMES else ""
    return ", ".join(repr(name) for name in cut[:_SHOWN_NAMES]) + more
