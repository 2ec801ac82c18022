"""Rules asked of records: DuckDB says which record breaks which rule, or why a rule cannot be asked.

Belongs here: the query, and telling a wrong rule from a value that it fails on. Does not belong here: what becomes
of a record that breaks a rule (`judge.py`), the rules themselves (each dataset's declaration).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from vitalake.errors import PermanentError
from vitalake.lake.columns import array, truth
from vitalake.lake.dataset import Rule

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]


class WrongRuleError(PermanentError):
    """A rule that cannot be asked; the message names it, and holds no value.

    Args:
        rule: its id.
        message: what is wrong, and what to do about it.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def broken(records: Mapping[str, Any], rules: Sequence[Rule]) -> list[Mask]:
    """For each rule, which records break it, shape (records,).

    Args:
        records: by column, Arrow arrays of one length.
        rules: all are asked together.

    Raises:
        WrongRuleError: a rule cannot be asked; the message names it, and holds no value.
    """
    if not rules:
        return []
    for rule in rules:
        if wrong := _no_condition(rule.holds):
            raise WrongRuleError(rule.id, _wrong(rule, wrong))
    import duckdb
    import numpy as np
    import pyarrow as pa

    names = [name for name in records if name not in ("source_key", "source_version")]
    columns = [_without_zone(records[name]) for name in names]
    positions = array(np.arange(len(columns[0])), pa.int64())
    table = pa.Table.from_arrays([*columns, positions], [*names, "_position"])  # no name begins with an underscore
    try:
        return _ask(table, rules)
    except duckdb.Error as error:
        raise _fault(table, rules, error) from None


def _without_zone(column: pa.Array) -> pa.Array:
    """Times in UTC as times without a zone: with one, DuckDB asks a calendar for the day of each."""
    import pyarrow as pa

    return column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column


def _ask(table: pa.Table, rules: Sequence[Rule]) -> list[Mask]:
    import numpy as np

    each = ", ".join(f"coalesce(NOT ({rule.holds}), false) AS _{number}" for number, rule in enumerate(rules))
    query = f"""SELECT _position, {each}
        FROM records WHERE NOT ({" AND ".join(f"coalesce({rule.holds}, true)" for rule in rules)})"""  # noqa: S608
    connection = _connection()
    # As a stream, good for one query: given a table, DuckDB imports pandas to see whether it is a frame.
    connection.register("records", table.__arrow_c_stream__())
    try:
        found = connection.execute(query).to_arrow_table().combine_chunks()
    finally:
        connection.unregister("records")
    masks = np.zeros((len(rules), table.num_rows), np.bool_)
    if found.num_rows:
        positions = np.frombuffer(found.column(0).chunk(0).buffers()[1], np.int64)[: found.num_rows]
        for number, mask in enumerate(masks):
            mask[positions[truth(found.column(number + 1).chunk(0))]] = True
    return list(masks)


def _fault(table: pa.Table, rules: Sequence[Rule], error: duckdb.Error) -> PermanentError:
    """Which rule it is, and whether it is wrong for no rows at all, whose error can hold no value, or for some."""
    for rule in rules:
        if wrong := _failure(table.slice(0, 0), rule):
            return WrongRuleError(rule.id, _wrong(rule, _in_a_line(wrong)))
        if failed := _failure(table, rule):
            return WrongRuleError(
                rule.id,
                f"rule {rule.id} fails on some value ({type(failed).__name__}): write it so that it gives true, "
                "false or null for every value, e.g. with TRY_CAST",
            )
    ids = ", ".join(rule.id for rule in rules)
    return PermanentError(f"the rules {ids} cannot be asked together ({type(error).__name__})")


def _wrong(rule: Rule, said: str) -> str:
    ended = said if said.endswith((".", "!", "?")) else f"{said}."
    return f"rule {rule.id} is wrong, not the data: {ended} Correct its condition where the dataset is declared"


@cache
def _no_condition(text: str) -> str | None:
    """What is wrong with a text that is no whole condition by itself.

    The query has each in parentheses, where `a > 0) OR (b > 0` could be asked, and would mean something else.
    """
    import duckdb

    for query in (f"SELECT ({text}\n)", f"SELECT {text}\n"):  # the first says more, where it fails
        try:
            duckdb.extract_statements(query)
        except duckdb.Error as error:
            return _in_a_line(error)
    return None


def _in_a_line(error: duckdb.Error) -> str:
    """What DuckDB says, without its picture of the place."""
    return " ".join(str(error).partition("\n\n")[0].split())


def _failure(table: pa.Table, rule: Rule) -> duckdb.Error | None:
    """What DuckDB says where it cannot ask this rule of these rows."""
    import duckdb

    try:
        _ask(table, [rule])
    except duckdb.Error as error:
        return error
    return None


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for this process: making it takes as long as asking the rules of ten thousand records."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1, "temp_directory": ""})
    return connection.execute("SET TimeZone = 'UTC'")
