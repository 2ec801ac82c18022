"""A day of one lead: judged in windows, its beats found, in memory that does not grow with it.

python -m benchmarks.long
"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.figures import line, report
from cli.demo.recordings import GAIN_ADU_PER_MV, SAMPLING_RATE_HZ, ZERO_ADU, strip_mv
from vitalake.ecg.assess import assess
from vitalake.ecg.recording import Lead, Recording

HOURS = 24
AT_MOST_OF_SAMPLES = 1.0  # memory beyond what was there before, over that of the samples


def main() -> int:
    """1 if it takes more memory than the samples themselves."""
    rng = np.random.default_rng(0)
    minutes = np.concatenate([strip_mv("clean", rng) for _ in range(60)])
    stored = np.round(minutes * GAIN_ADU_PER_MV + ZERO_ADU).astype(np.int32)
    samples = np.tile(stored, HOURS * 6)
    lead = Lead("II", samples, float(SAMPLING_RATE_HZ), GAIN_ADU_PER_MV, ZERO_ADU, "mV")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    assess([Recording((lead,), "edf")])
    spent = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / samples.nbytes
    cpu = line("long_day_cpu", spent, "s CPU")
    return report([cpu, line("long_day_memory", grown, "× the samples", most=AT_MOST_OF_SAMPLES)])


if __name__ == "__main__":
    raise SystemExit(main())
