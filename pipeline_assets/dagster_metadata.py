"""What people see of a materialization: counts, schemas, pictures, check results.

Belongs here: turning the core's reports, tables, counts and PNGs into Dagster metadata. Does not belong here:
computing any of them.

Dagster's UI renders two things as Markdown, whose pictures are loaded when somebody looks: metadata of that kind,
and every description. So keys and messages, which others write, are JSON; `picture` alone makes Markdown, of a PNG.
Lines of a run's log get links where they hold something like an address, so they have words of ours only.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
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

from vitalake.escaping import bounded_line, markdown, printable
from vitalake.lake.dataset import Count, Statement
from vitalake.lake.reconcile import Report
from vitalake.lake.tables import Table

# The sensor compares this with the fingerprint of what is listed (sensors/run_state.py).
FINGERPRINT = "vitalake/fingerprint"

_DETAILS = 20
_DAY = re.compile(r"[\w -]*")


def fingerprint_key(dataset: str) -> str:
    """The key of the same for a table that reads several datasets, and has a fingerprint of each."""
    return f"{FINGERPRINT}/{dataset}"


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
        metadata["parts"] = MetadataValue.json(written[:_DETAILS])
    if report.vanished:
        metadata["vanished"] = MetadataValue.json([printable(key) for key in report.vanished[:_DETAILS]])
    return metadata


def newly_quarantined(counts: Counter[tuple[str, str]]) -> dict[str, Any]:
    """What was newly refused: how many records by rule and message, the most frequent first."""
    if not counts:
        return {}
    most = [f"{number:,} x {rule} {bounded_line(said)}" for (rule, said), number in counts.most_common(_DETAILS)]
    more = len(counts) - len(most)
    return {
        "newly quarantined": MetadataValue.json(most),
        **({"newly quarantined, left out": more} if more else {}),
    }


def previous_picture(instance: DagsterInstance, table: str, partition: str, name: str) -> MetadataValue[Any] | None:
    """A picture as the last materialization of this partition shows it; None where it has none."""
    wanted = AssetRecordsFilter(AssetKey(table), asset_partitions=[partition])
    for record in instance.fetch_materializations(wanted, limit=1).records:
        if record.asset_materialization is not None:
            return record.asset_materialization.metadata.get(name)
    return None


def picture(png: bytes) -> MarkdownMetadataValue:
    """A PNG that the web UI shows inline; ValueError for anything else."""
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("not a PNG")
    return MetadataValue.md(f"![picture](data:image/png;base64,{base64.b64encode(png).decode()})")


def check_result(check: Statement, asset: str, count: Count, day: str | None) -> AssetCheckResult:
    """A count against the check's thresholds: passed, a warning, or an error that blocks the downstream.

    `day` is the partition that was looked at, None: every day. Dagster shows the last result of a check only, of
    whichever day, so each says its own.
    """
    blocks = count.share > check.threshold.block
    more = max(0, len(count.details) - _DETAILS)
    details = {
        printable(str(name)): printable(value) if isinstance(value, str) else value
        for name, value in list(count.details.items())[:_DETAILS]
    }
    looked_at = day if day is None or _DAY.fullmatch(day) else markdown(day)  # from a tag, which anybody may set
    return AssetCheckResult(
        passed=count.share <= check.threshold.warn,
        check_name=check.name,
        asset_key=asset,
        severity=AssetCheckSeverity.ERROR if blocks else AssetCheckSeverity.WARN,
        description=f"{looked_at or 'all days'}: {check.doc} "
        f"Not so: {count.bad:,} of {count.total:,} ({count.share:.1%}).",
        metadata={
            "day": day or "all",
            "bad": count.bad,
            "total": count.total,
            "share": round(count.share, 6),
            "warns above": f"{check.threshold.warn:.1%}",
            "blocks above": f"{check.threshold.block:.1%}",
            **({"details": MetadataValue.json(details)} if details else {}),
            **({"details left out": more} if more else {}),
        },
    )
