"""A dataset that is built by the hour, for tests: pulses, as monitors export them.

Belongs here: the declaration, and a file of it. Does not belong here: assertions.
"""

from __future__ import annotations

from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

VITALS = csv_dataset(
    name="vitals",
    doc="Pulses of monitors.",
    owner="team:data",
    partition="hour",
    fields=(
        Field("device", "device_id", "string", "The monitor.", required=True),
        Field("time", "measured_at", "timestamp", "When it was measured (UTC).", required=True),
        Field("pulse", "pulse_bpm", "float64", "Beats a minute.", required=True),
    ),
    key=("device_id", "measured_at"),
)


def pulses(*values: float | str) -> bytes:
    """A file with so many measurements of one monitor."""
    lines = [f"m-1,2025-03-02T05:{number:02d}:00Z,{value}" for number, value in enumerate(values)]
    return "\n".join(["device,time,pulse", *lines, ""]).encode()
