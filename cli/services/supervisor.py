"""A supervisor of local processes: starts them in order, keeps them running, leaves none behind.

Belongs here: starting, readiness, restarts, stopping. Does not belong here: what a service is
(`cli/services/service.py`), how processes are found again (`cli/services/process_cleanup.py`).

Like the sensors it is level-triggered: a tick compares what should run with what runs, and does the next thing.

A service that has never been ready cannot run as it is configured: that ends the start, with the end of its log.
One that has been ready was able to run, so it is started again however often it dies, after pauses that grow to a
bound.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.services.process_cleanup import MARK, Owner, find, kill_all, start_guard
from cli.services.service import Service
from vitalake.errors import PermanentError

_ROOT = Path(__file__).resolve().parents[2]
_ECHO_S = 1.0


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    Attributes:
        ready_s: for a service to answer after its start.
        stop_s: for it to end by itself when it is asked to.
        quick_s: until a service counts as running well: a death before lengthens the pause.
        backoff_s: the first pause before a service is started again; each next one is twice as long.
        longest_s: the longest such pause.
        deaths_at_start: so many quick deaths in a row end a start that others still wait for.
    """

    ready_s: float = 120.0
    stop_s: float = 10.0
    quick_s: float = 30.0
    backoff_s: float = 0.5
    longest_s: float = 30.0
    deaths_at_start: int = 5


@dataclass
class _State:
    service: Service
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    started_at: float = 0.0
    start_at: float = 0.0
    ready: bool = False
    has_been_ready: bool = False
    quick_deaths: int = 0
    trouble: str = field(default="", repr=False)


class Supervisor:
    """Keeps services running between `start` and `stop`; use `local_system` rather than this."""

    def __init__(
        self, home: Path, services: Sequence[Service], echo: Callable[[str], None], patience: Patience | None = None
    ) -> None:
        self._owner = Owner(home.resolve(), f"{os.getpid()}-{time.time_ns()}")
        self._states = {service.name: _State(service) for service in services}
        self._echo = echo
        self._patience = patience or Patience()
        self._stopping = threading.Event()
        self._hurry = False
        self._interrupted = 0.0
        self._failure: BaseException | None = None
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait until all is ready. Raises PermanentError; call `stop` then, too."""
        self._guard = start_guard(self._owner)
        while not all(state.ready for state in self._states.values()):
            self._tick()
            time.sleep(0.05)
        self._watcher.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until the time is over; what has ended the watching of the services is raised."""
        if self._watcher.is_alive():
            self._watcher.join(timeout_s)
        if self._failure:
            raise self._failure

    def pid(self, name: str) -> int | None:
        """The process id of a service; None while it is not running."""
        process = self._states[name].process
        return process.pid if process else None

    def ready(self, name: str) -> bool:
        """Whether a service is up and answers."""
        return self._states[name].ready

    def interrupt(self) -> bool:
        """For signal handlers: whether this was the first time; a second later, `stop` kills at once."""
        if self._stopping.is_set():
            # Programs between a terminal and us (make, say) pass on what the terminal has sent to us already.
            self._hurry = time.monotonic() - self._interrupted > _ECHO_S
            return False
        self._interrupted = time.monotonic()
        self._stopping.set()
        return True

    def stop(self) -> None:
        """End everything in reverse order; nothing is left running. Harmless when called again."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        for state in reversed(self._states.values()):
            self._end(state)
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()

    def _watch(self) -> None:
        try:
            while not self._stopping.wait(0.2):
                self._tick()
        except BaseException as error:  # not lost in a thread: `wait` raises it
            self._failure = error

    def _tick(self) -> None:
        for state in self._states.values():
            now = time.monotonic()
            state.service.bound_log()
            if state.process is None:
                if now >= state.start_at and all(self._states[name].ready for name in state.service.needs):
                    self._spawn(state)
            elif (code := state.process.poll()) is not None:
                self._died(state, _ended_how(code))
            elif not state.ready:
                self._poll(state)
                if not state.ready and now - state.started > self._patience.ready_s:
                    self._died(state, f"did not answer in {self._patience.ready_s:g} s{state.trouble}")
            elif now - state.started > self._patience.quick_s:
                state.quick_deaths = 0

    def _poll(self, state: _State) -> None:
        try:
            state.ready = state.service.ready(state.started_at)
        except Exception as error:  # whatever it is, the service does not answer yet
            state.trouble = f" ({type(error).__name__}: {error})"
        if state.ready:
            state.has_been_ready = True
            self._echo(f"{state.service.name} is ready ({time.monotonic() - state.started:.1f} s)")

    def _spawn(self, state: _State) -> None:
        service = state.service
        owner = Owner(self._owner.home, self._owner.life, service.name)
        state.ready, state.trouble, state.started, state.started_at = False, "", time.monotonic(), time.time()
        try:
            with service.open_log() as log:
                state.process = subprocess.Popen(
                    service.argv,
                    env={**service.env, MARK: owner.mark},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    cwd=_ROOT,
                )
        except OSError as error:  # no memory or no process is left, say, or the disk is full
            if not state.has_been_ready:
                raise
            self._died(state, f"could not be started ({error.strerror or error})")

    def _died(self, state: _State, how: str) -> None:
        name, patience = state.service.name, self._patience
        quick = not state.ready or time.monotonic() - state.started < patience.quick_s
        state.quick_deaths = state.quick_deaths + 1 if quick else 1
        for other in (state, *self._states.values()):
            if other is state or other.service.follows == name:
                self._end(other)
        starting = not self._watcher.is_alive()
        if not state.has_been_ready or (starting and state.quick_deaths >= patience.deaths_at_start):
            raise PermanentError(f"{name} {how}.\n{state.service.log_tail()}")
        # The exponent is bounded, too: a float is not without end.
        pause_s = min(patience.backoff_s * 2 ** min(state.quick_deaths - 1, 30), patience.longest_s)
        state.start_at = time.monotonic() + pause_s
        often = f", {state.quick_deaths} times in a row" if state.quick_deaths > 1 else ""
        self._echo(f"{name} {how}{often}: starting it again in {pause_s:g} s (log: {state.service.log_path})")

    def _end(self, state: _State) -> None:
        """End a service with all that it started: a request first, then by force."""
        process, state.process, state.ready = state.process, None, False
        if process is None:
            return
        owner = Owner(self._owner.home, self._owner.life, state.service.name)
        if process.poll() is None:  # not reaped yet, so the number of the group is still ours
            os.killpg(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + self._patience.stop_s
            while find(owner) and time.monotonic() < deadline and not self._hurry:
                time.sleep(0.05)
        kill_all(owner)
        process.wait()


def _ended_how(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
