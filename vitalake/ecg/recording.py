"""What a reader hands over: one ECG recording, exactly as it was stored.

Belongs here: the model between readers and checks. Does not belong here: file formats or judgements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Calibration:
    """How stored numbers become millivolts: ``mV = (stored - zero_adu) / gain_adu_per_mv``."""

    sampling_rate_hz: float
    gain_adu_per_mv: float | None
    zero_adu: float
    lead_names: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """Samples of shape (leads, samples) as they were stored, and everything known about them.

    `samples` is an int32 array where the file holds integers that fit, else float64. The unit is ``mV`` after
    calibration, or ``adu`` where no gain is known (`Calibration.gain_adu_per_mv` is None).
    """

    samples: npt.NDArray[np.int32] | npt.NDArray[np.float64]
    calibration: Calibration
    file_format: str
    started_at: datetime | None = None
    subject_id: str | None = None
    device_id: str | None = None
    label: str | None = None
    record: str | None = None
    fragment: int | None = None
    warnings: tuple[str, ...] = field(default=())

    def millivolts(self) -> npt.NDArray[np.float64]:
        """Samples in mV, shape (leads, samples), float64; in adu where no gain is known."""
        import numpy as np

        samples: npt.NDArray[np.float64] = np.asarray(self.samples, dtype=np.float64)
        return (samples - self.calibration.zero_adu) / (self.calibration.gain_adu_per_mv or 1.0)
