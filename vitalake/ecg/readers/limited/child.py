"""The limited process: a small server that reads each file in a fork of its own, which may die of it.

Belongs here: the limits, the fork and its end. Does not belong here: formats, or anything the parent does.

Run as ``python -m vitalake.ecg.readers.limited.child <parser> <bytes of memory> <seconds>``; requests come on
standard input, answers go to standard output. The parser is a module of the readers: its `warm_up` imports what it
will need, since forks can open no file, and its `read_unguarded` reads. It ends with its parent: at the end of its
input. A fork per file, because a file that damages the memory of its reader silently must not reach the results of
the next one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import resource
import select
import signal
import sys
from types import ModuleType
from typing import NoReturn

from vitalake.ecg.readers.limited import frames
from vitalake.errors import UnusableDataError

OPEN_FILES = 16


def main(parser: str, memory_bytes: int, seconds: int) -> int:
    """Serve until the parent ends, or a file leaves half an answer behind; returns the exit code."""
    requests, answers = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)  # whatever a library prints is no answer
    try:
        module = importlib.import_module(f"vitalake.ecg.readers.{parser}")
        module.warm_up()
        gc.freeze()
        _limit(memory_bytes)
    except Exception as error:  # of our own making, no file has been read: the message is safe
        _send(answers, frames.BROKEN, f"{type(error).__name__}: {error}".encode()[: frames.MAX_TEXT_BYTES])
        return 1
    _send(answers, frames.READY)
    while (head := frames.read_exactly(requests, frames.REQUEST.size)) is not None:
        size, max_bytes = frames.REQUEST.unpack(head)
        data = frames.read_exactly(requests, size)
        if data is None or not _read_in_fork(module, bytes(data), max_bytes, seconds, requests, answers):
            break
    return 0


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def _read_in_fork(
    parser: ModuleType, data: bytes, max_bytes: int, seconds: int, requests: io.FileIO, answers: io.FileIO
) -> bool:
    """Whether the next file can be read: the parent lives, and has a whole answer to this one."""
    begun, begins = os.pipe()
    try:
        worker = os.fork()
    except OSError:  # no room for another process: nothing that the file could help
        os.close(begun)
        os.close(begins)
        _send(answers, frames.GAVE_UP, frames.KILLED)
        return True
    if worker == 0:
        _work(parser, data, max_bytes, seconds, begins, answers)
    os.close(begins)
    # Readable: the first when the worker begins to answer or has died, the second when the parent has.
    ready, _, _ = select.select([begun, requests.fileno()], [], [])
    if begun not in ready:
        os.kill(worker, signal.SIGKILL)
    answered = begun in ready and os.read(begun, 1) != b""
    os.close(begun)
    _, status = os.waitpid(worker, 0)
    if status and begun in ready and not answered:
        _send(answers, frames.GAVE_UP, _why_dead(status))
        return True
    return answered and not status


def _why_dead(status: int) -> bytes:
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if ended_by == signal.SIGXCPU:
        return frames.TIME
    return frames.KILLED if ended_by == signal.SIGKILL else frames.CRASH  # the kernel's, where memory runs out


def _work(
    parser: ModuleType, data: bytes, max_bytes: int, seconds: int, begins: int, answers: io.FileIO
) -> NoReturn:
    """Read one file in this fork, answer, and end."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))  # no file of this machine, whatever a file refers to
        with contextlib.suppress(MemoryError):
            kind, parts = _read(parser, data, max_bytes)
            os.write(begins, b"b")
            for part in frames.answer(kind, *parts):
                frames.write_all(answers, part)
            code = 0
    finally:
        os._exit(code)


def _read(parser: ModuleType, data: bytes, max_bytes: int) -> tuple[bytes, list[bytes]]:
    try:
        return frames.VARIABLES, frames.pack_variables(*parser.read_unguarded(data, max_bytes))
    except MemoryError:
        return frames.GAVE_UP, [frames.MEMORY]
    except UnusableDataError as error:
        return frames.UNUSABLE, [f"{error.rule}\0{error.message}".encode()[: frames.MAX_TEXT_BYTES]]
    except Exception as error:  # a parser's: its message may quote the file, its type does not
        return frames.UNUSABLE, [f"S02\0the file is damaged ({type(error).__name__} while it was read)".encode()]


def _send(answers: io.FileIO, kind: bytes, *parts: bytes) -> None:
    for part in frames.answer(kind, *parts):
        frames.write_all(answers, part)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
