"""What `vitalake up` uploads, and on which day."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from cli.console import PlainConsole
from cli.demo.feed import feed
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import today
from vitalake.datasets.declared import DATASETS

PRICING = next(dataset for dataset in DATASETS if dataset.name == "pricing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name rich would take for markup."""
    made = tmp_path / "[" / "lab]"
    made.mkdir(parents=True)
    (made / "a.csv").write_bytes(b"ID,Region\n")
    return made


@pytest.mark.usefixtures("home")
def test_a_folder_that_comes_again_on_another_day_is_not_there_twice(
    settings: Settings, raw: ObjectStore, folder: Path
) -> None:
    said = PlainConsole(file=StringIO(), width=500)
    feed(settings, said, folder, PRICING)
    assert "/[/lab]" in said.file.getvalue()  # type: ignore[attr-defined]
    [remembered] = (settings.home / "folders").iterdir()
    assert [item.key for item in raw.objects("pricing/")] == [f"pricing/date={today()}/a.csv"]
    remembered.write_text("2026-07-01")  # it was another day
    feed(settings, said, folder, PRICING)
    feed(settings, said, folder, PRICING)
    days = {item.key.split("/")[1] for item in raw.objects("pricing/")}
    assert days == {f"date={today()}", "date=2026-07-01"}, "the day that is remembered"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("left", ["", "2026-0"])
def test_a_day_that_was_half_written_is_forgotten(
    settings: Settings, raw: ObjectStore, folder: Path, left: str
) -> None:
    said = PlainConsole(file=StringIO())
    feed(settings, said, folder, PRICING)
    [remembered] = (settings.home / "folders").iterdir()
    remembered.write_text(left)
    feed(settings, said, folder, PRICING)
    assert remembered.read_text() == today().isoformat()
    assert len(raw.objects("pricing/")) == 1
