"""`vitalake remove` on a lake of two days: nothing goes without consent, and nothing but what was named."""

from __future__ import annotations

import re
import shlex

import pytest

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, Vitalake, build
from tests.vitalake.notes import upload

EMPTY = f"ecg/date={DAYS[0]}/device=a/empty.mat"
GOOD = f"ecg/date={DAYS[0]}/device=a/0.mat"


def keys(raw: ObjectStore) -> set[str]:
    return {item.key for item in raw.objects("ecg/")}


def test_without_a_terminal_it_says_what_would_go_and_deletes_nothing(
    vitalake: Vitalake, lake: Settings, raw: ObjectStore
) -> None:
    before = keys(raw)
    answer = vitalake("remove", GOOD)
    assert answer.code == 2
    assert "nothing was deleted: there is no terminal to confirm on; pass --yes" in answer.err
    said = dict(re.findall(r"(?m)^(\w+) +(.*)$", answer.out))
    assert said["object"] == f"s3://{lake.raw_bucket}/{GOOD}"
    assert said["day"] == f"{DAYS[0]} of ecg"
    assert said["ecg_recordings"] == "1 row"
    assert said["ecg_signals"] == "1 row"
    assert "ecg_beats" in said
    assert "gone for good" in said["versions"]
    assert "quarantine" not in answer.out
    assert keys(raw) == before


def test_with_consent_it_deletes_just_what_was_named_and_the_day_follows(
    vitalake: Vitalake, lake: Settings, raw: ObjectStore
) -> None:
    before = keys(raw)
    answer = vitalake("remove", EMPTY, f"s3://{lake.raw_bucket}/{GOOD}", EMPTY, "--yes")
    assert answer.code == 0, answer.err
    assert "ecg_quarantine 1 row" in " ".join(answer.out.split())
    assert f"vitalake backfill ecg --from {DAYS[0]} --to {DAYS[0]}" in answer.out
    assert before - keys(raw) == {EMPTY, GOOD}
    build(lake, DAYS[0])
    assert "Nothing is in quarantine that fits." in vitalake("quarantine", "list", "--date", DAYS[0]).out


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        (f"ecg/date={DAYS[0]}/device=a/emtpy.mat", EMPTY),
        ("ecg/empty.mat", EMPTY),
        (f"ecg/date={DAYS[1]}/device=a/empty.mat", EMPTY),
        (f"ecg/date={DAYS[0]}/device=a/*.mat", GOOD),
        (f"ecg/date={DAYS[0]}/device=a/", None),
        (f"ecg/date={DAYS[0]}/device=a", None),
        (EMPTY[:-1], EMPTY),
    ],
)
def test_a_wrong_key_deletes_nothing_and_names_the_nearest(
    vitalake: Vitalake, lake: Settings, raw: ObjectStore, wrong: str, nearest: str | None
) -> None:
    before = keys(raw)
    answer = vitalake("remove", GOOD, wrong, "--yes")
    assert (answer.code, "nothing was deleted" in answer.err) == (2, True)
    assert nearest is None or nearest in answer.err
    assert ("stands for no other" in answer.err) == ("*" in wrong)
    assert keys(raw) == before
    assert lake.raw_bucket in answer.err


def test_a_key_of_no_dataset_is_not_ours_to_delete(vitalake: Vitalake, lake: Settings, raw: ObjectStore) -> None:  # noqa: ARG001
    upload(raw, "invoices/1.pdf", b"content")
    answer = vitalake("remove", "invoices/1.pdf", "--yes")
    assert answer.code == 2
    assert "of no dataset" in answer.err
    assert raw.get("invoices/1.pdf") == b"content"


def test_what_is_gone_already_may_still_have_rows(vitalake: Vitalake, lake: Settings, raw: ObjectStore) -> None:  # noqa: ARG001
    raw._client.delete_object(Bucket=raw.bucket, Key=GOOD)
    answer = vitalake("remove", GOOD, "--yes")
    assert answer.code == 2
    assert "still has rows of it" in answer.err


def test_a_versioned_bucket_keeps_the_content_and_the_way_back_is_told(
    vitalake: Vitalake, lake: Settings, raw: ObjectStore
) -> None:
    raw._client.put_bucket_versioning(Bucket=raw.bucket, VersioningConfiguration={"Status": "Enabled"})
    upload(raw, f"ecg/date={DAYS[0]}/device=a/two words.mat", b"content")
    key = f"ecg/date={DAYS[0]}/device=a/two words.mat"
    answer = vitalake("remove", key, "--yes")
    assert answer.code == 0, answer.err
    assert "keeps versions" in answer.out
    assert "not read yet" in answer.out
    assert key not in keys(raw)
    [undo] = re.findall(r"(?m)^to undo +(.*)$", answer.out)
    words = shlex.split(undo)
    named = dict(zip(words[3::2], words[4::2], strict=True))
    assert words[:3] == ["aws", "s3api", "delete-object"]
    assert named["--endpoint-url"] == lake.s3_endpoint
    raw._client.delete_object(Bucket=named["--bucket"], Key=named["--key"], VersionId=named["--version-id"])
    assert raw.get(key) == b"content"


def test_of_a_recording_of_several_objects_the_others_are_named_and_stay(
    vitalake: Vitalake, lake: Settings, raw: ObjectStore
) -> None:
    folder = f"ecg/date={DAYS[0]}/device=c/"
    upload(raw, f"{folder}x.hea", b"x 1 500 1000\nx.dat 16 200 16 0 0 0 0 I\n")
    upload(raw, f"{folder}x.dat", bytes(2000))
    build(lake, DAYS[0])
    answer = vitalake("remove", f"{folder}x.dat", "--yes")
    assert answer.code == 0, answer.err
    assert f"{folder}x.hea" in answer.out
    assert "ecg_quarantine 2 rows" in " ".join(answer.out.split())
    assert f"{folder}x.hea" in keys(raw)
    assert f"{folder}x.dat" not in keys(raw)


@pytest.mark.parametrize("name", ["tab\tkey", "a b", "ü"])
def test_an_odd_key_is_deleted_as_it_is(vitalake: Vitalake, lake: Settings, raw: ObjectStore, name: str) -> None:  # noqa: ARG001
    key = f"ecg/date={DAYS[0]}/device=a/{name}"
    upload(raw, key, b"content")
    before = keys(raw)
    answer = vitalake("remove", key, "--yes")
    assert answer.code == 0, answer.err
    assert before - keys(raw) == {key}
