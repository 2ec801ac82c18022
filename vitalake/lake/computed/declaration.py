"""A table of one's own: what somebody declares who computes it from other tables of the lake.

Belongs here: the shape of such a declaration, and what must hold of it by itself. Does not belong here: any
particular table (`vitalake/datasets/tables/`), how it fits the datasets (`vitalake/lake/computed/resolved.py`), how
it is computed (`vitalake/lake/computed/build.py`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitalake.lake.dataset import Statement, Threshold, check_owner
from vitalake.lake.tables import Column, Table, repeated

if TYPE_CHECKING:
    import pandas as pd

_NEVER = Threshold(warn=0.0)


@dataclass(frozen=True)
class Condition(Statement):
    """A check of every row: a condition in DuckDB's SQL over the table's columns; where it is null, it holds."""

    threshold: Threshold = _NEVER
    holds: str = "true"


@dataclass(frozen=True)
class ComputedTable:
    """A table that a function, or a SELECT, computes from columns of other tables.

    Args:
        name: of the table.
        doc: what a row is.
        owner: who answers for it: a team ("team:data") or an e-mail address.
        columns: what it holds; the result has to have these, of these kinds.
        key: columns that name a row: never null, and no two rows alike. Rows are stored in their order.
        sources: table → the columns that are read of it; `date` is the day of each row.
        compute: from a pandas frame for each source, as an argument of its name, to a frame.
        sql: a SELECT over the sources instead.
        whole: over all days, instead of day by day.
        restricted: it lies in the bucket that few may read, as it must where a source does.
        checks: what should hold of its rows.

    Raises:
        ValueError: it contradicts itself; the message says what to change.
    """

    name: str
    doc: str
    owner: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    sources: Mapping[str, Sequence[str]]
    compute: Callable[..., pd.DataFrame] | None = None
    sql: str | None = None
    whole: bool = False
    restricted: bool = False
    checks: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        columns = {column.name: column for column in self.table.columns}
        check_owner(f"table {self.name!r}", self.owner)
        if not self.key or repeated(self.key):
            raise self._wrong("needs a key: the columns that name a row, each once")
        for name in self.key:
            column = columns.get(name)
            if column is None or column.nullable or column.kind.startswith(("list", "float")):
                raise self._wrong(
                    f"key column {name!r} must be one of its columns, declared with nullable=False, and neither a "
                    "list nor a number with a fraction"
                )
        if (self.compute is None) == (self.sql is None):
            raise self._wrong("is computed by a function (compute=…) or by a SELECT (sql=…), one of the two")
        if not self.sources or not all(self.sources.values()):
            raise self._wrong("needs sources: {'ecg_features': ['recording_id', …]}")
        if self.compute is not None:
            self._check_parameters(self.compute)
        if again := repeated(check.name for check in self.checks):
            raise self._wrong(f"has two checks that are called {', '.join(again)}")

    @property
    def table(self) -> Table:
        """The table as it is stored."""
        return Table(self.name, self.doc, self.columns, restricted=self.restricted, whole=self.whole)

    def _check_parameters(self, compute: Callable[..., pd.DataFrame]) -> None:
        parameters = inspect.signature(compute).parameters.values()
        if any(each.kind is each.VAR_KEYWORD for each in parameters):
            return
        named = {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
        needed = {each.name for each in parameters if each.default is each.empty}
        if not needed <= set(self.sources) <= named:
            raise self._wrong(
                f"its function takes {', '.join(each.name for each in parameters) or 'nothing'}; it gets a frame "
                f"for each source, as arguments of these names: {', '.join(self.sources)}"
            )

    def _wrong(self, why: str) -> ValueError:
        return ValueError(f"table {self.name!r} {why}")
