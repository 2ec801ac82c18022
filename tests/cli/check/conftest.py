"""A declaration that is not installed, and a file for it."""

from __future__ import annotations

from pathlib import Path

import pytest

DECLARATION = """
from vitalake.lake.dataset import Rule, SqlView
from vitalake.lake.sinks import Sink
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

WEIGHTS = csv_dataset(
    name="weights",
    doc="Body weight from scales.",
    owner="team:data",
    fields=(
        Field("device", "device_id", "string", "The scale.", required=True),
        Field("time", "measured_at", "timestamp", "When.", required=True),
        Field("weight", "weight_kg", "float64", "Weight.", required=True),
        Field("note", "note", "string", "What the scale says."),
    ),
    key=("device_id", "measured_at"),
    rules=(
        Rule("W01", "weight_kg BETWEEN 1 AND 300", "weight is not 1 to 300 kg"),
        Rule("W02", "note IS NULL", "the scale has something to say", warns=True),
        Rule(id="W03", holds="measured_at <= uploaded_at", message="time lies after the upload"),
    ),
    views=(
        SqlView("weights_heavy", "SELECT device_id FROM weights_current WHERE weight_kg > 100", "Heavy.", {}),
    ),
    sinks=(Sink("weights_json", view="weights_heavy", key=("device_id",), target="json", doc="Heavy."),),
)
"""
ROWS = """device,time,weight,note
scale-01,2025-03-02T07:01:00Z,71.4,
scale-02,2025-03-02T19:30:00Z,n/a,
scale-03,2025-03-02T09:15:00Z,0.5,
scale-03,2025-03-02T09:40:00Z,64.0,battery low
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files are and the command runs; no system has ever run here."""
    monkeypatch.chdir(tmp_path)
    for name in ("VITALAKE_HOME", "VITALAKE_PSEUDONYM_KEY", "VITALAKE_FIRST_DAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "weights.py").write_text(DECLARATION)
    (tmp_path / "weights.csv").write_text(ROWS)
    return tmp_path
