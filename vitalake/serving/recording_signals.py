"""The samples of one recording in millivolts, as numpy has them.

Belongs here: asking the ECG views for whole leads. Does not belong here: finding the recording, or a stretch of it
for a picture (`vitalake/serving/recording_queries.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import duckdb
    import numpy as np
    import numpy.typing as npt

    from vitalake.serving.recording_queries import RecordingRow

_SAMPLES = """SELECT lead_index, v.lead_name, v.sampling_rate_hz, s.start_offset_s, v.verdict, v.reasons,
        s.r_peaks, v.mv
    FROM ecg_signals_mv AS v JOIN ecg_signals AS s USING (date, recording_id, lead_index)
    WHERE date = ? AND recording_id = ? ORDER BY lead_index"""


@dataclass(frozen=True, eq=False)
class LeadSignal:
    """One lead of a recording.

    Args:
        index: position of the lead in the recording, from 0.
        name: as the file has it, e.g. II.
        sampling_rate_hz: samples a second.
        start_s: when its first sample is, in s from the begin of the recording.
        mv: samples in mV, shape (n,); NaN where one is missing.
        r_peaks: positions of the R peaks in `mv`, shape (k,).
        verdict: acceptable, marginal or unacceptable.
        reasons: ids of the rules that fired (docs/rules.md).
    """

    index: int
    name: str
    sampling_rate_hz: float
    start_s: float
    mv: npt.NDArray[np.float64]
    r_peaks: npt.NDArray[np.int64]
    verdict: str
    reasons: tuple[str, ...]

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """When each sample is, in s from the begin of the recording, shape (n,)."""
        import numpy as np

        return self.start_s + np.arange(len(self.mv)) / self.sampling_rate_hz


@dataclass(frozen=True, eq=False)
class RecordingSignals:
    """A recording and its leads in mV, in order; `signals["II"]` is a lead by its name, `signals[1]` by its index.

    Args:
        recording_id: of the recording.
        source_key: its key in the raw bucket.
        day: its partition.
        verdict: acceptable, marginal or unacceptable.
        leads: those that are known in mV.
        lead_count: how many it has: more than `leads` where a gain is not known, or a signal is no ECG.
    """

    recording_id: str
    source_key: str
    day: date
    verdict: str
    leads: tuple[LeadSignal, ...]
    lead_count: int

    def __getitem__(self, lead: str | int) -> LeadSignal:
        """One lead by its name or index.

        Raises:
            KeyError: no lead in mV is called so, or several are: then use the index.
        """
        found = [each for each in self.leads if lead in (each.name, each.index)]
        if len(found) != 1:
            names = ", ".join(f"{each.index}: {each.name}" for each in self.leads)
            raise KeyError(f"{len(found)} leads are {lead!r}; in mV there are {names}")
        return found[0]


def signals_mv(connection: duckdb.DuckDBPyConnection, item: RecordingRow) -> RecordingSignals:
    """All leads of a recording that are known in mV, whole: 8 bytes a sample."""
    import numpy as np

    from vitalake.lake.columns import floats

    recording_id = item.facts["recording_id"]
    rows = connection.execute(_SAMPLES, [item.day, recording_id]).to_arrow_table()
    mv, peaks = (rows.column(name) for name in ("mv", "r_peaks"))
    leads = [
        LeadSignal(
            index=row["lead_index"],
            name=row["lead_name"],
            sampling_rate_hz=row["sampling_rate_hz"],
            start_s=row["start_offset_s"],
            mv=floats(mv[number].values),
            r_peaks=np.asarray(peaks[number].as_py() or (), np.int64),
            verdict=row["verdict"],
            reasons=tuple(row["reasons"]),
        )
        for number, row in enumerate(rows.drop_columns(["mv", "r_peaks"]).to_pylist())
    ]
    facts = item.facts
    return RecordingSignals(recording_id, item.key, item.day, facts["verdict"], tuple(leads), facts["lead_count"])
