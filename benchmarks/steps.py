"""Where the CPU of building a day goes: a profile of the functions that are its steps.

Belongs here: which functions are a step, and counting their time. Does not belong here: the cost of one step alone
(`benchmarks/strips.py`, whose `--profile` prints this).

A profiler that is called at every function doubles what is made of many small ones, and cProfile sees one thread.
Here only the functions that are steps are timed, each in the thread that it runs in, less the steps within it.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock

from benchmarks.day import DAY, Bench, bench_buckets, build, fill
from vitalake.datasets.ecg import ECG
from vitalake.lake.parquet import partition_prefix

MEASURES = "measures, two R-peak detectors, model, verdict"
FOURIER = "… of which Fourier transforms"
REST = "the rest: threads, the S3 client's own among them"

Owned = tuple[Any, str]  # a module or class that a function is called through, and its name there


def steps_ms(count: int) -> tuple[dict[str, float], float]:
    """Step → ms of CPU a recording in a build of so many, in one process; and a recording's total without profile.

    The Fourier transforms are in the measures too; all other steps and the rest add up to what the profiled build
    took. Both builds come after a first one, which imports and opens connections.
    """
    logging.disable(logging.WARNING)
    with bench_buckets() as bench:
        fill(bench.raw, DAY, 0, count)
        _build_anew(bench)
        plain_s = _build_anew(bench)
        total_s, spent = profiled(_steps(), lambda: _build_anew(bench))
    spent[MEASURES] += spent[FOURIER]
    spent[REST] = total_s - sum(seconds for step, seconds in spent.items() if step != FOURIER)
    return {step: seconds / count * 1e3 for step, seconds in spent.items()}, plain_s / count * 1e3


def profiled(steps: Mapping[str, Sequence[Owned]], work: Callable[[], float]) -> tuple[float, dict[str, float]]:
    """What `work` returns, and step → seconds of CPU in its functions, less that in steps called by them.

    Raises:
        AssertionError: no time was spent in a step, so the work is no longer done by these functions.
    """
    taken: list[tuple[str, float]] = []
    here = threading.local()

    def timed(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **named: Any) -> Any:
            before, here.within = getattr(here, "within", 0.0), 0.0
            started = time.thread_time()
            try:
                return function(*args, **named)
            finally:
                spent = time.thread_time() - started
                taken.append((step, spent - here.within))
                here.within = before + spent

        return call

    with ExitStack() as patched:
        for step, functions in steps.items():
            for owner, name in functions:
                patched.enter_context(mock.patch.object(owner, name, timed(step, getattr(owner, name))))
        result = work()
    found = {step: sum(spent for other, spent in taken if other == step) for step in steps}
    assert all(found.values()), f"nothing was done in a step: {found}"
    return result, found


def _steps() -> dict[str, list[Owned]]:
    import numpy as np

    from resources.object_store import ObjectStore
    from vitalake.ecg import assess, tabulate
    from vitalake.ecg.readers import formats
    from vitalake.lake import parquet, reading, reconcile, stages

    return {
        "get": [(ObjectStore, "get")],
        "parse, with checks and hash": [(formats, "read_together"), (tabulate, "arrived")],
        MEASURES: [(assess, "assess")],
        FOURIER: [(np.fft, "rfft"), (np.fft, "irfft")],
        "rows": [(tabulate, "tabulate")],
        "manifest, digests, account": [
            *((stages, name) for name in ("arrived", "cut", "objects_digest", "object_columns")),
            *((reading, name) for name in ("bundles", "_unread", "_raw_object", "rows_of")),
        ],
        "beats, variability": [(tabulate, "beats_and_features")],
        "Parquet": [(parquet.TableWriter, "append"), (parquet.TableWriter, "close"), (parquet, "decode_as")],
        "put, and the parts that are there": [(ObjectStore, "put"), (reconcile, "parts_of_each")],
    }


def _build_anew(bench: Bench) -> float:
    """Seconds of CPU, all threads together."""
    for table in ECG.all_tables:
        for item in bench.lake.objects(partition_prefix(table.name, DAY)):
            bench.lake.delete(item.key, expected=item.version)
    started = time.process_time()
    build(bench, DAY, processes=1)
    return time.process_time() - started
