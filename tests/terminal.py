"""A command as a person runs it: on a terminal of its own, and every byte that it sent there."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def on_terminal(*args: str, env: Mapping[str, str], columns: int = 200) -> tuple[int, str]:
    """Exit code of `vitalake ARGS`, and what the terminal got: output and errors."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    # A terminal without colours: whatever escape is sent all the same is from data.
    asked = {**os.environ, "TERM": "dumb", "PYTHONUTF8": "1", **env}
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", *args], cwd=ROOT, env=asked, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        got = bytearray()
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError as error:  # how Linux says that nobody has it open any more
                if error.errno != errno.EIO:
                    raise
                break
            if not piece:
                break
            got += piece
        os.close(ours)
    return process.returncode, got.decode("utf-8", "surrogateescape")
