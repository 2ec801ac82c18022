"""Measuring a piece of work: everybody starts without workers, and every process of the work counts."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.day import cost
from vitalake.lake.workers import WORTH_IT, spread

BUSY_S = 0.3
BUSY = f"import time\nwhile time.process_time() < {BUSY_S}: pass"


def busy(_task: int) -> int:
    started = time.process_time()
    while time.process_time() - started < BUSY_S:
        pass
    return os.getpid()


def test_workers_of_earlier_work_are_ended_and_the_new_ones_counted() -> None:
    done: list[set[int]] = []
    spent = [cost(lambda: done.append(set(spread(busy, range(WORTH_IT), 2)))) for _ in range(2)]
    assert done[0].isdisjoint(done[1])
    assert os.getpid() not in done[0] | done[1]
    assert all(each.cpu_s >= WORTH_IT * BUSY_S for each in spent)


def test_a_process_that_has_ended_counts_with_what_it_started() -> None:
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}], check=True)\n{BUSY}"
    spent = cost(lambda: subprocess.run([sys.executable, "-c", program], check=True))
    assert spent.cpu_s >= 2 * BUSY_S


def test_a_process_that_only_waits_may_be_left_out_of_the_memory() -> None:
    with_own = cost(lambda: time.sleep(0.3))
    without = cost(lambda: time.sleep(0.3), own_memory=False)
    assert without.peak_bytes < with_own.peak_bytes
