"""What the whole system costs while nothing happens: CPU of all its processes, beside Dagster alone.

Starts the system with an empty lake in a folder of its own, lets it settle, and adds up what its processes use;
then `dagster dev` with an empty code location, which has no sensor to ask.

    python -m benchmarks.idle [--seconds 60]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figures import line, options, report
from benchmarks.restart import dagster_dev
from cli.services.local_system import local_system

_SETTLE_S = 25.0


def main() -> int:
    """Measure."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as home, local_system(Path(home), print):
        ours = _percent(os.getpid(), seconds)
    with tempfile.TemporaryDirectory() as bare, dagster_dev(Path(bare)) as (dev, _):
        alone = _percent(dev.process.pid, seconds)
    found = {"idle": ours, "idle_dagster_dev_alone": alone}
    return report(line(name, percent, "% of a core") for name, percent in found.items())


def _percent(pid: int, seconds: float) -> float:
    time.sleep(_SETTLE_S)
    before = _cpu(pid)
    time.sleep(seconds)
    after = _cpu(pid)
    return 100 * sum(spent - before.get(each, 0.0) for each, spent in after.items()) / seconds


def _cpu(pid: int) -> dict[int, float]:
    """CPU seconds of a process and of all that it started, by their ids; of those that have ended, too."""
    found = {}
    for process in (root := psutil.Process(pid), *root.children(recursive=True)):
        try:
            found[process.pid] = sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
