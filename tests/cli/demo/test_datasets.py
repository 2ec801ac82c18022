"""The generated scans, price lists and business records are what they are called, and the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from cli.demo.entities import entity_files, metric_files, relationship_files
from cli.demo.feed import demo_waves
from cli.demo.prices import newer_price_files, price_files
from cli.demo.recordings import DemoFile
from cli.demo.retina import BROKEN_SCANS, retina_files
from vitalake.datasets.declared import DATASETS
from vitalake.entities.golden import matches_and_golden
from vitalake.errors import UnusableDataError
from vitalake.lake.contents import RawObject, Refusal
from vitalake.lake.dataset import Dataset
from vitalake.pseudonyms import Pseudonyms

DAY = date(2026, 11, 18)
UPLOADED_AT = datetime(2026, 11, 21, tzinfo=timezone.utc)
PSEUDONYMS = Pseudonyms(b"a key for tests, long enough")


@dataclass
class Found:
    """What became of files: by table its rows, by file the rules that refused something of it."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)


def read(files: Iterable[DemoFile]) -> Found:
    """Files of one dataset, read by its declaration, a slice each."""
    found = Found()
    for file in files:
        [dataset] = [each for each in DATASETS if file.key.startswith(each.prefix)]
        refusals = _read(dataset, file, found)
        found.refused[file.key.partition("/")[2]] = [each.rule for each in refusals]
    return found


def _read(dataset: Dataset, file: DemoFile, found: Found) -> list[Refusal]:
    item = RawObject(file.key, "v1", len(file.data), UPLOADED_AT, file.data)
    try:
        parsed = list(dataset.parse([item], PSEUDONYMS))
    except UnusableDataError as error:
        return [Refusal(file.key, error.rule, error.message)]
    laid_out = dataset.tabulate([value for each in parsed for value in each.values])
    for name, table in laid_out.tables.items():
        found.tables.setdefault(name, []).extend(table.to_pylist())
    return [*(each for piece in parsed for each in piece.refusals), *laid_out.refusals]


def test_every_dataset_is_fed_and_the_bytes_depend_on_the_day_alone() -> None:
    first, again, later = (demo_waves(day) for day in (DAY, DAY, date(2026, 11, 19)))
    assert first == again
    assert first != later
    keys = [file.key for wave in first for file in wave]
    assert len({*keys}) == len(keys)
    assert {key.partition("/")[0] for key in keys} == {dataset.name for dataset in DATASETS}
    records = [file for wave in first for file in wave if not file.key.startswith("ecg/")]
    assert sum(len(file.data) for file in records) < 200_000, "a demo is small"
    assert len({file.key.split("/")[:2][0] + file.key.split("/")[1] for file in records}) <= 6, "a run each"


def test_scans_come_in_every_shape_and_each_broken_one_is_found_by_its_rule() -> None:
    files = list(retina_files(DAY))
    found = read(files)
    scans = found.tables["retina_scans"]
    assert len(scans) == 300
    assert {file.kind for file in files} == {"array", "lines", "marked", "single", "no JSON", "cut off"}
    warned = Counter(rule for scan in scans for rule in scan["warnings"])
    refused = Counter(rule for rules in found.refused.values() for rule in rules)
    by_kind = Counter(rule for rule, _ in BROKEN_SCANS.values())
    assert refused + warned == by_kind + Counter({"S02": 1, "D02": 1})
    assert set(warned) == {"D06", "R05", "R06"}
    assert len({scan["patient_id"] for scan in scans}) < len(scans) * 0.6, "patients come again"


def test_price_lists_are_read_whatever_wrote_them_and_the_newer_list_is_all_other_prices() -> None:
    first, newer = read(price_files(DAY)), read(newer_price_files(DAY))
    [marked, semicolons, broken, _] = [file.data for file in price_files(DAY)]
    assert marked.startswith(b"\xef\xbb\xbfID,")
    assert marked.count(b"\r\n") == 13
    assert semicolons.startswith(b"ID;Region;")
    assert b'"none,\nattach a volume"' in broken
    assert first.refused == {
        f"date={DAY}/north-1.csv": [],
        f"date={DAY}/south-1.csv": [],
        f"date={DAY}/price list (west-2).csv": ["D03", "D05", "P01"],
        f"date={DAY}/euro.csv": ["D01"],
    }
    offers = first.tables["pricing_instances"]
    assert [key for key, count in Counter(each["instance_id"] for each in offers).items() if count > 1] == [301]
    before = {each["instance_id"]: each["price_usd_per_h"] for each in offers}
    after = {each["instance_id"]: each["price_usd_per_h"] for each in newer.tables["pricing_instances"]}
    assert all(price < before.get(number, 1.0) for number, price in after.items())
    assert len(after.keys() - before.keys()) == 1


def test_exports_overlap_change_and_err() -> None:
    found = read(entity_files(DAY))
    assert sorted(rule for rules in found.refused.values() for rule in rules) == ["E02", "E03", "E04", "E05"]
    exports = {each["export_id"]: each for each in found.tables["entities_exports"]}
    assert [name for name, each in exports.items() if not each["reconciled"]] == ["31"]
    assert exports["31"]["summary_differences"][0].startswith("summary.totalRevenue")
    assert not any(each["problems"] for each in exports.values())
    records = found.tables["entities_records"]
    contents = Counter({(each["canonical_id"], each["content_sha256"]) for each in records})
    versions = Counter(canonical_id for canonical_id, _ in contents)
    assert {name for name, count in versions.items() if count > 1} == {"crm_CUST007", "crm_CUST009"}
    current = {each["canonical_id"]: each for each in sorted(records, key=lambda each: str(each["exported_at"]))}
    golden = matches_and_golden(pa.Table.from_pylist(list(current.values())))
    actions = golden["entities_matches"].column("action").to_pylist()
    assert {"auto_merge", "review"} <= {*actions}
    members = golden["entities_golden"].column("member_ids").to_pylist()
    assert ["crm_CUST004", "erp_7001", "legacy_L-3"] in members


@pytest.mark.parametrize(
    ("files", "table", "rows", "rules"),
    [
        (relationship_files(DAY), "entity_relationships", 6, ["L01", "L02"]),
        (metric_files(DAY), "entity_metrics", 600, ["T01"]),
    ],
    ids=["relationships", "metrics"],
)
def test_links_and_figures_are_of_companies_that_are_there(
    files: Iterable[DemoFile], table: str, rows: int, rules: list[str]
) -> None:
    found = read(files)
    assert len(found.tables[table]) == rows
    assert [rule for each in found.refused.values() for rule in each] == rules
    names = [name for name in ("canonical_id", "parent_id", "child_id") if name in found.tables[table][0]]
    named = {row[name] for row in found.tables[table] for name in names}
    assert named <= {row["canonical_id"] for row in read(entity_files(DAY)).tables["entities_records"]}
