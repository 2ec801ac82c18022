"""Waiting for a running system to say what it should."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.demo.feed import count_days
from resources.build import build_resources
from resources.settings import Settings
from vitalake.errors import TransientError


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Until `holds`, or fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except TransientError:
            pass  # the store may be down for a moment: some tests kill it
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)


def wait_until_built(settings: Settings, seconds: float = 480) -> None:
    """Until every day in the bucket is in the lake."""
    resources = build_resources(settings)

    def built() -> bool:
        days = count_days(settings, resources)
        return days.built == days.all

    wait_until(built, seconds, "every day is built")
