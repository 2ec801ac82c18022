"""Messages about objects: every shape they come in, and the days to look at because of them."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.arrivals.calendar import Calendar, Partition
from vitalake.arrivals.notifications import Hint, hints, partitions, partitions_of

DAYS, HOURS = Calendar(date(2015, 1, 1)), Calendar(date(2015, 1, 1), "hour")
AT = "2026-11-20T12:30:00.123Z"
NOON = datetime(2026, 11, 20, 12, 30, tzinfo=timezone.utc)
DATASETS = [("ecg", "ecg/", DAYS), ("retina", "retina/", DAYS)]


def record(key: str, event: str = "ObjectCreated:Put", bucket: str = "raw", at: str = AT) -> dict[str, Any]:
    """One record as S3 writes it; the key is encoded as it is on the wire."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": at,
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0A1B"},
        },
    }


def message(*records: dict[str, Any]) -> str:
    return json.dumps({"Records": records})


def eventbridge(key: str, kind: str = "Object Created", reason: str = "PutObject") -> dict[str, Any]:
    """An event as EventBridge writes it; its key is not encoded."""
    return {
        "version": "0",
        "detail-type": kind,
        "source": "aws.s3",
        "time": "2026-11-20T12:30:00Z",
        "detail": {"bucket": {"name": "raw"}, "object": {"key": key, "etag": "d41d"}, "reason": reason},
    }


def enveloped(body: str) -> str:
    """A body as SNS passes it on."""
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:eu:1:t", "Message": body, "Timestamp": AT})


def days_of(hint: Hint) -> set[date]:
    return {partition.day for partition in partitions_of(hint, DAYS)}


def keys(body: str) -> list[str] | None:
    found = hints(body)
    return None if found is None else [hint.key for hint in found]


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("ecg/a+b.mat", "ecg/a b.mat"),
        ("ecg/a%2Bb.mat", "ecg/a+b.mat"),
        ("ecg%2F2026%2F11%2F20%2Fa.mat", "ecg/2026/11/20/a.mat"),
        ("ecg/Herz%C3%BCber%E2%9D%A4", "ecg/Herzüber❤"),
        ("ecg/50%25", "ecg/50%"),
    ],
)
def test_keys_of_s3_are_decoded_as_forms_are(encoded: str, key: str) -> None:
    assert hints(message(record(encoded))) == [Hint("raw", key, NOON)]


def test_keys_of_eventbridge_are_taken_as_they_are() -> None:
    for kind in ("Object Created", "Object Deleted"):
        assert hints(json.dumps(eventbridge("ecg/a+b%2B", kind))) == [Hint("raw", "ecg/a+b%2B", NOON)]


def test_a_message_holds_several_records_repeated_and_of_all_kinds() -> None:
    body = message(
        record("ecg/a"),
        record("ecg/a"),
        record("ecg/b", "ObjectRemoved:DeleteMarkerCreated"),
        record("x", bucket="y"),
    )
    assert keys(body) == ["ecg/a", "ecg/a", "ecg/b", "x"]
    assert keys(enveloped(body)) == keys(body)
    assert keys(enveloped(json.dumps(eventbridge("ecg/c")))) == ["ecg/c"]


def test_the_test_message_names_nothing_and_is_no_junk() -> None:
    test = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": AT, "Bucket": "raw"})
    assert hints(test) == hints(enveloped(test)) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"Records": [1]}',
        '{"Records": 7}',
        "[" * 100_000,
        '{"Records":' * 50_000,
        "9" * 10_000,
        enveloped("no JSON"),
        enveloped(enveloped(message(record("ecg/a")))),
        message(record("")),
        message(record("ecg/a", at="yesterday")),
        message(record("ecg/a", at="0001-01-01T00:00:00Z")),
        message(record("ecg/a", at="2026-02-30T00:00:00Z")),
        message(record("ecg/a"), {"eventSource": "aws:ses"}),
        json.dumps(eventbridge("ecg/a") | {"source": "aws.ec2"}),
        json.dumps(eventbridge("ecg/a") | {"detail": []}),
        message(record("ecg/" + "a" * 2**20)),
    ],
    ids=range(20),
)
def test_what_is_no_notification_is_told_apart(body: str) -> None:
    assert hints(body) is None


def test_a_key_that_names_a_day_is_of_that_day_whenever_the_event_was() -> None:
    assert days_of(Hint("raw", "ecg/2019/05/06/a", NOON)) == {date(2019, 5, 6)}
    assert days_of(Hint("raw", "ecg/date=2019-05-06/a", NOON)) == {date(2019, 5, 6)}


@pytest.mark.parametrize(
    ("at", "in_parts", "expected"),
    [
        ("2026-11-20T12:30:00Z", False, [20]),
        ("2026-11-20T00:00:30Z", False, [19, 20]),
        ("2026-11-20T23:59:30Z", False, [20, 21]),
        ("2026-11-20T00:01:00Z", False, [20]),
        ("2026-11-20T12:30:00Z", True, [19, 20]),
    ],
)
def test_a_key_without_a_day_is_of_the_day_it_may_have_been_uploaded_on(
    at: str, in_parts: bool, expected: list[int]
) -> None:
    event = "ObjectCreated:CompleteMultipartUpload" if in_parts else "ObjectCreated:Put"
    (hint,) = hints(message(record("ecg/a", event, at=at))) or []
    assert days_of(hint) == {date(2026, 11, day) for day in expected}
    if in_parts:
        (same,) = hints(json.dumps(eventbridge("ecg/a", reason="CompleteMultipartUpload"))) or []
        assert same == hint


@pytest.mark.parametrize(
    ("key", "at", "event", "expected"),
    [
        ("a", "2026-11-20T12:30:00Z", "ObjectCreated:Put", ["2026-11-20T12"]),
        ("a", "2026-11-20T12:00:30Z", "ObjectRemoved:Delete", ["2026-11-20T11", "2026-11-20T12"]),
        ("a", "2026-11-20T23:59:30Z", "ObjectCreated:Put", ["2026-11-20T23", "2026-11-21T00"]),
        ("2019/05/06/07/a", "2026-11-20T12:30:00Z", "ObjectCreated:Put", ["2019-05-06T07"]),
        ("date=2019-05-06/a", "2026-11-20T12:30:00Z", "ObjectCreated:Put", ["2019-05-06T00"]),
    ],
)
def test_of_hours_those_are_named_that_an_object_may_belong_to(
    key: str, at: str, event: str, expected: list[str]
) -> None:
    (hint,) = hints(message(record(f"ecg/{key}", event, at=at))) or []
    assert sorted(map(str, partitions_of(hint, HOURS))) == expected


def test_an_upload_in_parts_may_have_begun_in_any_hour_of_a_day() -> None:
    found = sorted(map(str, partitions_of(Hint("raw", "ecg/a", NOON, in_parts=True), HOURS)))
    assert (found[0], found[-1], len(found)) == ("2026-11-19T12", "2026-11-20T12", 25)


def test_days_before_the_calendar_are_its_first_day() -> None:
    """A device whose clock was reset: such a date in a key counts as none."""
    assert days_of(Hint("raw", "ecg/1970/01/01/a", NOON)) == {NOON.date()}
    assert days_of(Hint("raw", "ecg/a", datetime(2001, 1, 1, tzinfo=timezone.utc))) == {DAYS.first_day}


def test_other_buckets_and_keys_of_no_dataset_name_no_partition() -> None:
    found = [
        Hint("raw", "ecg/date=2026-11-20/a", NOON),
        Hint("raw", "ecg/date=2026-11-20/b", NOON),
        Hint("raw", "retina/2026/11/18/c", NOON),
        Hint("other", "ecg/date=2026-11-17/a", NOON),
        Hint("raw", "ecg2/date=2026-11-17/a", NOON),
        Hint("raw", "date=2026-11-17/a", NOON),
    ]
    expected = {("ecg", Partition(date(2026, 11, 20))), ("retina", Partition(date(2026, 11, 18)))}
    assert partitions(found, "raw", DATASETS) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
MANGLED = st.builds(
    lambda path, value: (path, value),
    st.lists(st.sampled_from(["Records", 0, "s3", "object", "bucket", "key", "eventTime", "eventName", "name"])),
    JSON,
)


@given(st.text() | JSON.map(json.dumps) | st.binary().map(lambda data: data.decode("latin-1")))
def test_reading_never_raises(body: str) -> None:
    for text in (body, enveloped(body)):
        partitions(hints(text) or [], "raw", DATASETS)


@given(MANGLED)
def test_reading_never_raises_where_one_thing_is_something_else(mangled: tuple[list[Any], Any]) -> None:
    path, value = mangled
    for whole in ({"Records": [record("ecg/a")]}, eventbridge("ecg/a")):
        inner: Any = whole
        for step in path:
            if isinstance(inner, dict) and isinstance(inner.get(step), (dict, list)):
                inner = inner[step]
            elif isinstance(inner, list) and inner:
                inner = inner[0]
        if isinstance(inner, dict) and path:
            inner[str(path[-1])] = value
        partitions(hints(json.dumps(whole)) or [], "raw", DATASETS)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),
)
def test_what_s3_writes_is_read_back(key: str, at: datetime) -> None:
    at = at.replace(microsecond=0, tzinfo=timezone.utc)
    body = message(record(quote_plus(key), at=at.strftime("%Y-%m-%dT%H:%M:%S.000Z")))
    assert hints(body) == [Hint("raw", key, at)]
