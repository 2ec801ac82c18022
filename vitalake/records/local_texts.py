"""Columns of texts in the form that a dataset declares, to columns of their kinds.

Belongs here: numbers with other signs, days and times in other forms, and why a text is none of them. Does not
belong here: the usual forms (`typed.py`), what a form may be (`csv_format.py`, `time_formats.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from vitalake.lake.columns import array, numbers, truth
from vitalake.lake.tables import Kind, arrow_types
from vitalake.records.csv_format import CsvFormat
from vitalake.records.fields import KINDS
from vitalake.records.time_formats import TimeFormat
from vitalake.records.timestamps import RepeatedTimeError, SkippedTimeError, in_utc, parse_timestamp
from vitalake.records.typed import from_texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]

_BLANKS = r"[ \t-\r]*"
_MINUS = "\u2212"


class _TwoReadingsError(ValueError):
    """Two of the declared forms read a text, each as something else."""


def typed_texts(values: pa.Array, kind: Kind, written: CsvFormat) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    """Texts, shape (n,), as `kind`, null where there is none or where it does not fit; and why each does not.

    The reasons are words that follow a field's name, each with where it holds, shape (n,).
    """
    arrow, usual = arrow_types()[kind], CsvFormat()
    if kind in ("int32", "int64", "float64") and (written.decimal_sign, written.thousands_sign) != (".", ""):
        column, bad = _numbers(values, arrow, written, whole=kind != "float64")
        thousands = f" and thousands sign {written.thousands_sign!r}" if written.thousands_sign else ""
        return column, [(f"is not {KINDS[kind]} with decimal sign {written.decimal_sign!r}{thousands}", bad)]
    if kind == "date" and written.days:
        forms = " or ".join(written.date_formats)
        return _moments(values, arrow, partial(_day, written.days), f"is not a date as {forms}", "")
    if kind == "timestamp" and (written.times or written.time_zone != usual.time_zone):
        forms = " or ".join(written.timestamp_formats)
        said = f"is not a time as {forms}" if forms else f"is not {KINDS[kind]}"
        return _moments(values, arrow, partial(_time, written), said, written.time_zone)
    column, bad = from_texts(values, arrow)
    return column, [(f"is not {KINDS[kind]}", bad)]


def _numbers(values: pa.Array, kind: pa.DataType, written: CsvFormat, whole: bool) -> tuple[pa.Array, Mask]:
    import pyarrow as pa
    import pyarrow.compute as pc

    sign = re.escape(written.decimal_sign)
    between = f"[{re.escape(written.thousands_signs)}]"
    # A group of thousands never begins with 0: `0.123` in a column of decimal commas is no 123.
    grouped = f"[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})+|" if written.thousands_sign else ""
    fraction = "" if whole else f"(?:{sign}[0-9]*)?"
    alone = "" if whole else f"|{sign}[0-9]+"
    exponent = "" if whole else "(?:[eE][+-]?[0-9]+)?"
    looks = rf"\A{_BLANKS}[+{_MINUS}-]?(?:(?:{grouped}[0-9]+){fraction}{alone}){exponent}{_BLANKS}\z"
    there = truth(values.is_valid())
    may = there & truth(pc.match_substring_regex(values, looks).fill_null(False))
    usual = values
    for each in written.thousands_signs:
        usual = pc.replace_substring(usual, each, "")
    usual = pc.replace_substring(pc.replace_substring(usual, written.decimal_sign, "."), _MINUS, "-")
    if (there & ~may).any():
        usual = pc.if_else(array(may, pa.bool_()), usual, pa.scalar(None, pa.string()))
    column, bad = from_texts(usual, kind)
    return column, bad | (there & ~may)


def _moments(
    values: pa.Array, kind: pa.DataType, read: Callable[[str], date | datetime], otherwise: str, zone: str
) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    """Days or times, each different text read once."""
    import numpy as np
    import pyarrow as pa

    words: dict[type[ValueError], str] = {
        ValueError: otherwise,
        _TwoReadingsError: "can be read in two ways by the declared forms",
        SkippedTimeError: f"is a time that clocks in {zone} skip, as they go forward",
        RepeatedTimeError: f"is a time that clocks in {zone} show twice, as they go back: write it with its offset",
    }
    coded = values.dictionary_encode()
    found: list[date | datetime | None] = []
    why: list[int] = []
    for text in coded.dictionary.to_pylist():
        try:
            found.append(read(text.strip()))
            why.append(-1)
        except (ValueError, OverflowError) as error:
            found.append(None)
            why.append(next((at for at, each in enumerate(words) if type(error) is each), 0))
    there = truth(values.is_valid())
    codes = np.zeros(len(values), np.int64)
    codes[there] = np.frombuffer(coded.indices.buffers()[1], np.int32)[: len(values)][there]
    reason = np.full(len(values), -1)
    reason[there] = np.asarray(why, np.int64)[codes[there]]
    column = array(found, kind).take(numbers(codes, pa.int64(), ~there))
    return column, [(said, reason == at) for at, said in enumerate(words.values())]


def _one_reading(forms: Sequence[TimeFormat], text: str) -> datetime:
    found: list[datetime] = []
    for form in forms:
        try:
            found.append(form.read(text))
        except ValueError:
            continue
    if not found:
        raise ValueError("in none of the forms")
    if any(each != found[0] for each in found):
        raise _TwoReadingsError
    return found[0]


def _day(forms: Sequence[TimeFormat], text: str) -> date:
    return _one_reading(forms, text).date()


def _time(written: CsvFormat, text: str) -> datetime:
    if not written.times:
        return parse_timestamp(text, written.zone)
    found = _one_reading(written.times, text)
    return found.astimezone(timezone.utc) if found.tzinfo else in_utc(found, written.zone)
