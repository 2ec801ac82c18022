"""What a supervised process is: its command, its needs, its log.

Belongs here: the description of one service and its log file. Does not belong here: running it
(`cli/services/supervisor.py`), which services there are (`cli/services/store_service.py`,
`cli/services/dagster_services.py`).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LOG_LIMIT_BYTES = 20_000_000
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Service:
    """A process to keep running.

    Attributes:
        name: unique; also names the log.
        argv: the command, started in a session of its own.
        env: its whole environment.
        ready: whether it answers, given the time of its start (seconds since 1970); an exception means not yet.
        log_path: where its output goes.
        needs: names of services that must be ready before it starts.
        follows: the service whose end ends this one too, so that both start anew.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[float], bool]
    log_path: Path
    needs: tuple[str, ...] = ()
    follows: str | None = None

    def open_log(self) -> BinaryIO:
        """The log, to append to."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        return self.log_path.open("ab")

    def bound_log(self) -> None:
        """Put a long log aside and begin anew, while the service writes to it.

        A service appends, so it goes on at the start of the emptied file. Lines of the moment between copying and
        emptying are lost, as with logrotate's `copytruncate`.
        """
        with suppress(OSError):  # a full disk, say: that must not end the services
            if self.log_path.stat().st_size > _LOG_LIMIT_BYTES:
                shutil.copyfile(self.log_path, self.log_path.with_suffix(".log.1"))
                os.truncate(self.log_path, 0)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log, without colours, under a heading that names the file."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        last = _COLOURS.sub("", text).rstrip().splitlines()[-lines:]
        return "\n".join([f"The end of {self.log_path}:", *(f"    {line}" for line in last)])
