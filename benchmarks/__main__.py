"""All benchmarks, one after the other: JSON lines as they come, a table at the end.

python -m benchmarks [NAME …]
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

MODULES = (
    "strips",
    "long",
    "encoding",
    "throughput",
    "growth",
    "run_per_file",
    "ticks",
    "queue",
    "latency",
    "restart",
    "idle",
    "sql",
    "backfill",
    "matching",
    "records",
)


def main() -> int:
    """Run each in a process of its own; 1 if a figure misses its target or a benchmark fails."""
    names = sys.argv[1:] or MODULES
    if unknown := set(names) - set(MODULES):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}", file=sys.stderr)
        return 2
    lines: list[dict[str, Any]] = []
    failed: list[str] = []
    for name in names:
        print(f"# {name}", file=sys.stderr, flush=True)
        found, code = _run(name)
        lines += found
        if code and all(line["ok"] for line in found):  # no figure says why
            failed.append(name)
    table = Table("bench", "value", "unit", "target", "ok")
    for line in lines:
        target = "" if line["target"] is None else str(line["target"])
        table.add_row(line["bench"], str(line["value"]), line["unit"], target, "yes" if line["ok"] else "NO")
    Console().print(table)
    for name in failed:
        print(f"{name} failed: run `python -m benchmarks.{name}` to see why", file=sys.stderr)
    return 0 if not failed and all(line["ok"] for line in lines) else 1


def _run(name: str) -> tuple[list[dict[str, Any]], int]:
    lines = []
    argv = [sys.executable, "-m", f"benchmarks.{name}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            if line.startswith("{"):
                lines.append(json.loads(line))
    return lines, process.returncode


if __name__ == "__main__":
    sys.exit(main())
