"""One object read as the dataset reads it.

Belongs here: the path from bytes to a checked recording. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vitalake.datasets.ecg import ECG
from vitalake.ecg.devices import Device
from vitalake.ecg.readers.formats import read_one, read_together
from vitalake.ecg.recording import Recording
from vitalake.ecg.structure import SourceConfig, checked, completed
from vitalake.ecg.tabulate import arrived
from vitalake.lake.contents import Parsed, RawObject
from vitalake.pseudonyms import Pseudonyms

UPLOADED_AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
PSEUDONYMS = Pseudonyms(b"a key for tests, long enough")


# What the strips of `matlab_files` are, and Plawiak's fragments.
FRAGMENTS = SourceConfig(
    (Device("*", sampling_rate_hz=360.0, gain_adu_per_mv=200.0, zero_adu=1024.0, lead_names=("MLII",)),)
)


def read(data: bytes, config: SourceConfig | None = None) -> Recording:
    """The recording in one object, completed and checked. Raises UnusableDataError."""
    return checked(completed(read_one(data), config or FRAGMENTS))


def read_objects(files: dict[str, bytes], config: SourceConfig | None = None) -> Parsed:
    """What becomes of objects that belong together: arrivals and refusals."""
    objects = [RawObject(key, "v", len(data), UPLOADED_AT, data) for key, data in sorted(files.items())]
    source = config or FRAGMENTS
    found, refusals = read_together(
        objects, lambda recording, key: checked(completed(recording, source, key)), source.device
    )
    arrivals = arrived(found, PSEUDONYMS)
    return Parsed(arrivals, tuple(refusals), sum(each.weight_bytes for each in arrivals))


def tables_of(parsed: Parsed) -> Mapping[str, pa.Table]:
    """The tables of what was read, by name."""
    return ECG.tabulate(parsed.values).tables


def stored(recording: Recording) -> npt.NDArray[Any]:
    """Samples as stored, shape (leads, samples)."""
    return np.stack([lead.samples for lead in recording.leads])


def rules(recording: Recording) -> tuple[str, ...]:
    """Ids of what was found odd, in order."""
    return tuple(finding.rule for finding in recording.findings)
