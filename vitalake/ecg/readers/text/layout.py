"""How a text file is laid out, from its first 64 kB: encoding, delimiter, decimal mark, first row.

Belongs here: guesses. Does not belong here: what the lines before the numbers say (`head.py`, `programs.py`), the
numbers (`table.py`).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vitalake.ecg.readers.text.cells import NULLS, is_number, is_time
from vitalake.ecg.readers.text.decimal_marks import THOUSANDS, Mark, mark_of_pairs
from vitalake.ecg.readers.text.head import Head, is_statement, read_head, stated_labels
from vitalake.ecg.readers.text.programs import is_count_row, read_program_head
from vitalake.errors import UnusableDataError

HEAD_BYTES = 2**16
SAMPLED_LINES = 200
MAX_LINES = 500  # of header and numbers together that a guess looks at
DELIMITERS = (",", ";", "\t", " ")
MIN_SHARE = 0.5  # of the sampled lines; more than this must be numbers
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")

# As Python writes a number of NumPy, from version 2 on.
_TYPED = re.compile(rb"\bnp\.(?:float|int|uint)[0-9]{1,2}\(([^()\r\n]{1,40})\)")


class Layout(NamedTuple):
    """Where the numbers are and what the lines before them say.

    Args:
        start: first byte of the first row of numbers.
        line: its number in the file, from 1.
        delimiter: one of ``,`` ``;`` tab and blank, the last for any run of blanks and tabs.
        decimal_comma: whether a number shows that 0,5 is a half; a column may have another mark all the same.
        quote: ``"`` or ``'``.
        columns: cells of a row.
        head: what is said of the columns.
        unclear: why nobody can tell which numbers these are; empty where it is clear.
    """

    start: int
    line: int
    delimiter: str
    decimal_comma: bool
    quote: str
    columns: int
    head: Head
    unclear: str = ""


class _Guess(NamedTuple):
    """The share of rows of numbers, their columns, the delimiter, and for each line its cells or none."""

    share: float
    columns: int
    delimiter: str
    rows: list[list[str]]


def decode(data: bytes) -> bytes:
    """The text in an encoding that extends ASCII, without a byte order mark, and numbers without their type.

    Raises:
        UnusableDataError: S02, begins as UTF-16 and is none.
    """
    head = data[:1000]
    if data.startswith(b"\xef\xbb\xbf"):
        return _plain(data[3:])
    encoding = None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif len(head) >= 4 and head[1::2].count(0) > 0.8 * len(head) / 2 and 0 not in head[::2]:
        encoding = "utf-16-le"
    elif len(head) >= 4 and head[::2].count(0) > 0.8 * len(head) / 2 and 0 not in head[1::2]:
        encoding = "utf-16-be"
    if encoding is None:
        return _plain(data)
    try:
        return _plain(data.decode(encoding).encode())
    except UnicodeError:
        raise UnusableDataError("S02", "begins as text in UTF-16, but is none throughout") from None


def _plain(text: bytes) -> bytes:
    return _TYPED.sub(rb"\1", text) if b"np." in text else text


def find_layout(text: bytes, decimal_sign: str | None = None) -> Layout | None:
    """Layout of a text whose lines are mostly numbers; None where it is no such text.

    Args:
        text: all of it, in an encoding that extends ASCII.
        decimal_sign: point or comma, where it is known; None: told from the text.
    """
    head = text[:HEAD_BYTES]
    if CONTROL.search(head) or head.lstrip()[:1] in (b"{", b"[", b"<", b""):
        return None
    raw_lines = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", head)
    if len(text) > len(head) and len(raw_lines) > 1:
        del raw_lines[-1]  # it is cut off
    lines = [_to_str(line).rstrip("\r\n") for line in raw_lines[:MAX_LINES]]
    delimiters = [each for each in DELIMITERS if each != "," or decimal_sign != ","]
    guess = max(_guesses(lines, delimiters, decimal_sign == ","), key=lambda guess: guess[:2])
    if not guess.share:
        return None
    first = _first_row(lines, guess)
    unclear = ""
    if guess.delimiter == "," and decimal_sign is None:
        mark = mark_of_pairs(_named(lines[:first]), _sampled(guess, first))
        if mark is Mark.UNCLEAR:
            unclear = (
                "a comma may be a decimal mark or lie between two cells: write decimal points, or semicolons "
                "between the cells, or name each column in the line above them"
            )
        if mark is Mark.DECIMAL:
            guess = next(each for each in _guesses(lines, (";",)))
            first = _first_row(lines, guess)
    first += is_count_row(lines, first, text.count(b"\n", sum(map(len, raw_lines[:first]))))
    sampled = _sampled(guess, first)
    if not sampled:
        return None
    quote = "'" if any(line.count("'") >= 2 for line in lines[: first + 1]) else '"'
    named = _head(lines[:first], guess.delimiter, sampled)
    return Layout(
        sum(map(len, raw_lines[:first])),
        first + 1,
        guess.delimiter,
        any("," in cell and is_number(cell) and not re.match(THOUSANDS, cell) for row in sampled for cell in row),
        quote,
        guess.columns,
        named,
        unclear or named.unclear,
    )


def split(line: str, delimiter: str) -> list[str]:
    """Cells of a line without blanks and quotes around them."""
    if delimiter == " ":
        cells = line.split()
    elif '"' in line:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    else:
        cells = line.split(delimiter)
    return [cell.strip().strip("\"'").strip() for cell in cells]


def _to_str(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _guesses(lines: list[str], delimiters: Sequence[str], decimal_comma: bool = False) -> Iterator[_Guess]:
    for delimiter in delimiters:
        rows = [_row(line, delimiter) for line in lines]
        first = next((at for at, row in enumerate(rows) if row), len(lines))
        sampled = [at for at in range(first, len(lines)) if lines[at].strip()][:SAMPLED_LINES]
        widths = [len(rows[at]) for at in sampled if rows[at] and re.search("[0-9]", lines[at])]
        columns, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
        share = count / len(sampled) if sampled else 0.0
        # 1,5 alone is two cells, until its rows say otherwise.
        fits = share > MIN_SHARE and (
            columns > 1 or delimiter == "," or decimal_comma or not any("," in row[0] for row in rows if row)
        )
        yield _Guess(share if fits else 0.0, columns, delimiter, rows)


def _row(line: str, delimiter: str) -> list[str]:
    """Cells of a row of numbers, times and missing values; none of any other line."""
    cells = split(line, delimiter) if line.strip() else []
    return cells if all(cell in NULLS or is_number(cell) or is_time(cell) for cell in cells) else []


def _first_row(lines: list[str], guess: _Guess) -> int:
    """First line that begins a run of three rows, or of as many as there are, else the first row at all."""
    widths = [len(row) for row in guess.rows]
    rows = [at for at, width in enumerate(widths) if width == guess.columns and re.search(r"\w", lines[at])]
    run = [guess.columns] * min(3, len(rows))
    return next((at for at in rows if widths[at : at + len(run)] == run), rows[0])


def _sampled(guess: _Guess, first: int) -> list[list[str]]:
    """The first rows of numbers; those of another width are told of when they are read."""
    return [row for row in guess.rows[first:] if row][:SAMPLED_LINES]


def _named(before: list[str]) -> tuple[str, ...]:
    """What names the columns, were their cells apart: the line above the numbers, or one of its own."""
    filled = [line for line in before if line.strip(" \t,;")]
    if filled and not is_statement(filled[-1]) and (cells := split(filled[-1].lstrip("#% \t"), ",")) != [""]:
        return tuple(cells)
    return stated_labels(before)


def _head(before: list[str], delimiter: str, sampled: list[list[str]]) -> Head:
    width = len(sampled[0])
    cells = [row for row in sampled if len(row) == width]
    while len(cells[0]) > 1 and not any(row[-1] for row in cells):
        cells = [row[:-1] for row in cells]
    filled = [line for line in before if line.strip(" \t,;")]
    rows = [split(line.lstrip("#% \t"), delimiter) for line in filled]
    return read_program_head(before, cells) or read_head(filled, rows, cells)
