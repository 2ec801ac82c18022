"""All benchmarks, one after the other: JSON lines as they come, a table at the end.

python -m benchmarks
"""

from __future__ import annotations

import json
import subprocess
import sys

from rich.console import Console
from rich.table import Table

MODULES = ("strips", "long", "encoding", "latency")


def main() -> int:
    """Run each in a process of its own; 1 if a figure misses its target."""
    lines = []
    for module in MODULES:
        argv = [sys.executable, "-m", f"benchmarks.{module}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                if line.startswith("{"):
                    lines.append(json.loads(line))
        if process.returncode:
            return process.returncode
    table = Table("bench", "value", "unit", "target", "ok")
    for line in lines:
        target = "" if line["target"] is None else str(line["target"])
        table.add_row(line["bench"], str(line["value"]), line["unit"], target, "yes" if line["ok"] else "NO")
    Console().print(table)
    return 0 if all(line["ok"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
