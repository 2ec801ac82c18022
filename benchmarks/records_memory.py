"""One day of records read in a process of its own, which says how much memory and time it needed.

Belongs here: the process, and starting it. Does not belong here: what it reads (`benchmarks/records.py`).

It imports what a run imports for the work, and none of the libraries that other benchmarks bring along.

    python -m benchmarks.records_memory DATASET DAY    (pickled settings on standard input)
"""

from __future__ import annotations

import json
import pickle
import resource
import subprocess
import sys
import time
from datetime import date

from resources.build import build_resources
from resources.settings import Settings
from vitalake.datasets.declared import DATASETS
from vitalake.lake.dataset import Dataset
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import list_objects


def read_apart(settings: Settings, dataset: Dataset, day: str) -> tuple[float, int, float]:
    """The most MB that reading this day needs at once, its rows, and the seconds that its stage of reading takes.

    Linux lets a process begin with the most that its parent has needed, so whoever calls this must be small yet.
    """
    argv = [sys.executable, "-m", "benchmarks.records_memory", dataset.name, day]
    done = subprocess.run(argv, input=pickle.dumps(settings), stdout=subprocess.PIPE, check=True)
    peak_mb, rows, seconds = json.loads(done.stdout)
    return peak_mb, rows, seconds


def _read(settings: Settings, name: str, day: str) -> tuple[float, int, float]:
    [dataset] = [each for each in DATASETS if each.name == name]
    having = build_resources(settings)
    raw, lake = having.raw, having.lake
    list_objects(dataset, raw, lake, day, date(2015, 1, 1), _quiet)
    begin = time.perf_counter()
    report = read_objects(dataset, raw, lake, day, having.pseudonyms, _quiet, _quiet)
    seconds = time.perf_counter() - begin
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kib * 1024 / 1e6, report.rows[dataset.tables[0].name], seconds


def _quiet(*_: object) -> None:
    pass


if __name__ == "__main__":
    print(json.dumps(_read(pickle.load(sys.stdin.buffer), *sys.argv[1:])))  # noqa: S301 - from our own parent
