"""CPU per 10-s strip from bytes to rows: parse, every measure and verdict, R peaks, Parquet.

The same bytes are parsed by scipy's reader in the same run, for comparison of the parsing alone. `--profile` shows
instead where the CPU of a whole build goes, from listed objects to committed Parquet (`benchmarks/steps.py`).

python -m benchmarks.strips [--profile]
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import datetime, timezone

import numpy as np
import scipy.io

from benchmarks.figures import line, options, report
from benchmarks.steps import FOURIER, steps_ms
from cli.demo.recordings import matlab_v4, stored, strip_mv
from vitalake.datasets.ecg import ECG
from vitalake.lake import parquet
from vitalake.lake.contents import RawObject
from vitalake.pseudonyms import Pseudonyms

STRIPS = 1000
TARGET_MS = 1.5


def main() -> None:
    """The figures, or the profile."""
    arguments = options(__doc__)
    arguments.add_argument("--profile", action="store_true", help=f"of a build of {STRIPS:,} recordings")
    if arguments.parse_args().profile:
        _profile()
    else:
        _figures()


def _profile() -> None:
    """Steps in the order of the work; those that are in no other add up to the total."""
    found, unprofiled = steps_ms(STRIPS)
    rows = {step: round(ms, 3) for step, ms in found.items()}
    total = round(sum(ms for step, ms in rows.items() if step != FOURIER), 3)
    for step, ms in (*rows.items(), ("all together", total), ("… without the profile", round(unprofiled, 3))):
        report([line(f"strip_profile: {step}", ms, "ms CPU a recording")])


def _figures() -> None:
    """Best of three for each step, over the same thousand strips."""
    rng = np.random.default_rng(1)
    now = datetime.now(timezone.utc)
    files = [matlab_v4(stored(strip_mv("clean", rng))) for _ in range(STRIPS)]
    objects = [RawObject(f"ecg/{n}.mat", str(n), len(data), now, data) for n, data in enumerate(files)]
    pseudonyms = Pseudonyms(bytes(32))
    parsed = [value for item in objects for piece in ECG.parse([item], pseudonyms) for value in piece.values]
    tables = ECG.tabulate(parsed).tables
    (derived,) = ECG.derived
    beats = tables["ecg_signals"].select(derived.columns)
    everything = {**tables, **derived.compute(beats)}

    def encode() -> None:
        for name, rows in everything.items():
            parquet.encode(ECG.table(name), rows, "")

    steps: dict[str, Callable[[], object]] = {
        "parse": lambda: [list(ECG.parse([item], pseudonyms)) for item in objects],
        "measures_beats_verdict": lambda: ECG.tabulate(parsed),
        "features": lambda: derived.compute(beats),
        "parquet": encode,
    }
    costs = {name: cpu_ms(step) for name, step in steps.items()}
    report(line(f"strip_{name}", cost, "ms CPU") for name, cost in costs.items())
    report([line("strip_total", round(sum(costs.values()), 3), "ms CPU", most=TARGET_MS)])
    ratio = cpu_ms(lambda: [scipy.io.loadmat(io.BytesIO(data)) for data in files]) / costs["parse"]
    report([line("loadmat_over_parse", ratio, "×")])


def cpu_ms(step: Callable[[], object]) -> float:
    """CPU milliseconds a strip, the best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        step()
        best = min(best, time.process_time() - started)
    return round(best / STRIPS * 1e3, 3)


if __name__ == "__main__":
    main()
