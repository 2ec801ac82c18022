"""Recordings with labels, measured: what the quality model is trained and validated on.

Belongs here: reading the public sets and measuring them exactly as the product does. Does not belong here: fitting
(`fit.py`), validation (`__main__.py`).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io

from vitalake.ecg.quality.model_features import learned_features
from vitalake.ecg.signals import measures

FloatArray = npt.NDArray[np.float64]

BATCH = 240
UNLABELLED = -1


@dataclass(frozen=True)
class Source:
    """Strips of one set, measured. All arrays have shape (strips,).

    Args:
        columns: every measure and feature by name.
        record: which strips belong together.
        group: what must not be split between training and test: copies of a record, and what was cut from one,
            also across sets.
        bad: 1 bad, 0 good, -1 nobody says; of single-lead sets the label of the record.
        weight: in training.
    """

    columns: dict[str, FloatArray]
    record: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]
    bad: npt.NDArray[np.int64]
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.record)


def measured(x_mv: FloatArray, rate_hz: float, lsb_mv: float) -> dict[str, FloatArray]:
    """Every measure and feature of strips, shape (n, samples)."""
    parts = []
    for first in range(0, len(x_mv), BATCH):
        x = x_mv[first : first + BATCH]
        strips = measures.prepared(x, rate_hz, lsb_mv)
        parts.append(measures.measured(strips).values | learned_features(strips))
    return _joined(parts)


def cinc2011(data: Path) -> tuple[Source, dict[str, int]]:
    """Twelve-lead records at 500 Hz, and the label of each record: 1 unacceptable, 0 acceptable.

    Set-a holds records byte for byte several times: copies are one group. Overlaps and shared leads were looked
    for, too, by cross-correlation of all pairs: there are none. Which records are of one person nobody says.

    Some records have a label per lead: all unacceptable ones and three in ten of the others. Leads of the others
    count as good with a small weight: one in thirty of such leads is bad.
    """
    folder = data / "cinc2011"
    parts = [np.load(path) for path in sorted(folder.glob("seta_*_int16.npz"))]
    names = [str(name) for part in parts for name in part["record"]]
    labels = dict(zip(names, (str(label) for part in parts for label in part["label"]), strict=True))
    leads = [str(lead) for lead in parts[0]["leads"]]
    by_lead: dict[str, list[int]] = {}
    for path in sorted(folder.glob("lead_labels_*.csv")):
        with path.open() as lines:
            by_lead |= {row["record"]: [int(row[lead]) for lead in leads] for row in csv.DictReader(lines)}
    signal = np.concatenate([part["signal"] for part in parts])
    content = [hashlib.sha256(np.ascontiguousarray(each).tobytes()).hexdigest() for each in signal]
    first = dict(zip(reversed(content), reversed(names), strict=True))
    strips = signal.transpose(0, 2, 1).reshape(-1, signal.shape[1])
    columns = _joined(
        [measured(part / 200.0, 500.0, 0.005) for part in np.array_split(strips, max(1, len(strips) // BATCH))]
    )
    bad = np.concatenate([by_lead.get(name, [UNLABELLED] * len(leads)) for name in names])
    good_record = np.repeat([labels[name] == "acceptable" for name in names], len(leads))
    weight = np.where(bad >= 0, 1.0, np.where(good_record, 0.3, 0.0))
    group = np.repeat([first[digest] for digest in content], len(leads))
    records = {name: int(label == "unacceptable") for name, label in labels.items() if label != "unlabelled"}
    return Source(columns, np.repeat(names, len(leads)), group, bad, weight), records


def cinc2017(data: Path) -> Source:
    """Single-lead records at 300 Hz in the windows of the product; bad where the record is called noisy."""
    parts, records, bad, weight = [], [], [], []
    folder = data / "cinc2017" / "validation"
    for line in (folder / "REFERENCE.csv").read_text().split():
        name, label = line.split(",")[:2]
        x = scipy.io.loadmat(folder / f"{name}.mat")["val"].astype(np.float64) / 1000.0
        windows = list(_windows(x, 300))
        parts += [measured(window, 300.0, 0.001) for window in windows]
        records += [name] * len(windows)
        bad += [int(label == "~")] * len(windows)
        weight += [2.0 / len(windows)] * len(windows)
    record = np.array(records)
    return Source(_joined(parts), record, record, np.array(bad), np.array(weight))


def plawiak(data: Path) -> Source:
    """Fragments of 10 s at 360 Hz with 17 rhythms: all of them can be used. Grouped by record of MIT-BIH."""
    folder = data / "plawiak"
    with (folder / "fragments_truth.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    paths = [folder / "MLII" / row["class_folder"] / row["file"] for row in rows]
    x = np.concatenate([scipy.io.loadmat(path)["val"] for path in paths])
    record = np.array([f"{row['class_folder']}/{row['file']}" for row in rows])
    group = np.array([f"mitdb {row['record']}" for row in rows])
    columns = measured((x - 1024.0) / 200.0, 360.0, 0.005)
    return Source(columns, record, group, np.zeros(len(rows), dtype=np.int64), np.full(len(rows), 3.0))


def mitdb(data: Path) -> Source:
    """Windows of 10 s of half-hour records at 360 Hz that no annotation calls noisy; flutter is among them."""
    import wfdb

    parts, groups = [], []
    headers = [path for name in ("mitdb", "mitdb_more") for path in sorted((data / name).glob("*.hea"))]
    for header in headers:
        signal = wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T
        notes = wfdb.rdann(str(header.with_suffix("")), "atr")
        windows = signal[:, : signal.shape[1] // 3600 * 3600].reshape(2, -1, 3600)
        clean = np.ones(windows.shape[:2], dtype=bool)
        marks = zip(notes.sample, notes.symbol, notes.subtype, strict=True)
        changes = [(0, 0), *((int(at), int(state)) for at, symbol, state in marks if symbol == "~")]
        for (start, state), stop in zip(changes, [*(at for at, _ in changes[1:]), signal.shape[1]], strict=True):
            for lead in range(2):
                if state == -1 or state >> lead & 1 or state >> lead + 4 & 1:
                    clean[lead, start // 3600 : stop // 3600 + 1] = False
        parts.append(measured(windows[clean], 360.0, 0.005))
        groups += [f"mitdb {header.stem}"] * int(clean.sum())
    group = np.array(groups)
    return Source(_joined(parts), group, group, np.zeros(len(group), dtype=np.int64), np.full(len(group), 0.1))


def _windows(x: FloatArray, rate: int) -> Iterator[FloatArray]:
    samples = x.shape[1]
    starts = list(range(0, samples - 10 * rate + 1, 10 * rate)) if samples > 20 * rate else [0]
    for start in starts:
        yield x[:, start : samples if start == starts[-1] else start + 10 * rate]


def _joined(parts: list[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
