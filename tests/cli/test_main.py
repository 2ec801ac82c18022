"""The program as a whole: help, exit codes, messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli.main import app
from tests.cli.conftest import Vitalake
from tests.hostile_texts import UNSEEN
from vitalake.errors import PermanentError, TransientError

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("dagster", "duckdb", "pyarrow", "numpy", "obstore", "boto3", "prompt_toolkit")
COMMANDS = (
    ("check",),
    ("upload",),
    ("sql",),
    ("ecg", "show"),
    ("backfill",),
    ("quarantine", "list"),
    ("quarantine", "show"),
    ("quarantine", "retry"),
    ("status",),
    ("ddl",),
)


def test_help_is_there_without_heavy_imports() -> None:
    script = f"import sys, cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_teaches_by_an_example(vitalake: Vitalake, command: tuple[str, ...]) -> None:
    answer = vitalake(*command, "--help")
    assert answer.code == 0
    assert "Example: vitalake" in " ".join(answer.out.split())
    assert "--home" in answer.out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermanentError("the bucket is gone"), 2, "vitalake: the bucket is gone\n"),
        (TransientError("busy"), 75, "vitalake: busy\nTry again later; `vitalake status` says what runs.\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=["permanent", "transient", "interrupted"],
)
def test_errors_become_a_message_and_an_exit_code(
    vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def fail() -> None:
        raise error

    broken = typer.Typer()
    broken.command("fail")(fail)
    monkeypatch.setattr(app, "registered_commands", broken.registered_commands * 2)
    answer = vitalake("fail")
    assert (answer.code, answer.out, answer.err) == (code, "", said)


def test_a_fault_of_the_program_steers_no_terminal(vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("\x1b[31mred\x9b\u202e")

    broken = typer.Typer()
    broken.command("fail")(fail)
    monkeypatch.setattr(app, "registered_commands", broken.registered_commands * 2)
    answer = vitalake("fail")
    assert (answer.code, answer.out) == (1, "")
    assert "ValueError: \\x1b[31mred\\x9b\\u202e" in answer.err
    assert not UNSEEN.search(answer.err.replace("\n", ""))


def test_unknown_commands_are_usage_errors(vitalake: Vitalake) -> None:
    answer = vitalake("uplaod")
    assert answer.code == 2
    assert "uplaod" in answer.err


def test_a_setting_that_cannot_be_used_is_named_without_its_value(
    vitalake: Vitalake, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALAKE_FIRST_DAY", "tomorrow, maybe")
    answer = vitalake("sql", "SELECT 1")
    assert answer.code == 2
    assert "first_day" in answer.err
    assert "maybe" not in answer.err
    assert str(home / "env") in answer.err
