"""The page about a dataset of one's own is followed to the letter, in a copy of the tree."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vitalake.lake.dataset import Dataset
from vitalake.lake.tables import arrow_types
from vitalake.records import typed
from vitalake.records.declare import csv_dataset

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "new-dataset.md"
TREE = ["vitalake", "resources", "pipeline_assets", "sensors", "cli"]
TREE += ["definitions.py", "dagster.yaml", "workspace.yaml", "pyproject.toml"]
FENCE = r"```\w*\n(.*?)```\n"
KINDS = ("string", "int32", "int64", "float64", "bool", "date", "timestamp")
STEP = re.compile(rf"<!-- (file|line|run): ?(.*?) ?-->\n{FENCE}|<!-- (run) -->\n{FENCE}", re.DOTALL)
SECONDS = 300  # of patience with one step, on a machine that is slow and busy


@dataclass(frozen=True)
class Step:
    """What the page asks for: a `file` to save, a `line` to change, or commands to `run`."""

    kind: str
    about: str
    text: str
    shown: str


def steps() -> list[Step]:
    page = PAGE.read_text()
    found = []
    for match in STEP.finditer(page):
        kind, about, text, plain, command = match.groups()
        shown = re.compile(FENCE, re.DOTALL).match(page, match.end()) if about == "shows" else None
        found.append(Step(kind or plain, about or "", text or command, shown[1] if shown else ""))
    return found


def declared(name: str) -> str:
    return next(step.text for step in steps() if step.kind == "file" and step.about.endswith(name))


class Reader:
    """Somebody with a fresh clone, whose `make run` has worked once."""

    def __init__(self, tree: Path, home: Path) -> None:
        self.tree = tree
        self.up: subprocess.Popen[bytes] | None = None
        self._log = tree / "up.log"
        own = {name: value for name, value in os.environ.items() if not name.startswith(("VITALAKE_", "AWS_"))}
        self._env = own | {"VITALAKE_HOME": str(home), "PYTHONPATH": str(tree), "COLUMNS": "200"}
        for name, argv in {"vitalake": "-m cli.main", "python": ""}.items():
            program = tree / ".venv" / "bin" / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {argv} "$@"\n')
            program.chmod(0o755)

    def run(self, commands: str) -> str:
        """What they say."""
        argv = ["sh", "-ec", commands]
        done = subprocess.run(
            argv, cwd=self.tree, env=self._env, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str) -> None:
        with self._log.open("wb") as log:
            argv = ["sh", "-c", f"exec {command}"]
            self.up = subprocess.Popen(
                argv, cwd=self.tree, env=self._env, stdout=log, stderr=log, start_new_session=True
            )
        until(lambda: "is running" in self._log.read_text() or self.ended(), self._log.read_text)
        assert not self.ended(), self._log.read_text()

    def ended(self) -> bool:
        return self.up is None or self.up.poll() is not None

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self.up is not None and not self.ended():
            self.up.send_signal(signal.SIGINT)
            self.up.wait(SECONDS)


def until(holds: Callable[[], bool], said: Callable[[], str]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, said()
        time.sleep(0.5)


def table(text: str) -> list[list[str]]:
    """Cells of what `vitalake sql` shows."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip("─ ")]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree)
    found = Reader(tree, tmp_path / "home")
    try:
        yield found
    finally:
        found.stop()


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute on an idle machine: a whole system starts twice
def test_the_page_ends_where_it_says(reader: Reader) -> None:
    start = next(step.text for step in steps() if step.about == "start")
    for step in steps():
        if step.kind == "file":
            path = reader.tree / step.about
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
        elif step.kind == "line":
            reader.stop()
            name, _, begins = step.about.partition(" ")
            lines = (reader.tree / name).read_text().splitlines(keepends=True)
            [place] = [number for number, line in enumerate(lines) if line.strip().startswith(begins)]
            lines[place] = step.text
            (reader.tree / name).write_text("".join(lines))
            reader.start(start)
        elif step.about == "start":
            reader.start(step.text)
        elif step.about == "shows":
            command, shown = step.text, step.shown
            until(lambda c=command, s=shown: table(reader.run(c)) == table(s), lambda c=command: reader.run(c))  # type: ignore[misc]
        else:
            said = reader.run(step.text)
            for name in filter(None, step.about.removeprefix("names").strip().split(", ")):
                assert name in said


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
    rows = [line.split("|")[1:4] for line in PAGE.read_text().splitlines() if line.startswith(begins)]
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


def test_names_lie_in_the_restricted_table_only() -> None:
    module: dict[str, Dataset] = {}
    exec(declared("visits.py"), module)  # noqa: S102
    visits, names = module["VISITS"].tables
    assert (visits.restricted, names.restricted) == (False, True)
    assert "name" not in visits.names
