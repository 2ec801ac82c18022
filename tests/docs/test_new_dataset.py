"""The page about a dataset of one's own is followed to the letter, in a copy of the tree."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from tests.docs.page import ROOT, Step, fresh_clone, steps_of
from vitalake.lake.contents import RawObject
from vitalake.lake.dataset import Dataset
from vitalake.lake.tables import arrow_types
from vitalake.pseudonyms import Pseudonyms
from vitalake.records import typed
from vitalake.records.declare import csv_dataset

PAGE = ROOT / "docs" / "new-dataset.md"
KINDS = ("string", "int32", "int64", "float64", "bool", "date", "timestamp")


def steps() -> list[Step]:
    return steps_of(PAGE)


def declared(name: str) -> str:
    return next(step.text for step in steps() if step.kind == "file" and step.about.endswith(name))


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute on an idle machine: a whole system starts twice
def test_the_page_ends_where_it_says(tmp_path: Path) -> None:
    with fresh_clone(tmp_path) as reader:
        reader.follow(steps())


def test_it_takes_one_file_of_at_most_sixty_lines() -> None:
    files = [step for step in steps() if step.about.startswith("vitalake/") and step.kind == "file"]
    assert len(files) == 2
    assert all(len(step.text.splitlines()) <= 60 for step in files)


def test_every_argument_is_explained() -> None:
    page = PAGE.read_text()
    arguments = set(inspect.signature(csv_dataset).parameters) - {"more"}
    assert {name for name in arguments if f"| `{name}` |" not in page} == set()


def test_what_the_page_says_of_types_is_so() -> None:
    import pyarrow as pa

    begins = tuple(f"| `{kind}`" for kind in KINDS)
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith(begins) and line.count("|") == 5]
    rows = [line.split("|")[1:4] for line in lines]
    seen = []
    for row in rows:
        kinds, good, bad = (re.findall("`(.+?)`", cell) for cell in row)
        seen += kinds
        for kind in kinds:
            arrow = arrow_types()[kind]
            for text in (*good, *bad):
                _, refused = typed.from_texts(pa.array([text], pa.string()), arrow)
                assert refused.tolist() == [text in bad], f"{kind} {text}"
    assert seen == list(KINDS)


def test_what_the_page_shows_passes_the_linter(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("vitalake/datasets", "vitalake/lake", "vitalake/records", "tests/vitalake"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("vitalake/pseudonyms.py", "vitalake/lake/contents.py"):
        (tmp_path / name).touch()
    shown = {step.about: step.text for step in steps() if step.kind == "file" and step.about.endswith(".py")}
    shown |= {f"vitalake/datasets/block{at}.py": text for at, text in enumerate(python_blocks())}
    assert len(shown) > 3
    for name, text in shown.items():
        (tmp_path / name).write_text(text)
    for command in (["check"], ["format", "--check"]):
        argv = [sys.executable, "-m", "ruff", *command, "--no-cache", "vitalake/datasets", "tests"]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def python_blocks() -> list[str]:
    """The modules that the page shows, those included that nobody is asked to save."""
    blocks = re.findall(r"```python\n(.*?)```\n", PAGE.read_text(), re.DOTALL)
    return [block for block in blocks if "_dataset(" in block]


def test_a_file_as_the_page_declares_it_is_read() -> None:
    [text] = [block for block in python_blocks() if "decimal_sign" in block]
    module: dict[str, Dataset] = {}
    exec(text, module)  # noqa: S102
    dataset = module["SAMPLES"]
    lines = ["Probe-Nr.;Entnahme;Wert (µmol/l);Geburt", "1;24.11.2026 07:01;1.204,5;1.2.1950"]
    lines += [f"{at};24.11.2026 07:01;{value};" for at, value in enumerate(("1.23", "1,234.5", "0.123"), 2)]
    data = "\n".join(lines).encode("cp1252")
    item = RawObject("samples/a", "1", len(data), datetime.now(timezone.utc), data)
    values = [value for parsed in dataset.parse([item], Pseudonyms(bytes(32))) for value in parsed.values]
    found = dataset.tabulate(values)
    [row] = found.tables["samples"].to_pylist()
    assert (row["value_umol_per_l"], row["born_on"]) == (1204.5, date(1950, 2, 1))
    assert row["taken_at"] == datetime(2026, 11, 24, 6, 1, tzinfo=timezone.utc)
    assert [refusal.rule for refusal in found.refusals] == ["D05"] * 3


def test_names_lie_in_the_restricted_table_only() -> None:
    module: dict[str, Dataset] = {}
    exec(declared("visits.py"), module)  # noqa: S102
    visits, names = module["VISITS"].tables
    assert (visits.restricted, names.restricted) == (False, True)
    assert "name" not in visits.names
