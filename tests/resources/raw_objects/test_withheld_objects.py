"""An object that its store lists and does not give out is a row; a store that gives out nothing is trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.changing_proxy import ChangingProxy, changing_proxy
from tests.vitalake.notes import DAY, DAYS, build, notes_dataset, remove, rows, upload
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.errors import PermanentError, TransientError, UnusableDataError
from vitalake.lake.parts import fingerprint_of, parts_of

pytestmark = pytest.mark.store


class Answer(NamedTuple):
    """How S3 refuses an object."""

    status: int
    code: str
    message: str


ARCHIVED = Answer(403, "InvalidObjectState", "The operation is not valid for the object's storage class")
CUSTOMER_KEY = Answer(
    400,
    "InvalidRequest",
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
    "retrieve the object.",
)
DISABLED_KEY = Answer(400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:111122223333:key/1 is disabled.")
DELETED_KEY = Answer(
    400, "KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:111122223333:key/1 is pending deletion."
)
KMS_DENIED = Answer(
    403,
    "AccessDenied",
    "User: arn:aws:sts::111122223333:assumed-role/lake/i is not authorized to perform: kms:Decrypt on resource: "
    "arn:aws:kms:eu-west-1:111122223333:key/1 because no identity-based policy allows the kms:Decrypt action",
)
FOREIGN_KEY = Answer(
    403,
    "AccessDenied",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
    "not allowed to access.",
)
DENIED = Answer(403, "AccessDenied", "Access Denied")
FORBIDDEN_BY_LAW = Answer(451, "UnavailableForLegalReasons", "It is not available.")
OF_ONE_OBJECT = {
    ARCHIVED: "archived.*restore it, then read it again with `vitalake quarantine retry`",
    CUSTOMER_KEY: "the uploader's own.*upload it again without that key",
    DISABLED_KEY: r"KMS key cannot be used \(KMS.DisabledException\).*quarantine retry",
    DELETED_KEY: r"KMS key cannot be used \(KMS.KMSInvalidStateException\).*quarantine retry",
}
WHERE_OTHERS_ARE_READ = {
    KMS_DENIED: "KMS key may not be used.*kms:Decrypt.*quarantine retry",
    FOREIGN_KEY: "KMS key may not be used.*kms:Decrypt.*quarantine retry",
    DENIED: r"denied \(HTTP 403 AccessDenied\).*bucket's policy.*quarantine retry",
    FORBIDDEN_BY_LAW: "HTTP 451 UnavailableForLegalReasons",
}
OF_THE_SET_UP = [
    Answer(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    Answer(403, "SignatureDoesNotMatch", "The request signature we calculated does not match."),
    Answer(400, "ExpiredToken", "The provided token has expired."),
    Answer(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region is wrong."),
]


@pytest.fixture
def proxy(s3_endpoint: str) -> Iterator[ChangingProxy]:
    with changing_proxy(s3_endpoint) as found:
        yield found


@pytest.fixture
def near(settings: Settings, proxy: ChangingProxy) -> ObjectStore:
    """The raw bucket as it is reached through the proxy."""
    return ObjectStore(settings.model_copy(update={"s3_endpoint": proxy.url}), settings.raw_bucket)


def read(near: ObjectStore, prefix: str = "ecg/") -> dict[str, bytes | str | None]:
    """What reading gives, by name: the content, or rule and message, or nothing."""
    items = near.objects(prefix)
    return {
        item.key.rpartition("/")[2]: str(data) if isinstance(data, UnusableDataError) else data
        for item, data in near.get_many(items)
    }


def streamed(near: ObjectStore, name: str) -> str:
    """Why an object is not given out as a stream."""
    [item] = [item for item in near.objects("ecg/") if item.key.endswith(name)]
    with pytest.raises(UnusableDataError) as refusal:
        near.stream(item)
    return str(refusal.value)


@pytest.mark.parametrize(("answer", "words"), (OF_ONE_OBJECT | WHERE_OTHERS_ARE_READ).items())
@pytest.mark.parametrize("bad", ["bad", "bad\tname"], ids=["by obstore", "by boto3"])
def test_one_object_that_is_not_given_out_is_named_and_the_others_are_read(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, answer: Answer, words: str, bad: str
) -> None:
    for name in ("a", bad, "c"):
        upload(raw, f"ecg/date={DAY}/{name}", name.encode())
    proxy.refused[bad.replace("\t", "%09")] = answer
    found = read(near)
    refusal = found.pop(bad)
    assert found == {"a": b"a", "c": b"c"}
    assert isinstance(refusal, str)
    assert re.match(rf"S18: .*{words}", refusal)
    assert streamed(near, bad) == refusal


@pytest.mark.parametrize("answer", [ARCHIVED, CUSTOMER_KEY, DISABLED_KEY])
def test_where_s3_says_that_it_is_the_object_no_other_is_needed(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, answer: Answer
) -> None:
    upload(raw, f"ecg/date={DAY}/bad", b"content")
    proxy.refused["/bad"] = answer
    assert str(read(near)["bad"]).startswith("S18: ")


@pytest.mark.parametrize("answer", [KMS_DENIED, DENIED, *OF_THE_SET_UP])
def test_a_store_that_gives_out_nothing_is_trouble_of_the_set_up(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy, answer: Answer
) -> None:
    for name in ("a", "b", "c"):
        upload(raw, f"ecg/date={DAY}/{name}", b"content")
    upload(raw, f"retina/date={DAY}/a", b"of another dataset, which these rights are not about")
    for name in ("ecg", "a", "b", "c"):
        proxy.refused[f"/ecg/date%3D{DAY}/{name}"] = proxy.refused[f"/ecg/date={DAY}/{name}"] = answer
    with pytest.raises(PermanentError, match="kms:Decrypt" if answer is KMS_DENIED else "denied|refused"):
        read(near)
    [item, *_] = near.objects("ecg/")
    with pytest.raises(PermanentError):
        near.stream(item)
    assert read(near, "retina/")["a"]


def test_the_only_object_of_its_day_is_told_from_a_store_that_gives_out_nothing_by_other_days(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy
) -> None:
    upload(raw, "ecg/date=2026-11-19/a", b"content")
    upload(raw, f"ecg/date={DAY}/bad", b"content")
    proxy.refused["/bad"] = DENIED
    assert str(read(near, f"ecg/date={DAY}/")["bad"]).startswith("S18: ")
    proxy.refused["/a"] = DENIED
    with pytest.raises(PermanentError, match="access denied"):
        read(near, f"ecg/date={DAY}/")


def test_a_key_service_that_is_busy_is_asked_again_later(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy
) -> None:
    for name in ("a", "bad"):
        upload(raw, f"ecg/date={DAY}/{name}", b"content")
    proxy.refused["/bad"] = Answer(400, "KMS.ThrottlingException", "You have exceeded the rate.")
    with pytest.raises(TransientError):
        read(near)


def test_an_object_that_is_listed_and_never_there_is_told_and_one_that_is_gone_is_not(
    raw: ObjectStore, near: ObjectStore, proxy: ChangingProxy
) -> None:
    for name in ("a", "bad", "gone"):
        upload(raw, f"ecg/date={DAY}/{name}", b"content")
    items = near.objects("ecg/")
    raw._client.delete_object(Bucket=raw.bucket, Key=f"ecg/date={DAY}/gone")
    proxy.refused["/bad"] = Answer(404, "NoSuchKey", "The specified key does not exist.")
    found = {item.key.rpartition("/")[2]: data for item, data in near.get_many(items)}
    assert (found["a"], found["gone"]) == (b"content", None)
    assert "S18: the store lists the object and says that there is none" in str(found["bad"])


def test_a_day_with_such_objects_is_built_once_and_read_again_when_somebody_builds_it(
    raw: ObjectStore, near: ObjectStore, store: ObjectStore, proxy: ChangingProxy
) -> None:
    notes = notes_dataset()
    for name in ("a", "archived", "x.head", "x.tail", "z"):
        upload(raw, f"{notes.prefix}date={DAY}/{name}", b"text")
    proxy.refused |= {"/archived": ARCHIVED, "/x.tail": KMS_DENIED}
    reports = build(notes, near, store, DAY)
    assert rows(store, notes, "texts", "source_key") == [("a",), ("z",)]
    quarantined = [("archived", "S18"), ("x.head", "S18"), ("x.tail", "S18")]
    assert rows(store, notes, "quarantine", "source_key", "rule") == quarantined
    messages = dict(rows(store, notes, "quarantine", "source_key", "message"))
    assert "another object of its recording" in messages["x.head"]
    listed = listed_fingerprint(arrived(near, notes.prefix, DAYS, None, notes.group_objects))
    assert {report.fingerprint for report in reports} == {listed}
    built = {fingerprint_of(parts_of(store, table.name, DAY)) for table in notes.all_tables}
    assert built == {listed}, "the sensors have nothing to ask for"

    assert [report.written for report in build(notes, near, store, DAY)] == [[], [], []]
    proxy.refused.clear()
    assert [bool(report.written) for report in build(notes, near, store, DAY)] == [False, True, True]
    assert rows(store, notes, "quarantine", "source_key") == []
    everything = [("a",), ("archived",), ("x.head",), ("x.tail",), ("z",)]
    assert sorted(rows(store, notes, "texts", "source_key")) == everything
    assert sorted(rows(store, notes, "lengths", "source_key")) == everything
    assert [report.written for report in build(notes, near, store, DAY)] == [[], [], []]
    remove(raw, f"{notes.prefix}date={DAY}/archived")
    build(notes, near, store, DAY)
    assert ("archived",) not in rows(store, notes, "texts", "source_key")
