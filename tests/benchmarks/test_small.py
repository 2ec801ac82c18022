"""Every benchmark of speed that can be small runs to its end; how fast is no matter here.

Those that start the whole system are left out, and killing processes in the middle of a queue: it takes many
messages to have a middle.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What has no argument because nobody needs it smaller but this test.
_SMALLER = {"records": "COPIED_BYTES = 1_000_000"}
_RUN = "import sys; from benchmarks import {0}; {0}.{1}; sys.argv[0] = '{0}'; sys.exit({0}.main())"

# Arguments, and figures that are printed only after what was built, found or answered has been compared.
CASES = {
    "strips": ("", ["strip_total", "loadmat_over_parse"]),
    "throughput": (
        "--recordings 20 --handled 5",
        ["throughput_of_floor", "throughput_of_floor_same_work", "throughput_handler_polling_over_ours"],
    ),
    "growth": (
        "--small 3 --large 40 --repeats 0",
        ["growth_eight_times", "growth_memory", "growth_memory_per_1000", "growth_unchanged_of_listing"],
    ),
    "ticks": (
        "--objects 1100 --a-day 1 --hourly 480 --undated 20",  # more days than a page of a listing has
        [
            "tick_dated",
            "tick_list_calls",
            "tick_hourly",
            "tick_list_calls_hourly",
            "sweep_pass",
            "sweep_memory",
            "sweep_memory_a_key",
        ],
    ),
    "queue": ("--messages 40 --days 3 --no-kills", ["queue_drain", "queue_drain_to_floor"]),
    "sql": (
        "--recordings 4000 --days 4 --repeats 1",
        [
            f"sql_{name}_{kind}"
            for name in ("year", "cohort", "day_mean")
            for kind in ("cold", "warm", "over_local")
        ],
    ),
    "records": (
        "--objects 3 --large-mb 0 --refused-mb 1",  # a small array needs no more than a process begins with
        ["records_csv_over_loop", "records_json_of_duckdb", "records_refused_memory", "records_refused_time"],
    ),
}


SLOW = ("ticks", "throughput")  # half a minute each
slow = pytest.mark.skipif(
    not os.environ.get("VITALAKE_TEST_LONG"), reason="takes half a minute: set VITALAKE_TEST_LONG=1"
)


def run(name: str, arguments: str) -> list[dict[str, Any]]:
    """The figures of a benchmark; it must not fail, but may miss a target, for which it returns 1."""
    how = ["-c", _RUN.format(name, _SMALLER[name])] if name in _SMALLER else ["-m", f"benchmarks.{name}"]
    argv = [sys.executable, *how, *arguments.split()]
    done = subprocess.run(argv, check=False, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    missed = not all(figure["ok"] for figure in figures)
    assert done.returncode in (0, 1) and (missed or done.returncode == 0), done.stderr[-2000:]
    return figures


@pytest.mark.store
@pytest.mark.parametrize("name", [*sorted(CASES.keys() - SLOW), *(pytest.param(name, marks=slow) for name in SLOW)])
def test_it_prints_every_figure_as_a_line_of_json(name: str) -> None:
    arguments, compared = CASES[name]
    figures = run(name, arguments)
    for figure in figures:
        assert isinstance(figure["bench"], str) and isinstance(figure["unit"], str)
        assert isinstance(figure["value"], (int, float)) and isinstance(figure["ok"], bool)
        assert figure["target"] is None or isinstance(figure["target"], (int, float))
    assert set(compared) <= {figure["bench"] for figure in figures}
    if name == "ticks":  # one call more, and it is found out
        [calls] = [figure for figure in figures if figure["bench"] == "tick_list_calls"]
        assert calls["value"] == 1 and not calls["ok"]
