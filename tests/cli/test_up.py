"""What `vitalake up` shows; that it starts and stops is in `tests/cli/services/test_local_system.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.up import publish_empty
from resources.catalog import connect
from resources.settings import Settings
from tests.cli.conftest import Vitalake
from vitalake.datasets.declared import DATASETS
from vitalake.serving.example_queries import ANSWERS, LEFT_OUT


@pytest.mark.usefixtures("home")
def test_there_is_an_answer_of_each_dataset_and_every_query_can_be_asked(settings: Settings) -> None:
    assert set(ANSWERS) == {dataset.name for dataset in DATASETS}
    publish_empty(settings)
    with connect(settings) as connection:
        for _, query in (*ANSWERS.values(), LEFT_OUT):
            assert all(len(line) <= 120 for line in query.splitlines())
            assert connection.execute(query).description


def test_a_folder_of_an_unknown_dataset_starts_nothing(vitalake: Vitalake, tmp_path: Path) -> None:
    home = tmp_path / "home"
    answer = vitalake("up", "--data", str(tmp_path), "--dataset", "prices", "--home", str(home))
    assert answer.code == 2
    assert "unknown dataset 'prices'" in " ".join(answer.err.replace("│", " ").split())
    assert not home.exists()
