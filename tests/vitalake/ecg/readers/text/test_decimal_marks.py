"""A comma in a number: read where its rows or its head say what it is, refused where it may be anything."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vitalake.ecg.readers.text.text_files import (
    RATE_HZ,
    ROWS,
    TIMES,
    VALUES,
    comma,
    point,
    read,
    refused,
    rows,
    spelled,
)
from vitalake.ecg.recording import Recording

WATCH = 'Name\nRecorded Date,2024-03-01\nDevice,"Watch7,11"\nSample Rate,250 hertz\n\n\nLead,Lead I\nUnit,µV\n\n'
SHORT = [each.rstrip("0").rstrip(",") for each in spelled(comma)]


def lead(recording: Recording) -> tuple[str, str, float, float]:
    """The only lead, whose samples are those that were written."""
    [found] = recording.leads
    np.testing.assert_array_equal(found.samples, VALUES)
    return found.name, found.unit, found.gain_adu_per_unit, found.sampling_rate_hz


@pytest.mark.parametrize("cells", [spelled(comma), SHORT], ids=["three decimals each", "without zeros at the end"])
@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (WATCH, ("Lead I", "mV", 1000.0, RATE_HZ)),
        (WATCH.replace(",", "\t"), ("Lead I", "mV", 1000.0, RATE_HZ)),
        ("# Sampling rate (Hz): 250\nECG (mV)\n", ("ECG", "mV", 1.0, RATE_HZ)),
        ("ECG,mV\n", ("ECG", "mV", 1.0, 0.0)),
        ("", ("lead_1", "adu", 1.0, 0.0)),
    ],
    ids=["watch", "watch, tabs", "a header", "name and unit", "no head"],
)
def test_one_column(head: str, expected: tuple[str, str, float, float], cells: list[str]) -> None:
    assert lead(read(head + rows(",", cells))) == expected
    assert lead(read(head.encode() + rows(",", cells).replace("\n", "\r\n").encode())) == expected


def test_a_decimal_comma_in_quotes() -> None:
    head = '"time (s)","ECG (mV)"\n'
    times = [f'"{comma(time)}"' for time in TIMES]
    values = [f'"{value}"' for value in spelled(comma)]
    assert lead(read(head + rows(",", times, values))) == ("ECG", "mV", 1.0, RATE_HZ)


@pytest.mark.parametrize("delimiter", [";", "\t", " "])
def test_columns_may_differ_in_their_mark(delimiter: str) -> None:
    head = delimiter.join(("time", "ECG_mV")) + "\n"
    mixed = rows(delimiter, [point(time) for time in TIMES], spelled(comma))
    assert lead(read(head + mixed)) == ("ECG", "mV", 1.0, RATE_HZ)
    other = rows(delimiter, [comma(time) for time in TIMES], spelled(point))
    assert lead(read(head + other)) == ("ECG", "mV", 1.0, RATE_HZ)


def test_one_column_has_one_mark() -> None:
    cells = [*spelled(comma)[:-1], "0.5"]
    rule, message = refused("time;ECG\n" + rows(";", [comma(time) for time in TIMES], cells))
    assert rule == "S02"
    assert message == f"line {ROWS + 1} holds another decimal mark than a number above it in its column"


def test_two_columns_of_whole_numbers_stay_two() -> None:
    first, second = [1024 + at % 37 for at in range(ROWS)], [at * 7 % 1000 for at in range(ROWS)]
    for head in ("", "I,II\n", "# Sampling rate: 250 Hz\n"):
        assert len(read(head + rows(",", first, second)).leads) == 2
    assert len(read(rows(",", first, [at % 2 for at in range(ROWS)])).leads) == 2


@pytest.mark.parametrize(
    "text",
    [
        # "12,5" below no name, and below two names where leading zeros say that it is one number
        rows(",", lambda at: f"{at % 37},{at % 10}"),
        "I,II\n" + rows(",", spelled(comma)),
        "time (s),ECG (mV)\n" + rows(",", [comma(time) for time in TIMES], spelled(comma)),
    ],
    ids=["one digit", "two names", "two names for four cells"],
)
def test_what_may_be_either_is_refused_with_what_to_do(text: str) -> None:
    rule, message = refused(text)
    assert rule == "S02"
    assert message.startswith("a comma may be a decimal mark or lie between two cells: write decimal points")


@pytest.mark.parametrize("first", [0, 500, 1500], ids=["from the middle on", "soon", "everywhere"])
def test_a_comma_that_may_separate_thousands_is_refused(first: int) -> None:
    text = "time (ms);ECG (uV)\n" + rows(";", lambda at: 4 * at, lambda at: f"{first + at * 3:,}")
    rule, message = refused(text)
    assert rule == "S02"
    assert message.startswith("a number such as 1,234 may have a decimal comma or separate thousands")


def test_numbers_with_the_type_that_numpy_writes() -> None:
    written = rows(",", [f"np.float64({time!r})" for time in TIMES], [f"np.float64({value!r})" for value in VALUES])
    assert lead(read("time (s),ECG (mV)\n" + written)) == ("ECG", "mV", 1.0, RATE_HZ)
