"""From objects to rows: who the subject is stays with the reader, and every sample keeps its place."""

from __future__ import annotations

import numpy as np

from cli.demo.recordings import strip_mv
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.ecg.readers.edf_files import Made, make_edf
from tests.vitalake.ecg.reading import PSEUDONYMS, read_objects
from vitalake.datasets.ecg import ECG
from vitalake.ecg.tables import BEATS, FEATURES, RECORDINGS, SIGNALS, WINDOWS
from vitalake.ecg.tabulate import beats_and_features

NAME, CODE = "Haagse_Harry", "MCH-0234567"


def edf(seconds: int = 10) -> bytes:
    """A strip of the subject above, one second a record, 360 Hz."""
    x = np.round(1000 * strip_mv("clean", np.random.default_rng(2))[: seconds * 360]).astype(np.int64)
    signal = Made(x.reshape(seconds, 360), "ECG II", "uV", ("-32768", "32767"), ("-32768", "32767"))
    return make_edf(signal, patient=f"{CODE} F 02-MAY-1951 {NAME}", reserved="EDF+C")


def test_identifiers_become_pseudonyms_in_every_table() -> None:
    (arrival,) = read_objects({"ecg/a.edf": edf()}).values
    tables = dict(ECG.tabulate([arrival]).tables)
    tables |= beats_and_features(tables[SIGNALS.name])
    assert set(tables) == {table.name for table in (RECORDINGS, SIGNALS, WINDOWS, BEATS, FEATURES)}
    said = repr([table.to_pylist() for table in tables.values()])
    for secret in (NAME, "Haagse", CODE, "0234567", "1951", "MAY"):
        assert secret not in said
    (row,) = tables[RECORDINGS.name].to_pylist()
    assert row["subject_id"] == PSEUDONYMS.of("subject", CODE)


def test_each_table_has_its_rows_for_leads_windows_and_beats() -> None:
    values = [
        *read_objects({"ecg/a.edf": edf()}).values,
        *read_objects({"ecg/b.mat": v4_file(strip(leads=3))}).values,
    ]
    tables = dict(ECG.tabulate(values).tables)
    tables |= beats_and_features(tables[SIGNALS.name])
    signals = tables[SIGNALS.name].to_pylist()
    assert [(row["source_key"], row["lead_index"], row["unit"]) for row in signals] == [
        ("ecg/a.edf", 0, "mV"),
        *(("ecg/b.mat", lead, "adu") for lead in range(3)),
    ]
    for row, stored in zip(signals[1:], strip(leads=3), strict=True):
        assert row["samples"] == stored.tolist()
    beats = tables[BEATS.name].to_pylist()
    for row in signals:
        mine = [
            beat
            for beat in beats
            if (beat["source_key"], beat["lead_index"]) == (row["source_key"], row["lead_index"])
        ]
        assert [beat["sample_index"] for beat in mine] == row["r_peaks"]
        assert [beat["beat_index"] for beat in mine] == list(range(len(mine)))
    assert tables[WINDOWS.name].num_rows == tables[FEATURES.name].num_rows == 4
    assert [row["assumed"] for row in tables[RECORDINGS.name].to_pylist()] == [[], ["sampling_rate_hz"]]


def test_a_part_without_recordings_has_tables_without_rows() -> None:
    tables = dict(ECG.tabulate([]).tables)
    assert [table.num_rows for table in (tables | beats_and_features(tables[SIGNALS.name])).values()] == [0] * 5
