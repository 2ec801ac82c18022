"""The rows of a delimited text as columns of numbers, by pyarrow's CSV reader, which is in C++ and fuzzed.

Belongs here: numbers, missing values, and the line of what is no number. Does not belong here: what a column means.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitalake.ecg.readers.text.cells import CLOCK, COMMA_NUMBER, DAY, NULLS, POINT_NUMBER
from vitalake.ecg.readers.text.decimal_marks import BELOW_THOUSAND, MANY_ROWS, THOUSANDS
from vitalake.ecg.readers.text.layout import Layout
from vitalake.errors import UnusableDataError

if TYPE_CHECKING:
    import pyarrow as pa

HALF_DAY_S = 43_200.0


class NumberColumn(NamedTuple):
    """Numbers of one column.

    Args:
        values: shape (rows,), int64, float64, or datetime64[ns]; anything where missing.
        missing: shape (rows,); None: nowhere.
        has_zone: whether dates were written with a zone; else they stand as if they were in UTC.
        is_clock: whether `values` are seconds that were written as ``[hours:]minutes:seconds``.
    """

    values: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_] | None
    is_clock: bool = False
    has_zone: bool = False


def read_columns(text: bytes, layout: Layout) -> list[NumberColumn]:
    """Every column but empty last ones.

    Raises:
        UnusableDataError: S02, with the line that is longer or shorter than the first, or holds no number; a date
            that is none of our time; numbers of one column with either decimal mark.
    """
    table = _read_table(text, layout)
    count = table.num_columns
    while count > 1 and table.column(count - 1).null_count == table.num_rows:
        count -= 1
    return [_to_column(table.column(at), layout) for at in range(count)]


def _read_table(text: bytes, layout: Layout) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    body = text[layout.start :].rstrip(b"\r\n\x1a")
    delimiter = layout.delimiter
    if delimiter == " ":
        body = _single_blanks(body)
    # What no number holds: pyarrow would read hexadecimal ones, and cannot report a row that is no UTF-8.
    may = not body.isascii() or b"0x" in body or b"0X" in body
    if may and (foreign := re.search(rb"0[xX]|[\x80-\xff]", body)):
        raise _no_number(layout, len(re.findall(rb"\r\n|\r|\n", body[: foreign.start()])))
    odd: list[tuple[int, int]] = []

    def refuse(row: csv.InvalidRow) -> str:
        odd.append((row.number, row.actual_columns))
        return "error"

    try:
        return csv.read_csv(
            pa.BufferReader(body),
            # One block: types are found by all rows, not by the first megabyte.
            csv.ReadOptions(
                use_threads=False,
                block_size=len(body) + 16,
                column_names=[str(at) for at in range(layout.columns)],
            ),
            csv.ParseOptions(
                delimiter=delimiter, quote_char=layout.quote, ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            csv.ConvertOptions(
                null_values=list(NULLS),
                strings_can_be_null=True,
                decimal_point="," if layout.decimal_comma else ".",
            ),
        )
    except pa.ArrowException:
        if not odd:
            raise UnusableDataError("S02", "the text cannot be read as rows of numbers") from None
        number, actual = odd[0]
        raise UnusableDataError(
            "S02", f"line {layout.line + number - 1:,} has {actual:,} columns, expected {layout.columns:,}"
        ) from None


def _single_blanks(body: bytes) -> bytes:
    """Cells with one blank between them; a regular expression takes five times as long and twice the memory."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    for end in (b"\n", b"\r"):
        body = body.replace(b" " + end, end).replace(end + b" ", end)
    return body.strip(b" ")


def _no_number(layout: Layout, row: int) -> UnusableDataError:
    return UnusableDataError("S02", f"line {layout.line + row:,} holds a cell that is no number")


def _to_column(chunked: pa.ChunkedArray, layout: Layout) -> NumberColumn:
    import pyarrow as pa
    import pyarrow.compute as pc

    array: Any = chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)
    is_clock = False
    if pa.types.is_time(array.type):
        array, is_clock = pc.divide(array.cast(pa.time32("ms")).cast(pa.int32()).cast(pa.float64()), 1000.0), True
    elif pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        zone = getattr(array.type, "tz", None)
        try:
            array = array.cast(pa.timestamp("s", zone)) if pa.types.is_date(array.type) else array
            array = array.cast(pa.timestamp("ns", zone))
        except pa.ArrowInvalid:
            raise UnusableDataError("S02", "a date of the text lies outside of the years 1678 to 2261") from None
        return NumberColumn(*_split(array.cast(pa.int64()), "datetime64[ns]"), has_zone=zone is not None)
    elif pa.types.is_null(array.type):
        array = array.cast(pa.float64())
    elif pa.types.is_string(array.type):
        array, is_clock = _from_text(array, layout)
    if not (pa.types.is_int64(array.type) or pa.types.is_float64(array.type)):
        raise _no_number(layout, int(np.argmax(array.is_valid().to_numpy(zero_copy_only=False))))
    return NumberColumn(*_split(array, None), is_clock)


def _split(array: Any, view: str | None) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Values and where they are missing."""
    missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    values = array.fill_null(0).to_numpy() if array.null_count else array.to_numpy()
    return (values.view(view) if view else values), missing


def _from_text(array: Any, layout: Layout) -> tuple[Any, bool]:
    """Cells that pyarrow takes for words: another decimal mark, blanks, or times by the clock (then True)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.utf8_trim(array, " \t'\"[]")
    plain = pc.if_else(pc.is_in(plain, pa.array(NULLS)), pa.scalar(None, plain.type), plain)
    if plain.null_count < len(plain) and pc.all(pc.match_substring_regex(plain, DAY)).as_py():
        # A day in a form that may be of several countries, beside a clock: no time of the day at all.
        return pa.array(np.zeros(len(plain))), True
    parts = pc.extract_regex(plain, CLOCK)
    if parts.null_count == plain.null_count < len(plain):
        return _seconds_of_the_day(parts), True
    with_point = pc.fill_null(pc.match_substring_regex(plain, POINT_NUMBER), True).to_numpy(zero_copy_only=False)
    with_comma = pc.fill_null(pc.match_substring_regex(plain, COMMA_NUMBER), True).to_numpy(zero_copy_only=False)
    fits = with_point | with_comma
    if not fits.all():
        raise _no_number(layout, int(np.argmin(fits)))
    if not with_point.all() and len(plain) >= MANY_ROWS and _may_have_thousands(plain):
        raise UnusableDataError(
            "S02", "a number such as 1,234 may have a decimal comma or separate thousands: write decimal points"
        )
    if not (with_point.all() or with_comma.all()):
        mixed = max(int(np.argmin(with_point)), int(np.argmin(with_comma)))
        raise UnusableDataError(
            "S02", f"line {layout.line + mixed:,} holds another decimal mark than a number above it in its column"
        )
    try:
        return pc.utf8_ltrim(pc.replace_substring(plain, ",", "."), "+").cast(pa.float64()), False
    except pa.ArrowInvalid:
        raise UnusableDataError("S02", "a number of the text has no place in 64 bits") from None


def _may_have_thousands(plain: Any) -> bool:
    """Whether each comma has three digits behind it, and each number without a comma needs none."""
    import pyarrow.compute as pc

    likely = pc.or_(pc.match_substring_regex(plain, THOUSANDS), pc.match_substring_regex(plain, BELOW_THOUSAND))
    return bool(pc.all(likely).as_py())


def _seconds_of_the_day(parts: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    hours, minutes, seconds, half = (pc.struct_field(parts, name) for name in ("h", "m", "s", "half"))
    seconds = pc.replace_substring_regex(seconds, "[,:]", ".")
    hours, minutes, seconds = (
        pc.if_else(pc.equal(each, ""), "0", each).cast(pa.float64()) for each in (hours, minutes, seconds)
    )
    half = pc.utf8_lower(half)
    hours = pc.if_else(pc.and_(pc.not_equal(half, ""), pc.equal(hours, 12.0)), 0.0, hours)
    since = pc.add(pc.multiply(pc.add(pc.multiply(hours, 60.0), minutes), 60.0), seconds)
    return pc.if_else(pc.equal(half, "p"), pc.add(since, HALF_DAY_S), since)
