"""What people see of a materialization: counts, schemas, pictures, check results.

Belongs here: turning the core's reports, tables, counts and PNGs into Dagster metadata. Does not belong here:
computing any of them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetKey,
    AssetRecordsFilter,
    DagsterInstance,
    MarkdownMetadataValue,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
)

from vitalake.dataset import Count, Statement
from vitalake.reconcile import Report
from vitalake.tables import Table

# The sensor compares this with the fingerprint of what is listed (sensors/known.py).
FINGERPRINT = "vitalake/fingerprint"
_DETAILS = 20


def run_link(webserver_url: str | None, run_id: str) -> str | None:
    """Where a run is shown, if there is a web server."""
    return f"{webserver_url.rstrip('/')}/runs/{run_id}" if webserver_url else None


def column_schema(table: Table) -> TableSchema:
    """A table's columns as Dagster shows them."""
    return TableSchema(
        columns=[
            TableColumn(c.name, c.kind, c.doc, constraints=TableColumnConstraints(nullable=c.nullable))
            for c in table.columns
        ]
    )


def materialization(report: Report, table: str) -> dict[str, Any]:
    """Metadata of one table of one partition."""
    written = [key for key in report.written if key.startswith(f"{table}/")]
    deleted = [key for key in report.deleted if key.startswith(f"{table}/")]
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": report.rows.get(table, 0),
        "outcome": f"parts: {len(written)} written, {len(deleted)} deleted" if written or deleted else "unchanged",
        FINGERPRINT: report.fingerprint,
    }
    if written:
        metadata["parts"] = MetadataValue.md("\n".join(f"* `{key}`" for key in written[:_DETAILS]))
    if report.vanished:
        metadata["vanished"] = MetadataValue.md("\n".join(f"* `{key}`" for key in report.vanished[:_DETAILS]))
    return metadata


def drawn_before(instance: DagsterInstance, table: str, partition: str, name: str) -> MetadataValue[Any] | None:
    """A picture as the last materialization of this partition shows it; None where it has none."""
    wanted = AssetRecordsFilter(AssetKey(table), asset_partitions=[partition])
    for record in instance.fetch_materializations(wanted, limit=1).records:
        if record.asset_materialization is not None:
            return record.asset_materialization.metadata.get(name)
    return None


def picture(png: bytes) -> MarkdownMetadataValue:
    """A PNG that the web UI shows inline."""
    return MetadataValue.md(f"![picture](data:image/png;base64,{base64.b64encode(png).decode()})")


def check_result(check: Statement, asset: str, count: Count, day: str | None) -> AssetCheckResult:
    """A count against the check's thresholds: passed, a warning, or an error that blocks the downstream.

    `day` is the partition that was looked at, None: every day. Dagster shows the last result of a check only, of
    whichever day, so each says its own.
    """
    blocks = count.share > check.threshold.block
    more = max(0, len(count.details) - _DETAILS)
    details: Mapping[str, Any] = dict(list(count.details.items())[:_DETAILS])
    return AssetCheckResult(
        passed=count.share <= check.threshold.warn,
        check_name=check.name,
        asset_key=asset,
        severity=AssetCheckSeverity.ERROR if blocks else AssetCheckSeverity.WARN,
        description=f"{day or 'all days'}: {check.doc} "
        f"Not so: {count.bad:,} of {count.total:,} ({count.share:.1%}).",
        metadata={
            "day": day or "all",
            "bad": count.bad,
            "total": count.total,
            "share": round(count.share, 6),
            "warns above": f"{check.threshold.warn:.1%}",
            "blocks above": f"{check.threshold.block:.1%}",
            **({"details": MetadataValue.json(dict(details))} if details else {}),
            **({"details left out": more} if more else {}),
        },
    )
