"""What Dagster does about each kind of trouble: the error family steers every retry.

Belongs here: the translation from `vitalake.errors` to Dagster, and what a log says of a stranger's error. Does not
belong here: alerts or the errors themselves. A dead run worker is Dagster's own to retry (`run_retries` in
dagster.yaml).
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Failure, RetryRequested

from vitalake.errors import PermanentError, TransientError

_RETRIES = 3
_FIRST_PAUSE_S = 5.0


@contextmanager
def steered(retry_number: int) -> Iterator[None]:
    """Retry the step on transient trouble (5, 10, 20 s, each ± 50 %), fail it at once on permanent trouble."""
    try:
        yield
    except TransientError as error:
        pause = _FIRST_PAUSE_S * 2**retry_number * random.uniform(0.5, 1.5)  # noqa: S311
        raise RetryRequested(max_retries=_RETRIES, seconds_to_wait=pause) from error
    except PermanentError as error:
        raise Failure(description=str(error), allow_retries=False) from error


def where(error: BaseException) -> str:
    """Class of an error, and the lines of code that led to it; not its text, which may quote what a file says."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
