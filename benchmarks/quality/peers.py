"""Other programs that find R peaks or judge quality, behind one interface.

Belongs here: how each is called, as its own documentation does, with its own defaults. Does not belong here: what
is compared (`figures.py`). They come with the extra `bench`; each is imported when it is first asked.

BioSPPy 2.2.4 imports peakutils without declaring it, and its ``ZZ2018`` needs scipy.integrate.trapz, which scipy
removed in 1.14: its quality is that of ``quality_ecg``. NeuroKit2's ``ecg_quality`` raises on flat leads.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quality.cases import Case, IntArray, Judged
from vitalake.ecg.quality.rules import QUALITIES, Quality
from vitalake.ecg.signals.filters import FloatArray

NEUROKIT: dict[str, Quality] = {
    "Excellent": "acceptable",
    "Barely acceptable": "marginal",
    "Unacceptable": "unacceptable",
}
BIOSPPY: dict[float, Quality] = {1.0: "acceptable", 0.5: "marginal", 0.0: "unacceptable"}


@dataclass(frozen=True)
class Peer:
    """One program.

    Args:
        name: as its authors spell it.
        modules: to be imported before it can be called.
        detect: sample indices of the R peaks of a strip in mV, shape (samples,), at a sampling rate in Hz.
        quality: verdict on such a strip; None where the program has none to give.
    """

    name: str
    modules: tuple[str, ...]
    detect: Callable[[FloatArray, float], Any]
    quality: Callable[[FloatArray, float], Quality] | None = None

    def missing(self) -> str | None:
        """Why it cannot be asked, or None."""
        try:
            for module in self.modules:
                importlib.import_module(module)
        except ImportError as error:
            return f"not installed ({error.name})" if error.name else "not installed"
        return None


@dataclass(frozen=True)
class Answers:
    """What a peer says about some cases, and on how many strips it raised."""

    judged: list[Judged]
    failed: int


def detect(peer: Peer, cases: Sequence[Case]) -> Answers:
    """R peaks of each first lead. A strip on which the program raises has none."""
    judged, failed = [], 0
    for case in cases:
        found, raised = _try(peer.detect, case, 0)
        peaks: IntArray = np.unique(np.asarray([] if raised else found, dtype=np.float64)).astype(np.int64)
        judged.append(Judged(r_peaks=(peaks,)))
        failed += raised
    return Answers(judged, failed)


def judge(peer: Peer, cases: Sequence[Case]) -> Answers:
    """Verdicts on each lead, and on the record that of its worst lead, since no peer judges records.

    A lead on which the program raises counts as unacceptable, which is the kind reading: its user learns as much.
    """
    if peer.quality is None:
        return Answers([Judged()] * len(cases), 0)
    judged, failed = [], 0
    for case in cases:
        leads: list[Quality] = []
        for number in range(len(case.recording.leads)):
            verdict, raised = _try(peer.quality, case, number)
            leads.append("unacceptable" if raised else verdict)
            failed += raised
        judged.append(Judged(max(leads, key=QUALITIES.index), tuple(leads)))
    return Answers(judged, failed)


def _try(function: Callable[[FloatArray, float], Any], case: Case, number: int) -> tuple[Any, bool]:
    """The answer and False, or None and True where the program raised whatever it raised."""
    lead = case.recording.leads[number]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return function(lead.values(), lead.sampling_rate_hz), False
    except Exception:  # other people's code on bad data: anything can come
        return None, True


def _neurokit_peaks(x_mv: FloatArray, rate: float) -> Any:
    nk = importlib.import_module("neurokit2")
    return nk.ecg_peaks(nk.ecg_clean(x_mv, sampling_rate=rate), sampling_rate=rate)[1]["ECG_R_Peaks"]


def _neurokit_quality(x_mv: FloatArray, rate: float) -> Quality:
    nk = importlib.import_module("neurokit2")
    clean = nk.ecg_clean(x_mv, sampling_rate=rate)
    return NEUROKIT[nk.ecg_quality(clean, sampling_rate=rate, method="zhao2018")]


def _biosppy_peaks(x_mv: FloatArray, rate: float) -> Any:
    return importlib.import_module("biosppy.signals.ecg").hamilton_segmenter(x_mv, rate)["rpeaks"]


def _biosppy_quality(x_mv: FloatArray, rate: float) -> Quality:
    quality = importlib.import_module("biosppy.quality").quality_ecg
    return BIOSPPY[float(quality(x_mv, methods=["Level3"], sampling_rate=rate, verbose=0)[0])]


def _xqrs_peaks(x_mv: FloatArray, rate: float) -> Any:
    detector = importlib.import_module("wfdb.processing").XQRS(x_mv, rate)
    detector.detect(verbose=False)
    return detector.qrs_inds


def _sleepecg_peaks(x_mv: FloatArray, rate: float) -> Any:
    return importlib.import_module("sleepecg").detect_heartbeats(x_mv, rate)


PEERS = (
    Peer("NeuroKit2", ("neurokit2",), _neurokit_peaks, _neurokit_quality),
    Peer("BioSPPy", ("biosppy.signals.ecg", "biosppy.quality"), _biosppy_peaks, _biosppy_quality),
    Peer("XQRS", ("wfdb.processing",), _xqrs_peaks),
    Peer("sleepecg", ("sleepecg",), _sleepecg_peaks),
)
PACKAGES = ("neurokit2", "biosppy", "wfdb", "sleepecg")
