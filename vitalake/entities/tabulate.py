"""From objects of business records to rows.

Belongs here: the account of an object's records, and their layout in the tables of `tables.py`. Does not belong
here: JSON (`envelope.py`), mapping (`mapping.py`), formulas (`quality.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from vitalake.columns import array
from vitalake.dataset import MAX_TEXT, Parsed, RawObject, Refusal, Tabulated
from vitalake.entities.envelope import as_text, canonical, read_envelope
from vitalake.entities.mapping import Entity, map_record, system_mappings
from vitalake.entities.metadata import read_metadata
from vitalake.entities.quality import COMPUTED, computed_columns
from vitalake.entities.summary import compare
from vitalake.entities.tables import EXPORTS, RECORDS
from vitalake.errors import UnusableDataError

RECORDS_A_PIECE = 5000
_ENTITY_BYTES = 500  # what an entity takes beside its attributes


@dataclass(frozen=True)
class Piece:
    """Consecutive usable records of one object; with the last of them, the row of the object in EXPORTS."""

    source: dict[str, Any]
    entities: Sequence[Entity]
    export: dict[str, Any] | None = None


def parse(objects: Sequence[RawObject]) -> Iterator[Parsed]:
    """Read objects: each record ends in a piece or in a refusal, an object of unknown origin in one refusal."""
    for item in objects:
        yield from _read(item)


def tabulate(pieces: Sequence[Piece]) -> Tabulated:
    """Rows of `entities_records` and `entities_exports`, in the order of `pieces`."""
    exports = [piece.export for piece in pieces if piece.export is not None]
    return Tabulated({RECORDS.name: _records(pieces), EXPORTS.name: EXPORTS.from_rows(exports)})


def _read(item: RawObject) -> Iterator[Parsed]:
    envelope = read_envelope(b"".join(item.chunks()))
    records = envelope.records
    try:
        said = read_metadata(envelope, item.key, item.uploaded_at, system_mappings())
    except UnusableDataError as error:
        yield Parsed((), (Refusal(item.key, error.rule, error.message, None, max(len(records), 1)),))
        return
    mapping = system_mappings()[said.source_system]
    source = {
        "source_system": said.source_system,
        "exported_at": said.exported_at,
        "export_id": said.export_id,
        "source_key": item.key,
        "source_version": item.version,
        "uploaded_at": item.uploaded_at,
    }
    entities: list[Entity] = []
    refusals: list[Refusal] = []
    refused = 0
    for number, record in enumerate(records, 1):
        try:
            entities.append(map_record(record, number, mapping))
        except UnusableDataError as error:
            refusals.append(Refusal(item.key, error.rule, error.message, number, 1, _excerpt(record)))
            refused += 1
            if len(refusals) == RECORDS_A_PIECE:
                yield Parsed((), tuple(refusals))
                refusals = []
        records[number - 1] = None  # what is read needs no room twice
    found = compare(envelope.section("summary"), said.declared_count, entities, len(records))
    export = {
        **source,
        "data_version": said.data_version,
        "declared_count": said.declared_count,
        "record_count": len(records),
        "usable_count": len(entities),
        "quarantined_count": refused,
        "reconciled": not found.differences,
        "summary_differences": found.differences,
        "summary_unchecked": found.unchecked,
        "problems": said.problems,
        "envelope": canonical(envelope.around) if envelope.around else None,
    }
    for start in range(0, len(entities), RECORDS_A_PIECE):
        piece = entities[start : start + RECORDS_A_PIECE]
        weight = sum(_ENTITY_BYTES + len(each.attributes) for each in piece)
        yield Parsed((Piece(source, piece),), (), weight)
    yield Parsed((Piece(source, (), export),), tuple(refusals))


def _excerpt(record: Any) -> str | None:
    try:
        return as_text(record)[:MAX_TEXT]
    except RecursionError:
        return None


def _records(pieces: Sequence[Piece]) -> pa.Table:
    rows = [(piece.source, each) for piece in pieces for each in piece.entities]
    if not rows:
        return RECORDS.from_rows([])
    fields = dict(zip(Entity._fields, zip(*(each for _, each in rows), strict=True), strict=True))
    kinds = {"revenue": pa.float64(), "employees": pa.int64(), "record_number": pa.int64()}
    kinds |= {"attribute_count": pa.int64(), "attributes_filled": pa.int64()}
    found = {name: array(values, kinds.get(name, pa.string())) for name, values in fields.items()}
    counts = {name: found.pop(name) for name in ("attribute_count", "attributes_filled")}
    computed = computed_columns(pa.table(found | counts))
    sources = {name: [source[name] for source, _ in rows] for name in rows[0][0]}
    ids = [f"{source['source_system']}_{each.source_id}" for source, each in rows]
    return RECORDS.from_columns(
        {"canonical_id": ids, **sources, **found, **{name: computed.column(name) for name in COMPUTED}}
    )
