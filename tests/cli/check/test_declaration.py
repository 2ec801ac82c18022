"""A declaration that is wrong fails before any file is read, with its line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import vitalake.datasets
from cli.check.declaration import declaration_of, faults_of
from tests.cli.check.conftest import DECLARATION
from tests.cli.conftest import Vitalake
from vitalake.datasets import declared
from vitalake.errors import PermanentError

HERE = DECLARATION.splitlines()


def line_of(text: str) -> int:
    [number] = [number for number, line in enumerate(HERE, 1) if text in line]
    return number


@pytest.mark.usefixtures("folder")
def test_a_declaration_of_ones_own_is_a_dataset() -> None:
    found = declaration_of(None, Path("weights.py"))
    assert (found.dataset.name, found.file) == ("weights", Path("weights.py"))
    assert declaration_of("weights", Path("weights.py")).dataset.name == "weights"
    with pytest.raises(typer.BadParameter, match="declares weights, and no dataset 'heights'"):
        declaration_of("heights", Path("weights.py"))
    assert declaration_of("pricing", None).file is not None


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        # Rules
        ("weight_kg BETWEEN", "wieght_kg BETWEEN", 'Rule("W01"', 'rule W01 .*column "wieght_kg" not found'),
        ("BETWEEN 1 AND", "BETWEN 1 AND", 'Rule("W01"', "rule W01 .*syntax error"),
        ("weight_kg BETWEEN", "(weight_kg BETWEEN", 'Rule("W01"', "rule W01 .*syntax error"),
        ("BETWEEN 1 AND 300", "BETWEEN 1 AND 300) OR (true", 'Rule("W01"', "rule W01 .*syntax error"),
        ("note IS NULL", "", 'Rule("W02"', "rule W02 .*syntax error"),
        ("measured_at <= uploaded_at", "measured_at <= uploaded", 'Rule(id="W03"', "rule W03 .*uploaded"),
        ("measured_at <= uploaded_at", "lenght(note) > 1", 'Rule(id="W03"', "rule W03 .*lenght"),
        # Views and sinks
        ("SELECT device_id", "SELECT device", "SqlView(", 'view weights_heavy .*"device" not found'),
        ("FROM weights_current", "FROM weights_curent", "SqlView(", "view weights_heavy .*weights_curent"),
        ('view="weights_heavy"', 'view="weights_light"', "sinks=(", "sink weights_json .*weights_light"),
        ('view="weights_heavy", key=("device_id",)', 'view="weights_heavy", key=("a",)', "sinks=(", "sink .*a"),
        # Names
        ('"W01"', '"P01"', 'Rule("W01"', "P01 names something of dataset 'pricing'"),
        ('"weights_heavy", "SELECT', '"lake", "SELECT', "SqlView(", "lake names the asset"),
        ('"float64"', '"float"', 'Field("weight"', "there is no kind 'float'"),
        ("fields=(", "feilds=(", "WEIGHTS = ", "fields"),
        ('"float64", "Weight.", required', '"float64", "Weight.", requierd', 'Field("weight"', "requierd"),
        ('key=("device_id"', 'key=("device"', "WEIGHTS = ", "device in the key"),
        ('doc="Body weight from scales.",', 'doc="Body weight from scales."', 'doc="Body', "syntax"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(folder: Path, old: str, new: str, at: str, said: str) -> None:
    assert old in DECLARATION
    (folder / "weights.py").write_text(DECLARATION.replace(old, new))
    with pytest.raises(PermanentError, match=f"^weights.py, line {line_of(at)}: (?s:.)*{said}"):
        declaration_of(None, Path("weights.py"))


def test_the_command_ends_with_2_and_reads_no_file(vitalake: Vitalake, folder: Path) -> None:
    (folder / "weights.py").write_text(DECLARATION.replace("BETWEEN 1", "BETWEN 1"))
    answer = vitalake("check", "weights.csv", "--declaration", "weights.py", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"vitalake: weights.py, line {line_of('W01')}: rule W01 is wrong, not the data: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "other.py declares no dataset"),
        ("from vitalake.datasets.pricing import PRICING", "other.py declares no dataset"),
        ("import nothing_here", "other.py, line 1: No module named 'nothing_here'"),
        ("raise SystemExit(0)", "other.py ends the program"),
        ("a,b\n1,x y", "other.py, line 2: invalid syntax"),
        ("open('nowhere')", "other.py, line 1: .*nowhere"),
    ],
)
def test_files_that_declare_nothing(folder: Path, text: str, said: str) -> None:
    (folder / "other.py").write_text(text)
    with pytest.raises(PermanentError, match=f"^{said}"):
        declaration_of(None, Path("other.py"))


def test_of_several_datasets_one_is_named(folder: Path) -> None:
    second = DECLARATION.replace("weights", "heights").replace('"W0', '"H0').replace("WEIGHTS", "HEIGHTS")
    (folder / "both.py").write_text(f"{DECLARATION}\n{second}")
    with pytest.raises(typer.BadParameter, match="heights, weights; say which one"):
        declaration_of(None, Path("both.py"))
    assert declaration_of("heights", Path("both.py")).dataset.name == "heights"


def test_a_rule_that_fails_on_a_value_is_named_when_it_does(vitalake: Vitalake, folder: Path) -> None:
    (folder / "weights.py").write_text(DECLARATION.replace("note IS NULL", "CAST(note AS INTEGER) > 0"))
    answer = vitalake("check", "weights.csv", "--declaration", "weights.py")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"vitalake: weights.py, line {line_of('W02')}: rule W02 fails on some value")
    assert "battery" not in answer.err


def test_an_error_in_a_function_of_the_file_has_its_line(folder: Path) -> None:
    own = "\ndef lay_out(values):\n    return values[0]['a']\n"
    (folder / "own.py").write_text(f"{DECLARATION}{own}")
    found = declaration_of(None, Path("own.py"))
    with pytest.raises(PermanentError, match=f"^own.py, line {len(HERE) + 3}: KeyError: 'a'"), faults_of(found):
        sys.modules["checked_declaration"].lay_out([{}])
    with pytest.raises(FileNotFoundError), faults_of(found):  # ours, not the file's
        Path("nowhere").read_text()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of datasets, beside the one of the product; found when the list is made anew."""
    monkeypatch.setattr(vitalake.datasets, "__path__", [*vitalake.datasets.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("vitalake.datasets."):
            del sys.modules[name]


def test_of_an_installed_declaration_the_line_is_said_too(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed / "weights.py").write_text(DECLARATION.replace("BETWEEN 1", "BETWEN 1"))
    importlib.invalidate_caches()
    monkeypatch.setattr(declared, "DATASETS", declared._declared())
    with pytest.raises(PermanentError, match=f"weights.py, line {line_of('W01')}: rule W01 is wrong"):
        declaration_of("weights", None)
