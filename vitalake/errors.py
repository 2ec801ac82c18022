"""The one error family, which decides what happens next.

Belongs here: the three kinds of trouble. Does not belong here: what raises them or who reports them.

* `UnusableDataError` — the data is at fault: a quarantine row, the run goes on.
* `TransientError` — the world is busy: retried with backoff, then the run fails and is retried.
* `PermanentError` — the set-up is wrong: the run fails at once and is not retried.
"""

from __future__ import annotations

from vitalake.escaping import printable_lines


class VitalakeError(Exception):
    """Base of every error that Vitalake raises on purpose.

    Its text is for people, in terminals, logs and tracebacks: a key in it steers none of them.
    """

    def __str__(self) -> str:
        return printable_lines(super().__str__())


class UnusableDataError(VitalakeError):
    """A file or record that cannot be used; becomes one row of quarantine.

    Args:
        rule: id of the check that refused it, e.g. ``"S02"``.
        message: what was found and what was expected, in words of our own: counts, shapes, declared names.
        record_count: how many records are in it, where that can be told.
    """

    def __init__(self, rule: str, message: str, record_count: int = 1) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.message = message
        self.record_count = record_count


class TransientError(VitalakeError):
    """Timeouts, throttling, 5xx, lost races: the same call may succeed later."""


class PermanentError(VitalakeError):
    """Missing buckets, denied access, bad configuration: says what to do about it."""
