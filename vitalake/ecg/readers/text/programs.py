"""Heads that single programs have made up, where the general rules would misread them or know less.

Belongs here: what a program's own manual or files show. Does not belong here: what many write (`head.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vitalake.ecg.readers.text.head import Head, padded
from vitalake.ecg.readers.text.rates import stated_rates
from vitalake.ecg.readers.text.time_names import TIME_UNITS

Cells = Sequence[Sequence[str]]

FASTEST_HZ = 1e6  # no recorder of hearts is faster, and a number may be too large for any
_CHANNELS = re.compile(r"([0-9]{1,3}) channels?", re.IGNORECASE)
_NO_SIGNAL = re.compile(r"nseq|[io][0-9]|d[io]|digital.*", re.IGNORECASE)
_SENSORS = {  # of plux and BITalino, by what begins the name of one; the column keeps its own name for an ECG
    "ECG": "",
    **{name: f"{name} " for name in ("EDA", "EMG", "EEG", "EOG", "ACC", "BVP", "PPG", "TEMP")},
    **{"RESP": "RESP ", "RIP": "RESP ", "PZT": "RESP ", "LUX": "light ", "NTC": "TEMP ", "SPO2": "SPO2 "},
}


def read_program_head(before: Sequence[str], cells: Cells) -> Head | None:
    """What the head says; None where no program that is known here wrote it.

    Args:
        before: all lines before the numbers.
        cells: of the first rows of numbers, without empty last columns.
    """
    for read in (_opensignals, _json_line, _openbci, _labchart, _acqknowledge):
        if (head := read(before, cells)) is not None:
            return head
    return None


def is_count_row(lines: Sequence[str], first: int, rows: int) -> bool:
    """Whether the first row of numbers says how many follow in each column, as AcqKnowledge writes it."""
    if not any(_CHANNELS.fullmatch(line.strip()) for line in lines[:first]) or not _per_sample(lines[:first]):
        return False
    counts = [cell.strip() for cell in re.split(r"[\t,;]", lines[first]) if cell.strip()]
    return all(map(str.isdecimal, counts)) and len({*counts}) == 1 and abs(int(counts[0]) - rows) <= 2


def _opensignals(before: Sequence[str], cells: Cells) -> Head | None:
    """OpenSignals (plux, BITalino): a line of JSON about each device, whose columns stand side by side.

    Values are counts of the converter, whose gain depends on the revision of a sensor, which nobody notes here.
    """
    devices = next((found for line in before if (found := _devices(line, "column"))), [])
    columns = [(name, sensor) for device in devices for name, sensor in _device_columns(device)]
    if not columns or (len(columns) != len(cells[0]) and not any("OpenSignals" in line for line in before)):
        return None
    if len(columns) != len(cells[0]):
        said = f"the line of JSON names {len(columns):,} columns, the rows have {len(cells[0]):,}"
        return Head(unclear=f"{said}: export the file again")
    rates = [rate for device in devices if isinstance(rate := device.get("sampling rate"), (int, float))]
    return Head(
        names=tuple(name if sensor is None else f"{sensor}{name}" for name, sensor in columns),
        rates_hz=tuple(dict.fromkeys(float(rate) for rate in rates if 0 < rate < FASTEST_HZ)),
        unused=frozenset(at for at, (_, sensor) in enumerate(columns) if sensor is None),
    )


def _json_line(before: Sequence[str], cells: Cells) -> Head | None:
    """A line of JSON that names the columns, as whoever writes a table by a script may put above it."""
    for line in before:
        for said in _devices(line, "columns"):
            names, units = [str(name) for name in said["columns"]], said.get("units")
            if len(names) == len(cells[0]):
                return Head(
                    names=tuple(names),
                    units=tuple(map(str, units)) if isinstance(units, list) and len(units) == len(names) else (),
                    rates_hz=stated_rates(
                        part for each in before for part in re.split("[,{}]", each.replace('"', ""))
                    ),
                )
    return None


def _devices(line: str, named: str) -> list[Mapping[str, Any]]:
    """The objects of a line of JSON, at its top or one below, that have a list of this name."""
    text = line.lstrip("#% \t")
    if text[:1] != "{":
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [
        each for each in (found, *found.values()) if isinstance(each, dict) and isinstance(each.get(named), list)
    ]


def _device_columns(device: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Each column and what goes before its name by its sensor; None for one that is no signal."""
    names = [str(name) for name in device["column"]]
    sensors = device.get("sensor")
    kinds = [str(sensor).upper() for sensor in sensors] if isinstance(sensors, list) else []
    signals = [at for at, name in enumerate(names) if not _NO_SIGNAL.fullmatch(name)]
    if kinds and len(kinds) <= len(signals):  # the sensors are those of the last columns
        signals = signals[len(signals) - len(kinds) :]
    found: list[tuple[str, str | None]] = [(name, None) for name in names]
    for number, at in enumerate(signals):
        kind = kinds[number] if number < len(kinds) else ""
        found[at] = names[at], next((word for start, word in _SENSORS.items() if kind.startswith(start)), "")
    return found


def _openbci(before: Sequence[str], cells: Cells) -> Head | None:
    """The raw files of the OpenBCI GUI: its signals are in microvolts, beside reserved columns ("Other").

    Until version 4 no line named the columns: a counter, the signals, three of acceleration, and what follows.
    """
    before = [line for line in before if line.strip()]
    if not before or not re.match(r"%\s*OpenBCI Raw E.G Data", before[0]):
        return None
    said = [match for line in before if (match := re.match(r"%\s*Number of channels\s*=\s*([0-9]{1,3})\b", line))]
    count, columns = int(said[0][1]) if said else 0, len(cells[0])
    named: tuple[str, ...] = ()
    if before[-1][:1] != "%":
        named = padded([cell.strip() for cell in before[-1].split(",")], cells)
    elif 0 < count < columns:
        known = [
            "Sample Index",
            *(f"EXG Channel {at}" for at in range(count)),
            *(f"Accel Channel {at}" for at in range(3)),
        ]
        named = tuple(known + [""] * (columns - len(known)))[:columns]
    if not named:
        return None
    return Head(
        names=named,
        units=tuple("uV" if name.startswith("EXG Channel") else "" for name in named),
        rates_hz=stated_rates(line.lstrip("%") for line in before),
        unused=frozenset(at for at, name in enumerate(named) if name.startswith("Other")),
    )


def _labchart(before: Sequence[str], cells: Cells) -> Head | None:
    """LabChart (ADInstruments): lines of ``Key=``, with a cell for each channel; times go before the channels.

    The range of a channel is told in the unit of its values.
    """
    said = {
        key.strip().casefold(): [cell.strip() for cell in re.split(r"[\t;]", rest.lstrip("\t;"))]
        for key, is_it, rest in (line.partition("=") for line in before)
        if is_it
    }
    titles = _without_empty_end(said.get("channeltitle", []))
    ahead = len(cells[0]) - len(titles)
    if not titles or "interval" not in said or not 0 <= ahead <= 2:
        return None
    units = said.get("unitname") or [cell.split()[-1] if cell else "" for cell in said.get("range", [])]
    fitting = (units + [""] * len(titles))[: len(titles)]
    return Head(
        names=(*["time"] * ahead, *titles),
        units=(*[""] * ahead, *fitting),
        rates_hz=stated_rates([f"Interval={' '.join(said['interval'])}"]),
    )


def _acqknowledge(before: Sequence[str], cells: Cells) -> Head | None:
    """AcqKnowledge (BIOPAC): the interval, how many channels, name and unit of each in a line of its own."""
    counted = [(at, match) for at, line in enumerate(before) if (match := _CHANNELS.fullmatch(line.strip()))]
    rate = _per_sample(before)
    if not counted or not rate:
        return None
    at, match = counted[0]
    channels = int(match[1])
    lines = [line.strip() for line in before[at + 1 : at + 1 + 2 * channels]]
    ahead = len(cells[0]) - channels
    if len(lines) < 2 * channels or not 0 <= ahead <= 1:
        return None
    rows = (re.split(r"[\t,;]", line)[0].strip() for line in before[at + 1 + 2 * channels :])
    unit = next((row for row in rows if row.casefold() in TIME_UNITS), "")
    return Head(names=(*["time"] * ahead, *lines[::2]), units=(*[unit] * ahead, *lines[1::2]), rates_hz=rate)


def _per_sample(before: Sequence[str]) -> tuple[float, ...]:
    return stated_rates(line for line in before if re.search(r"/\s?sample|samples?\s?/", line, re.IGNORECASE))


def _without_empty_end(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row = row[:-1]
    return row
