"""Columns of a made-up signal, spelled as programs of many countries spell numbers and times.

Belongs here: making text. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from vitalake.ecg.readers.text import reader as text
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

ROWS = 600
RATE_HZ = 250.0
TIMES = [at / RATE_HZ for at in range(ROWS)]
VALUES = [round(float(value), 3) for value in 0.8 * np.sin(np.arange(ROWS) / 9) ** 5]
START = datetime(2024, 3, 1, 10)
MAX_SAMPLES = 2**22


def read(content: str | bytes) -> Recording:
    """The recording in a text, which the reader has to recognise."""
    data = content.encode() if isinstance(content, str) else content
    assert text.recognises(data)
    return text.read(data, max_samples=MAX_SAMPLES)


def refused(content: str | bytes) -> tuple[str, str]:
    """Rule and message of why a text is not read; it has to be recognised, so that no other format is blamed."""
    try:
        found = read(content)
    except UnusableDataError as error:
        return error.rule, error.message
    raise AssertionError(f"read as {[lead.name for lead in found.leads]}")


def point(value: float, digits: int = 3) -> str:
    """With a decimal point."""
    return f"{value:.{digits}f}"


def comma(value: float, digits: int = 3) -> str:
    """With a decimal comma."""
    return point(value, digits).replace(".", ",")


def at(seconds: float, form: str) -> str:
    """A time of a clock that began at ten; `%f` has three digits."""
    return (START + timedelta(seconds=seconds)).strftime(form.replace("%f", f"{round(seconds * 1000) % 1000:03d}"))


def rows(delimiter: str, *columns: Callable[[int], object] | Sequence[object]) -> str:
    """Lines of cells, from functions of the row or from sequences."""
    cells = [[column(row) if callable(column) else column[row] for row in range(ROWS)] for column in columns]
    return "".join(delimiter.join(map(str, line)) + "\n" for line in zip(*cells, strict=True))


def spelled(spell: Callable[[float], str], factor: float = 1.0) -> list[str]:
    """The signal, each value by this spelling."""
    return [spell(factor * value) for value in VALUES]
