"""Python values and numpy arrays to Arrow arrays of the declared kinds.

Belongs here: this conversion. Does not belong here: which columns a table has (`vitalake/lake/tables.py`).

Arrow's own conversion of a list imports pandas where it is installed, to know its types: a second of CPU in every
run, before the first row is written. This one hands over buffers, and Arrow casts and checks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST_DAY = date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


def array(values: Any, kind: pa.DataType) -> pa.Array:  # noqa: PLR0911
    """A column of a table from a sequence (None is null), a numpy array (without nulls) or an Arrow array.

    Args:
        values: its values; of lists, each a sequence without nulls or a numpy array.
        kind: string, bool, a number, a date, a timestamp in µs, or a list of one of them.

    Raises:
        pyarrow.ArrowInvalid: a number does not fit, or would be rounded.
        TypeError: a value is of another type.
    """
    import numpy as np
    import pyarrow as pa

    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values if values.type == kind else values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return numbers(values, kind)
    null = np.fromiter((value is None for value in values), np.bool_, len(values))
    if pa.types.is_list(kind):
        return _lists([() if value is None else value for value in values], null, kind)
    if pa.types.is_string(kind):
        return _strings(["" if value is None else value for value in values], null, kind)
    if pa.types.is_timestamp(kind):
        found = [0 if value is None else _microseconds(value) for value in values]
        return numbers(np.asarray(found, np.int64), pa.int64(), null).view(kind)
    if pa.types.is_date(kind):
        days = [0 if value is None else (value - _FIRST_DAY).days for value in values]
        return numbers(np.asarray(days, np.int32), pa.int32(), null).view(kind)
    return numbers(np.asarray([False if value is None else value for value in values]), kind, null)


def numbers(values: npt.NDArray[Any], kind: pa.DataType, null: Mask | None = None) -> pa.Array:
    """Numbers or truth values as a column; NaN stays NaN.

    Args:
        values: shape (n,).
        kind: a number or bool.
        null: where there is no value, shape (n,); None: nowhere.

    Raises:
        pyarrow.ArrowInvalid: a number does not fit, or would be rounded.
        TypeError: these are no numbers.
    """
    import numpy as np
    import pyarrow as pa

    if values.dtype.kind not in "biuf":
        raise TypeError(f"a column of {kind} cannot hold values of type {values.dtype}")
    values = values.astype(values.dtype.newbyteorder("="), copy=False)  # buffers are taken as they are
    bits = values.dtype.kind == "b"
    found = np.packbits(values, bitorder="little") if bits else np.ascontiguousarray(values)
    buffers = [_validity(null), pa.py_buffer(found)]
    column = pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)
    return column if column.type == kind else column.cast(kind)


def lists(lengths: Sequence[int], values: pa.Array, null: Mask | None = None) -> pa.Array:
    """A column of lists from what they hold, one after the other; a null one has length 0."""
    import numpy as np
    import pyarrow as pa

    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [_validity(null), pa.py_buffer(offsets)]
    return pa.Array.from_buffers(pa.list_(values.type), len(lengths), buffers, children=[values])


def _lists(values: Sequence[Any], null: Mask, kind: pa.DataType) -> pa.Array:
    import numpy as np

    inner: Any = list(chain.from_iterable(values))
    if any(isinstance(value, np.ndarray) for value in values):
        inner = np.concatenate([np.asarray(value) for value in values if len(value)] or [np.empty(0)])
    return lists([len(value) for value in values], array(inner, kind.value_type), null)


def _strings(values: Sequence[str], null: Mask, kind: pa.DataType) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    if strange := [value for value in values if not isinstance(value, str)]:
        raise TypeError(f"a column of {kind} cannot hold {strange[0]!r}")
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(each) for each in encoded], out=offsets[1:])
    buffers = [_validity(null), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(kind, len(encoded), buffers)


def _microseconds(value: datetime | int) -> int:
    """Since 1970; a time without a zone is in UTC, a number is one already."""
    if isinstance(value, int):
        return value
    return ((value if value.tzinfo else value.replace(tzinfo=timezone.utc)) - _EPOCH) // _MICROSECOND


def _validity(null: Mask | None) -> pa.Buffer | None:
    import numpy as np
    import pyarrow as pa

    return None if null is None or not null.any() else pa.py_buffer(np.packbits(~null, bitorder="little"))


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries; timestamps with a zone are in UTC."""
    import pyarrow as pa

    zoned = [field.name for field in table.schema if pa.types.is_timestamp(field.type) and field.type.tz]
    for name in zoned:
        position = table.column_names.index(name)
        table = table.set_column(position, name, table.column(name).cast(pa.timestamp("us")))
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        row |= {name: row[name] and row[name].replace(tzinfo=timezone.utc) for name in zoned}
    return rows


def floats(column: pa.Array) -> npt.NDArray[np.float64]:
    """A column of numbers as numpy has it, shape (n,); NaN where there is no value."""
    import numpy as np
    import pyarrow as pa

    if not len(column):
        return np.empty(0)
    numbers = column.cast(pa.float64())
    values = np.frombuffer(numbers.buffers()[1], np.float64)[numbers.offset : numbers.offset + len(numbers)]
    return np.where(truth(numbers.is_valid()), values, np.nan) if numbers.null_count else values


def truth(column: pa.BooleanArray) -> Mask:
    """A column of truth values without nulls as numpy has it, shape (n,)."""
    import numpy as np

    bits = np.frombuffer(column.buffers()[1], np.uint8)
    return np.unpackbits(bits, bitorder="little")[column.offset : column.offset + len(column)].astype(np.bool_)
