"""From recordings to judgements: leads cut into windows, measured in batches, judged, and summed up.

Belongs here: which samples are measured together, and what a lead and a recording are from their windows. Does not
belong here: measures (`vitalake/ecg/signals/measures.py`), rules (`vitalake/ecg/quality/rules.py`), the model
(`vitalake/ecg/quality/quality_model.py`), tables (`tabulate.py`).

A strip of up to 20 s is one window. A longer lead is cut into windows of 10 s, the last of 10 to 20 s, each with a
verdict of its own; the lead's measures are those of its windows, summed up as each measure declares. Up to a minute
the lead is judged by what was summed up, beyond by its windows: half a minute off does not spoil an hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vitalake.ecg.quality.model_features import learned_features
from vitalake.ecg.quality.quality_model import combine, combine_record, lead_probability, over_windows
from vitalake.ecg.quality.rules import Verdict, judge, judge_record, judge_windows
from vitalake.ecg.recording import RATE_ASSUMED, UNCALIBRATED, Lead, Recording, to_unit
from vitalake.ecg.signals.filters import Bands, FloatArray, bridge_gaps
from vitalake.ecg.signals.measures import measured, prepared, summarise
from vitalake.ecg.signals.peaks import Detection, detected, joined
from vitalake.ecg.structure import ONE_STRIP_S, can_be_judged, missing_of

WINDOW_S = 10.0
SUMMED_UP_S = 70.0  # a minute, and what is left of its last window

# A day of one lead in floating point, and its spectrum, would take gigabytes.
_BLOCK_S = 600.0
_MARGIN_S = 30.0

# Samples measured together: enough to amortise numpy's calls, few enough for the cache (36 strips of 3600: 1 MB an
# array). Eight times as many cost twice the time a strip.
_BATCH_SAMPLES = 2**17


@dataclass(frozen=True)
class AssessedWindow:
    """A stretch of a lead, in seconds from its first sample, with its verdict, model's probability and measures."""

    start_s: float
    duration_s: float
    verdict: Verdict
    poor_probability: float
    values: dict[str, float]


@dataclass(frozen=True)
class LeadAssessment:
    """What a lead is worth.

    Args:
        verdict: of rules and model together.
        rules_verdict: of the rules alone.
        poor_probability: the model's, that the lead cannot be used.
        values: every measure by name; NaN where it has no value.
        r_peaks: sample indices, ascending.
        windows: what it was judged in.
    """

    verdict: Verdict
    rules_verdict: Verdict
    poor_probability: float
    values: dict[str, float]
    r_peaks: npt.NDArray[np.int64]
    windows: tuple[AssessedWindow, ...]


@dataclass(frozen=True)
class Assessment:
    """What a recording is worth, and what the rules alone say; a lead that is no ECG, or too short, is None."""

    verdict: Verdict
    rules_verdict: Verdict
    leads: tuple[LeadAssessment | None, ...]


@dataclass(frozen=True)
class _LeadSpan:
    """Samples `start` to `stop` of a lead."""

    lead: Lead
    start: int
    stop: int

    @property
    def shape(self) -> tuple[float, int, bool]:
        """What stretches must share to be measured together."""
        return self.lead.sampling_rate_hz, self.stop - self.start, self.lead.unit != UNCALIBRATED

    def values(self) -> FloatArray:
        lead, here = self.lead, slice(self.start, self.stop)
        marked = None if lead.missing is None else lead.missing[here]
        missing = missing_of(lead.samples[here], marked)
        return to_unit(lead.samples[here], lead.zero_adu, lead.gain_adu_per_unit, missing)


def assess(recordings: Sequence[Recording]) -> list[Assessment]:
    """Judge recordings; those with the same sampling rate and length are measured together."""
    leads = [lead for recording in recordings for lead in recording.leads if can_be_judged(lead)]
    judged = iter(_assess_leads(leads))
    found = []
    for recording in recordings:
        mine = tuple(next(judged) if can_be_judged(lead) else None for lead in recording.leads)
        sound = [lead for lead in mine if lead is not None]
        rules = judge_record(
            [lead.rules_verdict for lead in sound], [lead.values["quality_index"] for lead in sound]
        )
        final = combine_record([lead.verdict for lead in sound], [lead.poor_probability for lead in sound])
        whole = Assessment(final, rules, mine)
        found.append(_doubted(whole) if recording.rate_is_guessed else whole)
    return found


def _doubted(found: Assessment) -> Assessment:
    """The same, and nothing of it better than marginal: rates, bands and beats may all be of another heart."""
    leads = [
        lead
        and replace(
            lead,
            verdict=_at_most_marginal(lead.verdict),
            rules_verdict=_at_most_marginal(lead.rules_verdict),
            windows=tuple(replace(each, verdict=_at_most_marginal(each.verdict)) for each in lead.windows),
        )
        for lead in found.leads
    ]
    return Assessment(_at_most_marginal(found.verdict), _at_most_marginal(found.rules_verdict), tuple(leads))


def _at_most_marginal(verdict: Verdict) -> Verdict:
    quality = "marginal" if verdict.verdict == "acceptable" else verdict.verdict
    return Verdict(quality, tuple(sorted({*verdict.reasons, RATE_ASSUMED})))


def _assess_leads(leads: Sequence[Lead]) -> list[LeadAssessment]:
    stretches = [list(_windows(lead)) for lead in leads]
    flat = [stretch for windows in stretches for stretch in windows]
    beats = [beats_of(lead) if len(windows) > 1 else None for lead, windows in zip(leads, stretches, strict=True)]
    known = [
        None if found is None else found.between(stretch.start, stretch.stop)
        for found, windows in zip(beats, stretches, strict=True)
        for stretch in windows
    ]
    values, poor, peaks = _measured(flat, known)
    rules = judge(values) if flat else []
    found = []
    first = 0
    for lead, whole_beats, mine in zip(leads, beats, stretches, strict=True):
        rows = slice(first, first + len(mine))
        first = rows.stop
        each = tuple(
            AssessedWindow(
                stretch.start / lead.sampling_rate_hz,
                (stretch.stop - stretch.start) / lead.sampling_rate_hz,
                combine(rules[row], float(poor[row]), float(values["quality_index"][row])),
                float(poor[row]),
                {name: float(column[row]) for name, column in values.items()},
            )
            for row, stretch in enumerate(mine, start=rows.start)
        )
        if whole_beats is None:
            (only,) = each
            judged = LeadAssessment(
                only.verdict, rules[rows.start], only.poor_probability, only.values, peaks[rows.start], each
            )
        else:
            whole = summarise({name: column[rows] for name, column in values.items()})
            probability = over_windows(poor[rows])
            if lead.duration_s <= SUMMED_UP_S:
                (verdict,) = judge({name: np.array([value]) for name, value in whole.items()})
                final = combine(verdict, probability, whole["quality_index"])
            else:
                verdict = judge_windows(rules[rows])
                final = judge_windows([window.verdict for window in each])
            judged = LeadAssessment(final, verdict, probability, whole, whole_beats.peaks, each)
        found.append(judged)
    return found


def beats_of(lead: Lead) -> Detection:
    """The beats of a lead of any length, ten minutes at a time; each block sees some of its neighbours."""
    rate, length = lead.sampling_rate_hz, len(lead.samples)
    core, margin = round(_BLOCK_S * rate), round(_MARGIN_S * rate)
    pieces = []
    for start in range(0, length, core):
        first = max(0, start - margin)
        block = _LeadSpan(lead, first, min(length, start + core + margin)).values()
        (here,) = detected(Bands(bridge_gaps(block[None, :]), rate))
        pieces.append(here.between(start - first, start - first + core).later(start))
    return joined(pieces, rate)


def _windows(lead: Lead) -> Iterator[_LeadSpan]:
    length = len(lead.samples)
    if lead.duration_s <= ONE_STRIP_S:
        yield _LeadSpan(lead, 0, length)
        return
    width = round(WINDOW_S * lead.sampling_rate_hz)
    starts = range(0, length - width + 1, width)
    for start in starts:
        yield _LeadSpan(lead, start, length if start == starts[-1] else start + width)


def _step(lead: Lead) -> float:
    """One stored unit in the lead's unit; 0 where fractions are stored, which have no step."""
    return 1.0 / abs(lead.gain_adu_per_unit) if lead.samples.dtype.kind == "i" else 0.0


def _measured(
    stretches: Sequence[_LeadSpan], known: Sequence[Detection | None]
) -> tuple[dict[str, FloatArray], FloatArray, list[npt.NDArray[np.int64]]]:
    """Measures by name and the model's probability, shape (stretches,) each, and the R peaks of each stretch.

    The beats of windows are `known`; those of a lead that is one strip are found with its measures.
    """
    groups: defaultdict[tuple[tuple[float, int, bool], bool], list[int]] = defaultdict(list)
    for row, stretch in enumerate(stretches):
        groups[stretch.shape, known[row] is None].append(row)
    values: dict[str, FloatArray] = {}
    poor = np.full(len(stretches), np.nan)
    peaks: list[npt.NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(stretches)
    for ((rate_hz, length, calibrated), _), rows in groups.items():
        size = max(1, _BATCH_SAMPLES // length)
        for batch in (rows[at : at + size] for at in range(0, len(rows), size)):
            steps = np.array([_step(stretches[row].lead) for row in batch])
            found = [each for row in batch if (each := known[row]) is not None]
            strips = prepared(np.stack([stretches[row].values() for row in batch]), rate_hz, steps, found or None)
            ours = measured(strips, calibrated=calibrated)
            for name, column in ours.values.items():
                values.setdefault(name, np.full(len(stretches), np.nan))[batch] = column
            poor[batch] = lead_probability({**learned_features(strips, calibrated=calibrated), **ours.values})
            for row, at in zip(batch, ours.r_peaks, strict=True):
                peaks[row] = at
    return values, poor, peaks
