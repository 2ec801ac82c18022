"""Values as files have them to columns of the declared kinds; what does not fit is marked, and never guessed at.

Belongs here: which texts and JSON values pass as which kind. Does not belong here: what is said about those that do
not (`vitalake/records/judge.py`).

Text passes as a whole number by its digits (`+5`, ` 5 `), as a fraction where it is finite (`1e3`, no `nan`), as a
date as YYYY-MM-DD, as a time in ISO 8601 (without a zone: UTC), as bool as true, false, 1 or 0. A JSON number
passes as an integer where it has no fraction (`5.0`, `1e3`); from 2^53 on only where it is written as one, as what
was read of others may be a neighbour. A JSON string never passes as a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from vitalake.lake.columns import array, numbers, truth
from vitalake.records.conditions import BLANK
from vitalake.records.timestamps import parse_timestamp

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]

_INTEGER = re.compile(r"\s*[+-]?0*[0-9]{1,19}\s*", re.ASCII)
_FRACTION = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
# How a text looks or begins, in RE2, where it may pass: what does not fit is mostly seen so, a column at a time.
_WHOLE = r"\A[ \t-\r]*[+-]?[0-9]+[ \t-\r]*\z"
_LOOKS = {
    "int32": _WHOLE,
    "int64": _WHOLE,
    "double": r"\A[ \t-\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t-\r]*\z",
    "bool": rf"(?i)\A[{BLANK}]*(true|false|1|0)[{BLANK}]*\z",
    "date32[day]": r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z",
    "timestamp[us, tz=UTC]": r"\A[ \t-\r]*[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
_LIMITS = {"int32": 2**31, "int64": 2**63}
_SAMPLE = 64
_EXACT_BELOW = 2**53  # every whole number that a double holds is one of its own
# The first and the last moment that Python takes for a date, as most readers do, in the unit of each kind.
_CALENDAR = {
    "date32[day]": (-719_162, 2_932_896),
    "timestamp[us, tz=UTC]": (-62_135_596_800_000_000, 253_402_300_799_999_999),
}


def from_texts(values: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Mask]:
    """Texts, shape (n,), as `kind`, null where there is none or where it does not fit; and where it does not."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_string(kind):
        return values, np.zeros(len(values), np.bool_)
    try:
        if len(values) > 2 * _SAMPLE:  # a value that does not fit costs Arrow a hundred that do
            _cast(values.take(numbers(np.linspace(0, len(values) - 1, _SAMPLE).astype(np.int64), pa.int64())), kind)
        return _cast(values, kind), np.zeros(len(values), np.bool_)
    except pa.ArrowInvalid:
        return _by_looks(values, kind)


def from_json(values: Sequence[Any], kind: pa.DataType) -> tuple[pa.Array, Mask]:
    """JSON values, n of them, None where there is none, as `kind`; otherwise as `from_texts`."""
    import numpy as np
    import pyarrow as pa

    found = set(map(type, values))
    kinds = found - {type(None)}
    name = str(kind)
    if not kinds:
        return pa.nulls(len(values), kind), np.zeros(len(values), np.bool_)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        if kinds <= {str}:
            return from_texts(_strings(values), kind)
        return _one_by_one(values, kind, lambda value: _TEXT_PARSERS[name](_only(str, value)))
    expected: set[type] = {"string": {str}, "bool": {bool}, "double": {float, int}}.get(name, {int})  # type: ignore[assignment]
    if kinds <= expected:
        good = np.zeros(len(values), np.bool_)
        if kinds == {str}:
            return _strings(values), good
        try:
            return array(np.asarray(values) if kinds and kinds == found else values, kind), good
        except (pa.ArrowInvalid, OverflowError, TypeError):
            pass  # an integer that is too large, somewhere
    return _one_by_one(values, kind, _JSON_PARSERS[name])


def _within(column: pa.Array, first: int, last: int) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = pc.min_max(column.view(pa.int32() if pa.types.is_date(column.type) else pa.int64())).as_py()
    return ends["min"] is None or (first <= ends["min"] and ends["max"] <= last)


def _strings(values: Sequence[str | None]) -> pa.Array:
    """Texts as a column, sooner than one by one."""
    import numpy as np
    import pyarrow as pa
    from pyarrow.lib import StringBuilder

    whole = None if None in values else "".join(values)  # type: ignore[arg-type]
    if whole is not None and whole.isascii() and len(whole) < 2**31:
        offsets = np.zeros(len(values) + 1, np.int32)
        np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=offsets[1:])  # type: ignore[arg-type]
        return pa.Array.from_buffers(
            pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(whole.encode())]
        )
    builder = StringBuilder()  # which, unlike `pa.array`, imports no pandas
    builder.append_values(values)
    return builder.finish()


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Texts that all fit.

    Raises:
        pyarrow.ArrowInvalid: some may not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = values.cast(kind)
    # Arrow takes hexadecimal integers, and fractions that are no numbers.
    if pa.types.is_integer(kind) and any(pc.any(pc.match_substring(values, x)).as_py() for x in "xX"):
        raise pa.ArrowInvalid("hexadecimal")
    if pa.types.is_floating(kind) and not pc.all(pc.is_finite(found)).as_py() and found.null_count < len(found):
        raise pa.ArrowInvalid("not finite")
    if str(kind) in _CALENDAR and not _within(found, *_CALENDAR[str(kind)]):
        raise pa.ArrowInvalid("no year 0, and none after 9999")
    return found


def _by_looks(values: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Mask]:
    """Those texts that look as if they fit, each different one once; of the others nothing is asked."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    there = truth(values.is_valid())
    may = there & truth(pc.match_substring_regex(values, _LOOKS[str(kind)]))
    coded = values.filter(array(may, pa.bool_())).dictionary_encode()
    try:
        found, bad = _cast(coded.dictionary, kind), np.zeros(len(coded.dictionary), np.bool_)
    except pa.ArrowInvalid:
        found, bad = _one_by_one(coded.dictionary.to_pylist(), kind, _TEXT_PARSERS[str(kind)])
    codes, wrong = np.zeros(len(values), np.int64), there & ~may
    codes[may] = np.frombuffer(coded.indices.buffers()[1], np.int32)[: len(coded)]
    wrong[may] = bad[codes[may]]
    return found.take(numbers(codes, pa.int64(), ~may)), wrong


def _one_by_one(values: Sequence[Any], kind: pa.DataType, parse: Callable[[Any], Any]) -> tuple[pa.Array, Mask]:
    import numpy as np

    bad = np.zeros(len(values), np.bool_)
    found: list[Any] = [None] * len(values)
    for position, value in enumerate(values):
        if value is not None:
            try:
                found[position] = parse(value)
            except (ValueError, OverflowError):
                bad[position] = True
    return array(found, kind), bad


def _only(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError
    return value


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError
    return text


def _integer(kind: str, value: int) -> int:
    if not -_LIMITS[kind] <= value < _LIMITS[kind]:
        raise ValueError
    return value


def _text_integer(kind: str, text: str) -> int:
    return _integer(kind, int(_matched(_INTEGER, text)))


def _json_integer(kind: str, value: Any) -> int:
    if type(value) is float:
        if not value.is_integer() or abs(value) >= _EXACT_BELOW:
            raise ValueError
        value = int(value)
    return _integer(kind, _only(int, value))


def _fraction(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _text_fraction(text: str) -> float:
    return _fraction(float(_matched(_FRACTION, text)))


def _json_fraction(value: Any) -> float:
    return _fraction(float(value if type(value) is int else _only(float, value)))


def _bool(text: str) -> bool:
    try:
        return _BOOLS[text.strip().lower()]
    except KeyError:
        raise ValueError from None


def _date(text: str) -> date:
    return date.fromisoformat(_matched(_DATE, text))


_TEXT_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "int32": partial(_text_integer, "int32"),
    "int64": partial(_text_integer, "int64"),
    "double": _text_fraction,
    "bool": _bool,
    "date32[day]": _date,
    "timestamp[us, tz=UTC]": parse_timestamp,
}
_JSON_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "string": partial(_only, str),
    "bool": partial(_only, bool),
    "double": _json_fraction,
    "int32": partial(_json_integer, "int32"),
    "int64": partial(_json_integer, "int64"),
}
