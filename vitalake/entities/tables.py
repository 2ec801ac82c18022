"""The tables and views of business entities.

Belongs here: which columns there are and what they mean. Does not belong here: computing them.
"""

from __future__ import annotations

from pathlib import Path

from vitalake.lake.dataset import SqlView
from vitalake.lake.tables import Column, Table

_CANONICAL = (
    Column("canonical_id", "string", "`<source_system>_<source_id>`.", nullable=False),
    Column("source_system", "string", "System that exported it: crm, erp or legacy.", nullable=False),
    Column("source_id", "string", "Its id in that system.", nullable=False),
    Column(
        "name",
        "string",
        "Name of the business, without blanks around it; of a small one it may be a person's.",
        nullable=False,
    ),
    Column("revenue", "float64", "Revenue a year, in USD; 0 is a value, null is unknown."),
    Column("employees", "int64", "Number of employees; 0 is a value, null is unknown."),
    Column("industry", "string", "Industry: name or code, as the system has it."),
    Column(
        "entity_type",
        "string",
        "large_enterprise (revenue above 10 million or more than 1000 employees), medium_business (1 million, "
        "100) or small_business.",
        nullable=False,
    ),
    Column(
        "quality_score",
        "float64",
        "0.5 × completeness + 0.3 × validity + 0.2 × consistency, 0 to 100.",
        nullable=False,
    ),
    Column(
        "completeness",
        "float64",
        "80 × the share of name, revenue, employees and industry that are there + 20 × the share of the attributes "
        "that hold something (20 where there are none).",
        nullable=False,
    ),
    Column(
        "validity",
        "float64",
        "100 × the share of the values that are plausible: a name of two letters or digits that is no placeholder, "
        "at most 1e12 USD, at most 5 million employees, an industry that is no placeholder and no odd code.",
        nullable=False,
    ),
    Column(
        "consistency",
        "float64",
        "100 where revenue per employee is 10,000 to 2,000,000 USD or both are 0, 50 less for each factor of ten "
        "outside; 50 where one is missing or 0.",
        nullable=False,
    ),
    Column(
        "attributes",
        "string",
        "Fields of the record that are no column here and that the system's mapping lists as open: a JSON object, "
        "keys sorted, no blanks. All the others may name people: `entities_private_attributes`.",
        nullable=False,
    ),
    Column(
        "content_sha256",
        "string",
        "Digest of name, revenue, employees, industry and all attributes, the private ones by the key of "
        "pseudonyms: equal where nothing changed.",
        nullable=False,
    ),
)

_SOURCE = (
    Column(
        "exported_at",
        "timestamp",
        "`metadata.exportDate` (UTC where it names no zone), else the date in the key; a date alone is its 00:00. "
        "Null: neither is there.",
    ),
    Column(
        "exported_at_has_time",
        "bool",
        "`metadata.exportDate` has a time of day, be it 00:00; false: a date alone, or none.",
        nullable=False,
    ),
    Column("export_id", "string", "`metadata.exportId`; null: none."),
    Column("source_key", "string", "Key of the object in the raw bucket.", nullable=False),
    Column("source_version", "string", "ETag of the object's content.", nullable=False),
    Column("uploaded_at", "timestamp", "When the store last saw the object written (UTC).", nullable=False),
)
_RECORD_NUMBER = Column("record_number", "int64", "Position of the record in the object, from 1.", nullable=False)

RECORDS = Table(
    "entities_records",
    "One row per usable record as it arrived, in canonical form.",
    (*_CANONICAL, *_SOURCE, _RECORD_NUMBER),
)

EXPORTS = Table(
    "entities_exports",
    "One row per object whose source system is known: what it said of itself, and whether that is true.",
    (
        Column("source_system", "string", "System that exported it.", nullable=False),
        *_SOURCE,
        Column("data_version", "string", "`metadata.dataVersion`; null: none."),
        Column("declared_count", "int64", "`metadata.recordCount`; null: none."),
        Column("record_count", "int64", "Records found: usable + quarantined.", nullable=False),
        Column("usable_count", "int64", "Rows in `entities_records`.", nullable=False),
        Column("quarantined_count", "int64", "Records in quarantine.", nullable=False),
        Column("reconciled", "bool", "The declared count and every figure known are right.", nullable=False),
        Column(
            "summary_differences",
            "list<string>",
            "Declared figures that the records do not bear out: path, declared, found.",
            nullable=False,
        ),
        Column(
            "summary_unchecked",
            "list<string>",
            "Paths of figures that nobody here can compute; `?` for a name that is not among known words.",
            nullable=False,
        ),
        Column(
            "problems",
            "list<string>",
            "What around the records could not be used, or got another key because its own is no Unicode; `?` for "
            "a name that is not among known words.",
            nullable=False,
        ),
        Column(
            "envelope",
            "string",
            "What is known of everything but the records, as JSON: `metadata` with the fields that have a column, "
            "`summary` with the figures, by path; null: a bare array or record. All of it: `entities_envelopes`.",
        ),
    ),
)

PRIVATE_ATTRIBUTES = Table(
    "entities_private_attributes",
    "One row per row of `entities_records` with attributes that not everybody may see.",
    (
        _CANONICAL[0],
        Column(
            "attributes",
            "string",
            "Every field of the record that is no column of `entities_records`: a JSON object, keys sorted, no "
            "blanks.",
            nullable=False,
        ),
        *_SOURCE[3:],
        _RECORD_NUMBER,
    ),
    restricted=True,
)

ENVELOPES = Table(
    "entities_envelopes",
    "One row per row of `entities_exports` that has anything around its records.",
    (
        Column("source_system", "string", "System that exported it.", nullable=False),
        Column(
            "envelope",
            "string",
            "Everything of the object but its records (metadata, schema, summary), as JSON.",
            nullable=False,
        ),
        *_SOURCE[3:],
    ),
    restricted=True,
)

_SQL = Path(__file__).with_name("sql")
_DOCS = {column.name: column.doc for column in RECORDS.columns}
_VERSION_DOCS = _DOCS | {
    "version": "From 1, by canonical_id: one more only where the content changed.",
    "valid_from": "Since when this is the content: `exported_at`, else `uploaded_at`. A date alone begins at its "
    "00:00, or where something of that day comes before it, when it was uploaded (that day's end at the latest).",
    "created_at": "valid_from of version 1. Where neither the export nor its key has a date, uploading it again "
    "under the same key moves this: a bucket forgets when the object that was replaced came.",
    "updated_at": "When the content last changed: valid_from of this version.",
    "record_number": "Position of the record that brought this version in its object, from 1.",
    "date": "Partition of that record: the day, in UTC.",
}

VIEWS = (
    SqlView(
        "entities_history",
        _SQL / "entities_history.sql",
        "Every version that every entity ever had (slowly changing dimension, type 2), over all days.",
        _VERSION_DOCS | {"valid_to": "valid_from of the next version; null: the current one."},
    ),
    SqlView(
        "entities_current",
        _SQL / "entities_current.sql",
        "Every entity as it is now: one row per canonical_id.",
        _VERSION_DOCS,
    ),
)

WITH_PRIVATE = SqlView(
    "entities_with_private",
    _SQL / "entities_with_private.sql",
    "`entities_history` with all attributes. Only who may read the restricted bucket can ask it.",
    VIEWS[0].columns
    | {"attributes": "Every field of the record that is no column here: a JSON object, keys sorted, no blanks."},
)
