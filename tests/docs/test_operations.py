"""The page about production: it starts what `vitalake up` starts, and the commands find the code there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from dagster._core.workspace.load import location_origins_from_yaml_paths

from cli.backfill import plan_range
from cli.runs import _LOCATION
from cli.services.dagster_services import PORTS, dagster_services
from cli.services.service import Service
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, build, recording
from vitalake.arrivals.calendar import Partition
from vitalake.datasets.ecg import ECG

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def block(marker: str) -> str:
    """The only fenced block of the page that contains this."""
    [found] = [text for text in re.findall(r"```\w*\n(.*?)```", PAGE.read_text(), re.DOTALL) if marker in text]
    return str(found)


@pytest.fixture
def services(tmp_path: Path) -> list[Service]:
    """What `vitalake up` starts for Dagster, on the usual ports; its workspace is written."""
    ports = {port.name: port.preferred for port in PORTS}
    return dagster_services(tmp_path, ports, tmp_path / "sockets", {}, "definitions")


def test_the_commands_are_those_that_up_starts(services: list[Service], tmp_path: Path) -> None:
    started = [[word.removeprefix(f"{tmp_path}/") for word in service.argv[1:]] for service in services]
    shown = [shlex.split(line, comments=True) for line in block(" api grpc ").splitlines()]
    assert shown == [["python", *words] for words in started]


@pytest.mark.usefixtures("services")
def test_the_workspace_is_the_one_that_up_writes_and_the_commands_ask_for_its_location(tmp_path: Path) -> None:
    shown = tmp_path / "shown.yaml"
    shown.write_text(block("load_from"))
    written = (tmp_path / "workspace.yaml").read_text().replace(f"{tmp_path}/", "")
    assert yaml.safe_load(shown.read_text()) == yaml.safe_load(written)
    [origin] = location_origins_from_yaml_paths([str(shown)])
    assert origin.location_name == _LOCATION["repositoryLocationName"]


@pytest.mark.store
def test_what_vanished_from_the_lake_is_in_the_plan_of_a_backfill_and_built_again(
    settings: Settings, raw: ObjectStore, store: ObjectStore
) -> None:
    settings.home.mkdir()
    raw.put(f"ecg/date={DAYS[0]}/device=a/1.mat", recording(), expected=None)
    build(settings, DAYS[0])
    parts = [item for table in ECG.all_tables for item in store.objects(f"{table.name}/date={DAYS[0]}/")]
    contents = {item.key: store.get(item.key) for item in parts}
    for item in parts:
        store.delete(item.key, expected=item.version)
    day = Partition.parse(DAYS[0])
    assert plan_range(settings, ECG, day, day).partitions == [day]
    build(settings, DAYS[0])
    assert {key: store.get(key) for key in contents} == contents
