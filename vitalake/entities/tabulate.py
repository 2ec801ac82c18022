"""From objects of business records to rows.

Belongs here: the account of an object's records, and their layout in the tables of `tables.py`. Does not belong
here: JSON (`envelope.py`), mapping (`mapping.py`), formulas (`quality.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from vitalake.entities.envelope import Envelope, canonical, read_envelope
from vitalake.entities.mapping import Entity, SystemMapping, map_record, system_mappings
from vitalake.entities.metadata import ExportMetadata, read_metadata
from vitalake.entities.quality import COMPUTED, computed_columns
from vitalake.entities.summary import Reconciled, Values, compare
from vitalake.entities.tables import ENVELOPES, EXPORTS, PRIVATE_ATTRIBUTES, RECORDS
from vitalake.errors import UnusableDataError
from vitalake.lake.columns import array, numbers
from vitalake.lake.contents import Parsed, RawObject, Refusal, Tabulated
from vitalake.lake.refusals import RefusalBudget
from vitalake.pseudonyms import Pseudonyms
from vitalake.records.decoding.utf8 import utf8_chunks
from vitalake.records.json.keys import RecordKeys

MAX_EXPORT_BYTES = 512 * 2**20
_ENTITY_BYTES = 500  # what an entity takes beside its attributes


@dataclass(frozen=True)
class Piece:
    """Consecutive usable records of one object.

    Args:
        source: the columns of the object.
        entities: the records.
        digests: of each one's attributes, by a secret key; None where everybody sees them.
        export: with the last records of an object, its row in EXPORTS.
        envelope: with it, everything around the records; None: there is nothing.
    """

    source: dict[str, Any]
    entities: Sequence[Entity] = ()
    digests: Sequence[str | None] = ()
    export: dict[str, Any] | None = None
    envelope: str | None = None


def parse(
    objects: Sequence[RawObject], pseudonyms: Pseudonyms, most_bytes: int = MAX_EXPORT_BYTES
) -> Iterator[Parsed]:
    """Read objects: each record ends in a piece or in a refusal, an object of unknown origin in one refusal.

    Args:
        objects: exports.
        pseudonyms: for what nobody may see.
        most_bytes: that an export may have when it is unpacked.
    """
    for item in objects:
        yield from _read(item, pseudonyms, most_bytes)


def tabulate(pieces: Sequence[Piece]) -> Tabulated:
    """Rows of all tables, in the order of `pieces`."""
    exports = [piece.export for piece in pieces if piece.export is not None]
    envelopes = [
        {name: piece.source[name] for name in ENVELOPES.names if name != "envelope"} | {"envelope": piece.envelope}
        for piece in pieces
        if piece.envelope is not None
    ]
    return Tabulated(
        {
            RECORDS.name: _records(pieces),
            EXPORTS.name: EXPORTS.from_rows(exports),
            PRIVATE_ATTRIBUTES.name: _private(pieces),
            ENVELOPES.name: ENVELOPES.from_rows(envelopes),
        }
    )


def _read(item: RawObject, pseudonyms: Pseudonyms, most_bytes: int) -> Iterator[Parsed]:
    keys = frozenset(key for mapping in system_mappings().values() for key in mapping.keys)
    envelope = read_envelope(b"".join(utf8_chunks(item.chunks(), "JSON", most_bytes)), keys)
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
        weight = sum(_ENTITY_BYTES + len(each.attributes) + len(each.all_attributes or "") for each in entities)
        digests = [
            None if each.all_attributes is None else pseudonyms.of("entity attributes", each.all_attributes)
            for each in entities
        ]
        yield Parsed((Piece(source, entities, digests),), tuple(refusals), weight)
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
        "envelope": canonical(_open(envelope, said, found)) if envelope.around else None,
    }
    around = canonical(envelope.around) if envelope.around else None
    yield Parsed((Piece(source, export=export, envelope=around),))


def _open(envelope: Envelope, said: ExportMetadata, found: Reconciled) -> dict[str, Any]:
    """What everybody may see of what is around the records: no words of the file's own."""
    figures = {path.removeprefix("summary."): value for path, value in found.figures.items()}
    return {"metadata": said.metadata(envelope.section("metadata")), "summary": figures}


def _mapped(envelope: Envelope, key: str, mapping: SystemMapping) -> Iterator[tuple[list[Entity], list[Refusal]]]:
    """The records in canonical form and those that are refused, a block at a time."""
    told, keys = RefusalBudget(), RecordKeys(sorted(mapping.keys), ())
    for block in envelope.records():
        entities: list[Entity] = []
        refusals = [Refusal(key, each.rule, each.message, each.number, each.count) for each in block.refused]
        records, numbers = block.records, block.numbers
        odd = [at for at, each in enumerate(records) if mapping.keys.isdisjoint(each) or not _all_ascii(each)]
        if doubtful := keys.doubtful(records, odd):
            records, kept, unusable = keys.settled(records, doubtful)
            refusals += [
                Refusal(key, error.rule, error.message, int(numbers[at]), error.record_count)
                for at, error in unusable.items()
            ]
            numbers = numbers[kept]
        others: dict[str, Refusal] = {}  # of each rule, the first that has no words of its own
        counts: Counter[str] = Counter()
        for number, record in zip(numbers.tolist(), records, strict=True):
            try:
                entities.append(map_record(record, number, mapping))
            except UnusableDataError as error:
                rule = error.rule
                if told.take(rule):
                    refusals.append(Refusal(key, rule, error.message, number))
                    continue
                counts[rule] += 1
                if rule not in others:
                    others[rule] = Refusal(key, rule, error.message, number)
        yield entities, refusals + [replace(each, record_count=counts[rule]) for rule, each in others.items()]


def _all_ascii(record: dict[str, Any]) -> bool:
    return all(map(str.isascii, record))


def _records(pieces: Sequence[Piece]) -> pa.Table:
    import numpy as np

    pieces = [piece for piece in pieces if piece.entities]
    if not pieces:
        return RECORDS.from_rows([])
    kinds = {field.name: field.type for field in RECORDS.arrow_schema()}
    rows = zip(*(each for piece in pieces for each in piece.entities), strict=True)
    fields = dict(zip(Entity._fields, rows, strict=True))
    del fields["all_attributes"]
    found = {name: array(values, kinds.get(name, pa.int64())) for name, values in fields.items()}
    counts = {name: found.pop(name) for name in ("attribute_count", "attributes_filled")}
    digests = array([digest for piece in pieces for digest in piece.digests], pa.string())
    computed = computed_columns(pa.table(found | counts | {"private_digest": digests}))
    piece_of = numbers(np.repeat(np.arange(len(pieces)), [len(piece.entities) for piece in pieces]), pa.int64())
    sources = {
        name: array([piece.source[name] for piece in pieces], kinds[name]).take(piece_of)
        for name in pieces[0].source
    }
    ids = [_canonical_id(piece, each) for piece in pieces for each in piece.entities]
    return RECORDS.from_columns(
        {"canonical_id": ids, **sources, **found, **{name: computed.column(name) for name in COMPUTED}}
    )


def _private(pieces: Sequence[Piece]) -> pa.Table:
    """Rows of PRIVATE_ATTRIBUTES."""
    found = [(piece, each) for piece in pieces for each in piece.entities if each.all_attributes is not None]
    columns: dict[str, Any] = {
        name: [piece.source[name] for piece, _ in found] for name in ("source_key", "source_version", "uploaded_at")
    }
    columns["canonical_id"] = [_canonical_id(piece, each) for piece, each in found]
    columns["attributes"] = [each.all_attributes for _, each in found]
    columns["record_number"] = [each.record_number for _, each in found]
    return PRIVATE_ATTRIBUTES.from_columns(columns)


def _canonical_id(piece: Piece, entity: Entity) -> str:
    return f"{piece.source['source_system']}_{entity.source_id}"
