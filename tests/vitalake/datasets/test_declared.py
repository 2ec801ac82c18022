"""Datasets are found by themselves."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vitalake.datasets
from vitalake.datasets import declared
from vitalake.errors import PermanentError

MODULE = """
from vitalake.records.declare import csv_dataset
from vitalake.lake.dataset import Rule
from vitalake.records.fields import Field

FIELDS = (Field("a", "a", "string", "A."),)
FOUND = csv_dataset("{name}", "Found.", "team:data", FIELDS, rules=(Rule("{rule}", "true", "It is not so."),))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of datasets, beside the one of the product."""
    monkeypatch.setattr(vitalake.datasets, "__path__", [*vitalake.datasets.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("vitalake.datasets."):
            del sys.modules[name]


def test_a_new_module_is_found_among_the_others_by_name(folder: Path) -> None:
    (folder / "mine.py").write_text(MODULE.format(name="mine", rule="X01"))
    importlib.invalidate_caches()
    names = [dataset.name for dataset in declared._declared()]
    assert set(names) == {"mine", *(dataset.name for dataset in declared.DATASETS)}
    assert names == sorted(names)


def test_two_datasets_of_one_name_are_refused(folder: Path) -> None:
    (folder / "mine.py").write_text(MODULE.format(name="pricing", rule="X01"))
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match="two datasets are named pricing"):
        declared._declared()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\nimport nothing_here\n", "mine.py, line 2: No module named 'nothing_here'"),
        ("FIELDS = (\n", "mine.py, line 1: '\\(' was never closed"),
        (MODULE.replace("team:data", "anna"), "mine.py, line 7: dataset 'mine': 'anna' is no owner"),
        (MODULE.replace('"string"', '"text"'), "mine.py, line 6: .*there is no kind 'text'"),
        (
            MODULE.replace("FIELDS, ", "FIELDS, decimal_sgin=',', "),
            "mine.py, line 7: .*did you mean 'decimal_sign'",
        ),
        (MODULE.replace('"A."', '"A.", requierd=True'), "mine.py, line 6: .*did you mean 'required'"),
        (MODULE.replace('"a", "string"', '"a" "string"'), "mine.py, line 6: .*; on line 6 two texts stand side by"),
        (
            MODULE.replace("FIELDS, ", 'FIELDS, ignored=("b" "c", "d"), '),
            "mine.py, line 7: two texts stand side by",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(folder: Path, text: str, why: str) -> None:
    (folder / "mine.py").write_text(text.replace("{name}", "mine").replace("{rule}", "X01"))
    importlib.invalidate_caches()
    with pytest.raises(PermanentError, match=f"^vitalake/datasets/{why}"):
        declared._declared()


@pytest.mark.parametrize(
    ("name", "rule", "why"),
    [
        ("quarantine", "X01", "quarantine names the view"),
        ("lake", "X01", "lake names the asset"),
        ("raw_pricing", "X01", "raw_pricing names something of dataset"),
        ("zzz", "P01", "P01 names something of dataset 'pricing'"),
    ],
)
def test_a_name_that_is_taken_is_refused(folder: Path, name: str, rule: str, why: str) -> None:
    (folder / "mine.py").write_text(MODULE.format(name=name, rule=rule))
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match=why):
        declared._declared()


TABLE = """
from vitalake.lake.computed.declaration import ComputedTable
from vitalake.lake.tables import Column

COLUMNS = (Column("region", "string", "Region.", nullable=False),)
SQL = "SELECT DISTINCT region FROM pricing_instances"
READS = {"pricing_instances": ["region"]}
FOUND = ComputedTable("regions", "One row a region.", "team:data", COLUMNS, ("region",), READS, sql=SQL)
"""


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of tables of one's own."""
    package = importlib.import_module("vitalake.datasets.tables")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("vitalake.datasets.tables."):
            del sys.modules[name]


def test_a_table_of_ones_own_is_found_and_shown_with_its_source(tables: Path) -> None:
    (tables / "mine.py").write_text(TABLE)
    (tables / "again.py").write_text("from vitalake.datasets.tables.mine import FOUND\n")
    importlib.invalidate_caches()
    found = {dataset.name: dataset for dataset in declared._declared()}
    assert [item.table.name for item in found["pricing"].computed] == ["regions"]
    assert not any(dataset.computed for name, dataset in found.items() if name != "pricing")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TABLE.replace("team:data", "anna"), "mine.py, line 8: table 'regions': 'anna' is no owner"),
        (
            TABLE.replace('"pricing_instances":', '"pricing":'),
            "mine.py: table 'regions': its source 'pricing' is no",
        ),
        (TABLE.replace('"regions"', '"raw_pricing"'), "mine.py: dataset 'pricing': raw_pricing names two things"),
        (f"import pandas as pd\n{TABLE}", "mine.py imports pandas at its top: every run .* inside the function"),
        (f"from pandas import NA, DataFrame\n{TABLE}", "mine.py imports pandas at its top"),
        (f"import numpy.linalg\n{TABLE}", "mine.py imports numpy at its top"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_file(tables: Path, text: str, why: str) -> None:
    (tables / "mine.py").write_text(text)
    importlib.invalidate_caches()
    with pytest.raises(PermanentError, match=f"^vitalake/datasets/tables/{why}"):
        declared._declared()


def test_a_dataset_that_another_module_imports_is_one(folder: Path) -> None:
    (folder / "again.py").write_text("from vitalake.datasets.pricing import PRICING\n")
    importlib.invalidate_caches()
    assert [dataset.name for dataset in declared._declared()].count("pricing") == 1
