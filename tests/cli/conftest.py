"""Fixtures for the commands: a home that finds the test's buckets, a filled lake, a running system."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from dagster import DagsterInstance

from cli.demo.recordings import broken, matlab_v4, stored, strip_mv
from cli.main import main
from cli.services.local_system import local_system
from pipeline_assets.build import build_defs
from resources.object_store import ObjectStore
from resources.settings import Settings

DAYS = ("2026-01-05", "2026-01-06")
# A good link, two to themselves, a line that is cut, three more that are good.
LINKS = (
    b"parent_id,child_id,type,strength\na,b,partner,1\nc,c,partner,1\nd,d,partner,\ne,f\n"
    b"a,c,partner,1\na,d,partner,1\na,e,partner,1\n"
)


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Vitalake = Callable[..., Answer]


def recording(seed: int = 0) -> bytes:
    """A MATLAB file with a good recording."""
    import numpy as np

    return matlab_v4(stored(strip_mv("clean", np.random.default_rng(seed))))


@pytest.fixture
def vitalake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vitalake:
    """Runs a command as the program does."""

    def run(*args: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["vitalake", *args])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Answer(int(end.value.code or 0), said.out, said.err)

    return run


def build(settings: Settings, *days: str, dataset: str = "ecg") -> None:
    """Build these days in this process."""
    job = build_defs(settings).resolve_job_def(f"{dataset}_job")
    with DagsterInstance.ephemeral() as instance:
        for day in days:
            job.execute_in_process(instance=instance, partition_key=day, raise_on_error=False)


def fill(settings: Settings) -> None:
    """Two days: three good recordings and an empty file; two good recordings and one of text."""
    raw = ObjectStore(settings, settings.raw_bucket)
    for number in range(3):
        raw.put(f"ecg/date={DAYS[0]}/device=a/{number}.mat", recording(number), expected=None)
    raw.put(f"ecg/date={DAYS[0]}/device=a/empty.mat", b"", expected=None)
    for number in range(2):
        raw.put(f"ecg/date={DAYS[1]}/device=b/{number}.mat", recording(number), expected=None)
    raw.put(f"ecg/date={DAYS[1]}/device=b/text.mat", broken("text"), expected=None)
    build(settings, *DAYS)


@pytest.fixture
def lake(settings: Settings, home: Path) -> Settings:  # noqa: ARG001 (its `env` is needed)
    """The two days of `fill`, in a lake of this test's own."""
    fill(settings)
    return settings


@pytest.fixture(scope="module")
def filled(file_settings: Settings) -> Settings:
    """The two days of `fill`, built once for a file."""
    fill(file_settings)
    return file_settings


@pytest.fixture
def read_lake(filled: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same as `lake`, for tests that only read it."""
    monkeypatch.setenv("VITALAKE_HOME", str(filled.home))
    return filled


@pytest.fixture(scope="module")  # not of the session: its daemon would work beside all that follow
def system_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a whole running system."""
    home = tmp_path_factory.mktemp("system")
    with local_system(home, lambda _line: None):
        yield home


def today() -> date:
    """Today in UTC, as uploads date themselves."""
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).date()
