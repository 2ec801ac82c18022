"""Structural checks that hold for every format, S05 to S10: whether a recording can be used at all.

Belongs here: completing a recording from what the dataset knows, and refusing what nobody can analyse. Does not
belong here: file layouts (`vitalake.ecg.readers`), or how good the signal is (`vitalake.ecg.quality.rules`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vitalake.ecg.recording import MILLIVOLT, UNCALIBRATED, Finding, Lead, Recording
from vitalake.ecg.resolution import resolution_finding
from vitalake.ecg.sentinels import without_sentinels
from vitalake.errors import UnusableDataError

MAX_LEADS = 16
RATE_RANGE_HZ = (50.0, 2000.0)
MIN_DURATION_S = 5.0
# A unit is free text in most formats, and free text may say anything.
# fmt: off
KNOWN_UNITS = {
    MILLIVOLT, UNCALIBRATED, "mmHg", "cmH2O", "kPa", "%", "NU", "pm", "bpm", "1/min", "Ohm", "ohm", "kOhm", "mA",
    "l/min", "L/min", "ml", "L", "degC", "C", "g", "m/s2", "s", "ms",
}
# fmt: on
# Not of the heart's voltage, whatever unit a header leaves out: EDF+ puts the kind of a signal first.
OTHER_SIGNALS = ("ABP", "ART", "CVP", "EEG", "EMG", "EOG", "PAP", "PLETH", "RESP", "SPO2")
MAX_MISSING_SHARE = 0.05
MAX_MISSING_RUN_S = 0.2
ONE_STRIP_S = 20.0  # longer recordings are judged in windows, and a gap costs its windows only


@dataclass(frozen=True)
class SourceConfig:
    """What a dataset knows that MATLAB files do not say; the defaults are those of Plawiak's fragments.

    Source: Plawiak 2017, "ECG signals (1000 fragments)", doi 10.17632/7dybx7wyfn.3.
    """

    sampling_rate_hz: float = 360.0
    gain_adu_per_mv: float | None = 200.0
    zero_adu: float = 1024.0
    lead_names: tuple[str, ...] = ("MLII",)


def completed(recording: Recording, config: SourceConfig) -> Recording:
    """The recording with the dataset's own rate, gain, zero and lead names where a MATLAB file says nothing."""
    if not recording.file_format.startswith("matlab"):
        return recording
    rates = [lead.sampling_rate_hz or config.sampling_rate_hz for lead in recording.leads]
    assumed: tuple[str, ...] = (
        () if all(lead.sampling_rate_hz for lead in recording.leads) else ("sampling_rate_hz",)
    )
    findings = recording.findings
    whole = [_is_whole(lead) for lead in recording.leads]
    # Another number of leads is another source than the one that the configuration describes.
    described = len(recording.leads) == len(config.lead_names)
    if not (described and all(whole)) and assumed:
        said = f"the file does not say its sampling rate: the dataset's {config.sampling_rate_hz:g} Hz are assumed"
        findings = (*findings, Finding("S07", said))
    gain = config.gain_adu_per_mv if described else None
    if described:
        assumed += ("lead_names",)
    if gain is not None and any(whole):
        assumed += ("gain", "zero")
    leads = []
    for number, (lead, rate_hz) in enumerate(zip(recording.leads, rates, strict=True)):
        name = config.lead_names[number] if described else lead.name
        # Fractions do not come out of an analogue-to-digital converter: their unit is anybody's guess.
        if gain is not None and whole[number]:
            unit, zero, scale = MILLIVOLT, config.zero_adu, gain
        else:
            unit, zero, scale = lead.unit, lead.zero_adu, lead.gain_adu_per_unit
        leads.append(
            replace(lead, sampling_rate_hz=rate_hz, name=name, unit=unit, zero_adu=zero, gain_adu_per_unit=scale)
        )
    return replace(recording, leads=tuple(leads), findings=findings, assumed=assumed)


def checked(recording: Recording) -> Recording:
    """The recording with everything odd about it among its findings, if it can be used.

    Raises:
        UnusableDataError: S05 (more leads than any ECG has), S06 (too much is missing), S07 (no usable sampling
            rate), S08 (shorter than 5 s), with what was found and what was expected.
    """
    for group, count in Counter(lead.group for lead in recording.leads if can_be_judged(lead)).items():
        if count > MAX_LEADS:
            raise UnusableDataError("S05", f"{count:,} leads in group {group}, expected 1 to {MAX_LEADS}")
    if not any(can_be_judged(lead) for lead in recording.leads):
        raise _unusable(recording)
    leads, sentinels = without_sentinels(recording.leads)
    leads = tuple(lead if lead.unit in KNOWN_UNITS else replace(lead, unit="other") for lead in leads)
    findings = [*recording.findings, *sentinels, *_missing(leads), *_uncalibrated(leads)]
    coarse = resolution_finding(leads)
    if coarse is not None:
        findings.append(coarse)
    return replace(recording, leads=leads, findings=tuple(sorted(set(findings))))


def can_be_judged(lead: Lead) -> bool:
    """Whether this is an ECG long enough to say something about; an averaged beat or a blood pressure is not."""
    low, high = RATE_RANGE_HZ
    return (
        lead.unit in (MILLIVOLT, UNCALIBRATED)
        and not lead.name.upper().startswith(OTHER_SIGNALS)
        and low <= lead.sampling_rate_hz <= high
        and len(lead.samples) >= math.ceil(MIN_DURATION_S * lead.sampling_rate_hz)
    )


def missing_in(lead: Lead) -> npt.NDArray[np.bool_] | None:
    """Where a lead has no value (a mark, a NaN or an infinity), shape (samples,); None: nowhere."""
    return missing_of(lead.samples, lead.missing)


def missing_of(
    samples: npt.NDArray[np.int32] | npt.NDArray[np.float64], marked: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_] | None:
    """The same of a stretch of a lead."""
    if marked is not None and marked.any():
        return marked if samples.dtype.kind != "f" else marked | ~np.isfinite(samples)
    if samples.dtype.kind == "f" and not (finite := np.isfinite(samples)).all():
        return ~finite
    return None


def _is_whole(lead: Lead) -> bool:
    x = lead.samples
    return x.dtype == np.int32 or bool((np.isnan(x) | (x == np.round(x))).all())


def _unusable(recording: Recording) -> UnusableDataError:
    """Why no lead can be judged, said of the longest lead that could be an ECG."""
    low, high = RATE_RANGE_HZ
    voltages = [lead for lead in recording.leads if lead.unit in (MILLIVOLT, UNCALIBRATED)]
    if not voltages:
        return UnusableDataError("S03", f"none of {len(recording.leads)} signals is a voltage: no ECG")
    lead = max(voltages, key=lambda lead: len(lead.samples))
    rate_hz = lead.sampling_rate_hz
    if not rate_hz:
        return UnusableDataError("S07", "the file does not say its sampling rate: add it, or a column of times")
    if not low <= rate_hz <= high:
        return UnusableDataError("S07", f"sampling rate {rate_hz:g} Hz: expected one from {low:g} to {high:g} Hz")
    shortest = math.ceil(MIN_DURATION_S * rate_hz)
    expected = f"{shortest:,} ({MIN_DURATION_S:g} s at {rate_hz:g} Hz)"
    return UnusableDataError("S08", f"{len(lead.samples):,} samples, expected at least {expected}")


def _missing(leads: tuple[Lead, ...]) -> Iterator[Finding]:
    """The finding S06 for each lead with samples missing; S06 as an error where no lead is left to be judged."""
    left = sum(map(can_be_judged, leads))
    for number, lead in enumerate(leads, start=1):
        missing = missing_in(lead)
        if missing is None:
            continue
        share, run = float(missing.mean()), _longest_run(missing)
        longest = math.floor(MAX_MISSING_RUN_S * lead.sampling_rate_hz)
        said = f"{share:.1%} of lead {number} are NaN or infinite or marked as missing, {run:,} samples in a row"
        too_much = share > MAX_MISSING_SHARE or run > longest
        if too_much and (lead.duration_s <= ONE_STRIP_S or share == 1.0) and can_be_judged(lead):
            left -= 1
            if not left:
                raise UnusableDataError(
                    "S06",
                    f"{said}: expected at most {MAX_MISSING_SHARE:.0%} and {longest:,} ({MAX_MISSING_RUN_S:g} s)",
                )
        yield Finding("S06", said)


def _uncalibrated(leads: tuple[Lead, ...]) -> Iterator[Finding]:
    count = sum(lead.unit == UNCALIBRATED for lead in leads)
    if count:
        yield Finding("S09", f"{count} of {len(leads)} leads have no known gain: kept in stored units")


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
