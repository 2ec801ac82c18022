"""Is this strip good enough to be analysed? Rules as data, and the verdict that follows from them.

Belongs here: thresholds, verdicts and their reasons. Does not belong here: how a measure is computed
(`vitalake/ecg/signals/measures.py`) or whether a file can be read at all (the structural checks of the readers).

A rhythm is never a reason to reject: an arrhythmia is what the recording was made for.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from vitalake.ecg.recording import RATE_ASSUMED
from vitalake.ecg.signals.filters import FloatArray

Quality = Literal["acceptable", "marginal", "unacceptable"]

QUALITIES: tuple[Quality, ...] = ("acceptable", "marginal", "unacceptable")

# A rejected lead that is flat, stuck or low takes its record with it: 12 leads without one of them are no 12 leads.
# A noisy one does not: the mean says how noisy all are. CinC 2011, half of set-a: 0.936 to 0.940 from 0.75 to 0.82.
FATAL = frozenset({"Q01", "Q02", "Q03", "Q17"})
RECORD_QUALITY = 0.78


# From here on the rate may be wrong: no rate, and no interval, is derived from such a stretch.
BEAT_DOUBT = 0.08


@dataclass(frozen=True)
class Verdict:
    """How good a strip or a record is, and the sorted ids of the rules that say so."""

    verdict: Quality
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class QualityRule:
    """One line of the rule table: a measure, and from which value on it warns or rejects.

    A warning makes a strip marginal, unless `marginal` is False: then only its id is kept among the reasons. A
    measure without a value (NaN) fires nothing.
    """

    id: str
    measure: str
    comparison: Literal["<", ">", ">="]
    warn: float | None
    reject: float | None
    words: str
    formula: str
    source: str
    marginal: bool = True

    def fires(self, values: FloatArray, threshold: float | None) -> npt.NDArray[np.bool_]:
        """Where the values, shape (n,), are beyond the threshold; nowhere if there is none."""
        if threshold is None:
            return np.zeros(len(values), dtype=np.bool_)
        compare = {"<": np.less, ">": np.greater, ">=": np.greater_equal}[self.comparison]
        return np.asarray(compare(values, threshold), dtype=np.bool_)


# fmt: off
RULES: tuple[QualityRule, ...] = (
    QualityRule("Q01", "flat_run_s", ">=", warn=0.2, reject=1.0, words="flat line",
         formula="longest run of abs(dx) ≤ 0.5 LSB, s", source="Hayn 2012, Clifford 2011"),
    QualityRule("Q02", "amplitude_mv", "<", warn=None, reject=0.1, words="amplitude too low",
         formula="upper quartile over 1-s windows of the peak-to-peak above 0.7 Hz, mV", source="CinC 2011"),
    QualityRule("Q03", "saturation_run_s", ">=", warn=None, reject=0.2, words="stuck at its limit",
         formula="longest run within 0.5 LSB of own maximum or minimum, s", source="Redmond 2012"),
    QualityRule("Q04", "max_abs_mv", ">", warn=None, reject=10.0, words="beyond ±10 mV",
         formula="max abs(x - median(x)), mV", source="range of a surface ECG"),
    QualityRule("Q05", "step_max_mv", ">", warn=3.0, reject=None, words="spikes",
         formula="max abs(dx), mV per sample", source="Hayn 2012", marginal=False),
    QualityRule("Q06", "wander_mv", ">", warn=2.0, reject=None, words="baseline wander",
         formula="peak-to-peak below 0.5 Hz, mV", source="Zhao & Zhang 2018"),
    QualityRule("Q06", "wander_share", ">", warn=0.6, reject=None, words="baseline wander",
         formula="P(0–1 Hz) / P(0–40 Hz)", source="Zhao & Zhang 2018, Behar 2013"),
    QualityRule("Q07", "mains_share", ">", warn=0.05, reject=None, words="mains hum",
         formula="max(P(49–51 Hz), P(59–61 Hz)) / P(1 Hz–Nyquist)", source="IEC 60038"),
    QualityRule("Q08", "muscle_share", ">", warn=0.2, reject=None, words="muscle noise",
         formula="P(40–100 Hz) / P(1–100 Hz)", source="Li 2014"),
    QualityRule("Q09", "kurtosis", "<", warn=4.0, reject=None, words="no sharp peaks",
         formula="Pearson's kurtosis above 0.7 Hz", source="Li 2008"),
    QualityRule("Q10", "qrs_share", "<", warn=0.4, reject=None, words="unusual QRS band",
         formula="P(5–15 Hz) / P(5–40 Hz)", source="Zhao & Zhang 2018", marginal=False),
    QualityRule("Q10", "qrs_share", ">", warn=0.98, reject=None, words="unusual QRS band",
         formula="P(5–15 Hz) / P(5–40 Hz)", source="Zhao & Zhang 2018", marginal=False),
    QualityRule("Q14", "quality_index", "<", warn=0.77, reject=0.68, words="beats drowned in noise",
         formula="0.2·max(c, 0) + 0.5·max(d, 0) + 0.2·a + 0.1·r/(1 + r): c (Q12) mean correlation of the beats "
                 "with the median beat, d with the two most alike, a (Q13) agreement of two detectors, r (Q11) "
                 "P(1–40 Hz) / rest",
         source="Orphanidou 2015, Li 2008"),
    QualityRule("Q15", "beat_rate_bpm", "<", warn=24.0, reject=None, words="rate or gap implausible",
         formula="60 / mean RR, 1/min", source="Orphanidou 2015", marginal=False),
    QualityRule("Q15", "beat_rate_bpm", ">", warn=300.0, reject=None, words="rate or gap implausible",
         formula="60 / mean RR, 1/min", source="Orphanidou 2015", marginal=False),
    QualityRule("Q15", "beat_gap_s", ">", warn=3.0, reject=None, words="rate or gap implausible",
         formula="longest time without a beat, s", source="Orphanidou 2015", marginal=False),
    QualityRule("Q16", "beat_doubt", ">", warn=BEAT_DOUBT, reject=None, words="beats uncertain",
         formula="expected wrong decisions of the detector over the beats found", source="own"),
    QualityRule("Q17", "flat_share", ">=", warn=None, reject=0.5, words="lead off",
         formula="share of the strip in flat runs of at least 0.2 s", source="Hayn 2012"),
    QualityRule("Q17", "amplitude_max_mv", "<", warn=None, reject=0.1, words="lead off",
         formula="largest peak-to-peak above 0.7 Hz of any 1-s window, mV", source="CinC 2011"),
    QualityRule("Q18", "amplitude_mv", "<", warn=0.3, reject=None, words="low voltage",
         formula="upper quartile over 1-s windows of the peak-to-peak above 0.7 Hz, mV",
         source="own: one noisy record of 15 in half of CinC 2017"),
    QualityRule("S06", "missing_share", ">", warn=None, reject=0.05, words="samples missing",
         formula="share of the samples without a value", source="as for a whole strip"),
    QualityRule("S11", "peak_to_peak_mv", "<", warn=None, reject=0.1, words="gain in doubt",
         formula="upper quartile of the 1-s peak-to-peak, mV", source="range of a surface ECG"),
    QualityRule("S11", "peak_to_peak_mv", ">", warn=10.0, reject=None, words="gain in doubt",
         formula="upper quartile of the 1-s peak-to-peak, mV", source="range of a surface ECG", marginal=False),
    QualityRule("S11", "offset_mv", ">=", warn=5.0, reject=None, words="gain in doubt",
         formula="abs(median(x)), mV", source="range of a surface ECG", marginal=False),
)
# fmt: on

# A digest of the table: whatever changes a verdict or its reading changes the version with it.
RULES_VERSION = hashlib.sha256(json.dumps([astuple(rule) for rule in RULES]).encode()).hexdigest()[:8]


def judge(measures: Mapping[str, FloatArray]) -> list[Verdict]:
    """One verdict per strip from the columns that `measure` returned.

    Any rejecting rule makes it `unacceptable`, else any warning `marginal`, else it is `acceptable`.

    Raises:
        KeyError: the column of a rule is missing.
    """
    count = len(measures[RULES[0].measure])
    severity = np.zeros(count, dtype=np.intp)
    reasons: list[set[str]] = [set() for _ in range(count)]
    for rule in RULES:
        values = measures[rule.measure]
        warned, rejected = rule.fires(values, rule.warn), rule.fires(values, rule.reject)
        severity = np.maximum(severity, np.where(rejected, 2, warned & rule.marginal))
        for row in np.flatnonzero(warned | rejected):
            reasons[row].add(rule.id)
    return [Verdict(QUALITIES[s], tuple(sorted(r))) for s, r in zip(severity, reasons, strict=True)]


def judge_windows(windows: Sequence[Verdict]) -> Verdict:
    """The verdict on a long lead from those on its windows, with the reasons of at least a tenth of them.

    `unacceptable` when half of the windows are, `marginal` when more than a tenth are not `acceptable`.

    Raises:
        ValueError: there is no window.
    """
    if not windows:
        raise ValueError("a lead without windows cannot be judged")
    share = {quality: sum(each.verdict == quality for each in windows) / len(windows) for quality in QUALITIES}
    counts = Counter(reason for each in windows for reason in each.reasons)
    reasons = tuple(sorted(reason for reason, count in counts.items() if count >= 0.1 * len(windows)))
    if share["unacceptable"] >= 0.5:
        return Verdict("unacceptable", reasons)
    return Verdict("marginal" if share["acceptable"] < 0.9 else "acceptable", reasons)


def judge_record(leads: Sequence[Verdict], quality_index: Sequence[float]) -> Verdict:
    """The verdict on a record from those on its leads and their quality indices, with all their reasons.

    `unacceptable` when a lead is flat, off, stuck or low, when the mean quality index is below 0.78, or when no
    lead is left; else `marginal` when any lead is not `acceptable`.

    Args:
        leads: one verdict per lead.
        quality_index: Q of each lead (`quality_index` of `vitalake/ecg/signals/measures.py`); NaN counts as 0.

    Raises:
        ValueError: there is no lead, or not one index per lead.
    """
    if len(leads) != len(quality_index):
        raise ValueError(f"{len(leads)} leads, but {len(quality_index)} quality indices")
    mean = float(np.nan_to_num(quality_index).mean()) if leads else 0.0
    return record_verdict(leads, lost=lost_by_lead(leads) or mean < RECORD_QUALITY)


def lost_by_lead(leads: Sequence[Verdict]) -> bool:
    """Whether a record is lost by its leads alone: one is rejected as flat, off, stuck or low, or every one is."""
    rejected = [lead for lead in leads if lead.verdict == "unacceptable"]
    return len(rejected) == len(leads) or any(not FATAL.isdisjoint(lead.reasons) for lead in rejected)


def record_verdict(leads: Sequence[Verdict], *, lost: bool) -> Verdict:
    """`unacceptable` if lost, else `marginal` when any lead is not `acceptable`; with the reasons of all leads.

    Raises:
        ValueError: there is no lead.
    """
    if not leads:
        raise ValueError("a record without leads cannot be judged")
    sound = all(lead.verdict == "acceptable" for lead in leads)
    verdict: Quality = "unacceptable" if lost else "acceptable" if sound else "marginal"
    return Verdict(verdict, tuple(sorted({reason for lead in leads for reason in lead.reasons})))


def in_words(reasons: Iterable[str]) -> str:
    """Rule ids as a person says them: ``("Q01", "Q03")`` -> ``"flat line, stuck at its limit"``.

    A lead that is off needs no further explanation; an id that no rule has stays as it is.
    """
    words = {RATE_ASSUMED: "sampling rate assumed", **{rule.id: rule.words for rule in RULES}}
    ids = set(reasons)
    return words["Q17"] if "Q17" in ids else ", ".join(words.get(name, name) for name in sorted(ids))
