"""A program that supervises one service, for tests that kill or interrupt it; arguments: home, stop seconds."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from cli.services import supervisor as supervising
from cli.services.interrupts import interruptible
from cli.services.service import Service
from cli.services.supervisor import Patience, Supervisor

ECHO_S = 3.0  # what counts as one key press: long enough for a busy machine to pass it on

# A child and a grandchild in a session of its own, both deaf to polite requests: the worst to end.
STUBBORN = """
import signal, subprocess, sys, time
print("SIGINT is", signal.getsignal(signal.SIGINT), flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
print("up", flush=True)
time.sleep(600)
"""


def main(home: Path, stop_s: float) -> None:
    supervising._ECHO_S = ECHO_S
    log = home / "stubborn.log"
    env = dict(os.environ)
    service = Service("stubborn", [sys.executable, "-c", STUBBORN], env, lambda _: "up" in log.read_text(), log)
    supervisor = Supervisor(home, [service], print, Patience(stop_s=stop_s))
    with interruptible(supervisor.interrupt):
        try:
            supervisor.start()
            (home / "started").touch()
            supervisor.wait()
        finally:
            (home / "stopping").touch()
            began = time.monotonic()
            supervisor.stop()
            (home / "stopped").write_text(str(time.monotonic() - began))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
