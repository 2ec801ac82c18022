"""The annotated data sets, from a folder of public recordings to cases.

Belongs here: where a data set keeps signals and references, and what its files do not say. Does not belong here:
how the product reads files: a reference reader (scipy, wfdb) opens them, so that a mistake of ours shows.

The folder and its layout are those of the tests: `VITALAKE_TEST_DATA`, else `../shared/data` beside the repository.
"""

from __future__ import annotations

import csv
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.io

from benchmarks.quality.cases import Case, IntArray
from benchmarks.quality.hearts import stored, sweep
from vitalake.ecg.recording import MILLIVOLT, Lead, Recording

# Annotation codes that mark a beat; PhysioNet, "WFDB annotation codes". "!" is a flutter wave and marks none.
BEAT_CODES = frozenset("NLRBAaJSVrFejnE/fQ?")
PLAWIAK_HZ, PLAWIAK_GAIN, PLAWIAK_ZERO = 360.0, 200.0, 1024.0  # Plawiak 2017: nothing of it is in the files
CINC2011_GAIN = 200.0  # Silva et al. 2011, CinC 38:273: 5 µV a unit
CINC2017_HZ, CINC2017_GAIN = 300.0, 1000.0  # Clifford et al. 2017, CinC 44: in the headers of the challenge
CPSC2019_HZ = 500.0  # Gao et al. 2019, CPSC
HEARTS_SEED = 1  # the weights of the detector were fitted on seed 0
FLUTTER = "VFL"


class MissingError(Exception):
    """A data set is not there, or needs a package that is not; the message says which."""


def data_folder() -> Path:
    """Folder of the recordings; it need not exist."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("VITALAKE_TEST_DATA", beside))


def cinc2011(folder: Path) -> list[Case]:
    """PhysioNet/CinC challenge 2011: 12 leads of 10 s, judged as records and, by later annotators, lead by lead."""
    bad = {row["record"]: row for path in _files(folder, "*lead_labels*.csv", 0) for row in _rows(path)}
    cases = []
    for path in _files(folder, "*.npz"):
        with np.load(path) as archive:
            names = [str(name) for name in archive["leads"]]
            rate = float(archive["fs"])
            for signal, record, label in zip(archive["signal"], archive["record"], archive["label"], strict=True):
                labels = bad.get(str(record))
                leads = [_lead(name, x, rate, CINC2011_GAIN) for name, x in zip(names, signal.T, strict=True)]
                cases.append(
                    Case(
                        name=str(record),
                        recording=Recording(tuple(leads), "npz"),
                        truth=str(label),
                        bad_leads=tuple(labels[name] == "1" for name in names) if labels else None,
                    )
                )
    return cases


def cinc2017(folder: Path) -> list[Case]:
    """PhysioNet/CinC challenge 2017: one lead of 9 to 61 s; ``~`` is too noisy to classify."""
    cases = []
    for reference in _files(folder, "**/REFERENCE*.csv"):
        for record, label in csv.reader(reference.read_text().splitlines()):
            path = reference.with_name(f"{record}.mat")
            x = _variable(path)
            if x is not None:
                lead = _lead("I", x, CINC2017_HZ, CINC2017_GAIN)
                cases.append(Case(record, Recording((lead,), "matlab_v4"), truth=label, file=path))
    return cases


def plawiak(folder: Path) -> list[Case]:
    """Plawiak's 10-s fragments of MIT-BIH with the beats that MIT-BIH annotates in them."""
    paths = {(path.parent.name, path.name): path for path in sorted(folder.glob("**/*.mat"))}
    cases = []
    for table in _files(folder, "*truth*.csv"):
        for row in _rows(table):
            path = paths.get((row["class_folder"], row["file"]))
            x = _variable(path) if path else None
            if x is None:
                continue
            beats = [int(sample) for sample in row["beat_samples"].split()]
            marks = list(zip(beats, row["beat_symbols"], strict=True))
            symbols = {symbol for _, symbol in marks}
            lead = _lead(row["lead"], x, PLAWIAK_HZ, PLAWIAK_GAIN, PLAWIAK_ZERO)
            cases.append(
                Case(
                    name=f"{row['class_folder']}/{row['file']}",
                    recording=Recording((lead,), "matlab_v4"),
                    truth=row["class_folder"].rpartition(" ")[2],
                    beats=np.array([sample for sample, symbol in marks if symbol in BEAT_CODES], dtype=np.int64),
                    calm=row["noisy_annotated"] == "0" and len(symbols) == 1 and symbols <= BEAT_CODES,
                    file=path,
                )
            )
    return cases


def mitdb(folder: Path) -> list[Case]:
    """MIT-BIH arrhythmia database: the first lead of each half-hour record that has reference beats."""
    try:
        wfdb = importlib.import_module("wfdb")
    except ImportError as error:
        raise MissingError("the package wfdb is not installed") from error
    cases = []
    more = folder.with_name("mitdb_more")  # where the set came in two folders
    for header in [*_files(folder, "*.hea"), *_files(more, "*.hea", 0)]:
        if not header.with_suffix(".atr").exists():
            continue
        record = wfdb.rdrecord(str(header.with_suffix("")), channels=[0], physical=False)
        marks = wfdb.rdann(str(header.with_suffix("")), "atr")
        symbols = np.array(marks.symbol)
        samples: IntArray = np.asarray(marks.sample, dtype=np.int64)
        gain, zero = float(record.adc_gain[0]), float(record.baseline[0])
        lead = _lead(record.sig_name[0], record.d_signal[:, 0], float(record.fs), gain, zero)
        first, last = samples[symbols == "["], samples[symbols == "]"]
        cases.append(
            Case(
                name=header.stem,
                recording=Recording((lead,), "wfdb"),
                truth="",
                beats=samples[np.isin(symbols, list(BEAT_CODES))],
                excluded=tuple((int(a), int(b)) for a, b in zip(first, last, strict=False)),
            )
        )
    return cases


def cpsc2019(folder: Path) -> list[Case]:
    """CPSC 2019: one lead of 10 s at 500 Hz from patients with abnormal rhythms, R peaks marked by hand."""
    folder = folder.parent / "cinc2021_cpsc" / "cpsc2019"
    cases = []
    for reference in _files(folder / "ref", "R_*.mat"):
        path = folder / "data" / reference.name.replace("R_", "data_")
        if path.exists():
            x = np.asarray(scipy.io.loadmat(path)["ecg"], dtype=np.float64).ravel()
            beats = np.sort(scipy.io.loadmat(reference)["R_peak"].ravel().astype(np.int64))
            lead = Lead("", x, CPSC2019_HZ, 1.0, 0.0, MILLIVOLT)
            cases.append(Case(path.stem, Recording((lead,), "matlab_v5"), truth="", beats=beats))
    return cases


def hearts(_: Path) -> list[Case]:
    """Generated hearts without noise: their beats are known to the sample."""
    return [
        Case(
            f"{heart.family}, {heart.name}",
            Recording((stored(heart),), "generated"),
            truth="",
            beats=heart.beats,
        )
        for heart in sweep(HEARTS_SEED)
        if heart.ratio_db is None
    ]


SOURCES: dict[str, Callable[[Path], list[Case]]] = {
    function.__name__: function for function in (cinc2011, cinc2017, plawiak, mitdb, cpsc2019, hearts)
}


def load(name: str, folder: Path) -> list[Case]:
    """The cases of one data set, in the order of its reference.

    Raises:
        MissingError: it is not there, or not readable without a package that is not there.
    """
    cases = SOURCES[name](folder / name)
    if not cases:
        raise MissingError("its reference names no recording that is here")
    return cases


def _files(folder: Path, pattern: str, at_least: int = 1) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if len(found) < at_least:
        raise MissingError(f"no {pattern} in {folder.name}/")
    return found


def _rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="") as lines:
        yield from csv.DictReader(lines)


def _variable(path: Path) -> IntArray | None:
    """The samples in a challenge's ``val``, shape (samples,); None, said on stderr, where there are none."""
    try:
        x: IntArray = np.asarray(scipy.io.loadmat(path)["val"][0], dtype=np.int64)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        print(f"left out {path.name}: {type(error).__name__}", file=sys.stderr)
        return None
    return x


def _lead(name: str, stored: IntArray, rate: float, gain: float, zero: float = 0.0) -> Lead:
    samples = np.ascontiguousarray(stored, dtype=np.int32)
    return Lead(name, samples, rate, gain, zero, MILLIVOLT)
