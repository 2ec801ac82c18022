"""Alerts: what a person should hear about, worded once, and recognisable when it is reported twice.

Belongs here: wording, fingerprints, causes, JSON and Slack's blocks, all pure. Does not belong here: wording of
what sensors do (`vitalake/alerting/sensor_alerts.py`), of what is late (`vitalake/alerting/late_data_alert.py`) and
of many alerts in one (`vitalake/alerting/alert_grouping.py`), keeping alerts (`resources/alerting/outbox.py`),
posting (`resources/alerting/slack.py`), noticing trouble (`pipeline_assets/`, `sensors/`).

Exception text is personal data until proven otherwise: only messages of the project's own errors are repeated.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from vitalake.arrivals.fingerprints import digest
from vitalake.errors import PermanentError, TransientError, VitalakeError
from vitalake.escaping import SECTION_CHARS, bounded_line, slack_text

Kind = Literal["run_failed", "quarantine", "late", "sensors_fail", "sensors_work"]

SEE_THE_RUN = "see the run"
QUARANTINE = "quarantine-"  # then the dataset: the cause of news about what was refused
_HEADER_CHARS = 150  # https://docs.slack.dev/reference/block-kit/blocks/header-block
_CATALOG = "lake"  # the step that every job ends with (`pipeline_assets/catalog_asset.py`)
_EXAMPLES = 10
_DIGITS = 16  # of an object's digest: an alert names a thousand objects
# What Dagster (1.13, `dagster/_grpc/client.py`) says of a tick that it gave up.
_TOO_LONG = re.compile(r"timed out due to taking longer than (\d+) seconds")
# Keys, days and counts in a message, by which one cause says something else every time. A status has three digits.
_NAMES = re.compile(r"[\d,]+ of [\d,]+ \(\S+\)|\S*(?:/|\d{4})\S*")
# An error as Dagster stores it: our own classes are known by their module, not by a name that anybody may use.
_OURS = re.compile(r"vitalake\.[\w.]+: (.*)")


@dataclass(frozen=True)
class QuarantineCounts:
    """What an alert about quarantine counts, so that many can be summed: an object that two of them name is one.

    Args:
        dataset: name of the dataset.
        day: of the objects; or their hour, as `2026-11-20T05`.
        records: rule → object, as a digest → how many of its records the rule refused.
    """

    dataset: str
    day: str
    records: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Alert:
    """One message, in plain text. Two alerts with one fingerprint are the same news.

    Those with one `cause` need the same remedy: the outbox tells them together. An empty one is nobody else's.
    """

    fingerprint: str
    kind: Kind
    title: str
    body: str
    link: str | None
    created_at: datetime
    cause: str = ""
    refused: QuarantineCounts | None = None

    def to_json(self) -> str:
        """One JSON object; the reverse of `from_json`."""
        return json.dumps(asdict(self) | {"created_at": self.created_at.isoformat()})

    @staticmethod
    def from_json(text: str | bytes) -> Alert:
        """The reverse of `to_json`; ValueError for anything else."""
        try:
            fields = json.loads(text)
            refused = _read_refused(**fields["refused"]) if fields.get("refused") else None
            at = datetime.fromisoformat(fields["created_at"])
            alert = Alert(**(fields | {"created_at": at, "refused": refused}))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not an alert") from error
        texts = (alert.fingerprint, alert.kind, alert.title, alert.body, alert.link or "", alert.cause)
        if at.tzinfo is None or not all(isinstance(text, str) for text in texts):
            raise ValueError("not an alert")
        return alert


def _read_refused(dataset: str, day: str, records: Mapping[str, Mapping[str, int]]) -> QuarantineCounts:
    counted = {rule: {name: int(number) for name, number in objects.items()} for rule, objects in records.items()}
    return QuarantineCounts(str(dataset), str(day), counted)


def run_failed(
    job: str,
    partition: str | None,
    step: str | None,
    error_class: str | None,
    message: str | None,
    run_id: str,
    root_run_id: str,
    attempt: int,
    will_retry: bool | None,
    link: str | None,
    created_at: datetime | None = None,
) -> Alert:
    """One alert per root run, whatever the retries.

    Args:
        job: name of the job.
        partition: the day, or None for an unpartitioned run.
        step: the step that failed; None when the run ended outside any step.
        error_class: name of the exception's class; None when nobody caught one (a killed process).
        message: what may be told about it, as `describe_error` gives it.
        run_id: the run that failed.
        root_run_id: the run that it retries, or itself; the alert's identity.
        attempt: counted from 1.
        will_retry: None when that is not known yet.
        link: address of the run in the web UI.
        created_at: now, if not given.
    """
    retry = {True: "It will be retried by itself.", False: "It will not pass before somebody acts.", None: ""}
    if step == _CATALOG:  # by then the day is recorded as built, so nobody asks for it again
        retry[True] = "What was built is stored; the next run, of whatever job, publishes the catalog again."
    lines = [
        f"Step: {step}" if step else "No step failed: the process of the run ended, was killed or never started.",
        f"Error: {error_class}: {message or SEE_THE_RUN}" if error_class else "",
        f"Run: {run_id}, attempt {attempt}. {retry[will_retry]}",
        "Further failures of its retries are not reported.",
    ]
    return Alert(
        fingerprint=digest("run_failed", root_run_id),
        kind="run_failed",
        title=bounded_line(f"{job} failed for {partition}" if partition else f"{job} failed"),
        body="\n".join(bounded_line(line, SECTION_CHARS) for line in lines if line),
        link=link,
        created_at=created_at or datetime.now(timezone.utc),
        cause=digest("run_failed", job, step or "", error_class or "", _NAMES.sub("…", message or "")),
    )


def quarantined(
    dataset: str,
    partition: str,
    rows: Sequence[tuple[str, str, str, str]],
    link: str | None,
    created_at: datetime | None = None,
    records: Sequence[int] | None = None,
) -> Alert:
    """One alert for everything of a partition that is newly in quarantine; all of a dataset are of one cause.

    Args:
        dataset: name of the dataset.
        partition: the day.
        rows: (key, version, rule, message) each; not empty; several of one object are allowed.
        link: address of the run or asset in the web UI.
        created_at: now, if not given.
        records: how many records each row is about; if not given, one.
    """
    if not rows:
        raise ValueError("nothing is in quarantine, so there is nothing to report")
    examples: dict[tuple[str, str], str] = {}
    for key, version, rule, message in sorted(rows):
        examples.setdefault((key, version), bounded_line(f"• {key} — {rule}: {message}"))
    counted: dict[str, Counter[str]] = {}
    for (key, version, rule, _), number in zip(rows, records or [1] * len(rows), strict=True):
        counted.setdefault(rule, Counter())[digest(repr((key, version)))[:_DIGITS]] += number
    rules = Counter({rule: objects.total() for rule, objects in counted.items()})
    count = f"{len(examples):,} object{'s' * (len(examples) > 1)}"
    first = f"The first {_EXAMPLES}:" if len(examples) > _EXAMPLES else "Each with its first reason:"
    # The hint stands before the examples, where no truncation reaches it.
    lines = [
        bounded_line("By rule: " + ", ".join(f"{rule} × {number:,}" for rule, number in rules.most_common())),
        f"Look further: vitalake quarantine list --dataset {dataset}",
        first,
        *list(examples.values())[:_EXAMPLES],
    ]
    return Alert(
        fingerprint=digest(
            "quarantine",
            *sorted({repr((dataset, partition, key, version, rule)) for key, version, rule, _ in rows}),
        ),
        kind="quarantine",
        title=bounded_line(f"{count} of {dataset} {partition} in quarantine"),
        body="\n".join(lines),
        link=link,
        created_at=created_at or datetime.now(timezone.utc),
        # Whatever the rules: a burst of bad files breaks many of them, and one message counts each.
        cause=QUARANTINE + dataset,
        refused=QuarantineCounts(
            dataset, partition, {rule: dict(objects) for rule, objects in sorted(counted.items())}
        ),
    )


def describe_error(error: BaseException) -> tuple[str, str]:
    """Class name and message as they may leave the system: of our own error, if it is or was raised from one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, VitalakeError):
            return type(cause).__name__, str(cause)
        cause = cause.__cause__
    return type(error).__name__, SEE_THE_RUN


def describe_record(errors: Sequence[tuple[str | None, str]]) -> tuple[str | None, str | None]:
    """`describe_error` for an error that is known by Dagster's record only; no message but of our own errors.

    Args:
        errors: class name and message of the error and of its causes, outermost first; may be empty.
    """
    for name, message in errors:
        if ours := _OURS.match(message):
            return name, ours[1]
        if name == "DagsterUserCodeUnreachableError" and (long := _TOO_LONG.search(message)):
            return name, f"it took longer than {long[1]} s; the store may hang"
    # Dagster wraps what a step or a sensor raises once; the cause is what was raised.
    raised = errors[min(1, len(errors) - 1)] if errors else None
    return (raised[0] if raised else None), None


def will_be_retried(error: BaseException) -> bool | None:
    """What the error family says about another attempt; None for a stranger."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TransientError | PermanentError):
            return isinstance(cause, TransientError)
        cause = cause.__cause__
    return None


def slack_blocks(alert: Alert) -> list[dict[str, Any]]:
    """The alert as Block Kit: title, body, link. Only the link, which is ours, is text that Slack formats."""
    link = f"<{slack_text(alert.link, SECTION_CHARS - 20)}|Open in Dagster>" if alert.link else ""
    return [
        {"type": "header", "text": _plain(slack_text(alert.title, _HEADER_CHARS))},
        {"type": "section", "text": _plain(slack_text(alert.body))},
        *([{"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": True}}] if link else []),
    ]


def _plain(text: str) -> dict[str, Any]:
    """Text in which Slack sees neither links nor mentions, neither bold nor code."""
    return {"type": "plain_text", "text": text, "emoji": False}
