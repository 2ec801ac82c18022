"""Is this strip good enough to be analysed? Rules as data, and the verdict that follows from them.

Belongs here: thresholds, verdicts and their reasons. Does not belong here: how a measure is computed
(`measures.py`) or whether a file can be read at all (the structural checks of the readers).

A rhythm is never a reason to reject: an arrhythmia is what the recording was made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from vitalake.ecg.filters import FloatArray, bridge_gaps
from vitalake.ecg.measures import MEASURES, Strips

Quality = Literal["acceptable", "marginal", "unacceptable"]

QUALITIES: tuple[Quality, ...] = ("acceptable", "marginal", "unacceptable")

RULES_VERSION = "1"


@dataclass(frozen=True)
class Verdict:
    """How good a strip or a record is, and the sorted ids of the rules that say so."""

    verdict: Quality
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
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
RULES: tuple[Rule, ...] = (
    Rule("Q01", "flat_run_s", ">=", warn=0.2, reject=1.0, words="flat line",
         formula="longest run of abs(dx) ≤ 0.5 LSB, s", source="Hayn 2012, Clifford 2011"),
    Rule("Q02", "amplitude_mv", "<", warn=None, reject=0.1, words="amplitude too low",
         formula="median over 1-s windows of the peak-to-peak above 0.7 Hz, mV", source="CinC 2011"),
    Rule("Q03", "saturation_run_s", ">=", warn=None, reject=0.2, words="stuck at its limit",
         formula="longest run within 0.5 LSB of own maximum or minimum, s", source="Redmond 2012"),
    Rule("Q04", "max_abs_mv", ">", warn=None, reject=10.0, words="beyond ±10 mV",
         formula="max abs(x), mV", source="range of a surface ECG"),
    # Q05 to Q16 (steps, wander, mains, muscle noise, beat agreement, rate) take their place here.
    Rule("Q17", "flat_share", ">=", warn=None, reject=0.5, words="lead off",
         formula="share of the strip in flat runs of at least 0.2 s", source="Hayn 2012"),
    Rule("Q17", "amplitude_max_mv", "<", warn=None, reject=0.1, words="lead off",
         formula="largest peak-to-peak above 0.7 Hz of any 1-s window, mV", source="CinC 2011"),
    Rule("S11", "peak_to_peak_mv", "<", warn=None, reject=0.1, words="gain in doubt",
         formula="median 1-s peak-to-peak, mV", source="range of a surface ECG"),
    Rule("S11", "peak_to_peak_mv", ">", warn=10.0, reject=None, words="gain in doubt",
         formula="median 1-s peak-to-peak, mV", source="range of a surface ECG", marginal=False),
    Rule("S11", "offset_mv", ">=", warn=5.0, reject=None, words="gain in doubt",
         formula="abs(median(x)), mV", source="range of a surface ECG", marginal=False),
)
# fmt: on


def measure(x_mv: npt.ArrayLike, sampling_rate_hz: float, lsb_mv: float | npt.ArrayLike) -> dict[str, FloatArray]:
    """Every measure of a batch of strips: column name -> one value per strip, shape (n,).

    Args:
        x_mv: strips in mV, shape (n, samples). NaN is bridged by a straight line first; a strip without any
            finite sample, or without any sample, is measured as a flat line.
        sampling_rate_hz: samples a second, the same for all strips.
        lsb_mv: millivolts of one stored unit, for all strips or one per strip; 0 where unknown.

    Raises:
        ValueError: the array does not have two dimensions.
    """
    x = bridge_gaps(x_mv)
    if x.shape[1] == 0:
        x = np.zeros((len(x), 1))
    step = np.broadcast_to(np.asarray(lsb_mv, dtype=np.float64), len(x))[:, None]
    strips = Strips(x, sampling_rate_hz, step)
    return {name: function(strips) for name, function in MEASURES.items()}


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


def judge_record(leads: Sequence[Verdict]) -> Verdict:
    """The verdict on a record from those on its leads: the worst of them, with all their reasons.

    Raises:
        ValueError: there is no lead.
    """
    if not leads:
        raise ValueError("a record without leads cannot be judged")
    worst = max((lead.verdict for lead in leads), key=QUALITIES.index)
    return Verdict(worst, tuple(sorted({reason for lead in leads for reason in lead.reasons})))


def in_words(reasons: Iterable[str]) -> str:
    """Rule ids as a person says them: ``("Q01", "Q03")`` -> ``"flat line, stuck at its limit"``.

    A lead that is off needs no further explanation; an id that no rule has stays as it is.
    """
    words = {rule.id: rule.words for rule in RULES}
    ids = set(reasons)
    return words["Q17"] if "Q17" in ids else ", ".join(words.get(name, name) for name in sorted(ids))
