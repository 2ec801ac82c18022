"""Arrow tables as the pandas frames that people work with, the same in a notebook and in a table of their own.

Belongs here: which pandas type stands for which kind of column. Does not belong here: the way back, which loses
nothing in silence (`vitalake/lake/computed/strict.py`), or where the rows come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def frame_of(table: pa.Table) -> pd.DataFrame:
    """A table as a frame whose types depend on the columns alone, never on the rows that happen to be there.

    Integers are `Int64` and truth values `boolean`, which hold a missing value as `<NA>` and stay what they are;
    numbers with a fraction are `float64` with NaN, dates `datetime64` at midnight without a zone, timestamps
    `datetime64` in UTC, texts what pandas takes for texts, lists numpy arrays.
    """
    import pandas as pd
    import pyarrow as pa

    columns = [_plain(table.column(name)) for name in table.column_names]
    named = pa.Table.from_arrays(columns, names=table.column_names)

    def pandas_type(kind: pa.DataType) -> Any:
        if pa.types.is_unsigned_integer(kind):
            return pd.UInt64Dtype()
        if pa.types.is_integer(kind):
            return pd.Int64Dtype()
        return pd.BooleanDtype() if pa.types.is_boolean(kind) else None

    frame: pd.DataFrame = named.to_pandas(types_mapper=pandas_type, date_as_object=False)
    return frame


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Sums of integers come as decimals, whose objects nobody wants to compute with; UTC has several names."""
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        if column.type.scale == 0:
            try:
                return column.cast(pa.int64())
            except pa.ArrowInvalid:  # beyond 64 bits
                pass
        return column.cast(pa.float64())
    if pa.types.is_timestamp(column.type) and column.type.tz:
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column
