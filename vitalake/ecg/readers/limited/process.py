"""Parsers that are not hardened, asked from a distance: the parent's side of the limited process.

Belongs here: the start of that process, one question at a time, and its end. Does not belong here: what runs in it
(`child.py`), or formats.

What a file does to a parser (a crash, a hang, a demand for memory) is a refusal of the file here; what happens to
the process otherwise (killed, starved of processor time) is the machine's fault and to be tried again. The process
is a fresh interpreter, kept between files: `multiprocessing` would import the main module of a Dagster worker.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from vitalake.ecg.readers.limited import frames
from vitalake.errors import PermanentError, TransientError, UnusableDataError

MEMORY_BYTES = 2 * 2**30
SECONDS = 15
PATIENCE = 8  # times `seconds` on the clock: a busy machine is no property of the file
START_S = 60
MODULE = "vitalake.ecg.readers.limited.child"
Parser = Literal["matlab.other_variables", "dicom.elements"]


class LimitedReader:
    """One limited process, started when first asked and again after its death; for any number of threads.

    Args:
        parser: the module that reads, a process for each: nobody waits for the import of another's library.
        memory_bytes: address space that reading one file may take, the interpreter's own 200 MB included.
        seconds: what reading one file may take of a processor.
    """

    def __init__(self, parser: Parser, memory_bytes: int = MEMORY_BYTES, seconds: int = SECONDS) -> None:
        self.parser = parser
        self.memory_bytes = memory_bytes
        self.seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while there is one."""
        return self._process.pid if self._process else None

    def read(self, data: bytes, *, max_bytes: int) -> frames.Variables:
        """See `read_limited`."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            try:
                kind, content = self._ask(data, max_bytes)
            except BaseException:  # half a question or answer is in the pipes
                self._end()
                raise
        if kind == frames.VARIABLES:
            try:
                return frames.unpack_variables(content)
            except ValueError:
                raise self._gave_up(frames.CRASH) from None
        if kind == frames.UNUSABLE:
            rule, _, message = content.decode(errors="replace").partition("\0")
            raise UnusableDataError(rule, message)
        if content == frames.KILLED:
            raise TransientError("the process that read a file within limits was killed: is memory short here?")
        raise self._gave_up(bytes(content))

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """In a fork of this process: leave the limited process to the original."""
        self._lock = threading.Lock()
        if self._process:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()
            self._process.returncode = 0  # not ours to wait for
            self._process = None

    def _start(self) -> None:
        self._end()
        try:
            self._process = self._opened()
        except OSError as error:
            raise TransientError(f"the limited process ({self.parser}) does not start: {error}") from error
        with self._deadline(START_S):
            answer = self._receive(frames.MAX_TEXT_BYTES)
        if answer is None or answer[0] != frames.READY:
            code = self._end()
            if answer is None:
                raise TransientError(f"the limited process ({self.parser}) ended at its start ({code})")
            said = answer[1].decode(errors="replace")
            raise PermanentError(f"the limited process ({self.parser}) does not start: {said}")

    def _opened(self) -> subprocess.Popen[bytes]:
        root = Path(__file__).parents[4]
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", MODULE, self.parser, str(self.memory_bytes), str(self.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=root,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "OPENBLAS_NUM_THREADS": "1",  # threads do not survive a fork, and take address space
                "HDF5_PLUGIN_PRELOAD": "::",  # a file may ask for filters: none but the built-in ones
            },
            start_new_session=True,
        )

    def _ask(self, data: bytes, max_bytes: int) -> tuple[bytes, bytearray]:
        _, requests = self._pipes()
        with self._deadline(self.seconds * PATIENCE):
            with contextlib.suppress(OSError):  # it died meanwhile: the missing answer says so
                frames.write_all(requests, frames.REQUEST.pack(len(data), max_bytes))
                frames.write_all(requests, data)
            answer = self._receive(max_bytes + frames.MAX_DIRECTORY_BYTES)
        if answer is not None:
            return answer
        if self._left_by_itself():  # after an answer that broke off or that nobody asked for: the file's doing
            return frames.GAVE_UP, bytearray(frames.CRASH)
        raise TransientError(f"the limited process ({self.parser}) was killed, or got no processor time")

    def _left_by_itself(self) -> bool:
        """Whether the process, which answers no more, ends of its own accord."""
        for pipe in self._pipes():
            pipe.close()
        process, self._process = self._process, None
        try:
            return process is not None and process.wait(timeout=PATIENCE) == 0
        except subprocess.TimeoutExpired:
            self._process = process
            self._end()
            return False

    def _receive(self, max_bytes: int) -> tuple[bytes, bytearray] | None:
        """Kind and content of an answer; None where the process died or says more than it may."""
        answers, _ = self._pipes()
        head = frames.read_exactly(answers, frames.ANSWER.size)
        if head is None:
            return None
        kind, size = frames.ANSWER.unpack(head)
        content = frames.read_exactly(answers, size) if size <= max_bytes else None
        return None if content is None else (kind, content)

    def _pipes(self) -> tuple[io.FileIO, io.FileIO]:
        process = self._process
        if process and isinstance(process.stdout, io.FileIO) and isinstance(process.stdin, io.FileIO):
            return process.stdout, process.stdin
        raise RuntimeError("the limited process is not running")

    @contextlib.contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Kill the process if the block takes longer, which ends every wait for its pipes."""
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # it must not meet the next process

    def _kill(self) -> None:
        """Kill server and fork, which share a process group; not once it is waited for: its number is free then."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _end(self) -> int | None:
        """Kill, wait and close; returns the exit code."""
        self._kill()
        process, self._process = self._process, None
        if process is None:
            return None
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        return process.wait()

    def _gave_up(self, why: bytes) -> UnusableDataError:
        reasons = {
            frames.MEMORY: f"used more than {self.memory_bytes / 2**30:g} GB",
            frames.TIME: f"took longer than {self.seconds} s of a processor",
        }
        return UnusableDataError("S02", f"the reader gave up on it ({reasons.get(why, 'crashed')})")


_SHARED = {parser: LimitedReader(parser) for parser in get_args(Parser)}
for _reader in _SHARED.values():
    atexit.register(_reader._end)  # without the lock: a thread may be waiting for an answer
    os.register_at_fork(after_in_child=_reader.forget)


def read_limited(parser: Parser, data: bytes, *, max_bytes: int) -> frames.Variables:
    """What `read_unguarded` of a parser finds in a file, read in the process that this interpreter shares.

    Args:
        parser: the module.
        data: the whole file.
        max_bytes: to which the file may unpack, all matrices together.

    Raises:
        UnusableDataError: S02, what the reader found, or "the reader gave up on it (used more than 2 GB)",
            "(took longer than 15 s of a processor)" or "(crashed)".
        TransientError: the process was killed, or starved.
        PermanentError: it cannot be started.
    """
    return _SHARED[parser].read(data, max_bytes=max_bytes)
