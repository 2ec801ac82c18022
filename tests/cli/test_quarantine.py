"""`vitalake quarantine` on a lake with two objects in it; building them again is in `test_backfill.py`."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path

import pytest

from cli.remedies import REMEDIES
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, Vitalake, build, recording
from vitalake.checks import VANISHED, WAITING

EMPTY = f"ecg/date={DAYS[0]}/device=a/empty.mat"
TEXT = f"ecg/date={DAYS[1]}/device=b/text.mat"
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.usefixtures("lake")
def test_list_shows_what_and_why(vitalake: Vitalake) -> None:
    answer = vitalake("quarantine", "list")
    assert answer.code == 0, answer.err
    assert [re.split(" {2,}", line)[:4] for line in answer.out.splitlines()[2:4]] == [
        [DAYS[1], "ecg", "S02", TEXT],
        [DAYS[0], "ecg", "S01", EMPTY],
    ]
    assert "2 rows" in answer.out


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (("--rule", "s01"), [EMPTY]),
        (("--date", DAYS[1]), [TEXT]),
        (("--dataset", "ecg"), [TEXT, EMPTY]),
        (("--dataset", "other"), []),
        (("--date", DAYS[0], "--rule", "S02"), []),
    ],
)
@pytest.mark.usefixtures("lake")
def test_list_filters(vitalake: Vitalake, options: tuple[str, ...], keys: list[str]) -> None:
    rows = json.loads(vitalake("quarantine", "list", *options, "--format", "json").out)
    assert [row["source_key"] for row in rows] == keys
    names, *lines = csv.reader(StringIO(vitalake("quarantine", "list", *options, "--format", "csv").out))
    assert [line[names.index("source_key")] for line in lines] == keys
    assert ("Nothing is in quarantine that fits." in vitalake("quarantine", "list", *options).out) == (not keys)


def test_show_tells_the_facts_the_meaning_and_the_remedy(vitalake: Vitalake, lake: Settings) -> None:
    answer = vitalake("quarantine", "show", TEXT)
    assert answer.code == 0, answer.err
    for words in (f"s3://{lake.raw_bucket}/{TEXT}", "S02", "no known format", REMEDIES["S02"].fix, "unchanged"):
        assert words in answer.out


@pytest.mark.usefixtures("lake")
def test_show_takes_an_end_of_the_key_that_only_one_has(vitalake: Vitalake) -> None:
    assert EMPTY in vitalake("quarantine", "show", "empty.mat").out
    several = vitalake("quarantine", "show", ".mat")
    assert several.code == 2
    assert EMPTY in several.err
    assert TEXT in several.err
    nothing = vitalake("quarantine", "show", "0.mat")
    assert nothing.code == 1
    assert "not in quarantine" in nothing.err


def test_show_knows_what_the_bucket_holds_now(vitalake: Vitalake, lake: Settings, raw: ObjectStore) -> None:
    [item] = [item for item in raw.objects("ecg/") if item.key == EMPTY]
    mended = raw.put(EMPTY, recording(), expected=item.version)
    assert "another version is there" in vitalake("quarantine", "show", EMPTY).out
    raw.delete(EMPTY, expected=mended)
    assert "the object is gone" in vitalake("quarantine", "show", EMPTY).out
    build(lake, DAYS[0])
    assert vitalake("quarantine", "show", EMPTY).code == 1


def test_retry_wants_to_know_what_and_asks_before_it_begins(
    vitalake: Vitalake, lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vitalake("quarantine", "retry").code == 2
    assert vitalake("quarantine", "retry", EMPTY, "--all").code == 2
    assert "not in quarantine" in vitalake("quarantine", "retry", "0.mat").err
    assert "Nothing is in quarantine that fits" in vitalake("quarantine", "retry", "--rule", "S07").out
    alone = vitalake("quarantine", "retry", "--all", "--yes")
    assert "VITALAKE_WEBSERVER_URL" in alone.err
    monkeypatch.setenv("VITALAKE_WEBSERVER_URL", lake.s3_endpoint or "")  # somebody answers there
    answer = vitalake("quarantine", "retry", "--all")
    assert answer.code == 2
    assert "is refused again" in answer.out
    assert "--yes" in answer.err


def test_every_rule_that_refuses_has_a_remedy() -> None:
    sources = [path.read_text() for path in (ROOT / "vitalake").rglob("*.py")]
    refusals = {rule for text in sources for rule in re.findall(r'UnusableDataError\(\s*"([A-Z]+\d+)"', text)}
    assert refusals | {VANISHED, WAITING} == set(REMEDIES)
