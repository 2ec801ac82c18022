"""What a function or a SELECT gave, as rows of the declared table, or an error that says what differs.

Belongs here: holding a result to its declaration: columns, kinds, missing values, the key. Does not belong here:
the way there (`vitalake/lake/computed/frames.py`), who computed it (`vitalake/lake/computed/build.py`).

Nothing is cast with a loss and nothing is guessed, so that a type never depends on the rows of a day: a column that
is declared as whole numbers is refused as `float64` also where no number has a fraction today.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from vitalake.errors import PermanentError
from vitalake.lake.tables import Column, Table, arrow_types

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# Kinds whose values pandas may hold as Python objects, and of which classes.
_OBJECTS = {"string": {"str"}, "date": {"date"}}
_LISTS = {"list", "ndarray", "tuple"}
_INSTEAD = {
    "int32": ".astype('Int64'), which holds missing values too; in SQL CAST(… AS BIGINT)",
    "int64": ".astype('Int64'), which holds missing values too; in SQL CAST(… AS BIGINT)",
    "float64": ".astype('float64'); in SQL CAST(… AS DOUBLE)",
    "bool": ".astype('boolean'), which holds missing values too; in SQL CAST(… AS BOOLEAN)",
    "string": ".astype('string'); in SQL CAST(… AS VARCHAR)",
    "date": ".dt.tz_localize(None).dt.normalize(); in SQL CAST(… AS DATE)",
    "timestamp": ".dt.tz_localize('UTC'), or pd.to_datetime(…, utc=True); in SQL CAST(… AS TIMESTAMPTZ)",
}


def from_frame(table: Table, result: object) -> pa.Table:
    """A frame as rows of the table; its index is not looked at.

    Raises:
        PermanentError: it is no frame, or not as declared.
    """
    import pandas as pd
    import pyarrow as pa

    if not isinstance(result, pd.DataFrame):
        raise _wrong(table, f"the function returned {type(result).__name__}, and not a pandas DataFrame")
    _check_names(table, list(result.columns), [name for name in result.index.names if name is not None])
    columns = []
    for column in table.columns:
        series = result[column.name]
        columns.append(_fitted(table, column, _values(table, column, series), str(series.dtype)))
    return pa.Table.from_arrays(columns, schema=table.arrow_schema())


def from_arrow(table: Table, rows: pa.Table) -> pa.Table:
    """Arrow columns of whatever types, in any order, as rows of the table.

    Raises:
        PermanentError: they are not as declared.
    """
    import pyarrow as pa

    _check_names(table, rows.column_names, ())
    found = ((column, rows.column(column.name)) for column in table.columns)
    columns = [_fitted(table, column, values, str(values.type)) for column, values in found]
    return pa.Table.from_arrays(columns, schema=table.arrow_schema())


def in_order(table: Table, key: Sequence[str], rows: pa.Table) -> pa.Table:
    """The rows in the order of their key, so that equal rows are equal bytes.

    Raises:
        PermanentError: two rows have the same key.
    """
    import pyarrow.compute as pc

    if rows.num_rows < 2:
        return rows
    ordered = rows.sort_by([(name, "ascending") for name in key])
    columns = [ordered.column(name).combine_chunks() for name in key]
    alike = None
    for column in columns:
        equal = pc.equal(column[1:], column[:-1])
        alike = equal if alike is None else pc.and_(alike, equal)
    if count := pc.sum(alike).as_py():
        raise _wrong(
            table,
            f"{count:,} of {ordered.num_rows:,} rows have the key of another one ({', '.join(key)}): group by "
            "these columns, or name more of them in the key",
        )
    return ordered


def _check_names(table: Table, names: Sequence[object], index: Collection[object]) -> None:
    declared = set(table.names)
    if twice := [name for name in table.names if names.count(name) > 1]:
        raise _wrong(table, f"column {', '.join(twice)} came twice")
    differences = []
    if missing := [name for name in table.names if name not in names]:
        hint = " (it is in the index: use .reset_index(), or as_index=False)" if set(missing) & set(index) else ""
        differences.append(f"column {', '.join(missing)} is missing{hint}")
    if others := [str(name) for name in names if name not in declared]:
        differences.append(f"column {', '.join(others)} came and is not declared")
    if differences:
        raise _wrong(table, f"{'; '.join(differences)}. Declared are {', '.join(table.names)}")


def _values(table: Table, column: Column, series: pd.Series[Any]) -> pa.Array:
    """A column of a frame as Arrow; one of Python objects only where all are of the class that is meant."""
    import pyarrow as pa

    try:
        if series.dtype != object:
            return pa.Array.from_pandas(series)
        values = [None if gone else value for value, gone in zip(series, series.isna(), strict=True)]
        found = {type(value).__name__ for value in values if value is not None}
        expected = _LISTS if column.kind.startswith("list") else _OBJECTS.get(column.kind, set())
        if not found <= expected:
            raise _came(table, column, f"objects of {', '.join(sorted(found))}")
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _came(table, column, f"{series.dtype} that cannot be read ({type(error).__name__})") from error


def _fitted(table: Table, column: Column, values: pa.Array | pa.ChunkedArray, came: str) -> pa.ChunkedArray:
    """These values as the declared kind; `came` is what they are to whoever made them."""
    import pyarrow as pa

    declared = arrow_types()[column.kind]
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not _suits(values.type, declared):
        raise _came(table, column, str(values.type) if came == "object" else came)
    try:
        fitted = values.cast(declared)
        # Arrow cuts the hours off a date without a word.
        lost = pa.types.is_date(declared) and not fitted.cast(values.type).equals(values)
    except pa.ArrowInvalid:
        lost = True
    if lost:
        raise _wrong(
            table,
            f"column {column.name!r} came as {came} and is declared as {column.kind}: a value of it does not fit "
            "without a loss (too large, too fine, or with a time of day)",
        )
    if fitted.null_count and not column.nullable:
        raise _wrong(
            table,
            f"column {column.name!r} is declared with nullable=False, and {fitted.null_count:,} of {len(fitted):,} "
            "rows have no value",
        )
    return fitted


def _suits(came: pa.DataType, declared: pa.DataType) -> bool:
    """Whether one type can stand for another, whichever the values; whether each fits, Arrow's cast says."""
    import pyarrow.types as of

    if of.is_list(declared):
        a_list = of.is_list(came) or of.is_large_list(came)
        return bool(of.is_null(came) or (a_list and _suits(came.value_type, declared.value_type)))
    whole = of.is_integer(came) or (of.is_decimal(came) and came.scale == 0)  # a decimal is a sum, in SQL
    return bool(
        of.is_null(came)
        or came == declared
        or (of.is_integer(declared) and whole)
        or (of.is_floating(declared) and (of.is_floating(came) or of.is_integer(came) or of.is_decimal(came)))
        or (of.is_string(declared) and of.is_large_string(came))
        or (of.is_date(declared) and of.is_timestamp(came) and came.tz is None)
        or (of.is_timestamp(declared) and of.is_timestamp(came) and came.tz is not None)
    )


def _came(table: Table, column: Column, came: str) -> PermanentError:
    instead = _INSTEAD.get(column.kind)
    return _wrong(
        table,
        f"column {column.name!r} came as {came} and is declared as {column.kind}"
        + (f"; make it so with {instead}" if instead else ""),
    )


def _wrong(table: Table, why: str) -> PermanentError:
    return PermanentError(f"{table.name}: {why}")
