"""Ctrl-C and SIGTERM for a program that supervises processes.

Belongs here: signal handlers. Does not belong here: stopping (`cli/services/supervisor.py`).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible(interrupt: Callable[[], bool]) -> Iterator[None]:
    """Within, SIGINT raises KeyboardInterrupt and SIGTERM SystemExit, but only if `interrupt` says so.

    Handled, not just left to Python: a background job of a shell ignores SIGINT, and so would all that it starts.
    Only a program's main thread can do so; in another one this changes nothing.
    """

    def handle(number: int, _: object) -> None:
        if interrupt():
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
