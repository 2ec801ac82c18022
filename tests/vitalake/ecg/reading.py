"""One object read as the dataset reads it.

Belongs here: the path from bytes to a checked recording. Does not belong here: assertions.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt

from vitalake.datasets.ecg import ECG
from vitalake.ecg.readers.formats import read_one
from vitalake.ecg.recording import Recording
from vitalake.ecg.structure import SourceConfig, checked, completed
from vitalake.lake.contents import Parsed, RawObject
from vitalake.pseudonyms import Pseudonyms

UPLOADED_AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
PSEUDONYMS = Pseudonyms(b"a key for tests, long enough")


def read(data: bytes, config: SourceConfig | None = None) -> Recording:
    """The recording in one object, completed and checked. Raises UnusableDataError."""
    return checked(completed(read_one(data), config or SourceConfig()))


def read_objects(files: dict[str, bytes]) -> Parsed:
    """What becomes of objects that belong together: arrivals and refusals."""
    objects = [RawObject(key, "v", len(data), UPLOADED_AT, data) for key, data in sorted(files.items())]
    [parsed] = ECG.parse(objects, PSEUDONYMS)
    return parsed


def stored(recording: Recording) -> npt.NDArray[Any]:
    """Samples as stored, shape (leads, samples)."""
    return np.stack([lead.samples for lead in recording.leads])


def rules(recording: Recording) -> tuple[str, ...]:
    """Ids of what was found odd, in order."""
    return tuple(finding.rule for finding in recording.findings)
