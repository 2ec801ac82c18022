"""Records as read to the rows of tables: types, required fields and rules, for many files at once.

Belongs here: which record is good, which is refused and why, which is warned about. Does not belong here: what a
type takes (`typed.py`), asking rules (`rules.py`), the rules themselves (each dataset's declaration).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from vitalake.columns import array, lists, truth
from vitalake.dataset import MAX_TEXT, Refusal, Tabulated
from vitalake.records.conditions import UNSEEN
from vitalake.records.csv_lines import text_of
from vitalake.records.fields import KINDS, UNDECLARED, Field, Rule, names_people
from vitalake.records.rules import broken
from vitalake.records.typed import from_json, from_texts
from vitalake.tables import Table, arrow_types

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

MISSING, MISTYPED = "D04", "D05"


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
    return Tabulated(rows, _refusals(batches, starts, found.refused, not names_people(fields, tables)))


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
    for each in fields:
        values = [batch.values[each.name] for batch in batches]
        kind = arrow_types()[each.kind]
        if all(isinstance(value, pa.Array) for value in values):
            column, bad = from_texts(pa.concat_arrays([array([], pa.string()), *values]), kind)
        else:
            column, bad = from_json(list(chain.from_iterable(values)), kind)
        for position in np.flatnonzero(bad):
            found.refused[int(position)].append((MISTYPED, f"{each.name} is not {KINDS[each.kind]}"))
        if each.required:
            blank = truth(pc.is_null(column))
            if each.kind == "string":
                blank = blank | _unseen(column)
            for position in np.flatnonzero(blank & ~bad):
                found.refused[int(position)].append((MISSING, f"{each.name} is missing or blank"))
        columns[each.column] = column
    return columns


def _unseen(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts have no character that one can see; of nulls, any."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets, data = text_of(column)
    starts = offsets[:-1]
    found: npt.NDArray[np.bool_] = starts == offsets[1:]
    if len(data):  # most texts begin with a letter, digit or sign of ASCII, which is sooner seen than asked
        found |= data[np.minimum(starts, len(data) - 1)] - np.uint8(ord("!")) > ord("~") - ord("!")
        at = np.flatnonzero(found)
        found[at] = truth(pc.match_substring_regex(column.take(array(at, pa.int64())), f"^[{UNSEEN}]*$"))
    return found


def _apply(records: Mapping[str, Any], rules: Sequence[Rule], found: _Findings) -> None:
    for position, numbers in broken(records, rules):
        for rule in (rules[number] for number in numbers):
            if rule.warns:
                found.warned[position].append(rule.id)
            else:
                found.refused[position].append((rule.id, rule.message))


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
