"""One day of scans read in a process of its own, which says how much memory it needed.

Belongs here: the process, and starting it. Does not belong here: what it reads (`benchmarks/records.py`).

It imports what a run imports for the work, and none of the libraries that other benchmarks bring along.

    python -m benchmarks.records_memory DAY    (pickled settings on standard input)
"""

from __future__ import annotations

import json
import pickle
import resource
import subprocess
import sys
from datetime import date

from resources.build import build_resources
from resources.settings import Settings
from vitalake.datasets.retina import RETINA
from vitalake.stages import list_objects, read_objects


def read_apart(settings: Settings, day: str) -> tuple[float, int]:
    """The most MB that reading this day needs at once, and its rows.

    Linux lets a process begin with the most that its parent has needed, so whoever calls this must be small yet.
    """
    argv = [sys.executable, "-m", "benchmarks.records_memory", day]
    done = subprocess.run(argv, input=pickle.dumps(settings), stdout=subprocess.PIPE, check=True)
    peak_mb, rows = json.loads(done.stdout)
    return peak_mb, rows


def _read(settings: Settings, day: str) -> tuple[float, int]:
    having = build_resources(settings)
    raw, lake = having["raw"], having["lake"]
    list_objects(RETINA, raw, lake, day, date(2015, 1, 1), _quiet)
    report = read_objects(RETINA, raw, lake, day, having["pseudonyms"], _quiet, _quiet)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kib * 1024 / 1e6, report.rows[RETINA.tables[0].name]


def _quiet(*_: object) -> None:
    pass


if __name__ == "__main__":
    print(json.dumps(_read(pickle.load(sys.stdin.buffer), sys.argv[1])))  # noqa: S301 - from our own parent
