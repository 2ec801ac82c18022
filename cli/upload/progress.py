"""How far an upload is: a bar on a terminal, a line now and then elsewhere.

Belongs here: showing. Does not belong here: sending (`cli/upload/files.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_SAY_EVERY_S = 5.0

Advance = Callable[[int], None]


@contextmanager
def upload_progress(console: Console, sizes_bytes: Sequence[int]) -> Iterator[Advance]:
    """Something to call with the size of each file that is done, given the sizes of all."""
    from rich import progress as bars

    if not console.is_terminal:
        yield _ProgressLines(console, len(sizes_bytes)).advance
        return
    columns = (
        bars.TextColumn("{task.fields[done]:,} of {task.fields[files]:,} files"),
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TransferSpeedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("upload", total=sum(sizes_bytes), done=0, files=len(sizes_bytes))

        def advance(size_bytes: int) -> None:
            bar.update(task, advance=size_bytes, done=bar.tasks[0].fields["done"] + 1)

        yield advance


class _ProgressLines:
    """Progress in lines, not more than one every few seconds, and one at the end."""

    def __init__(self, console: Console, files: int) -> None:
        self._console, self._files = console, files
        self._said_at = self._started = time.monotonic()
        self._done = self._bytes = 0

    def advance(self, size_bytes: int) -> None:
        self._done += 1
        self._bytes += size_bytes
        now = time.monotonic()
        if now - self._said_at < _SAY_EVERY_S and self._done < self._files:
            return
        self._said_at = now
        rate = self._done / max(now - self._started, 1e-3)
        self._console.print(
            f"{self._done:,} of {self._files:,} files, {self._bytes / 1e6:,.1f} MB, {rate:,.0f} files/s"
        )
