"""Values that stand for "no value": -32768, -9999 and the like become missing samples before anything is measured.

Belongs here: telling a sentinel from a signal. Does not belong here: marks that a format declares (its reader), how
much may be missing (`structure.py`), or how bad a lead at its limit is (`vitalake/ecg/quality/rules.py`).

Two things must come together, so that no electrode that comes loose is taken for a gap and its lead for a good one:

* The value is one that devices and programs write: the smallest or largest number of a word of 8 to 32 bits,
  nothing but nines (three or more), or beyond 10⁹. It counts as stored, in the lead's unit, in steps of the
  signal, and at any decimal point: -32768 µV is -32.768 in a file of millivolts.
* It stands alone: within ten seconds to either side no other sample is nearer to it than twice the range of all
  others. So each such stretch begins and ends with a jump far beyond everything else.

A signal that runs into the limit of its converter does not stand alone, for it passes through what lies between:
that is saturation, stays as it is, and is rejected (Q03, Q04). So is a jump to the limit for more than 0.2 s that
does not come back before the recording ends, or that is to the limit of 8 to 14 bits, as converters have: an
electrode that fell off. Of the 9,204 leads of 767 records of the CinC 2011
challenge, with every kind of bad electrode, none holds a value that stands alone by more than 0.6 of the range.
Where a converter clips square pulses nobody can tell the two apart. So that no bad lead is hidden either way, a
lead without a value for more than 0.2 s is rejected (S06), as one stuck at its limit so long is (Q03).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Finding, Lead

BITS = (8, 10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 32)
# Where the decimal point may have moved, a short number would be met by chance.
LONG_BITS = (16, 24, 32)
LEAST_NINES, LEAST_NINES_AT_A_POINT = 999, 9999
DECIMALS = 6
BEYOND_ANY_SIGNAL = 1e9
ALONE_BY = 2.0  # times the range of the other samples
NEIGHBOURHOOD_S = 10.0
ROUNDING = 1e-7  # of a number that went through single precision
STEP_SAMPLES = 5_000
STUCK_S = 0.2  # as Q03 has it
CONVERTER_BITS = 14
MOST_KINDS = 8  # of sentinels in one lead

Samples: TypeAlias = "npt.NDArray[np.int32] | npt.NDArray[np.float64]"
Flags = npt.NDArray[np.bool_]


def _limits(bits: Sequence[int]) -> frozenset[int]:
    """Smallest and largest number of words of so many bits, as distances from 0."""
    return frozenset(n for b in bits for n in (2 ** (b - 1), 2 ** (b - 1) - 1, 2**b - 1))


WORD_LIMITS, LONG_WORD_LIMITS = _limits(BITS), _limits(LONG_BITS)
CONVERTER_LIMITS = _limits([bits for bits in BITS if bits <= CONVERTER_BITS])


def without_sentinels(leads: Sequence[Lead]) -> tuple[tuple[Lead, ...], tuple[Finding, ...]]:
    """The leads with every sentinel marked as missing, and the finding S06 for each lead that holds any.

    Only voltages are looked at: what a sentinel of another signal would be depends on what it measures.
    """
    cleaned, findings = [], []
    for number, lead in enumerate(leads, start=1):
        flags = sentinels_in(lead) if lead.unit in (MILLIVOLT, UNCALIBRATED) else None
        if flags is None:
            cleaned.append(lead)
            continue
        missing = flags if lead.missing is None else flags | lead.missing
        cleaned.append(replace(lead, missing=missing))
        findings.append(
            Finding(
                "S06",
                f"{int(flags.sum()):,} samples of lead {number} hold a number that stands for no value, such as "
                "-32768 or -9999, far beyond all others: they count as missing",
            )
        )
    return tuple(cleaned), tuple(findings)


def sentinels_in(lead: Lead) -> Flags | None:
    """Where a lead holds a sentinel, shape (samples,); None: nowhere. See the top of this module for the rule."""
    x = lead.samples
    signal = np.isfinite(x) if x.dtype.kind == "f" else np.ones(len(x), dtype=np.bool_)
    if lead.missing is not None:
        signal &= ~lead.missing
    kinds: dict[float, bool] = {}  # value -> whether it is known without looking at the steps of the signal
    for _ in range(MOST_KINDS):
        rest = x[signal]
        extremes = [float(rest.min()), float(rest.max())] if rest.size else []
        known = [value for value in extremes if _is_known(value, lead)]
        kinds |= dict.fromkeys(known or extremes, bool(known))
        # No sentinel counts as signal beside another one.
        for value in known or extremes:
            signal &= x != value
        if not known:
            break
    sentinels = np.zeros(len(x), dtype=np.bool_)
    for value, known_by_itself in kinds.items():
        alone = _alone(x, value, signal, lead)
        if alone.any() and (known_by_itself or _ends_a_word(value, x[signal])):
            sentinels |= alone & ~_stuck(alone, value, lead, known_by_itself)
    return sentinels if sentinels.any() else None


def _is_known(value: float, lead: Lead) -> bool:
    """Whether anybody writes this number for no value, as stored or in the unit of the lead."""
    in_unit = (value - lead.zero_adu) / lead.gain_adu_per_unit if lead.gain_adu_per_unit else value
    return any(
        abs(each) >= BEYOND_ANY_SIGNAL or abs(each) in WORD_LIMITS or _is_written_for_none(abs(each))
        for each in (value, in_unit)
    )


def _is_written_for_none(value: float) -> bool:
    """Whether the digits of a number, wherever its point, are nines or the end of a long word."""
    for decimals in range(DECIMALS + 1):
        scaled = value * 10**decimals
        digits = round(scaled)
        if abs(scaled - digits) > ROUNDING * digits:
            continue
        least = LEAST_NINES_AT_A_POINT if decimals else LEAST_NINES
        if digits in LONG_WORD_LIMITS or (digits >= least and set(str(digits)) == {"9"}):
            return True
    return False


def _ends_a_word(value: float, signal: Samples) -> bool:
    """Whether a value is the end of a word in steps of the signal, of which all other samples are multiples."""
    levels = np.unique(np.asarray(signal[:STEP_SAMPLES], dtype=np.float64))
    if len(levels) < 2:
        return False
    step = float(np.diff(levels).min())
    counts = levels.astype(np.float64) / step
    return bool(np.abs(counts - np.round(counts)).max() < 0.01) and round(abs(value) / step) in WORD_LIMITS


def _alone(x: Samples, value: float, signal: Flags, lead: Lead) -> Flags:
    """The samples of this value that nothing of the signal in their neighbourhood comes near, shape (samples,)."""
    width = max(1, round(NEIGHBOURHOOD_S * lead.sampling_rate_hz)) if lead.sampling_rate_hz else len(x)
    here = x == value
    alone = np.zeros(len(x), dtype=np.bool_)
    for start in np.unique(np.flatnonzero(here) // width) * width:
        around = slice(max(0, start - width), start + 2 * width)
        others = x[around][signal[around]]
        # Nothing else for half a minute: the rest of the lead says what its signal is.
        others = others if others.size else x[signal]
        if not others.size:
            continue
        low, high = float(others.min()), float(others.max())
        if max(low - value, value - high) > ALONE_BY * (high - low):
            alone[start : start + width] = here[start : start + width]
    return alone


def _stuck(alone: Flags, value: float, lead: Lead, known_by_itself: bool) -> Flags:
    """Which of these samples are a lead that stays at its converter's limit, shape (samples,)."""
    stuck = np.zeros(len(alone), dtype=np.bool_)
    nines = _is_written_for_none(abs(value)) and abs(value) not in WORD_LIMITS
    if nines or abs(value) >= BEYOND_ANY_SIGNAL:
        return stuck
    short_word = abs(value) in CONVERTER_LIMITS or not known_by_itself
    edges = np.flatnonzero(np.diff(alone, prepend=False, append=False)).reshape(-1, 2)
    for start, stop in edges[edges[:, 1] - edges[:, 0] > STUCK_S * lead.sampling_rate_hz]:
        if short_word or start == 0 or stop == len(alone):
            stuck[start:stop] = True
    return stuck
