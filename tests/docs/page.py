"""A page of docs that somebody follows to the letter, in a copy of the tree.

Belongs here: the steps of a page, and a reader who carries them out. Does not belong here: any page.

A step is a comment before a block: a `file` to save, a `line` to change, commands to `run`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ["vitalake", "resources", "pipeline_assets", "sensors", "cli"]
TREE += ["definitions.py", "dagster.yaml", "workspace.yaml", "pyproject.toml"]
FENCE = r"```\w*\n(.*?)```\n"
STEP = re.compile(rf"<!-- (file|line|run): ?(.*?) ?-->\n{FENCE}|<!-- (run) -->\n{FENCE}", re.DOTALL)
SECONDS = 300  # of patience with one step, on a machine that is slow and busy


@dataclass(frozen=True)
class Step:
    """What the page asks for: a `file` to save, a `line` to change, or commands to `run`."""

    kind: str
    about: str
    text: str
    shown: str


def steps_of(page: Path) -> list[Step]:
    text = page.read_text()
    found = []
    for match in STEP.finditer(text):
        kind, about, said, plain, command = match.groups()
        shown = re.compile(FENCE, re.DOTALL).match(text, match.end()) if about == "shows" else None
        found.append(Step(kind or plain, about or "", said or command, shown[1] if shown else ""))
    return found


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

    def follow(self, steps: list[Step]) -> None:
        """Every step in order; a step that does not end as the page says is an AssertionError."""
        start = next(step.text for step in steps if step.about == "start")
        for step in steps:
            if step.kind == "file":
                path = self.tree / step.about
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text)
            elif step.kind == "line":
                self.stop()
                name, _, begins = step.about.partition(" ")
                lines = (self.tree / name).read_text().splitlines(keepends=True)
                [place] = [number for number, line in enumerate(lines) if line.strip().startswith(begins)]
                lines[place] = step.text
                (self.tree / name).write_text("".join(lines))
                self.start(start)
            elif step.about == "start":
                self.start(step.text)
            elif step.about == "shows":
                until(lambda s=step: cells(self.run(s.text)) == cells(s.shown), lambda s=step: self.run(s.text))  # type: ignore[misc]
            else:
                refuses = step.about.startswith("refuses")
                said = self.run(step.text, code=1 if refuses else 0)
                for name in filter(
                    None, step.about.removeprefix("names").removeprefix("refuses").strip().split(", ")
                ):
                    assert name in said

    def run(self, commands: str, code: int = 0) -> str:
        """What they say; they end with this code."""
        argv = ["sh", "-ec", commands]
        done = subprocess.run(
            argv, cwd=self.tree, env=self._env, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == code, f"{commands}\n{done.stdout}\n{done.stderr}"
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


@contextmanager
def fresh_clone(folder: Path) -> Iterator[Reader]:
    """A reader in a copy of the tree, whose system is stopped at the end."""
    tree = folder / "tree"
    tree.mkdir()
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree)
    found = Reader(tree, folder / "home")
    try:
        yield found
    finally:
        found.stop()


def until(holds: Callable[[], bool], said: Callable[[], str]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, said()
        time.sleep(0.5)


def cells(text: str) -> list[list[str]]:
    """Cells of what `vitalake sql` shows."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip("─ ")]
