"""Records as read to the rows of tables: types, required fields and rules, for many files at once.

Belongs here: which record is good, which is refused and why, which is warned about. Does not belong here: what a
type takes (`typed.py`), the rules themselves (each dataset's declaration).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from vitalake.columns import array, floats, lists
from vitalake.dataset import MAX_TEXT, Refusal, Tabulated
from vitalake.errors import PermanentError
from vitalake.records.fields import UNDECLARED, Field, Rule
from vitalake.records.typed import from_json, from_texts
from vitalake.tables import Table

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

MISSING, MISTYPED = "D04", "D05"
_KINDS = {
    "int32": "a whole number",
    "int64": "a whole number",
    "float64": "a number",
    "bool": "true or false",
    "date": "a date, YYYY-MM-DD",
    "timestamp": "a time, as in 2026-11-20T08:30:00Z",
    "string": "a text",
}


@dataclass(frozen=True)
class Batch:
    """Records of one object.

    Args:
        key, version, uploaded_at: of the object.
        numbers: line or record number of each, shape (n,).
        values: by the field's name, n texts in an Arrow array (CSV) or n JSON values in a list.
        text: a record as it arrived, by its position in the batch.
        undeclared: positions of records that have fields which are not declared.
    """

    key: str
    version: str
    uploaded_at: datetime
    numbers: npt.NDArray[np.int64]
    values: Mapping[str, pa.Array | Sequence[Any]]
    text: Callable[[int], str]
    undeclared: Sequence[int] = ()


@dataclass
class _Findings:
    """What is wrong with which record, by its position among all: (rule, message)."""

    refused: defaultdict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    warned: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


def judged(
    batches: Sequence[Batch], fields: Sequence[Field], rules: Sequence[Rule], tables: Sequence[Table]
) -> Tabulated:
    """Rows of each table from the good records, in order; every other record is refused once, with all reasons."""
    import numpy as np
    import pyarrow as pa

    starts = np.cumsum([0, *(len(batch.numbers) for batch in batches)])
    found = _Findings()
    for batch, start in zip(batches, starts, strict=False):
        for position in batch.undeclared:
            found.warned[int(start) + position].append(UNDECLARED)
    records = _provenance(batches) | _typed(batches, fields, found)
    _apply(records, rules, found)
    records["warnings"] = _warnings(found.warned, int(starts[-1]))
    good = np.ones(starts[-1], np.bool_)
    good[list(found.refused)] = False
    rows = {table.name: table.from_columns({name: records[name] for name in table.names}) for table in tables}
    if found.refused:
        kept = array(good, pa.bool_())
        rows = {name: table.filter(kept) for name, table in rows.items()}
    keep_text = not any(each.personal for each in fields)
    return Tabulated(rows, _refusals(batches, starts, found.refused, keep_text))


def _provenance(batches: Sequence[Batch]) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    none = [np.empty(0, np.int64)]
    counts = np.asarray([len(batch.numbers) for batch in batches], np.int64)
    which = array(np.repeat(np.arange(len(batches)), counts), pa.int64())
    at = pa.timestamp("us", tz="UTC")
    return {
        "source_key": array([batch.key for batch in batches], pa.string()).take(which),
        "source_version": array([batch.version for batch in batches], pa.string()).take(which),
        "record_number": array(np.concatenate([*none, *(batch.numbers for batch in batches)]), pa.int64()),
        "uploaded_at": array([batch.uploaded_at for batch in batches], at).take(which),
    }


def _typed(batches: Sequence[Batch], fields: Sequence[Field], found: _Findings) -> dict[str, Any]:
    """Each field as a column; what does not fit, and what is required and not there, is noted."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, Any] = {}
    kinds = Table("", "", tuple(each.as_column for each in fields)).arrow_schema()
    for each in fields:
        values = [batch.values[each.name] for batch in batches]
        kind = kinds.field(each.column).type
        if all(isinstance(value, pa.Array) for value in values):
            column, bad = from_texts(pa.concat_arrays([array([], pa.string()), *values]), kind)
        else:
            column, bad = from_json(list(chain.from_iterable(values)), kind)
        for position in np.flatnonzero(bad):
            found.refused[int(position)].append((MISTYPED, f"{each.name} is not {_KINDS[each.kind]}"))
        if each.required:
            blank = _truth(pc.is_null(column))
            if each.kind == "string":
                blank = blank | (floats(pc.binary_length(column)) == 0) | _truth(pc.utf8_is_space(column))
            for position in np.flatnonzero(blank & ~bad):
                found.refused[int(position)].append((MISSING, f"{each.name} is missing or blank"))
        columns[each.column] = column
    return columns


def _apply(records: Mapping[str, Any], rules: Sequence[Rule], found: _Findings) -> None:
    """Ask every rule of all records together."""
    if not rules:
        return
    import duckdb
    import pyarrow as pa

    names = [name for name in records if name not in ("source_key", "source_version")]
    columns = [records[name] for name in names]
    table = pa.Table.from_arrays([*columns, _positions(len(columns[0]))], [*names, "row_of_slice"])
    broken = ", ".join(f"CASE WHEN NOT ({rule.holds}) THEN {number} END" for number, rule in enumerate(rules))
    query = f"""SELECT row_of_slice, list_filter([{broken}], rule -> rule IS NOT NULL) AS broken
        FROM records WHERE NOT ({" AND ".join(f"coalesce({rule.holds}, true)" for rule in rules)})"""  # noqa: S608
    connection = _connection()
    # As a stream, good for one query: given a table, DuckDB imports pandas to see whether it is a frame.
    connection.register("records", table.__arrow_c_stream__())
    try:
        rows = connection.execute(query).fetchall()
    except duckdb.Error as error:  # its text may hold values
        ids = ", ".join(rule.id for rule in rules)
        raise PermanentError(
            f"one of the rules {ids} fails on some value ({type(error).__name__}): write it so that it gives true, "
            "false or null for every value, e.g. with TRY_CAST"
        ) from None
    finally:
        connection.unregister("records")
    for position, numbers in rows:
        for number in numbers:
            rule = rules[number]
            if rule.warns:
                found.warned[position].append(rule.id)
            else:
                found.refused[position].append((rule.id, rule.message))


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for this process: making it takes as long as asking the rules of ten thousand records."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1, "temp_directory": ""})
    return connection.execute("SET TimeZone = 'UTC'")


def _refusals(
    batches: Sequence[Batch],
    starts: npt.NDArray[np.int64],
    refused: Mapping[int, list[tuple[str, str]]],
    keep_text: bool,
) -> Iterator[Refusal]:
    import numpy as np

    for position in sorted(refused):
        number = int(np.searchsorted(starts, position, side="right")) - 1
        batch, row = batches[number], position - int(starts[number])
        reasons = refused[position]
        message = "; ".join(text for _, text in reasons)
        text = batch.text(row)[:MAX_TEXT] if keep_text else None
        yield Refusal(batch.key, reasons[0][0], message, int(batch.numbers[row]), text=text)


def _warnings(warned: Mapping[int, list[str]], count: int) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    lengths = np.zeros(count, np.int32)
    lengths[list(warned)] = [len(ids) for ids in warned.values()]
    ids = [each for position in sorted(warned) for each in warned[position]]
    return lists(lengths.tolist(), array(ids, pa.string()))


def _positions(count: int) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    return array(np.arange(count), pa.int64())


def _truth(column: pa.Array) -> npt.NDArray[np.bool_]:
    import numpy as np

    bits = np.frombuffer(column.buffers()[1], np.uint8)
    return np.unpackbits(bits, bitorder="little")[column.offset : column.offset + len(column)].astype(np.bool_)
