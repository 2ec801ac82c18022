"""Tables of one's own beside the datasets whose tables they read: found, and held to what can be kept up to date.

Belongs here: which table a source is, and which datasets' runs build a computed table. Does not belong here: the
declaration by itself (`vitalake/lake/computed/declaration.py`), finding them (`vitalake/datasets/declared.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vitalake.arrivals.calendar import Granularity
from vitalake.lake.computed.declaration import ComputedTable
from vitalake.lake.dataset import Dataset
from vitalake.lake.tables import Table, partition_columns


@dataclass(frozen=True)
class ComputedFrom:
    """A computed table with its sources: table by name, the dataset that each is of, and what it is built by."""

    declared: ComputedTable
    sources: Mapping[str, Table]
    dataset_of: Mapping[str, str]
    unit_of: Mapping[str, Granularity]

    @property
    def table(self) -> Table:
        """The table as it is stored."""
        return self.declared.table

    @property
    def tables(self) -> tuple[Table, ...]:
        """The same, as of anything else that is computed."""
        return (self.table,)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets whose runs build it, the one that it is shown with first."""
        return tuple(dict.fromkeys(self.dataset_of[name] for name in self.sources))


def with_computed(datasets: Sequence[Dataset], declared: Sequence[ComputedTable]) -> tuple[Dataset, ...]:
    """The datasets, each with the computed tables that its runs build.

    Raises:
        ValueError: a source is no table of a dataset, or is over all days and the table is not, or names people and
            the table is not restricted.
    """
    resolved = [_resolved(datasets, each) for each in sorted(declared, key=lambda each: each.name)]
    return tuple(
        replace(
            dataset,
            computed=tuple(each for each in resolved if each.datasets[0] == dataset.name),
            feeds=tuple(each for each in resolved if dataset.name in each.datasets[1:]),
        )
        for dataset in datasets
    )


def _resolved(datasets: Sequence[Dataset], declared: ComputedTable) -> ComputedFrom:
    owners = {table.name: (dataset, table) for dataset in datasets for table in dataset.every_table}
    views = {view.name for dataset in datasets for view in dataset.views}
    sources, dataset_of = {}, {}
    unit_of: dict[str, Granularity] = {}
    for name, columns in declared.sources.items():
        if name not in owners:
            near = difflib.get_close_matches(name, owners, n=3)
            why = "is a view: read the tables that it is made of" if name in views else "is no table of a dataset"
            raise _wrong(declared, f"{name!r} {why}" + (f"; near it: {', '.join(near)}" if near else ""))
        dataset, table = owners[name]
        if table.whole and not declared.whole:
            raise _wrong(declared, f"{name!r} is over all days, so this table must be too: whole=True")
        if table.restricted and not declared.restricted:
            raise _wrong(declared, f"{name!r} names people: declare this table with restricted=True")
        known = {
            *table.names,
            *(() if table.whole else (column.name for column in partition_columns(dataset.partition))),
        }
        if unknown := [column for column in columns if column not in known]:
            raise _wrong(declared, f"{name!r} has no column {', '.join(unknown)}; it has {', '.join(table.names)}")
        sources[name], dataset_of[name], unit_of[name] = table, dataset.name, dataset.partition
    if not declared.whole and len(set(unit_of.values())) > 1:
        by_hour = ", ".join(name for name, unit in unit_of.items() if unit == "hour")
        raise _wrong(declared, f"{by_hour} is built by the hour and others by the day: read them with whole=True")
    return ComputedFrom(declared, sources, dataset_of, unit_of)


def _wrong(declared: ComputedTable, why: str) -> ValueError:
    return ValueError(f"table {declared.name!r}: its source {why}")
