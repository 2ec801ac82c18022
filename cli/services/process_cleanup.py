"""Which processes a supervisor started, children's children included, and how they are ended for good.

Belongs here: the mark that every started process carries, finding it, killing by it, and the guard process that
does so when the supervisor itself is killed. Does not belong here: starting services.

The mark is an environment variable, which children inherit. So a process that outlived its parent, or opened a
session of its own, is still found, and a recycled process id is never taken for one of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MARK = "VITALAKE_SUPERVISED"
_SEPARATOR = "|"
_KILL_S = 10.0  # a process that the system itself holds cannot be waited for


@dataclass(frozen=True)
class Owner:
    """Who started a process: the state folder, one life of its supervisor, and the service; empty means any."""

    home: Path
    life: str = ""
    service: str = ""

    @property
    def mark(self) -> str:
        """The value of the environment variable `MARK`."""
        return _SEPARATOR.join((self.service, self.life, str(self.home)))

    def owns(self, mark: str) -> bool:
        """Whether a process with this mark is meant."""
        service, life, home = [*mark.split(_SEPARATOR, 2), "", ""][:3]
        return home == str(self.home) and self.life in ("", life) and self.service in ("", service)


def find(owner: Owner) -> list[psutil.Process]:
    """The owner's processes that run now, without ourselves."""
    import psutil

    return [
        process
        for process in psutil.process_iter(["environ"])
        if process.pid != os.getpid() and owner.owns((process.info["environ"] or {}).get(MARK, ""))
    ]


def kill_all(owner: Owner) -> int:
    """Kill the owner's processes until none is left; how many there were."""
    import psutil

    killed: set[int] = set()
    deadline = time.monotonic() + _KILL_S
    while (found := find(owner)) and time.monotonic() < deadline:
        for process in found:
            killed.add(process.pid)
            with suppress(psutil.Error):
                process.kill()  # psutil compares creation times: never a stranger that got the number
        time.sleep(0.02)
    return len(killed)


def clear(home: Path, echo: Callable[[str], None]) -> None:
    """End what an earlier start on this state folder left behind; only for whoever holds its lock."""
    if killed := kill_all(Owner(home)):
        echo(f"processes left behind by an earlier start: {killed}, ended")


def start_guard(owner: Owner) -> subprocess.Popen[bytes]:
    """A process that kills everything of this owner's life as soon as we end, however we end.

    It waits for the end of its standard input, which the system closes even after `kill -9`; close it to let go.
    """
    # Not with the mark of a service: ending services must not end it.
    return subprocess.Popen(
        [sys.executable, "-m", "cli.services.process_cleanup", str(owner.home), owner.life],
        stdin=subprocess.PIPE,
        start_new_session=True,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, MARK: Owner(owner.home, owner.life, "guard").mark},
    )


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_all(Owner(Path(sys.argv[1]), sys.argv[2]))
