"""Partitions: the days or hours that a dataset is built by.

Belongs here: what a partition is called, where it lies in the lake, and which ones there are. Does not belong here:
the time that a key names (`keys.py`), which partition a bundle belongs to (`partitions.py`).

All times are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import total_ordering
from typing import Literal

Granularity = Literal["day", "hour"]
LAST_DAY = date(2099, 12, 31)
ONE: Mapping[Granularity, str] = {"day": "a day", "hour": "an hour"}

_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d))?", re.ASCII)
_FOLDER = re.compile(r"/date=(\d{4}-\d\d-\d\d)/(?:hour=(\d\d)/)?", re.ASCII)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
# Devices upload an hour for a while after it is over, and their clocks may be ahead.
_OPEN_HOURS = (-2, 1)


@total_ordering
@dataclass(frozen=True, slots=True)
class Partition:
    """A day, or an hour of a day (0 to 23). Its text sorts by time: `2026-11-20`, `2026-11-20T05`."""

    day: date
    hour: int | None = None

    def __str__(self) -> str:
        return self.day.isoformat() if self.hour is None else f"{self.day.isoformat()}T{self.hour:02d}"

    def __lt__(self, other: Partition) -> bool:
        return str(self) < str(other)

    @staticmethod
    def parse(text: str) -> Partition:
        """The reverse of str(); ValueError for anything else."""
        match = _TEXT.fullmatch(text)
        if match is None or (match[2] and int(match[2]) > 23):
            raise ValueError(f"{text!r} is neither a day such as 2026-11-20 nor an hour such as 2026-11-20T05")
        return Partition(date.fromisoformat(match[1]), int(match[2]) if match[2] else None)

    @staticmethod
    def of_folder(key: str) -> Partition | None:
        """The partition in whose `folder` a part of a table lies; None where it is in none."""
        match = _FOLDER.search(key)
        try:
            return Partition.parse("T".join(filter(None, match.groups()))) if match else None
        except ValueError:
            return None

    @property
    def starts_at(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.day, time(self.hour or 0), timezone.utc)

    @property
    def folder(self) -> str:
        """Where it lies below a table, in the Hive layout that DuckDB, Athena, Trino and Spark read."""
        return f"date={self.day}/" + ("" if self.hour is None else f"hour={self.hour:02d}/")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The partitions that a dataset may have: from its first day on, one a day or one an hour."""

    first_day: date
    unit: Granularity = "day"

    def at(self, moment: datetime) -> Partition:
        """The partition that a moment (UTC) is in; of one before the first day, the first partition."""
        if moment.date() < self.first_day:
            return self.of(self.first_day)
        return Partition(moment.date(), moment.hour if self.unit == "hour" else None)

    def of(self, day: date, hour: int = 0) -> Partition:
        """The partition of a day and, where there are hours, of this hour of it."""
        return Partition(day, hour if self.unit == "hour" else None)

    def newest(self, now: datetime) -> Partition:
        """The last one that has come: what is later waits. A day ahead, for devices east of Greenwich."""
        return self.at(now + _DAY)

    def open(self, now: datetime) -> set[Partition]:
        """Those that devices upload to at this time.

        Of days yesterday, today and tomorrow. Of hours the present one, the two before and the next: whoever has so
        many objects that they are built by the hour does not want to list three days of them every few seconds.
        """
        if self.unit == "day":
            return self.recent(now)
        first, last = _OPEN_HOURS
        return set(self.between(self.at(now + first * _HOUR), self.at(now + last * _HOUR)))

    def recent(self, now: datetime) -> set[Partition]:
        """Those of yesterday, today and tomorrow that have come."""
        days = (now.date() + timedelta(days=offset) for offset in (-1, 0, 1))
        return {each for day in days for each in self.within(day) if each <= self.newest(now)}

    def within(self, day: date) -> list[Partition]:
        """Those of one day, in order."""
        return [self.of(day, hour) for hour in range(24 if self.unit == "hour" else 1)]

    def between(self, first: Partition, last: Partition) -> list[Partition]:
        """Every one from the first to the last, both included."""
        length = _HOUR if self.unit == "hour" else _DAY
        count = (last.starts_at - first.starts_at) // length + 1
        return [self.at(first.starts_at + number * length) for number in range(count)]

    def holds(self, text: str) -> bool:
        """Whether a text is that of a partition of this calendar."""
        try:
            partition = Partition.parse(text)
        except ValueError:
            return False
        return self.first_day <= partition.day and (partition.hour is not None) == (self.unit == "hour")

    def kept(self, texts: Iterable[str]) -> set[str]:
        """Those that are partitions of this calendar; others are of before it was changed."""
        return set(filter(self.holds, texts))
