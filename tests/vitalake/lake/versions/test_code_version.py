"""Which edit of the source, and of what is declared, gives which dataset a new code version."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.object_store import ObjectStore
from tests.vitalake.lake.versions.building import build, days_of, upload_demo
from tests.vitalake.notes import notes_dataset
from vitalake.datasets.entities import ENTITIES
from vitalake.datasets.pricing import PRICING
from vitalake.lake.dataset import Dataset, SqlView, Threshold
from vitalake.lake.tables import Column
from vitalake.lake.versions import code_version
from vitalake.lake.versions.code_version import code_digest

ROOT = Path(__file__).parents[4]
EVERY = {"ecg", "entities", "entity_metrics", "entity_relationships", "pricing", "retina"}
DIGESTS = """
import json, sys
from vitalake.datasets.declared import DATASETS
from vitalake.lake.versions.code_version import code_digest
print(json.dumps({dataset.name: code_digest(dataset) for dataset in DATASETS}))
heavy = {"numpy", "pyarrow", "duckdb", "pandas", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""


def digests(root: Path) -> dict[str, str]:
    """The code version of every dataset, as a fresh process in this folder has it."""
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS], cwd=root, capture_output=True, text=True, timeout=120, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the source that may be edited, and its digests."""
    root = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "vitalake", root / "vitalake", ignore=shutil.ignore_patterns("__pycache__"))
    return root, digests(root)


TOP = "from __future__"
NO_PART = (
    ("alerting/alerts.py", TOP, f"WORD = 'other'\n{TOP}"),
    ("serving/catalog.py", "CREATE OR REPLACE VIEW", "CREATE VIEW"),
    ("charts/figures.py", "DPI = ", "DPI = 1 + "),
    ("lake/checks.py", 'Check("warned",', 'Check("warnings",'),
    ("lake/freshness.py", TOP, f"WORD = 'other'\n{TOP}"),
    ("ecg/pictures/ecg_grid.py", "MIN_SPAN_MV = ", "MIN_SPAN_MV = 1 + "),
    ("ecg/sql/ecg_duplicates.sql", "SELECT", "SELECT  "),
    ("lake/parquet.py", '"""Parquet bytes of `rows` in one slice."""', '"""In one slice."""'),
    ("ecg/tables.py", '"Position of the lead, from 0."', '"Which lead, from 0."'),
    ("datasets/pricing.py", '"Memory in GiB."', '"Main memory in GiB."'),
    ("datasets/ecg.py", "Threshold(warn=0.05, block=0.5)", "Threshold(warn=0.06, block=0.5)"),
    ("records/json/reader.py", "def read_json(", "def read_json(  # once more\n"),
)
RULE = ("datasets/pricing.py", "Memory is not above 0", "Memory is 0 or below")
CONDITION = ("datasets/pricing.py", '"vcpu_count > 0"', '"vcpu_count >= 0"')
COLUMN = ("datasets/pricing.py", '"Storage", "storage"', '"Storage", "storage_kind"')
RETINA_RULE = ("datasets/retina.py", "BETWEEN 50 AND 1000", "BETWEEN 50 AND 999")
CSV_READER = ("records/csv/quotes.py", "_FEW_LINES = ", "_FEW_LINES = 1 + ")
JSON_READER = ("records/json/window.py", "_FILL_BYTES = ", "_FILL_BYTES = 1 + ")  # entities are read by it too
ECG_READER = ("ecg/readers/ishne.py", "MAX_LEADS = ", "MAX_LEADS = 1 + ")
IN_A_PROCESS = ("ecg/readers/limited/child.py", "OPEN_FILES = ", "OPEN_FILES = 1 + ")
JUDGEMENT = ("ecg/quality/rules.py", "RECORD_QUALITY = ", "RECORD_QUALITY = 1 * ")
MODEL = ("ecg/quality/model/lead.json", "{", "{ ")
MAPPING = ("entities/systems/crm.json", "{", "{ ")
MATCHING = ("entities/sql/matches_scored.sql", "SELECT", "SELECT ")
WRITER = ("lake/parquet.py", "_ROWS_PER_GROUP = ", "_ROWS_PER_GROUP = 2 * ")
QUARANTINE = ("lake/dataset.py", 'Column("rule", "string", "Id', 'Column("rule_id", "string", "Id')
KEYS = ("arrivals/keys.py", "_HOUR = ", "_HOUR = None or ")


@pytest.mark.parametrize(
    ("edits", "changed"),
    [
        (NO_PART, set()),
        ((RULE, ECG_READER, MAPPING, RETINA_RULE), {"pricing", "ecg", "entities", "retina"}),
        ((CONDITION, IN_A_PROCESS, MATCHING), {"pricing", "ecg", "entities"}),
        ((JSON_READER,), {"entities", "retina"}),
        ((COLUMN, JUDGEMENT), {"pricing", "ecg"}),
        ((CSV_READER, MODEL), {"entity_metrics", "entity_relationships", "pricing", "ecg"}),
        ((WRITER,), EVERY),
        ((QUARANTINE,), EVERY),
        ((KEYS,), EVERY),
    ],
)
def test_edits_make_new_versions_of_just_what_they_reach(
    copied: tuple[Path, dict[str, str]], edits: tuple[tuple[str, str, str], ...], changed: set[str]
) -> None:
    """Of each dataset one edit at a time, so that none hides another."""
    root, before = copied
    texts = {file: (root / "vitalake" / file).read_text() for file, _, _ in edits}
    try:
        for file, old, new in edits:
            assert old in texts[file]
            (root / "vitalake" / file).write_text(texts[file].replace(old, new, 1))
        after = digests(root)
    finally:
        for file, text in texts.items():
            (root / "vitalake" / file).write_text(text)
    assert {name for name in after if after[name] != before[name]} == changed


def test_the_same_source_elsewhere_is_the_same_version(copied: tuple[Path, dict[str, str]]) -> None:
    assert copied[1] == {dataset: code_digest(each) for dataset, each in by_name().items()}
    assert len(set(copied[1].values())) == len(EVERY) == len(copied[1])


def by_name() -> dict[str, Dataset]:
    from vitalake.datasets.declared import DATASETS

    return {dataset.name: dataset for dataset in DATASETS}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda _: {"doc": "Better said."}, True),
        (lambda _: {"owner": "team:other"}, True),
        (lambda d: {"views": (*d.views, SqlView("more", "SELECT 1 AS a", "One.", {"a": "1."}))}, True),
        (lambda d: {"checks": tuple(replace(check, threshold=Threshold(0.5)) for check in d.checks)}, True),
        (lambda _: {"sinks": (), "trends": ()}, True),
        (lambda d: {"rules": d.rules[:1]}, False),
        (lambda d: {"rules": (replace(d.rules[0], message="other words"), *d.rules[1:])}, False),
        (lambda d: {"limits": replace(d.limits, part_objects=7)}, False),
        (lambda d: {"tables": (replace(d.tables[0], restricted=True),)}, False),
        (lambda d: {"tables": (with_column(d, Column("more", "string", "More.")),)}, False),
        (lambda _: {"group_objects": sorted}, False),
    ],
)
def test_what_of_a_declaration_reaches_bytes(change: Callable[[Dataset], dict[str, Any]], same: bool) -> None:
    assert (code_digest(replace(PRICING, **change(PRICING))) == code_digest(PRICING)) == same


def with_column(dataset: Dataset, column: Column) -> Any:
    return replace(dataset.tables[0], columns=(*dataset.tables[0].columns, column))


def test_a_library_of_another_version_is_another_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(name: str) -> str:
        return "0.1" if name == "msgspec" else "same"

    monkeypatch.setattr(code_version, "_version", lambda _name: "same")
    before = {name: code_digest(replace(dataset)) for name, dataset in by_name().items()}
    monkeypatch.setattr(code_version, "_version", other)
    after = {name: code_digest(replace(dataset)) for name, dataset in by_name().items()}
    assert {name for name in after if after[name] != before[name]} == {"entities", "retina"}


def test_what_functions_hold_counts_and_what_cannot_be_told_apart_is_refused() -> None:
    one, other = notes_dataset(), notes_dataset()
    same_name = replace(other, name=one.name, tables=one.tables, derived=one.derived)
    assert code_digest(same_name) != code_digest(one), "its function holds a table of another name"
    with pytest.raises(TypeError, match="nobody can say whether <object object"):
        held: Any = object()
        code_digest(replace(one, tabulate=lambda _: held))


def test_parts_of_another_dataset_stay_as_they_are(raw: ObjectStore, store: ObjectStore) -> None:
    """A rule of pricing changes: its day is built anew when it is touched, and that of entities is not."""
    upload_demo(raw)
    stricter = replace(PRICING, rules=(replace(PRICING.rules[0], message="a price below nothing"),))
    for dataset in (PRICING, ENTITIES):
        assert build(dataset, raw, store, days_of(dataset, raw))
        assert not build(dataset, raw, store, days_of(dataset, raw))
    days = days_of(PRICING, raw)
    assert {key.split("/")[1] for key in build(stricter, raw, store, days)} == {f"date={day}" for day in days}
    assert not build(ENTITIES, raw, store, days_of(ENTITIES, raw))


def test_what_was_found_out_is_kept_and_never_believed_of_other_source(copied: tuple[Path, dict[str, str]]) -> None:
    root, before = copied
    folder = root / "vitalake/lake/versions/__pycache__"
    assert digests(root) == before
    kept = list(folder.glob("source-*.kept"))
    assert kept
    for path in kept:
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"digest": "from the file"}))
    assert digests(root) != before, "it is read"
    for path in kept:
        path.write_text("{broken")
    assert digests(root) == before
    shutil.rmtree(folder)
    folder.write_text("nothing can be kept here")
    assert digests(root) == before
