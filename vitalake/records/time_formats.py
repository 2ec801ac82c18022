"""Forms of dates and times that a dataset declares, as `%d.%m.%Y %H:%M`.

Belongs here: what such a form may be, and which texts are written so. Does not belong here: ISO 8601
(`timestamps.py`), columns (`local_texts.py`).

A form is strict where a guess would be one: a year has the digits that it says, and a day or hour may have one
digit only where something that is no digit stands beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from vitalake.records.timestamps import iso_offset

_PARTS = {
    "Y": r"[0-9]{4}",
    "y": r"[0-9]{2}",
    "m": r"[0-9]{1,2}",
    "d": r"[0-9]{1,2}",
    "H": r"[0-9]{1,2}",
    "I": r"[0-9]{1,2}",
    "M": r"[0-9]{2}",
    "S": r"[0-9]{2}",
    "f": r"[0-9]{1,9}",
    "p": r"[AaPp]\.?[Mm]\.?",
    "z": r"[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?",
}
_SHORT = "mdHI"  # of one digit or two
_KNOWN = "%Y, %y, %m, %d, %H, %I with %p, %M, %S, %f, %z"
_OF_TIME = "HIMSfpz"
_PIECE = re.compile("%(.?)|([^%]+)", re.DOTALL)
_FIRST_YEARS = range(1, 9901)


@dataclass(frozen=True)
class TimeFormat:
    """A declared form.

    Args:
        text: the form, with what Python's `strptime` calls directives: %Y %y %m %d %H %I %p %M %S %f %z.
        with_time: it is of times; else of days.
        years_from: the first of the hundred years of which %y says the last two digits; None: %y may not be there.

    Raises:
        ValueError: it is no such form, with what to write.
    """

    text: str
    with_time: bool
    years_from: int | None = None

    def __post_init__(self) -> None:
        if "%" not in self.text:
            raise ValueError(
                f"{self.text!r} is no form of a date or time: write e.g. '%d.%m.%Y' or '%d.%m.%Y %H:%M'"
            )
        found = self._directives
        if strange := [name for name in found if name not in _PARTS]:
            raise ValueError(f"{self.text!r}: %{strange[0]} is not known here, but {_KNOWN}")
        if again := sorted({name for name in found if found.count(name) > 1}):
            raise ValueError(f"{self.text!r} has %{again[0]} twice")
        if not {"d", "m"} <= set(found) or len({"Y", "y"} & set(found)) != 1:
            raise ValueError(f"{self.text!r} needs a day (%d), a month (%m) and one year (%Y, or %y)")
        if "y" in found and self.years_from is None:
            raise ValueError(
                f"{self.text!r}: two digits do not say which century; give two_digit_years_from too, e.g. 1950 for "
                "1950 to 2049"
            )
        if self.years_from is not None and self.years_from not in _FIRST_YEARS:
            raise ValueError(f"two_digit_years_from is a year, e.g. 1950, not {self.years_from!r}")
        time = [name for name in found if name in _OF_TIME]
        if time and not self.with_time:
            raise ValueError(f"{self.text!r} is of a time (%{time[0]}), and date_formats are of days")
        if time and (len({"H", "I"} & set(time)) != 1 or ("I" in time) != ("p" in time)):
            raise ValueError(f"{self.text!r} needs one hour: %H, or %I with %p")

    def read(self, text: str) -> datetime:
        """The day or time that a text is, without a zone unless it says one.

        Raises:
            ValueError: it is not written so, or no calendar has it.
        """
        found = self._pattern.fullmatch(text)
        if found is None:
            raise ValueError("written otherwise")
        said = found.groupdict()
        year = int(said["Y"]) if "Y" in said else self._century(int(said["y"]))
        hour = int(said.get("H") or 0)
        if "I" in said:
            hour = int(said["I"])
            if not 1 <= hour <= 12:
                raise ValueError("no such hour")
            hour = hour % 12 + 12 * (said["p"][0] in "pP")
        clock = hour, int(said.get("M") or 0), int(said.get("S") or 0)
        micros = int((said.get("f") or "").ljust(6, "0")[:6])
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{iso_offset(said['z'])}").tzinfo if "z" in said else None
        return datetime(year, int(said["m"]), int(said["d"]), *clock, micros, tzinfo=zone)

    def _century(self, year: int) -> int:
        first = self.years_from or 0
        return first + (year - first) % 100

    @property
    def _directives(self) -> list[str]:
        return [name for name, literal in _PIECE.findall(self.text) if not literal and name != "%"]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pieces: list[tuple[str, str]] = _PIECE.findall(self.text)
        found = ""
        for place, (name, literal) in enumerate(pieces):
            if literal or name == "%":
                found += re.escape(literal or "%")
                continue
            beside = [pieces[at] for at in (place - 1, place + 1) if 0 <= at < len(pieces)]
            apart = not any(not text and each in _PARTS and each not in "pz" for each, text in beside)
            part = r"[0-9]{2}" if name in _SHORT and not apart else _PARTS[name]
            found += f"(?P<{name}>{part})"
        return re.compile(found, re.ASCII)
