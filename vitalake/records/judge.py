"""Records as read to the rows of tables: types, required fields and rules, for many files at once.

Belongs here: which record is good, which is refused and why, which is warned about. Does not belong here: what a
type takes (`typed.py`), asking rules (`rules.py`), the rules themselves (each dataset's declaration).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from vitalake.lake.columns import array, lists, truth
from vitalake.lake.contents import MAX_TEXT, Refusal, Tabulated
from vitalake.lake.dataset import Rule
from vitalake.lake.refusals import RefusalBudget
from vitalake.lake.tables import Table, arrow_types
from vitalake.records.conditions import UNSEEN
from vitalake.records.csv.lines import text_of
from vitalake.records.csv_format import CsvFormat
from vitalake.records.edges import edges_of, without_edges_in
from vitalake.records.fields import KINDS, UNDECLARED, Field, names_people
from vitalake.records.local_texts import typed_texts
from vitalake.records.rules import broken
from vitalake.records.typed import from_json

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]

MISSING, MISTYPED, EDGES = "D04", "D05", "D08"


@dataclass(frozen=True)
class ObjectRecords:
    """Records of one object.

    Args:
        key, version, uploaded_at: of the object.
        numbers: line or record number of each, shape (n,).
        values: by the field's name, n texts in an Arrow array (CSV) or n JSON values in a list.
        text: a record as it arrived, by its position in the batch.
        undeclared: positions of records that have fields which are not declared.
        told: how much was said of the object's refusals; its batches share it.
    """

    key: str
    version: str
    uploaded_at: datetime
    numbers: npt.NDArray[np.int64]
    values: Mapping[str, pa.Array | Sequence[Any]]
    text: Callable[[int], str]
    undeclared: Sequence[int] = ()
    told: RefusalBudget = field(default_factory=RefusalBudget)


class _Reason(NamedTuple):
    """A rule, what is said where it does not hold, and of which of all records it does not, shape (n,)."""

    rule: str
    message: str
    broken: Mask


def judged(
    batches: Sequence[ObjectRecords],
    fields: Sequence[Field],
    rules: Sequence[Rule],
    tables: Sequence[Table],
    key: Sequence[str],
    written: CsvFormat,
) -> Tabulated:
    """Rows of each table from the good records, in order; every other record is refused once, with all reasons.

    Args:
        batches: the records.
        fields: declared ones.
        rules: declared ones.
        tables: declared ones.
        key: columns that rows are joined and replaced by.
        written: how texts of CSV are written.
    """
    import numpy as np
    import pyarrow as pa

    starts = np.cumsum([0, *(len(batch.numbers) for batch in batches)])
    columns, reasons, edges = _typed(batches, fields, key, written)
    holds, warnings = _asked(columns | _uploaded(batches), rules)
    reasons += holds + edges
    good = ~np.logical_or.reduce([np.zeros(starts[-1], np.bool_), *(reason.broken for reason in reasons)])
    if any(len(batch.undeclared) for batch in batches):
        warnings.insert(0, _undeclared(batches, starts))
    if not good.all():
        kept = array(good, pa.bool_())
        columns = {name: column.filter(kept) for name, column in columns.items()}
        warnings = [each._replace(broken=each.broken[good]) for each in warnings]
    records = columns | _provenance(batches, starts, good) | {"warnings": _warnings(warnings, int(good.sum()))}
    rows = {table.name: table.from_columns({name: records[name] for name in table.names}) for table in tables}
    keep_text = not names_people(fields, tables)
    return Tabulated(rows, _refusals(batches, starts, reasons, ~good, keep_text))


def _uploaded(batches: Sequence[ObjectRecords]) -> dict[str, Any]:
    """When the object of each record came: what rules may ask beside its fields."""
    import numpy as np
    import pyarrow as pa

    counts = [len(batch.numbers) for batch in batches]
    which = array(np.repeat(np.arange(len(batches)), counts), pa.int64())
    at = pa.timestamp("us", tz="UTC")
    return {"uploaded_at": array([batch.uploaded_at for batch in batches], at).take(which)}


def _provenance(batches: Sequence[ObjectRecords], starts: Numbers, good: Mask) -> dict[str, Any]:
    """Where each good record comes from."""
    import numpy as np
    import pyarrow as pa

    which = array(np.repeat(np.arange(len(batches)), np.diff(starts))[good], pa.int64())
    at = pa.timestamp("us", tz="UTC")
    numbers = np.concatenate([np.empty(0, np.int64), *(batch.numbers for batch in batches)])[good]
    return {
        "source_key": array([batch.key for batch in batches], pa.string()).take(which),
        "source_version": array([batch.version for batch in batches], pa.string()).take(which),
        "record_number": array(numbers, pa.int64()),
        "uploaded_at": array([batch.uploaded_at for batch in batches], at).take(which),
    }


def _undeclared(batches: Sequence[ObjectRecords], starts: Numbers) -> _Reason:
    import numpy as np

    found = np.zeros(starts[-1], np.bool_)
    for batch, start in zip(batches, starts, strict=False):
        found[np.asarray(batch.undeclared, np.int64) + start] = True
    return _Reason(UNDECLARED, "", found)


def _typed(
    batches: Sequence[ObjectRecords], fields: Sequence[Field], key: Sequence[str], written: CsvFormat
) -> tuple[dict[str, Any], list[_Reason], list[_Reason]]:
    """Each field as a column; what does not fit, or is required and not there; and what nobody sees around keys.

    Around other texts it is taken away.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, Any] = {}
    reasons: list[_Reason] = []
    edges: list[_Reason] = []
    for each in fields:
        values = [batch.values[each.name] for batch in batches]
        in_csv = all(isinstance(value, pa.Array) for value in values)
        if in_csv:
            texts = pa.concat_arrays([array([], pa.string()), *values])
            column, faults = typed_texts(texts, each.kind, written)
        else:
            column, bad = from_json(list(chain.from_iterable(values)), arrow_types()[each.kind])
            faults = [(f"is not {KINDS[each.kind]}", bad)]
        bad = np.logical_or.reduce([mask for _, mask in faults])
        reasons += [_Reason(MISTYPED, f"{each.name} {said}", mask) for said, mask in faults]
        if each.required:
            blank = truth(pc.is_null(column))
            if each.kind == "string":
                blank = blank | _unseen(column)
            reasons.append(_Reason(MISSING, f"{each.name} is missing or blank", blank & ~bad))
        if each.kind == "string":
            if each.column in key:
                edges += [_Reason(EDGES, f"{each.name} {said}", mask) for said, mask in edges_of(column)]
            else:
                column = without_edges_in(column, empty_is_null=in_csv)
        columns[each.column] = column
    return columns, [reason for reason in reasons if reason.broken.any()], edges


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


def _asked(records: Mapping[str, Any], rules: Sequence[Rule]) -> tuple[list[_Reason], list[_Reason]]:
    """The rules that do not hold of some records: those that refuse, and those that warn."""
    found = [
        (rule, _Reason(rule.id, rule.message, mask))
        for rule, mask in zip(rules, broken(records, rules), strict=True)
        if mask.any()
    ]
    return [each for rule, each in found if not rule.warns], [each for rule, each in found if rule.warns]


def _refusals(
    batches: Sequence[ObjectRecords], starts: Numbers, reasons: Sequence[_Reason], refused: Mask, keep_text: bool
) -> Iterator[Refusal]:
    """One of each record that has words of its own, in order; of each object and rule, one for all others."""
    import numpy as np

    first = np.full(len(refused), -1)  # of all reasons of a record
    for number, reason in reversed(list(enumerate(reasons))):
        first[reason.broken] = number
    ids = list(dict.fromkeys(reason.rule for reason in reasons))
    rule_of = np.asarray([ids.index(reason.rule) for reason in reasons], np.int64)
    at = np.flatnonzero(refused)
    rules = rule_of[first[at]]
    edges = np.searchsorted(at, starts)
    for batch, start, begin, end in zip(batches, starts, edges, edges[1:], strict=False):
        said: list[tuple[int, int]] = []  # position, and how many it stands for
        for number in np.unique(rules[begin:end]):
            those = at[begin:end][rules[begin:end] == number]
            taken = batch.told.take(ids[number], len(those))
            said += [(position, 1) for position in those[:taken].tolist()]
            if taken < len(those):
                said.append((int(those[taken]), len(those) - taken))
        for position, count in sorted(said):
            row = position - int(start)
            message = "; ".join(reason.message for reason in reasons if reason.broken[position])
            text = batch.text(row)[:MAX_TEXT] if keep_text else None
            rule = reasons[first[position]].rule
            yield Refusal(batch.key, rule, message, int(batch.numbers[row]), count, text)


def _warnings(warned: Sequence[_Reason], count: int) -> pa.Array:
    """The ids of the rules that warn of each record."""
    import numpy as np
    import pyarrow as pa

    by_record = np.stack([np.zeros(count, np.bool_), *(reason.broken for reason in warned)], axis=1)
    which = array(np.nonzero(by_record)[1] - 1, pa.int64())
    ids = array([reason.rule for reason in warned], pa.string())
    return lists(by_record.sum(axis=1), ids.take(which))
