"""From objects of business records to rows.

Belongs here: the account of an object's records, and their layout in the tables of `tables.py`. Does not belong
here: JSON (`envelope.py`), mapping (`mapping.py`), formulas (`quality.py`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from vitalake.columns import array, numbers
from vitalake.dataset import MAX_TEXT, Parsed, RawObject, Refusal, Tabulated
from vitalake.entities.envelope import Envelope, canonical, read_envelope
from vitalake.entities.mapping import Entity, SystemMapping, map_record, system_mappings
from vitalake.entities.metadata import read_metadata
from vitalake.entities.quality import COMPUTED, computed_columns
from vitalake.entities.summary import Values, compare
from vitalake.entities.tables import EXPORTS, RECORDS
from vitalake.errors import UnusableDataError
from vitalake.refusals import Told

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
    try:
        said = read_metadata(envelope, item.key, item.uploaded_at, system_mappings())
    except UnusableDataError as error:
        count = sum(len(each.records) + each.refused_count for each in envelope.records())
        yield Parsed((), (Refusal(item.key, error.rule, error.message, None, max(count, 1)),))
        return
    source = {
        "source_system": said.source_system,
        "exported_at": said.exported_at,
        "exported_at_has_time": said.exported_at_has_time,
        "export_id": said.export_id,
        "source_key": item.key,
        "source_version": item.version,
        "uploaded_at": item.uploaded_at,
    }
    usable, refused, values = 0, 0, Values()
    for entities, refusals in _mapped(envelope, item.key, system_mappings()[said.source_system]):
        usable, refused = usable + len(entities), refused + sum(each.record_count for each in refusals)
        values.add(entities)
        weight = sum(_ENTITY_BYTES + len(each.attributes) for each in entities)
        yield Parsed((Piece(source, entities),), tuple(refusals), weight)
    found = compare(envelope.section("summary"), said.declared_count, values, usable + refused)
    export = {
        **source,
        "data_version": said.data_version,
        "declared_count": said.declared_count,
        "record_count": usable + refused,
        "usable_count": usable,
        "quarantined_count": refused,
        "reconciled": not found.differences,
        "summary_differences": found.differences,
        "summary_unchecked": found.unchecked,
        "problems": said.problems,
        "envelope": canonical(envelope.around) if envelope.around else None,
    }
    yield Parsed((Piece(source, (), export),))


def _mapped(envelope: Envelope, key: str, mapping: SystemMapping) -> Iterator[tuple[list[Entity], list[Refusal]]]:
    """The records in canonical form and those that are refused, a block at a time."""
    told = Told()
    for block in envelope.records():
        entities: list[Entity] = []
        refusals = [
            Refusal(key, each.rule, each.message, each.number, each.count, each.text) for each in block.refused
        ]
        others: dict[str, Refusal] = {}  # of each rule, the first that has no words of its own
        counts: Counter[str] = Counter()
        for number, record in zip(block.numbers.tolist(), block.records, strict=True):
            try:
                entities.append(map_record(record, number, mapping))
            except UnusableDataError as error:
                rule = error.rule
                if told.take(rule):
                    text = json.dumps(record, ensure_ascii=False)[:MAX_TEXT]
                    refusals.append(Refusal(key, rule, error.message, number, text=text))
                    continue
                counts[rule] += 1
                if rule not in others:
                    others[rule] = Refusal(key, rule, error.message, number)
        yield entities, refusals + [replace(each, record_count=counts[rule]) for rule, each in others.items()]


def _records(pieces: Sequence[Piece]) -> pa.Table:
    import numpy as np

    pieces = [piece for piece in pieces if piece.entities]
    if not pieces:
        return RECORDS.from_rows([])
    kinds = {field.name: field.type for field in RECORDS.arrow_schema()}
    rows = zip(*(each for piece in pieces for each in piece.entities), strict=True)
    fields = dict(zip(Entity._fields, rows, strict=True))
    found = {name: array(values, kinds.get(name, pa.int64())) for name, values in fields.items()}
    counts = {name: found.pop(name) for name in ("attribute_count", "attributes_filled")}
    computed = computed_columns(pa.table(found | counts))
    piece_of = numbers(np.repeat(np.arange(len(pieces)), [len(piece.entities) for piece in pieces]), pa.int64())
    sources = {
        name: array([piece.source[name] for piece in pieces], kinds[name]).take(piece_of)
        for name in pieces[0].source
    }
    ids = [f"{piece.source['source_system']}_{each.source_id}" for piece in pieces for each in piece.entities]
    return RECORDS.from_columns(
        {"canonical_id": ids, **sources, **found, **{name: computed.column(name) for name in COMPUTED}}
    )
