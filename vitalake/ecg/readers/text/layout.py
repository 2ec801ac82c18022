"""How a text file is laid out, from its first 64 kB: encoding, delimiter, decimal mark, header, first row.

Belongs here: guesses, and what the lines before the numbers say. Does not belong here: the numbers (`table.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from vitalake.errors import UnusableDataError

HEAD_BYTES = 2**16
SAMPLED_LINES = 200
MAX_LINES = 500  # of header and numbers together that a guess looks at
DELIMITERS = ((",", False), (";", False), (";", True), ("\t", False), ("\t", True), (" ", False), (" ", True))
MIN_SHARE = 0.5  # of the sampled lines; more than this must be numbers
NULLS = ("", "nan", "NaN", "NAN", "na", "NA", "n/a", "N/A", "null", "NULL", "None")
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?(?:[eE][+-]?[0-9]+)?|[+-]?inf", re.IGNORECASE)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,}(?:Z|[+-][0-9:]{2,6})?|(?:[0-9]+:){1,2}[0-9]{2}(?:\.[0-9]+)?"
)
_RATE = re.compile(
    r"(?:sampl\w*[ _-]*(?:rate|freq\w*)|\bfs\b|\bfrequency\b)[^0-9]{0,20}([0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*(k?)",
    re.IGNORECASE,
)
_NAMES = re.compile(r"(?:labels?|leads?|channels?)\s*(?::=|[:=,;\t])\s*(.+)", re.IGNORECASE)
# The one cell above a single column may be a title with a person's name: only what is surely a lead counts.
_LEAD = re.compile(
    r"(?:(?:ecg|ekg|lead|channel|ch|signal|value|val|mv|uv)[ _0-9]*"
    r"(?:i{1,3}|av[rlf]|v[1-9]r?|ml?i{1,3}|mcl[1-6]|[xyz])?|i{1,3}|av[rlf]|v[1-9]r?|ml?i{1,3}|mcl[1-6]|[xyz])"
    r"(?:[ _]*[(\[]?[mµμun]?v[)\]]?)?",
    re.IGNORECASE,
)
_UNIT = re.compile(r"units?\s*(?::=|[:=,;\t])\s*(\S{1,9})", re.IGNORECASE)


class Layout(NamedTuple):
    """Where the numbers are and what the lines before them say.

    Args:
        start: first byte of the first row of numbers.
        line: its number in the file, from 1.
        delimiter: one of ``,`` ``;`` tab and blank, the last for any run of blanks and tabs.
        decimal_comma: whether 0,5 is a half.
        quote: ``"`` or ``'``.
        columns: cells of a row.
        names: of the columns by the header, as many as columns; empty where nothing names them.
        units: as `names`, where a line of units follows the header.
        unit: of all signals, as some line says; empty where none does.
        labels: names of the signals that stand elsewhere than above their columns.
        sampling_rate_hz: as some line says; 0 where none does.
    """

    start: int
    line: int
    delimiter: str
    decimal_comma: bool
    quote: str
    columns: int
    names: tuple[str, ...]
    units: tuple[str, ...]
    unit: str
    labels: tuple[str, ...]
    sampling_rate_hz: float


def decode(data: bytes) -> bytes:
    """The text in an encoding that extends ASCII, without a byte order mark.

    Raises:
        UnusableDataError: S02, begins as UTF-16 and is none.
    """
    head = data[:1000]
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    encoding = None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif len(head) >= 4 and head[1::2].count(0) > 0.8 * len(head) / 2 and 0 not in head[::2]:
        encoding = "utf-16-le"
    elif len(head) >= 4 and head[::2].count(0) > 0.8 * len(head) / 2 and 0 not in head[1::2]:
        encoding = "utf-16-be"
    if encoding is None:
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeError:
        raise UnusableDataError("S02", "begins as text in UTF-16, but is none throughout") from None


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
    share, columns, delimiter, decimal_comma, widths = max(
        _guesses(lines, decimal_sign), key=lambda guess: guess[:2]
    )
    if not share:
        return None
    first = _first_row(lines, widths, columns)
    quote = "'" if any(line.count("'") >= 2 for line in lines[: first + 1]) else '"'
    before = [line for line in lines[:first] if line.strip(" \t,;")]
    names, units = _header(before, delimiter, columns)
    unit, labels, rate = _preamble(before)
    start = sum(map(len, raw_lines[:first]))
    return Layout(start, first + 1, delimiter, decimal_comma, quote, columns, names, units, unit, labels, rate)


def split(line: str, delimiter: str) -> list[str]:
    """Cells of a line without blanks and quotes around them."""
    cells = line.split() if delimiter == " " else line.split(delimiter)
    return [cell.strip().strip("\"'").strip() for cell in cells]


def _to_str(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _guesses(lines: list[str], decimal_sign: str | None) -> Iterator[tuple[float, int, str, bool, list[int]]]:
    """Share of rows of numbers, their columns, delimiter, decimal mark, and for each line its columns or 0."""
    for delimiter, decimal_comma in DELIMITERS:
        if decimal_sign is not None and decimal_comma != (decimal_sign == ","):
            continue
        widths = [_width(line, delimiter, decimal_comma) for line in lines]
        first = next((at for at, width in enumerate(widths) if width), len(lines))
        sampled = [at for at in range(first, len(lines)) if lines[at].strip()][:SAMPLED_LINES]
        rows = [widths[at] for at in sampled if widths[at] and re.search("[0-9]", lines[at])]
        columns, count = Counter(rows).most_common(1)[0] if rows else (0, 0)
        share = count / len(sampled) if sampled else 0.0
        fits = share > MIN_SHARE and (
            columns > 1 or not decimal_comma or decimal_sign == ","
        )  # 1,5 alone is two columns
        yield share if fits else 0.0, columns, delimiter, decimal_comma, widths


def _width(line: str, delimiter: str, decimal_comma: bool) -> int:
    """Cells of a row of numbers, times and missing values; 0 for any other line."""
    number = _COMMA_NUMBER if decimal_comma else _NUMBER
    cells = split(line, delimiter) if line.strip() else []
    for at, cell in enumerate(cells):
        if not (cell in NULLS or number.fullmatch(cell) or (at < 2 and _TIME.fullmatch(cell.strip("[]")))):
            return 0
    return len(cells)


def _first_row(lines: list[str], widths: list[int], columns: int) -> int:
    """First line that begins a run of three rows, or of as many as there are, else the first row at all."""
    rows = [at for at, width in enumerate(widths) if width == columns and re.search(r"\w", lines[at])]
    run = [columns] * min(3, len(rows))
    return next((at for at in rows if widths[at : at + len(run)] == run), rows[0])


def _header(before: list[str], delimiter: str, columns: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the columns in the last one or two lines before the numbers."""
    comments = [line.lstrip()[:1] in ("#", "%") for line in before[-2:]]
    if not before or (comments[-1] and re.search("[:=]", before[-1])):
        return (), ()
    rows = [_padded(split(line.lstrip("#% \t"), delimiter), columns) for line in before[-2:]]
    if columns == 1 and rows[-1] and not _LEAD.fullmatch(rows[-1][0]):
        return (), ()
    if len(rows) == 2 and rows[0] and rows[1] and not any(comments) and columns > 1:
        return rows[0], rows[1]
    return rows[-1], ()


def _padded(row: list[str], columns: int) -> tuple[str, ...]:
    """A header of `columns` cells; it may lack those of empty last columns. Empty where the row is no header."""
    while len(row) > columns and not row[-1]:
        row.pop()
    fits = len(row) == columns or columns / 2 < len(row) < columns
    return tuple(row + [""] * (columns - len(row))) if fits else ()


def _preamble(before: list[str]) -> tuple[str, tuple[str, ...], float]:
    """Unit of all signals, names of the signals, and the sampling rate in Hz, from lines that are no header."""
    unit, labels, rate = "", tuple[str, ...](), 0.0
    for line in before:
        plain = line.lstrip("#% \t").replace('"', "")
        if not rate and (match := _RATE.search(plain)):
            rate = float(match[1].replace(",", ".")) * (1000 if match[2] else 1)
        if not labels and (match := _NAMES.match(plain)):
            labels = tuple(name.strip() for name in re.split(r"[,;\t]", match[1]) if name.strip())
        if not unit and (match := _UNIT.match(plain)):
            unit = match[1].strip(",;")
    return unit, labels, rate
