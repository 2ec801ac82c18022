"""The page about a table of one's own is followed to the letter, in a copy of the tree."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.page import ROOT, fresh_clone, steps_of
from vitalake.lake.computed.declaration import ComputedTable

PAGE = ROOT / "docs" / "new-table.md"


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute on an idle machine: a whole system starts twice
def test_the_page_ends_where_it_says(tmp_path: Path) -> None:
    with fresh_clone(tmp_path) as reader:
        reader.follow(steps_of(PAGE))


def test_it_takes_one_file_of_at_most_forty_lines() -> None:
    files = [step for step in steps_of(PAGE) if step.about.startswith("vitalake/") and step.kind == "file"]
    assert len(files) == 2
    assert all(len(step.text.splitlines()) <= 40 for step in files)


def test_its_files_pass_as_ours_do(tmp_path: Path) -> None:
    for step in steps_of(PAGE):
        if step.kind == "file":
            path = tmp_path / step.about
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
    for command in ("check", "format --check"):
        argv = [
            sys.executable,
            "-m",
            "ruff",
            *command.split(),
            "--config",
            str(ROOT / "pyproject.toml"),
            "vitalake",
        ]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_every_argument_is_explained() -> None:
    named = {line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")}
    arguments = {field.name for field in dataclasses.fields(ComputedTable)}
    assert {name for cell in named for name in cell.replace("`", "").replace(" ", "").split(",")} == arguments
