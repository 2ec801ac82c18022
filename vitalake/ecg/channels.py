"""Which channels of a recording are ECGs: decided by unit, label, samples and rate together.

Belongs here: the decision and its reason. Does not belong here: the words of labels (`channel_words.py`), what
samples do (`channel_content.py`), or how good an ECG is (`vitalake/ecg/quality/rules.py`).

A lead that is called other is judged by nobody, so a bad one would be hidden; an accelerometer that is called a
lead makes a clean recording unacceptable. The first evidence in this table decides, and a channel that nothing
speaks against is an ECG:

| evidence | the channel is |
|---|---|
| its unit is of another quantity (mmHg, %, g, Ohm) | other |
| its label names an ECG or a lead (EKG, aVF, "Lead V1"), and no other signal | an ECG, flat and saturated too |
| its unit is no known one | other |
| its label names another signal (marker, SpO2, EEG, a montage of electrodes) | other |
| its label names an ECG and another signal ("ECG status"), and another channel is called an ECG alone | other |
| the same where none is | other where it counts, stands still or moves in steps, else an ECG |
| its label names a place, an electrode or an input (chest, C3, aux), and another channel is called an ECG | other |
| its label is X, Y or Z of three without a unit, and another channel is called an ECG | other |
| it counts, moves in steps between few levels, or swings slowly and has no beat | other |
| it stands still, and another channel is called an ECG, or it has no unit where others have one | other |
| it has fewer than 50 samples a second, and another channel is called an ECG | other |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vitalake.ecg.channel_content import Content, content_of
from vitalake.ecg.readers.units import other_quantity, says_nothing
from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Lead

SLOWEST_ECG_HZ = 50.0

_CHEST = frozenset(("c1", "c2", "c3", "c4", "c5", "c6"))  # V1 to V6 by IEC 60601-2-25
_OF_AN_EEG_AS_WELL = frozenset(("c3", "c4"))
_LIMB = frozenset(("d1", "d2", "d3"))  # I to III, in Romance languages
_SHOWS_LIMBS = frozenset(("avr", "avl", "avf", "v1", "d3"))
_AXES = frozenset("xyz")
_MADE = (Content.COUNTING, Content.STEPPED)


class ChannelKind(NamedTuple):
    """Whether a channel is an ECG, and what says so."""

    is_ecg: bool
    reason: str


class _Beside(NamedTuple):
    """What else the recording holds."""

    ecg: bool
    calibrated: bool
    three_axes: bool


def channel_kinds(leads: Sequence[Lead]) -> list[ChannelKind]:
    """One decision for each channel of a recording, in order, by `Lead.label` and what a reader made of the rest.

    A reason repeats nothing of a label but the kind of signal that it names.
    """
    leads_by_number = _leads_by_number(leads)
    called = [_is_called_ecg(lead, leads_by_number) for lead in leads]
    beside = _Beside(
        ecg=any(called),
        calibrated=any(lead.unit == MILLIVOLT for lead in leads),
        three_axes={lead.label.code for lead in leads} >= _AXES,
    )
    return [
        ChannelKind(True, "its label names an ECG") if is_called else next(_evidence(lead, beside))
        for lead, is_called in zip(leads, called, strict=True)
    ]


def _leads_by_number(leads: Sequence[Lead]) -> set[str]:
    """Codes like C3 and D2 that are leads here, by those that they stand beside."""
    codes = {lead.label.code for lead in leads}
    chest, limb = (codes & _CHEST), (codes & _LIMB)
    found = chest if chest - _OF_AN_EEG_AS_WELL else set()
    return found | limb if len(limb) > 1 and len(codes & _SHOWS_LIMBS) else found


def _is_called_ecg(lead: Lead, leads_by_number: set[str]) -> bool:
    label = lead.label
    named = label.ecg or label.lead or label.code in leads_by_number
    return named and label.other is None and other_quantity(lead.unit) is None


def _evidence(lead: Lead, beside: _Beside) -> Iterator[ChannelKind]:
    """What speaks for each side in a channel that is not plainly called an ECG; the first counts."""
    quantity = other_quantity(lead.unit)
    if quantity is not None:
        yield ChannelKind(False, f"its unit, {quantity}, is none of voltage")
    if lead.unit not in (MILLIVOLT, UNCALIBRATED) and not says_nothing(lead.unit):
        yield ChannelKind(False, "its unit is none of voltage")
    other = lead.label.other
    if other is not None and not lead.label.ecg:
        yield ChannelKind(False, f"its label names {other}")
    if other is not None and beside.ecg:
        yield ChannelKind(False, f"its label names an ECG and {other}, and another channel is called an ECG alone")
    content = content_of(lead)
    if other is not None:
        is_ecg = content is not Content.STILL and content not in _MADE
        yield ChannelKind(is_ecg, f"its label names an ECG and {other}, and it {content.value}")
    if beside.ecg and lead.label.place:
        yield ChannelKind(False, "its label names a place, an electrode or an input, and another is called an ECG")
    if beside.ecg and beside.three_axes and lead.label.code in _AXES and lead.unit != MILLIVOLT:
        yield ChannelKind(False, "its label names one of three axes, it has no unit, and another is called an ECG")
    if content in _MADE or content is Content.SWINGING:
        yield ChannelKind(False, f"it {content.value}, and no label calls it an ECG")
    if content is Content.STILL and beside.ecg:
        yield ChannelKind(False, f"it {content.value}, and another channel is called an ECG")
    if content is Content.STILL and beside.calibrated and lead.unit != MILLIVOLT:
        yield ChannelKind(False, f"it {content.value}, and has no unit where others have one")
    if beside.ecg and 0 < lead.sampling_rate_hz < SLOWEST_ECG_HZ:
        yield ChannelKind(False, f"it has {lead.sampling_rate_hz:g} samples a second, and no label calls it an ECG")
    yield ChannelKind(True, "nothing speaks against it")
