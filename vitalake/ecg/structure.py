"""Structural checks that hold for every format, S05 to S10: whether a recording can be used at all.

Belongs here: completing a recording from what the dataset knows, and refusing what nobody can analyse. Does not
belong here: file layouts (`vitalake.ecg.readers`), or how good the signal is (`vitalake.ecg.quality.rules`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.channels import ChannelKind, channel_kinds
from vitalake.ecg.devices import UNDECLARED, Device
from vitalake.ecg.readers.units import other_quantity
from vitalake.ecg.recording import CLOCK_TIME, MILLIVOLT, RATE_ASSUMED, UNCALIBRATED, Finding, Lead, Recording
from vitalake.ecg.resolution import resolution_finding
from vitalake.ecg.sentinels import without_sentinels
from vitalake.errors import UnusableDataError

MAX_LEADS = 16
RATE_RANGE_HZ = (50.0, 2000.0)
MIN_DURATION_S = 5.0
NUMBERED = re.compile(r"^lead_(\d+)$")  # what a reader calls a channel whose label may not be shown
MAX_MISSING_SHARE = 0.05
MAX_MISSING_RUN_S = 0.2
ONE_STRIP_S = 20.0  # longer recordings are judged in windows, and a gap costs its windows only


@dataclass(frozen=True)
class SourceConfig:
    """What a dataset knows beyond its files: what its devices leave out, the first that a key fits.

    Args:
        devices: as the dataset declares them.
        usual_rate_hz: assumed of a MATLAB file that says no rate, from a device that declares none. Whoever relies
            on it is warned (S07), and nothing of the recording is better than marginal.
    """

    devices: tuple[Device, ...] = ()
    usual_rate_hz: float = 360.0

    def device(self, key: str) -> Device:
        """What is declared of the device that an object comes from; nothing where no device fits."""
        return next((device for device in self.devices if device.fits(key)), UNDECLARED)


def completed(recording: Recording, config: SourceConfig, key: str = "") -> Recording:
    """The recording with what its device declares where the file says nothing, and a usual rate where nobody does.

    A MATLAB file says neither gain, zero nor names of leads: those of the device are taken where it declares as
    many names as there are leads. Whatever is taken is named in `assumed`; a rate that nobody declared is a finding
    as well.

    Args:
        recording: as its reader made it.
        config: of the dataset.
        key: of the object that it came in.
    """
    device, started_at = config.device(key), recording.started_at
    leads, assumed, findings = list(recording.leads), list(recording.assumed), list(recording.findings)
    unknown = [not lead.sampling_rate_hz for lead in leads]
    rate_hz = device.sampling_rate_hz
    if any(unknown) and rate_hz is None and recording.file_format.startswith("matlab"):
        rate_hz = config.usual_rate_hz
        said = f"the file does not say its sampling rate, and no device declares it: {rate_hz:g} Hz are assumed"
        findings.append(Finding(RATE_ASSUMED, said))
    if any(unknown) and rate_hz is not None:
        assumed.append("sampling_rate_hz")
        leads = [replace(lead, sampling_rate_hz=lead.sampling_rate_hz or rate_hz) for lead in leads]
    if recording.file_format.startswith("matlab") and len(leads) == len(device.lead_names):
        assumed.append("lead_names")
        leads = [
            replace(lead, name=name, label=meaning_of(name))
            for lead, name in zip(leads, device.lead_names, strict=True)
        ]
    if device.gain_adu_per_mv is not None and _fits_gain(recording, device):
        # Fractions do not come out of an analogue-to-digital converter: their unit is anybody's guess.
        whole = [lead.unit == UNCALIBRATED and lead.label.other is None and _is_whole(lead) for lead in leads]
        if any(whole):
            assumed += ["gain", "zero"]
        gain, zero = device.gain_adu_per_mv, device.zero_adu
        leads = [
            replace(lead, unit=MILLIVOLT, gain_adu_per_unit=gain, zero_adu=zero) if is_whole else lead
            for lead, is_whole in zip(leads, whole, strict=True)
        ]
    if started_at is not None and started_at.tzinfo is CLOCK_TIME and device.time_zone is not None:
        assumed.append("started_at")
        started_at = device.in_utc(started_at)
        if started_at is None:
            findings.append(Finding("S15", "its start is an hour that its device's clock skips or shows twice"))
    return replace(
        recording, leads=tuple(leads), started_at=started_at, findings=tuple(findings), assumed=tuple(assumed)
    )


def checked(recording: Recording) -> Recording:
    """The recording with everything odd about it among its findings, if it can be used.

    Raises:
        UnusableDataError: S05 (more leads than any ECG has), S06 (too much is missing), S07 (no usable sampling
            rate), S08 (shorter than 5 s), with what was found and what was expected.
    """
    cleaned, sentinels = without_sentinels(recording.leads)
    leads = tuple(_of_kind(lead, kind) for lead, kind in zip(cleaned, channel_kinds(cleaned), strict=True))
    for group, count in Counter(lead.group for lead in leads if can_be_judged(lead)).items():
        if count > MAX_LEADS:
            raise UnusableDataError("S05", f"{count:,} leads in group {group}, expected 1 to {MAX_LEADS}")
    if not any(can_be_judged(lead) for lead in leads):
        raise _unusable(leads)
    ecgs = [lead for lead in leads if lead.is_ecg]
    findings = [*recording.findings, *sentinels, *_missing(leads), *_uncalibrated(ecgs)]
    coarse = resolution_finding(ecgs)
    if coarse is not None:
        findings.append(coarse)
    return replace(recording, leads=leads, findings=tuple(sorted(set(findings))))


def can_be_judged(lead: Lead) -> bool:
    """Whether this is an ECG long enough to say something about; an averaged beat or a blood pressure is not."""
    low, high = RATE_RANGE_HZ
    return (
        lead.is_ecg
        and lead.unit in (MILLIVOLT, UNCALIBRATED)
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


def _fits_gain(recording: Recording, device: Device) -> bool:
    """A device with another number of leads is another device than the one that the declaration describes."""
    return not device.lead_names or len(device.lead_names) == len(recording.leads)


def _is_whole(lead: Lead) -> bool:
    x = lead.samples
    return x.dtype == np.int32 or bool((np.isnan(x) | (x == np.round(x))).all())


def _of_kind(lead: Lead, kind: ChannelKind) -> Lead:
    """The channel as an ECG, in stored units where its unit is none of voltage, or as another signal."""
    is_voltage = lead.unit in (MILLIVOLT, UNCALIBRATED)
    lead = replace(lead, is_ecg=kind.is_ecg, kind_reason=kind.reason)
    if not kind.is_ecg:
        name = NUMBERED.sub(r"signal_\1", lead.name)
        return replace(lead, name=name, unit=lead.unit if is_voltage else other_quantity(lead.unit) or "other")
    return lead if is_voltage else replace(lead, unit=UNCALIBRATED, gain_adu_per_unit=1.0, zero_adu=0.0)


def _unusable(leads: Sequence[Lead]) -> UnusableDataError:
    """Why no lead can be judged, said of the longest lead that could be an ECG."""
    low, high = RATE_RANGE_HZ
    ecgs = [lead for lead in leads if lead.is_ecg]
    if not ecgs:
        why = "; ".join(
            f"{count} as {reason}" for reason, count in Counter(x.kind_reason for x in leads).most_common(5)
        )
        return UnusableDataError("S03", f"none of {len(leads)} signals is an ECG: {why}")
    lead = max(ecgs, key=lambda lead: len(lead.samples))
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
        if missing is None or not lead.is_ecg:
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


def _uncalibrated(leads: Sequence[Lead]) -> Iterator[Finding]:
    count = sum(lead.unit == UNCALIBRATED for lead in leads)
    if count:
        yield Finding("S09", f"{count} of {len(leads)} leads have no known gain: kept in stored units")


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
