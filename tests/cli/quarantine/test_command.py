"""`vitalake quarantine` on a lake with two objects; building them again is in `tests/cli/test_backfill.py`."""

from __future__ import annotations

import ast
import csv
import json
import re
from io import StringIO
from pathlib import Path

import pytest

from cli.quarantine.remedies import NOTES, REMEDIES
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, LINKS, Vitalake, build, recording
from vitalake.datasets.declared import DATASETS

EMPTY = f"ecg/date={DAYS[0]}/device=a/empty.mat"
TEXT = f"ecg/date={DAYS[1]}/device=b/text.mat"
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.usefixtures("read_lake")
def test_list_shows_what_and_why(vitalake: Vitalake) -> None:
    answer = vitalake("quarantine", "list")
    assert answer.code == 0, answer.err
    assert [re.split(" {2,}", line)[:4] for line in answer.out.splitlines()[2:4]] == [
        [DAYS[1], "ecg", "S02", TEXT],
        [DAYS[0], "ecg", "S01", EMPTY],
    ]
    assert "2 rows" in answer.out


@pytest.mark.usefixtures("read_lake")
def test_a_dataset_that_there_is_not_is_no_empty_list(vitalake: Vitalake) -> None:
    answer = vitalake("quarantine", "list", "--dataset", "prices")
    assert answer.code == 2
    assert "prices" in answer.err


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (("--rule", "s01"), [EMPTY]),
        (("--date", DAYS[1]), [TEXT]),
        (("--dataset", "ecg"), [TEXT, EMPTY]),
        (("--dataset", "retina"), []),
        (("--date", DAYS[0], "--rule", "S02"), []),
    ],
)
@pytest.mark.usefixtures("read_lake")
def test_list_filters(vitalake: Vitalake, options: tuple[str, ...], keys: list[str]) -> None:
    rows = json.loads(vitalake("quarantine", "list", *options, "--format", "json").out)
    assert [row["source_key"] for row in rows] == keys
    names, *lines = csv.reader(StringIO(vitalake("quarantine", "list", *options, "--format", "csv").out))
    assert [line[names.index("source_key")] for line in lines] == keys
    assert ("Nothing is in quarantine that fits." in vitalake("quarantine", "list", *options).out) == (not keys)


def test_show_tells_the_facts_the_meaning_and_the_remedy(vitalake: Vitalake, read_lake: Settings) -> None:
    answer = vitalake("quarantine", "show", TEXT)
    assert answer.code == 0, answer.err
    there = f"s3://{read_lake.raw_bucket}/{TEXT}"
    for words in (there, "S02", "no known format", REMEDIES["S02"].fix, "unchanged"):
        assert words in answer.out


@pytest.mark.usefixtures("read_lake")
def test_show_takes_an_end_of_the_key_that_only_one_has(vitalake: Vitalake) -> None:
    assert EMPTY in vitalake("quarantine", "show", "empty.mat").out
    several = vitalake("quarantine", "show", ".mat")
    assert several.code == 2
    assert EMPTY in several.err
    assert TEXT in several.err
    nothing = vitalake("quarantine", "show", "0.mat")
    assert nothing.code == 1
    assert "not in quarantine" in nothing.err


def test_show_means_a_whole_name_before_an_end_of_one(vitalake: Vitalake, lake: Settings, raw: ObjectStore) -> None:
    raw.put(f"ecg/date={DAYS[0]}/device=a/nearly-empty.mat", b"", expected=None)
    build(lake, DAYS[0])
    shown = vitalake("quarantine", "show", "empty.mat")
    assert (shown.code, EMPTY in shown.out, "nearly" in shown.out) == (0, True, False)


def test_show_knows_what_the_bucket_holds_now(vitalake: Vitalake, lake: Settings, raw: ObjectStore) -> None:
    [item] = [item for item in raw.objects("ecg/") if item.key == EMPTY]
    mended = raw.put(EMPTY, recording(), expected=item.version)
    assert "another version is there" in vitalake("quarantine", "show", EMPTY).out
    raw.delete(EMPTY, expected=mended)
    assert "the object is gone" in vitalake("quarantine", "show", EMPTY).out
    build(lake, DAYS[0])
    assert vitalake("quarantine", "show", EMPTY).code == 1


def test_retry_wants_to_know_what_and_asks_before_it_begins(
    vitalake: Vitalake, read_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vitalake("quarantine", "retry").code == 2
    assert vitalake("quarantine", "retry", EMPTY, "--all").code == 2
    assert "not in quarantine" in vitalake("quarantine", "retry", "0.mat").err
    assert "Nothing is in quarantine that fits" in vitalake("quarantine", "retry", "--rule", "S07").out
    assert "Nothing" not in vitalake("quarantine", "retry", "--rule", "s01", "--yes").out, "as `list --rule` has it"
    alone = vitalake("quarantine", "retry", "--all", "--yes")
    assert "VITALAKE_WEBSERVER_URL" in alone.err
    monkeypatch.setenv("VITALAKE_WEBSERVER_URL", read_lake.s3_endpoint or "")  # somebody answers there
    answer = vitalake("quarantine", "retry", "--all")
    assert answer.code == 2
    assert "is refused again" in answer.out
    assert "--yes" in answer.err


@pytest.fixture
def links(settings: Settings, home: Path, raw: ObjectStore) -> str:  # noqa: ARG001 (its `env` is needed)
    """A built CSV file of which three records of seven are refused; its key."""
    key = f"entity_relationships/date={DAYS[0]}/links.csv"
    raw.put(key, LINKS, expected=None)
    build(settings, DAYS[0], dataset="entity_relationships")
    return key


def test_records_that_one_rule_refuses_alike_are_one_line_of_the_list(vitalake: Vitalake, links: str) -> None:
    lines = [re.split(" {2,}", line.strip()) for line in vitalake("quarantine", "list").out.splitlines()[2:4]]
    assert lines == [
        [DAYS[0], "entity_relationships", "L01", links, "2", "3", "parent_id and child_id are the same"],
        [DAYS[0], "entity_relationships", "D03", links, "1", "5", "2 fields, expected 4"],
    ]
    rows = json.loads(vitalake("quarantine", "list", "--format", "json").out)
    assert [(row["rule"], row["record_number"]) for row in rows] == [("L01", 3), ("L01", 4), ("D03", 5)]


def test_show_has_each_record_with_its_text_and_what_the_dataset_demands(vitalake: Vitalake, links: str) -> None:
    out = vitalake("quarantine", "show", links).out
    lines = [line.rstrip() for line in out.splitlines()]
    assert out.count("s3://") == 1, "what is said of the object is said once"
    assert lines.count("record 3     parent_id and child_id are the same") == 1
    assert lines[lines.index("record 3     parent_id and child_id are the same") + 1].split() == ["c,c,partner,1"]
    assert "record 5     2 fields, expected 4" in lines
    assert "parent_id <> child_id" in out
    assert REMEDIES["D03"].fix in out
    short = vitalake("quarantine", "show", links, "--limit", "1").out
    assert "record 4" not in short
    assert "and 1 more of this rule" in short


def test_show_has_no_text_of_records_that_name_people(
    vitalake: Vitalake, home: Path, settings: Settings, raw: ObjectStore
) -> None:
    assert home.exists()
    scan = {"patient_id": "P1", "patient_name": "Alva Abel", "scan_date": DAYS[0], "optic_disc_cup_ratio": 31}
    good = scan | {"optic_disc_cup_ratio": 0.31, "retina_thickness_microns": 260, "diagnosis": "normal"}
    raw.put(f"retina/date={DAYS[0]}/scan.json", json.dumps([scan, good, good]).encode(), expected=None)
    build(settings, DAYS[0], dataset="retina")
    shown = vitalake("quarantine", "show", "scan.json").out
    assert "record 1     retina_thickness_microns is missing or blank; optic_disc_cup_ratio is not 0 to 1" in shown
    assert "Abel" not in shown + vitalake("quarantine", "list", "--format", "json").out


def written_in(folder: Path) -> set[str]:
    """Every text in the code that looks like the id of a rule; docstrings are longer."""
    trees = (ast.parse(path.read_text()) for path in folder.rglob("*.py"))
    texts = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[A-Z]\d\d", text)}


def test_every_rule_that_the_code_can_produce_is_documented() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()
    produced = written_in(ROOT / "vitalake")
    assert len(produced) > 40
    assert {rule for rule in produced if not re.search(rf"\b{rule}\b", page)} == set()
    assert produced >= REMEDIES.keys() | NOTES.keys(), "nothing is explained that nothing produces"


def test_every_rule_that_refuses_has_a_remedy_and_ids_mean_one_thing() -> None:
    code = ROOT / "vitalake"
    refusals = {
        rule
        for path in code.rglob("*.py")
        for rule in re.findall(r'(?:UnusableDataError|Refusal)\([^"\n]*\s*"([A-Z]\d\d)"', path.read_text())
    }
    own = [rule.id for dataset in DATASETS for rule in dataset.rules]
    assert refusals <= REMEDIES.keys()
    assert len({*own}) == len(own)
    assert not {*own} & {*REMEDIES, *NOTES, *written_in(code / "ecg")}
