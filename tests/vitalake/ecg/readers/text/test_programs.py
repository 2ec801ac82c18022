"""Text as single programs write it: each with its own leads, units and rate, and nothing else as a lead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vitalake.ecg.readers.text.text_files import (
    RATE_HZ,
    ROWS,
    TIMES,
    VALUES,
    at,
    comma,
    point,
    read,
    refused,
    rows,
    spelled,
)
from vitalake.ecg.recording import Recording

COUNTS = [round(512 + 200 * value) for value in VALUES]
STILL = ["0.1"] * ROWS


def leads(recording: Recording) -> list[tuple[str, str, float]]:
    """Name, unit and gain of each, all at the rate of the rows."""
    assert {lead.sampling_rate_hz for lead in recording.leads} == {RATE_HZ}
    return [(lead.name, lead.unit, lead.gain_adu_per_unit) for lead in recording.leads]


def opensignals(*devices: dict[str, Any]) -> str:
    """The head of a file of these devices."""
    said = json.dumps({f"00:07:80:00:00:{number:02d}": device for number, device in enumerate(devices)})
    return f"# OpenSignals Text File Format. Version 1\n# {said}\n# EndOfHeader\n"


def device(sensors: list[str], columns: list[str], **said: Any) -> dict[str, Any]:
    return {
        "sensor": sensors,
        "column": columns,
        "sampling rate": 250,
        "resolution": [4, 10],
        "time": "10:00:00",
        **said,
    }


@pytest.mark.parametrize(
    ("sensors", "signals", "expected"),
    [
        (["ECGBIT"], ["A1"], ["A1"]),
        (["ECG"], ["CH3"], ["CH3"]),
        (["ECGBIT", "EDABIT", "LUXBIT"], ["A2", "A3", "A6"], ["A2", "EDA A3", "light A6"]),
        (["RAW"], ["A1"], ["A1"]),
        ([], ["A1"], ["A1"]),
    ],
)
@pytest.mark.parametrize("others", [["nSeq", "I1", "I2", "O1", "O2"], ["nSeq", "DI"]])
def test_opensignals(sensors: list[str], signals: list[str], expected: list[str], others: list[str]) -> None:
    cells: list[Any] = [
        lambda at: at % 16,
        *[lambda at: at // 100 % 2] * (len(others) - 1),
        *[COUNTS] * len(signals),
        [""] * ROWS,
    ]
    found = read(opensignals(device(sensors, others + signals)) + rows("\t", *cells))
    assert leads(found) == [(name, "adu", 1.0) for name in expected]
    assert found.leads[0].samples.tolist() == COUNTS


def test_opensignals_of_two_devices() -> None:
    both = [device(["ECG"], ["nSeq", "DI", "CH1"]), device(["ACC"], ["nSeq", "DI", "CH1"])]
    table = rows("\t", range(ROWS), [0] * ROWS, COUNTS, range(ROWS), [0] * ROWS, COUNTS)
    assert [name for name, *_ in leads(read(opensignals(*both) + table))] == ["CH1", "ACC CH1"]
    rule, message = refused(opensignals(both[0], both[1] | {"sampling rate": 100}) + table)
    assert rule == "S07"
    assert message.startswith("the head states 250 Hz and 100 Hz, and no column of times tells")


def test_opensignals_with_other_columns_than_it_names_is_refused() -> None:
    content = opensignals(device(["ECG"], ["nSeq", "DI", "CH1", "CH2"])) + rows(
        "\t", range(ROWS), [0] * ROWS, COUNTS
    )
    assert refused(content) == (
        "S02",
        "the line of JSON names 4 columns, the rows have 3: export the file again",
    )


@pytest.mark.parametrize("line", ['{"a": {"column": ["x"]}}', '{"column": 3}', "{", '{"a":' * 3000, "{}", "[]"])
def test_json_of_any_other_kind_is_no_head(line: str) -> None:
    assert len(read(f"# {line}\n# Sampling rate: 250\n" + rows("\t", COUNTS, COUNTS)).leads) == 2


def test_a_line_of_json_that_names_the_columns() -> None:
    said = json.dumps({"fs": 250, "columns": ["time", "II", "ABP"], "units": ["s", "uV", "mmHg"]})
    found = read(f"# {said}\n" + rows(",", TIMES, VALUES, COUNTS))
    assert leads(found) == [("II", "mV", 1000.0), ("ABP", "mmHg", 1.0)]


OPENBCI = "%OpenBCI Raw EXG Data\n%Number of channels = 2\n%Sample Rate = 250 Hz\n%Board = OpenBCI_GUI$BoardCyton\n"


def test_openbci_with_times_behind_the_signals() -> None:
    names = "Sample Index, EXG Channel 0, EXG Channel 1, Accel Channel 0, Other, Timestamp, Other, "
    names += "Timestamp (Formatted)\n"
    epochs = [f"{1709287200 + time!r}" for time in TIMES]
    cells: list[Any] = [lambda row: f"{row % 256:.1f}", spelled(point), spelled(point), STILL, STILL, epochs, STILL]
    found = read(OPENBCI + names + rows(", ", *cells, [at(time, "%Y-%m-%d %H:%M:%S.%f") for time in TIMES]))
    assert leads(found) == [
        ("EXG Channel 0", "mV", 1000.0),
        ("EXG Channel 1", "mV", 1000.0),
        ("Accel Channel 0", "adu", 1.0),
    ]
    assert found.started_at is not None
    assert found.findings == ()


def test_openbci_before_columns_had_names() -> None:
    head = OPENBCI.replace("EXG", "EEG") + "%First Column = SampleIndex\n%Last Column = Timestamp\n"
    # Packets come in bursts, so the times are uneven: the rate is the one that the head states.
    bursts = [1709287200000 + 40 * (row // 10) for row in range(ROWS)]
    cells: list[Any] = [lambda row: row % 256, spelled(point), spelled(point), STILL, STILL, STILL]
    found = read(head + rows(", ", *cells, [at(time, "%H:%M:%S.%f") for time in TIMES], bursts))
    assert [name for name, *_ in leads(found)] == [
        "EXG Channel 0",
        "EXG Channel 1",
        *[f"Accel Channel {n}" for n in range(3)],
    ]


LABCHART = (
    "Interval=\t0.004 s\nExcelDateTime=\t4.5352e+004\t01/03/2024 10:00:00.0\nTimeFormat=\tStartOfBlock\n"
    "DateFormat=\t\n"
    "ChannelTitle=\tECG\tResp\nRange=\t10.000 mV\t5.000 V\n"
)


@pytest.mark.parametrize("spell", [point, comma], ids=["point", "comma"])
@pytest.mark.parametrize("end", ["", "\t"], ids=["", "empty last cells"])
def test_labchart(spell: Any, end: str) -> None:
    head = (
        LABCHART
        if spell is point
        else LABCHART.replace("0.004 s", "0,004 s").replace("0 mV", "0 mV".replace(".", ","))
    )
    table = rows("\t", [spell(time) for time in TIMES], spelled(spell), spelled(spell))
    found = read((head + table).replace("\n", end + "\n"))
    assert leads(found) == [("ECG", "mV", 1.0), ("Resp", "mV", 0.001)]
    named = read(head + "UnitName=\tuV\tmmHg\n" + table)
    assert leads(named) == [("ECG", "mV", 1000.0), ("Resp", "mmHg", 1.0)]
    assert [lead.name for lead in read(head + rows("\t", spelled(spell), spelled(spell))).leads] == ["ECG", "Resp"]


ACQ = "ecg.acq\n4 msec/sample\n2 channels\nECG\nmV\nResp\nVolts\n"


@pytest.mark.parametrize(("unit", "worth"), [("min", 60), ("sec", 1), ("msec", 0.001)])
def test_acqknowledge_with_times(unit: str, worth: float) -> None:
    count = f"{unit}\tCH1\tCH2\t\n\t{ROWS}\t{ROWS}\t\n"
    table = rows("\t", [f"{time / worth:.9f}" for time in TIMES], spelled(point), spelled(point), [""] * ROWS)
    found = read(ACQ + count + table)
    assert leads(found) == [("ECG", "mV", 1.0), ("Resp", "mV", 0.001)]
    assert found.leads[0].samples.tolist() == VALUES


def test_acqknowledge_without_times_and_without_a_row_of_counts() -> None:
    table = rows("\t", spelled(point), spelled(point))
    for counts in (f"CH1\tCH2\n{ROWS}\t{ROWS}\n", "CH1\tCH2\n"):
        found = read(ACQ + counts + table)
        assert [(lead.name, len(lead.samples)) for lead in found.leads] == [("ECG", ROWS), ("Resp", ROWS)]


@pytest.mark.parametrize("kind", ["CAL", "RAW"])
def test_shimmer_with_names_kinds_and_units_in_three_lines(kind: str) -> None:
    unit = "mV" if kind == "CAL" else "no_units"
    old = f"Shimmer_5E36\tShimmer_5E36\nTimestamp\tECG LA-RA\nCAL\t{kind}\nmSecs\t{unit}\n"
    new = f'"sep=\t"\nShimmer_5E36_Timestamp_Unix_CAL\tShimmer_5E36_ECG_LA-RA_24BIT_{kind}\t\nms\t{unit}\t\n'
    times = [f"{1709287200000 + 1000 * time:.3f}" for time in TIMES]
    expected = ("mV", 1.0) if kind == "CAL" else ("adu", 1.0)
    assert leads(read(old + rows("\t", times, spelled(point)))) == [("ECG LA-RA", *expected)]
    assert leads(read(new + rows("\t", times, spelled(point), [""] * ROWS))) == [("ECG_LA-RA", *expected)]


def test_polar_with_three_columns_of_times() -> None:
    head = "Phone timestamp;sensor timestamp [ns];timestamp [ms];ecg [uV]\n"
    counts = [round(1000 * value) for value in VALUES]
    # The phone writes when a packet came, the sensor when it measured.
    phone = [at(row // 73 * 73 / RATE_HZ, "%Y-%m-%dT%H:%M:%S.%f") for row in range(ROWS)]
    sensor = [762602400000000000 + 4_000_000 * row for row in range(ROWS)]
    found = read(head + rows(";", phone, sensor, [point(1000 * time, 6) for time in TIMES], counts))
    assert leads(found) == [("ecg", "mV", 1000.0)]
    assert found.findings == ()
    assert found.started_at is not None
