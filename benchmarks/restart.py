"""`make run` for the second time: from the command to a ready system, beside Dagster alone on this machine.

Starts the system with the demo recordings in a folder of its own, stops it with Ctrl-C, starts it again as
`make run` does, and takes the time until the web interface answers with the code loaded and until it says that it
runs. The floor is `dagster dev` with an empty code location. Both take turns, so both meet the same machine.

    python -m benchmarks.restart [--times 3]
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.figures import line, report
from cli.services.dagster_services import query
from cli.services.ports import HOST

TARGET_S = 20.0
_PATIENCE_S = 600.0
# What `vitalake up` prints when the web interface answers with the code loaded, and when all is ready.
_SAYS = {"ui": "webserver is ready", "ready": "Vitalake is running"}
_EMPTY = "from dagster import Definitions\n\ndefs = Definitions()\n"
_QUIET = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
_LOADED = "{workspaceOrError {... on Workspace {locationEntries {loadStatus}}}}"


class Started:
    """A program that is running, what it printed, and when (seconds since its start)."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        self.lines: list[tuple[float, str]] = []
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            argv,
            env={**os.environ, **env},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for said in self.process.stdout or ():
            self.lines.append((time.monotonic() - self._began, said.rstrip()))

    def said(self, words: str) -> bool:
        """Whether it printed a line with these words."""
        return any(words in line for _, line in self.lines)

    def when(self, done: Callable[[], bool]) -> float:
        """Seconds from the start until it is so."""
        while not done():
            if self.process.poll() is not None or time.monotonic() - self._began > _PATIENCE_S:
                raise RuntimeError("it did not start:\n" + "\n".join(line for _, line in self.lines[-20:]))
            time.sleep(0.05)
        return time.monotonic() - self._began

    def stop(self) -> None:
        """End it as Ctrl-C does, with all that it started."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self._reader.join()


def ours(home: Path) -> tuple[dict[str, float], list[tuple[float, str]]]:
    """Seconds until the web interface is ready and until the command says that all is, and what it printed when."""
    root = Path(__file__).resolve().parents[1]
    argv = [sys.executable, "-m", "cli.main", "up", "--demo"]
    system = Started(argv, {"VITALAKE_HOME": str(home), "PYTHONUNBUFFERED": "1"}, root)
    try:
        found = {name: system.when(partial(system.said, words)) for name, words in _SAYS.items()}
    finally:
        system.stop()
    return found, system.lines


@contextmanager
def dagster_dev(folder: Path) -> Iterator[tuple[Started, float]]:
    """`dagster dev` with an empty code location, and after how many seconds its web interface showed that."""
    (folder / "dagster.yaml").write_text(_QUIET)
    (folder / "empty.py").write_text(_EMPTY)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "dagster", "dev", "-f", "empty.py", "-h", HOST, "-p", str(port)]
    dev = Started(argv, {"DAGSTER_HOME": str(folder)}, folder)
    try:
        yield dev, dev.when(lambda: _loaded(f"http://{HOST}:{port}"))
    finally:
        dev.stop()


def floor(folder: Path) -> float:
    """Seconds until the web interface of `dagster dev` shows its empty code location."""
    with dagster_dev(folder) as (_, seconds):
        return seconds


def _loaded(url: str) -> bool:
    """Whether the web interface answers and has loaded its code."""
    try:
        entries = query(url, _LOADED)["workspaceOrError"]["locationEntries"]
    except (OSError, ValueError, KeyError, RuntimeError):
        return False
    return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)


def main() -> int:
    """Measure; 1 if the target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as bare:
        first, _ = ours(Path(home))
        print(f"first start, with the demo's files to build: {first['ready']:.1f} s", flush=True)
        floor(Path(bare))  # makes its storage, as our first start has made ours
        times: list[tuple[dict[str, float], float]] = []
        for number in range(options.times):
            found, lines = ours(Path(home))
            times.append((found, floor(Path(bare))))
            print(f"{number + 1}: {found['ready']:.1f} s, dagster dev with nothing in it {times[-1][1]:.1f} s")
        print("\n".join(f"  {at:6.2f} s  {said}" for at, said in lines if said))
    ready = statistics.median(found["ready"] for found, _ in times)
    ui = statistics.median(found["ui"] for found, _ in times)
    bare_s = statistics.median(seconds for _, seconds in times)
    return report(
        [
            line("restart_until_ready", ready, "s", most=TARGET_S),
            line("restart_until_ui", ui, "s"),
            line("restart_dagster_dev_alone", bare_s, "s"),
            line("restart_over_dagster_dev_alone", ready / bare_s, "×"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
