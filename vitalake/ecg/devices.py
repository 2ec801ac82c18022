"""What a kind of device leaves out of its files, declared once.

Belongs here: the declaration, and which keys it is for. Does not belong here: which devices a dataset has
(`vitalake/datasets/ecg.py`), or what becomes of a file that says it itself: the file goes first, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Device:
    """Defaults of the files of one kind of device, for what they do not say.

    Args:
        keys: a pattern of the keys of its objects, e.g. ``*/device=holter-*/*`` or ``*/alivecor/*``; ``*`` is any
            text, ``?`` a character, ``[0-9]`` a digit. The first device of a dataset whose pattern fits counts.
        sampling_rate_hz: samples a second; None: not known.
        gain_adu_per_mv: stored units per mV of leads of whole numbers; None: not known.
        zero_adu: stored value of 0 mV.
        lead_names: of the leads in order, for MATLAB files. Names, gain and zero are taken where they are as many
            as the leads: a file with another number of leads is another device's.
        decimal_sign: of its text files; None: told from the text itself.
        time_zone: where its clock stands, e.g. ``Europe/Berlin``, for times without a zone; None: UTC.

    Raises:
        ValueError: a rate or gain that is not above 0, or no such time zone.
    """

    keys: str
    sampling_rate_hz: float | None = None
    gain_adu_per_mv: float | None = None
    zero_adu: float = 0.0
    lead_names: tuple[str, ...] = ()
    decimal_sign: Literal[".", ","] | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, value in (("sampling_rate_hz", self.sampling_rate_hz), ("gain_adu_per_mv", self.gain_adu_per_mv)):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"device {self.keys!r}: {name} is {value}, expected more than 0")
        if self.time_zone is not None:
            _zone(self)

    def fits(self, key: str) -> bool:
        """Whether an object of this key comes from such a device."""
        return fnmatchcase(key, self.keys)

    def in_utc(self, by_clock: datetime) -> datetime | None:
        """The instant of a time that its clock showed and that names no zone; None where nobody can tell it.

        Clocks that change for summer skip an hour and show another one twice.
        """
        zone = timezone.utc if self.time_zone is None else _zone(self)
        first, second = (by_clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            return None
        try:
            return first.astimezone(timezone.utc)
        except OverflowError:
            return None


UNDECLARED = Device(keys="*")


def _zone(device: Device) -> ZoneInfo:
    try:
        return ZoneInfo(device.time_zone or "UTC")
    except (KeyError, ValueError, OSError):
        raise ValueError(f"device {device.keys!r}: no time zone is called {device.time_zone!r}") from None
