"""Parts computed side by side, in processes of their own.

Belongs here: which work is spread over processes, and what becomes of a process that dies. Does not belong here:
what is computed (`vitalake/lake/reading.py`, `stages.py`), or in which order it is written (`reconcile.py`).

A fresh interpreter takes a second to start, so a few parts are computed here. `loky` starts the processes: the
standard library's way would import the main module of a Dagster worker in each of them.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from vitalake.errors import TransientError

if TYPE_CHECKING:
    from concurrent.futures import Future

Task = TypeVar("Task")
Result = TypeVar("Result")

WORTH_IT = 4  # tasks of about a second each
_IDLE_S = 60


def spread(work: Callable[[Task], Result], tasks: Iterable[Task], processes: int | None) -> Iterator[Result]:
    """The results of `work`, in the order of `tasks`; a few tasks, or any with one process, are done right here.

    No more than one task a process is done ahead of what was asked for, so results do not pile up.

    Args:
        work: a function that can be sent to another process, as its tasks and results can.
        tasks: what it is called with.
        processes: how many; None: one for each core that this process may use.

    Raises:
        TransientError: a process died, as one does that is short of memory.
    """
    todo = iter(tasks)
    first = list(itertools.islice(todo, WORTH_IT))
    side_by_side = 1 if len(first) < WORTH_IT else processes or _cores()
    if side_by_side == 1:
        return map(work, itertools.chain(first, todo))
    return _in_processes(work, itertools.chain(first, todo), side_by_side)


def _in_processes(work: Callable[[Task], Result], tasks: Iterable[Task], side_by_side: int) -> Iterator[Result]:
    from loky import get_reusable_executor
    from loky.process_executor import TerminatedWorkerError

    pool = get_reusable_executor(max_workers=side_by_side, timeout=_IDLE_S)
    under_way: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            under_way.append(pool.submit(work, task))
            if len(under_way) > side_by_side:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except TerminatedWorkerError as error:
        raise TransientError("a process that computed a part was killed: is memory short here?") from error
    finally:
        for future in under_way:
            future.cancel()


def _cores() -> int:
    """Those that this process may use, which a container may have less of than the machine."""
    from loky import cpu_count

    return int(cpu_count())
