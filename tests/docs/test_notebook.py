"""The notebook runs from top to bottom on a small lake, and what it computes is right."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.demo.recordings import demo_files
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, build

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "ecg.ipynb"


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture
def small_lake(settings: Settings, home: Path, raw: ObjectStore) -> Settings:  # noqa: ARG001 (its `env` is needed)
    """A day of demo recordings: every rhythm, a lead that is off, twelve leads, three minutes."""
    for file in demo_files(date.fromisoformat(DAYS[0]), days=1, per_device=3):
        raw.put(file.key, file.data, expected=None)
    build(settings, DAYS[0])
    return settings


@pytest.mark.store
def test_every_cell_runs_and_sql_pandas_and_the_lake_agree(
    small_lake: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    done = nbclient.NotebookClient(read(), timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    [cell] = [cell for cell in done.cells if "result" in cell.metadata.get("tags", ())]
    result = ast.literal_eval(cell.outputs[0].data["text/plain"])
    with connect(small_lake) as connection:
        query = "SELECT count(heart_rate_bpm), median(heart_rate_bpm) FROM ecg_features"
        [(leads, bpm)] = connection.execute(query).fetchall()
    assert result["leads"] == leads > 20
    assert result["median_bpm"] == pytest.approx(bpm, abs=0.005)
    assert 60 < bpm < 90
    assert max(result["sql_against_pandas"], result["sql_against_stored"]) < 1e-9
    pictures = [
        each for cell in done.cells for each in cell.get("outputs", ()) if "image/png" in each.get("data", {})
    ]
    assert len(pictures) == 4


def test_the_notebook_is_stored_without_outputs() -> None:
    for cell in read().cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
