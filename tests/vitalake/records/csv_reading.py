"""Read CSV in tests, and what Python's module makes of it."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Sequence

from vitalake.records.csv.reader import read_csv
from vitalake.records.csv.rows import CsvRows, RefusedLine

MISSING_QUOTE = "a quote that is not closed, or text behind one that is"
WIDE = sys.maxsize


def read(
    data: bytes, declared: Sequence[str] = ("a", "b"), ignored: Sequence[str] = (), chunk: int = WIDE
) -> list[CsvRows]:
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return list(read_csv(chunks, declared, [name for name in declared if name != "optional"], ignored))


def rows_of(found: Sequence[CsvRows]) -> list[tuple[int, tuple[str | None, ...]]]:
    """Line and values of each row."""
    return [
        (line, values)
        for block in found
        for line, values in zip(
            block.lines.tolist(),
            zip(*(column.to_pylist() for column in block.columns.values()), strict=True),
            strict=True,
        )
    ]


def refused_of(found: Sequence[CsvRows]) -> list[RefusedLine]:
    return [each for block in found for each in block.refused]


def faults_of(found: Sequence[CsvRows]) -> list[tuple[int, str]]:
    return [(each.line, each.rule) for each in refused_of(found)]


STRICT = re.compile(r"""(?:[^",\r\n]*|"(?:[^"]|"")*")(?:,(?:[^",\r\n]*|"(?:[^"]|"")*"))*(?:\r\n|\r|\n)?""")


def by_python(data: bytes) -> tuple[list[tuple[int, list[str]]], list[int]]:
    """Line and fields of each record after the header, as Python's module has them; lines of those run together.

    Without lines of commas alone.
    """
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\0", "\ufffd")
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(iter(lines))
    line, found, run_together = 1, [], []
    for fields in reader:
        raw = "".join(lines[line - 1 : reader.line_num])
        if raw.strip(",\r\n"):
            found.append((line, fields))
            if reader.line_num > line and not STRICT.fullmatch(raw):
                run_together.append(line)
        line = reader.line_num + 1
    return found[1:], run_together
