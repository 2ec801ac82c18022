"""The business entities dataset: exports of several source systems, one canonical form, every version kept.

Belongs here: the declaration. Does not belong here: how an export is read (`vitalake/entities/`), which is imported
only when data is at hand, because Dagster loads this module at every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vitalake.arrivals.partitions import PartLimits
from vitalake.entities.current import COLUMNS
from vitalake.entities.golden import GOLDEN
from vitalake.entities.matching import MATCHES
from vitalake.entities.tables import ENVELOPES, EXPORTS, PRIVATE_ATTRIBUTES, RECORDS, VIEWS, WITH_PRIVATE
from vitalake.lake.checks import readable, refused_records, repeated_keys
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.dataset import Check, Combined, Count, Dataset, Threshold
from vitalake.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    import pyarrow as pa

# The bytes of an export are in memory twice while they arrive, once while its records are read (`envelope.py`).
_LIMITS = PartLimits(object_bytes=512 * 2**20, whole_bytes=16 * 2**20)
_NAMED = 10  # examples in the details of a check


def _parse(objects: Sequence[RawObject], pseudonyms: Pseudonyms) -> Iterable[Parsed]:
    from vitalake.entities.tabulate import parse

    return parse(objects, pseudonyms, _LIMITS.object_bytes)


def _tabulate(parsed: Sequence[Any]) -> Tabulated:
    from vitalake.entities.tabulate import tabulate

    return tabulate(parsed)


def _free_of(column: str, name: str, doc: str) -> Check:
    """Exports in which this list is empty."""

    def count(tables: Mapping[str, pa.Table]) -> Count:
        exports = tables[EXPORTS.name].select(["source_key", column]).to_pylist()
        wrong = [row for row in exports if row[column]]
        details: dict[str, int | float | str] = {
            row["source_key"]: "; ".join(row[column][:3]) for row in wrong[:_NAMED]
        }
        return Count(len(wrong), len(exports), details)

    return Check(name, doc, Threshold(warn=0.0), {EXPORTS.name: ["source_key", column]}, count)


def _combine(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    from vitalake.entities.current import combine

    return combine(tables)


ENTITIES = Dataset(
    name="entities",
    doc="Business entities as CRM, ERP and legacy systems export them.",
    owner="team:data",
    parse=_parse,
    tabulate=_tabulate,
    tables=(RECORDS, EXPORTS, PRIVATE_ATTRIBUTES, ENVELOPES),
    combined=(Combined((MATCHES, GOLDEN), {RECORDS.name: COLUMNS}, _combine),),
    views=(*VIEWS, WITH_PRIVATE),
    limits=_LIMITS,
    checks=(
        readable("entities", Threshold(warn=0.02, block=0.5)),
        refused_records("entities", RECORDS.name, Threshold(warn=0.05, block=0.5)),
        _free_of(
            "summary_differences",
            "reconciled",
            "What exports say of themselves (record count, sums, averages) is true of their records.",
        ),
        _free_of("problems", "described", "The metadata of exports can be used."),
        repeated_keys(
            RECORDS.name,
            ("source_key", "canonical_id"),
            Threshold(warn=0.0),
            "repeated",
            "An export has each entity once; of several records the last is the current one.",
        ),
    ),
)
