"""Messages that say "look at this object": what one holds, and which partitions to look at because of it.

Belongs here: reading the body of a message, and from a key and a time to partitions. Does not belong here: the
queue (`resources/queue.py`), listing a partition (`listing.py`), asking for runs (`sensors/queue.py`).

A message is a hint and never the truth: whoever gets one lists the partition and decides by what is there. So it
does not matter if one is lost, repeated, late or out of order, and reading errs on the side of one partition too
many. What no message can tell is left to the sweep over everything. All of it concerns keys that name no day, where
the partition follows from upload times: the one that an object leaves when it is written again later, the one of an
object deleted in another than it came in, and the one that a bundle leaves when a companion comes in a later one.

Sources: S3 user guide, "Event message structure" and "Using EventBridge"; SNS developer guide, "HTTP/HTTPS
notification JSON format", which is also what a queue gets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote_plus

from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.keys import dated

# The most that SQS carries; what is longer was not sent by S3.
_LONGEST_BODY = 2**20
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|\+00:00)", re.ASCII)
_YEARS = range(2000, 2100)
# An event is stamped a little after the object is, and by another clock.
_SKEW = timedelta(minutes=1)
# The time of an object that was uploaded in parts is when its upload began.
_IN_PARTS = "CompleteMultipartUpload"
_UPLOAD_TAKES = timedelta(days=1)


@dataclass(frozen=True)
class Hint:
    """Something happened to an object: it came, was replaced, was deleted.

    Args:
        bucket: name of its bucket.
        key: its key, decoded.
        at: when it happened, in UTC.
        in_parts: it is a multipart upload that ended then and may have begun the day before.
    """

    bucket: str
    key: str
    at: datetime
    in_parts: bool = False


def hints(body: str) -> list[Hint] | None:
    """What a message says; empty for S3's own test message, None for what is no notification.

    Understood are S3's events (several in one message), EventBridge's, and both in an SNS envelope. One record that
    cannot be read makes the whole message one that somebody has to look at. Never raises.
    """
    content = _parsed(body)
    if content is not None and content.get("Type") == "Notification":
        content = _parsed(content.get("Message"))
    if content is None:
        return None
    if content.get("Event") == "s3:TestEvent":
        return []
    records = content.get("Records")
    try:
        if isinstance(records, list):
            return [_of_s3(record) for record in records]
        return [_of_eventbridge(content)]
    except (KeyError, TypeError, ValueError):
        return None


def partitions(
    hints: Iterable[Hint], bucket: str, datasets: Collection[tuple[str, str, Calendar]]
) -> set[tuple[str, Partition]]:
    """The partitions to look at, as (dataset, partition); none for other buckets and for keys of no dataset.

    Args:
        hints: what a message says.
        bucket: the raw bucket.
        datasets: (name, prefix of its keys, calendar) of each dataset.
    """
    return {
        (name, partition)
        for hint in hints
        if hint.bucket == bucket
        for name, prefix, calendar in datasets
        if hint.key.startswith(prefix)
        for partition in partitions_of(hint, calendar)
    }


def partitions_of(hint: Hint, calendar: Calendar) -> set[Partition]:
    """Those that an object may belong to: the one its key names, else those that it may have been uploaded in."""
    named = dated(hint.key, calendar)
    if named is not None:
        return {named}
    began = hint.at - (_UPLOAD_TAKES if hint.in_parts else timedelta(0)) - _SKEW
    return set(calendar.between(calendar.at(began), calendar.at(hint.at + _SKEW)))


def _parsed(text: Any) -> dict[str, Any] | None:
    """The JSON object in a text, None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST_BODY:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # deep nesting exhausts the parser's stack
        return None
    return content if isinstance(content, dict) else None


def _of_s3(record: Any) -> Hint:
    """One of S3's records, whose keys are encoded as in a form: a plus is a space."""
    s3 = record["s3"]
    key = unquote_plus(_text(s3["object"]["key"]))
    in_parts = _text(record["eventName"]).endswith(_IN_PARTS)
    return Hint(_text(s3["bucket"]["name"]), key, _time(record["eventTime"]), in_parts)


def _of_eventbridge(event: Any) -> Hint:
    """EventBridge's form of the same, whose keys are as they are."""
    if event["source"] != "aws.s3":
        raise ValueError("an event of another service")
    detail = event["detail"]
    bucket, key = _text(detail["bucket"]["name"]), _text(detail["object"]["key"])
    return Hint(bucket, key, _time(event["time"]), detail.get("reason") == _IN_PARTS)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("no text")
    return value


def _time(value: Any) -> datetime:
    match = _TIME.fullmatch(_text(value))
    if match is None or int(match[1]) not in _YEARS:
        raise ValueError("no time of an event")
    year, month, day, hour, minute, second = (int(group) for group in match.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
