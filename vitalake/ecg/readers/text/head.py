"""What the lines before the numbers say: names and units of the columns, and the sampling rate.

Belongs here: what any program may write there. Does not belong here: heads that a single program has made up
(`programs.py`), or which column is one of time (`time_axis.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from vitalake.ecg.readers.text.cells import is_number
from vitalake.ecg.readers.text.rates import stated_rates
from vitalake.ecg.readers.text.time_names import TIME_UNITS, is_time_name
from vitalake.ecg.readers.units import other_quantity, per_millivolt
from vitalake.ecg.recording import UNCALIBRATED

OTHER_UNITS = frozenset(
    ("mmhg", "cmh2o", "bpm", "%", "ohm", "kohm", "°c", "l/min", "ml", "g", "m/s2", "m/s^2", "pm", "us", "lux")
)
MAX_ROWS = 4  # of a table's head

_COMMENT = "#%* \t"
_NAMES = re.compile(
    r"(?:labels?|leads?|channels?|ableitung|d[ée]rivation|derivaci[óo]n|derivazione|afleiding)"
    r"\s*(?::=|[:=,;\t])\s*(.+)",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"(?:units?|einheit|unit[ée]|unidade?|unit[àa]|eenheid|単位|单位|單位|단위)\s*(?::=|[:=,;\t])\s*(\S{1,12})",
    re.IGNORECASE,
)
# The one cell above a single column may be a title with a person's name: only what is surely a lead counts.
_LEAD = re.compile(
    r"(?:(?:ecg|ekg|lead|channel|ch|signal|value|val|mv|uv)[ _0-9]*"
    r"(?:i{1,3}|av[rlf]|v[1-9]r?|ml?i{1,3}|mcl[1-6]|[xyz])?|i{1,3}|av[rlf]|v[1-9]r?|ml?i{1,3}|mcl[1-6]|[xyz])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"(.*?)[\s_]*[(\[{]\s*([^()\[\]{}]{1,12})\s*[)\]}]")
_AT_THE_END = re.compile(r"(.*?)(?:[\s_]+(?:in )?|[\s_]*[-/,]\s*)(\S?\S?[^\W\d]{1,10})", re.IGNORECASE)
_KIND = re.compile(r"cal|raw|uncal", re.IGNORECASE)  # a row below the names, of Shimmer's programs
_SHIMMER = re.compile(r"shimmer_[0-9a-f]{4}_(.+?)(?:_(?:cal|raw|uncal))?", re.IGNORECASE)
_NO_UNITS = frozenset(
    ("", "-", "1", "#", "none", "n/a", "no units", "no_units", "raw", "adc", "counts", "a.u.", "au")
)


class Head(NamedTuple):
    """What is said of the columns.

    Args:
        names: of the columns, but empty last ones; empty where nothing names them.
        units: as `names`, where they are said apart from the names.
        unit: of all signals, as some line says; empty where none does.
        labels: names of the signals that stand elsewhere than above their columns.
        rates_hz: the sampling rates that some line states, each once.
        unused: positions of columns of which the program that wrote them says that they hold no signal.
        unclear: why nobody can tell which column is which; empty where it is clear.
    """

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    unit: str = ""
    labels: tuple[str, ...] = ()
    rates_hz: tuple[float, ...] = ()
    unused: frozenset[int] = frozenset()
    unclear: str = ""

    def column(self, at: int) -> tuple[str, str]:
        """Name and unit of a column; what stands in brackets and is no unit belongs to the name."""
        name = self.names[at] if at < len(self.names) else ""
        unit = self.units[at].strip("'\"()[] ") if at < len(self.units) else ""
        if unit:
            return name, unit
        return split_name(name)


def split_name(text: str) -> tuple[str, str]:
    """Name and unit of a cell that has both, such as ``ECG (mV)``, ``V5_uV`` and ``time [ms]``."""
    inside, behind = _IN_BRACKETS.fullmatch(text), _AT_THE_END.fullmatch(text)
    if inside and (_is_unit(inside[2]) or (is_time_name(inside[1]) and inside[2].casefold() in TIME_UNITS)):
        return inside[1], inside[2]
    # "Lead V" is the chest lead.
    if behind and len(behind[2]) > 1 and per_millivolt(behind[2]) is not None:
        return behind[1], behind[2]
    if behind and is_time_name(behind[1]) and behind[2].casefold() in TIME_UNITS:
        return behind[1], behind[2]
    if len(text) > 1 and per_millivolt(text):
        return "", text
    return text, ""


def read_head(before: Sequence[str], rows: Sequence[Sequence[str]], cells: Sequence[Sequence[str]]) -> Head:
    """What the lines before the numbers say.

    Args:
        before: these lines, without empty ones.
        rows: their cells.
        cells: of the first rows of numbers, for which columns of them are empty.
    """
    plain = [line.lstrip(_COMMENT).replace('"', "") for line in before]
    names, units = _columns(before, rows, cells)
    unit = next((match[1].strip(",;'") for line in plain if (match := _UNIT.match(line))), "")
    return Head(
        names,
        units,
        unit,
        stated_labels(before),
        stated_rates(plain),
    )


def stated_labels(before: Sequence[str]) -> tuple[str, ...]:
    """Names of the signals by a line of their own, such as ``Lead,Lead I``."""
    plain = (line.lstrip(_COMMENT).replace('"', "") for line in before)
    labels = next((match[1] for line in plain if (match := _NAMES.match(line))), "")
    return tuple(name.strip() for name in re.split(r"[,;\t]", labels) if name.strip())


def is_statement(line: str) -> bool:
    """Whether a line before the numbers states something, and is no row of names or units."""
    if line.lstrip()[:1] in ("#", "%") and re.search("[:=]", line):
        return True
    plain = line.lstrip(_COMMENT).replace('"', "")
    return bool(_NAMES.match(plain) or _UNIT.match(plain) or stated_rates([plain]))


def padded(row: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A row of names with one for each column; empty where nobody can say which name is of which column.

    It may lack those of empty last columns. One name too few is that of a first column, which counts: so writes R.
    """
    columns = len(cells[0])
    found = list(row)
    while len(found) > columns and not found[-1]:
        found.pop()
    lacking = columns - len(found)
    if lacking <= 0:
        return tuple(found) if not lacking else ()
    if not any(any(each[len(found) :]) for each in cells):
        return (*found, *[""] * lacking) if len(found) > columns / 2 else ()
    firsts = [each[0] for each in cells]
    if lacking == 1 and len(found) > 1 and all(map(str.isdecimal, firsts)):
        numbers = [int(each) for each in firsts]
        if all(b - a == 1 for a, b in pairwise(numbers)):
            return ("", *found)
    return ()


def _columns(
    before: Sequence[str], rows: Sequence[Sequence[str]], cells: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the columns: the last lines before the numbers that have a cell for each."""
    found: list[tuple[str, ...]] = []
    for line, row in reversed([*zip(before, rows, strict=True)][-MAX_ROWS:]):
        fitting = () if is_statement(line) else padded(row, cells)
        if not fitting or (len(cells[0]) == 1 and not _may_head_a_column(fitting[0])):
            break
        found.append(fitting)
    units: tuple[str, ...] = ()
    if len(found) > 1 and _are_units(found[0]):
        units = found.pop(0)
    elif len(found) > 1 and _are_units(found[1]):  # some write them above the names
        units = found.pop(1)
    if len(found) > 1 and all(_KIND.fullmatch(cell) or not cell for cell in found[0]):
        found.pop(0)
    names = found[0] if found else ()
    return tuple(
        match[1].replace("_24BIT", "") if (match := _SHIMMER.fullmatch(name)) else name for name in names
    ), units


def _may_head_a_column(cell: str) -> bool:
    name, unit = split_name(cell)
    return bool(_LEAD.fullmatch(name)) or (not name and bool(unit))


def _are_units(row: Sequence[str]) -> bool:
    """Whether a row below the names has units: one of time or voltage at least, and mostly such."""
    filled = [cell.strip("()[] ").casefold() for cell in row if cell]
    sure = [
        cell for cell in filled if per_millivolt(cell) is not None or cell in TIME_UNITS or cell.startswith("hh:")
    ]
    likely = [
        cell
        for cell in filled
        if cell in OTHER_UNITS or other_quantity(cell) or cell in _NO_UNITS or is_number(cell)
    ]
    return bool(sure) and len(sure) + len(likely) >= len(filled) / 2


def _is_unit(text: str) -> bool:
    plain = text.casefold()
    # A single letter in brackets is a side or a lead as likely: ECG (L), Leg (R).
    other = plain in OTHER_UNITS or (len(text) > 1 and other_quantity(text) is not None)
    return other or per_millivolt(text) is not None or plain == UNCALIBRATED
