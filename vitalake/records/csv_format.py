"""How the files of a CSV dataset are written, where it is not as most are.

Belongs here: what may be declared of it. Does not belong here: reading texts that are written so
(`local_texts.py`), decoding (`decoding/`), delimiters in a file (`vitalake/records/csv/header.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timezone, tzinfo
from difflib import get_close_matches
from functools import lru_cache

from vitalake.records.decoding.utf8 import UTF_8, encoding_named
from vitalake.records.time_formats import TimeFormat

# A sign that is declared, and those that look alike and mean the same there.
_ALIKE = (" \u00a0\u2007\u2009\u202f", "'\u2019")
_NO_SIGN = "+-eE0123456789\u2212"
_NO_DELIMITER = '"\r\n\0'


@dataclass(frozen=True)
class CsvFormat:
    """How numbers, days, times and bytes are written in the files of a dataset.

    Args:
        decimal_sign: before the fraction of a number.
        thousands_sign: between groups of three digits before it; empty: there is none. A blank stands for any of
            the blanks that programs put there, a straight apostrophe for the curved one too.
        date_formats: how days are written; none: as 2026-11-20.
        timestamp_formats: how times are written; none: by ISO 8601.
        time_zone: of times that do not say theirs, as the IANA names it, e.g. ``"Europe/Berlin"``.
        encoding: of the files, as Python names it.
        delimiter: between fields; None: each file shows its own.
        two_digit_years_from: the first of the hundred years that %y may mean.

    Raises:
        ValueError: one of them cannot be meant so; the message says what to write.
    """

    decimal_sign: str = "."
    thousands_sign: str = ""
    date_formats: tuple[str, ...] = ()
    timestamp_formats: tuple[str, ...] = ()
    time_zone: str = "UTC"
    encoding: str = UTF_8
    delimiter: str | None = None
    two_digit_years_from: int | None = None

    def __post_init__(self) -> None:
        for name, sign in {
            "decimal_sign": self.decimal_sign,
            "thousands_sign": self.thousands_sign or None,
        }.items():
            if sign is not None and (not isinstance(sign, str) or len(sign) != 1 or sign in _NO_SIGN):
                raise ValueError(f"{name} is one character that no number has otherwise, not {sign!r}")
        if self.decimal_sign in self.thousands_signs:
            raise ValueError(
                f"decimal_sign and thousands_sign are both {self.decimal_sign!r}: no number could be read"
            )
        for name in ("date_formats", "timestamp_formats"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ValueError(f"{name} is a list of forms; of one form it is {name}=({value!r},)")
            object.__setattr__(self, name, tuple(value))
        if self.delimiter is not None and (
            not isinstance(self.delimiter, str)
            or len(self.delimiter) != 1
            or not self.delimiter.isascii()
            or self.delimiter.isalnum()
            or self.delimiter in _NO_DELIMITER
        ):
            raise ValueError(f"delimiter is one sign of ASCII, e.g. ';' or '\\t', not {self.delimiter!r}")
        object.__setattr__(self, "encoding", encoding_named(self.encoding))
        _ = self.days, self.times, self.zone

    @property
    def thousands_signs(self) -> str:
        """Each character that separates thousands."""
        if not self.thousands_sign:
            return ""
        return next((alike for alike in _ALIKE if self.thousands_sign in alike), self.thousands_sign)

    @property
    def days(self) -> tuple[TimeFormat, ...]:
        """The forms of days."""
        return _forms(self.date_formats, False, self.two_digit_years_from)

    @property
    def times(self) -> tuple[TimeFormat, ...]:
        """The forms of times."""
        return _forms(self.timestamp_formats, True, self.two_digit_years_from)

    @property
    def zone(self) -> tzinfo:
        """The zone of times that do not say theirs."""
        return _zone(self.time_zone)


# Kept here and not in the declaration, of which every attribute says whether a table is of an older one.
@lru_cache
def _forms(texts: tuple[str, ...], with_time: bool, years_from: int | None) -> tuple[TimeFormat, ...]:
    return tuple(TimeFormat(text, with_time, years_from) for text in texts)


@lru_cache
def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, available_timezones

    if name == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        close = get_close_matches(str(name), available_timezones(), 1)
        hint = f"did you mean {close[0]!r}?" if close else "e.g. 'Europe/Berlin'"
        raise ValueError(f"there is no time zone {name!r}; {hint}") from None
