"""The account of checked files as one JSON document, for programs.

Belongs here: its shape, which docs/operations.md describes and programs rely on: fields are added, never changed.
Does not belong here: the account (`cli/check/account.py`), the same for people (`cli/check/text.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cli.check.recordings import judgement
from cli.quarantine.remedies import remedy
from vitalake.lake.columns import rows_of

if TYPE_CHECKING:
    from cli.check.account import Account, CheckedTable
    from cli.check.recordings import CheckedRecording

FORMAT = "vitalake check 1"
_LEFT_OUT = ("source_version", "uploaded_at")


def document(account: Account, recordings: Sequence[CheckedRecording], assumed: Sequence[str]) -> str:
    """The document."""
    found = {
        "format": FORMAT,
        "dataset": account.dataset.name,
        "refused": account.refused,
        "files": [
            {
                "file": str(each.file),
                "key": each.key,
                "partition": each.partition,
                "size_bytes": each.size_bytes,
                "outcome": each.outcome,
                "belongs_to": each.companion_of,
                "rows": dict(each.rows),
                "refused_records": each.refused_records,
            }
            for each in account.objects.values()
        ],
        "not_uploaded": [{"file": str(file), "reason": reason} for file, reason in account.failed],
        "tables": [_table(each) for each in account.tables.values()],
        "refusals": [
            {
                "key": each.key,
                "rule": each.rule,
                "message": each.message,
                "whole_file": each.whole,
                "records": each.records,
                "record_numbers": each.numbers,
                "meaning": (told := remedy(account.dataset, each.rule, uploaded=False)).meaning,
                "to_do": told.fix,
            }
            for each in account.refusals.values()
        ],
        "warnings": [{"rule": rule, "rows": count} for rule, count in account.warnings.items()],
        "verdicts": dict(account.verdicts),
        "recordings": [_recording(each) for each in recordings],
        "assumed": list(assumed),
    }
    return json.dumps(_plain(found), ensure_ascii=False, indent=2)


def _table(checked: CheckedTable) -> dict[str, Any]:
    samples = ("list<int32>", "list<float64>")
    columns = [each for each in checked.table.columns if each.name not in _LEFT_OUT and each.kind not in samples]
    return {
        "name": checked.table.name,
        "restricted": checked.table.restricted,
        "rows": checked.rows,
        "columns": {each.name: each.kind for each in columns},
        "pseudonymised": list(checked.pseudonymised),
        "first_rows": rows_of(checked.first.select([each.name for each in columns])),
    }


def _recording(each: CheckedRecording) -> dict[str, Any]:
    facts, names = each.item.facts, ("lead_name", "unit", "sampling_rate_hz", "duration_s", "verdict", "reasons")
    copied = ("file_format", "lead_count", "sampling_rate_hz", "duration_s", "device_id", "device_model", "label")
    return {
        "key": each.item.key,
        **{name: facts[name] for name in copied},
        "started_at": facts["started_at"],
        "assumed": list(each.assumed),
        "found": list(facts["warning_texts"]),
        "verdict": facts["verdict"],
        "reasons": list(facts["reasons"]),
        "in_words": judgement(facts),
        "leads": [{name: lead[name] for name in names} | {"in_words": judgement(lead)} for lead in each.leads],
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it: times in ISO 8601, null for numbers that are none."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
