"""The limited process: whatever a file does in there, the parent lives and gets an answer."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vitalake
from tests.vitalake.ecg.matlab_files import strip
from tests.vitalake.ecg.readers import matlab_other_files as files
from tests.vitalake.ecg.readers.matlab.test_mutations import mutate
from vitalake.ecg.readers.limited import frames, process
from vitalake.ecg.readers.limited.process import LimitedReader
from vitalake.errors import PermanentError, TransientError, UnusableDataError

MAX_BYTES = 2**28
PARENT = """
import sys, threading
from tests.vitalake.ecg.readers.matlab_other_files import struct_file, takes_long
from vitalake.ecg.readers.limited import process as limited
limited.read_limited("matlab.other_variables", struct_file(), max_bytes=2**24)
print(limited._SHARED["matlab.other_variables"].pid, flush=True)
if sys.argv[1] == "busy":
    limited.read_limited("matlab.other_variables", takes_long(), max_bytes=2**28)
elif sys.argv[1] == "idle":
    threading.Event().wait()
"""


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[LimitedReader]:
    """One that gives a file little processor time, and a busy machine much time to give it."""
    monkeypatch.setattr(process, "PATIENCE", 200)
    opened = LimitedReader("matlab.other_variables", memory_bytes=2**30, seconds=1)
    yield opened
    opened.close()


def refusal(reader: LimitedReader, data: bytes, max_bytes: int = MAX_BYTES) -> str:
    with pytest.raises(UnusableDataError) as caught:
        reader.read(data, max_bytes=max_bytes)
    assert caught.value.rule == "S02"
    return caught.value.message


def assert_reads(reader: LimitedReader) -> None:
    found, _ = reader.read(files.struct_file(), max_bytes=MAX_BYTES)
    np.testing.assert_array_equal(found["ECG.data"], strip(400, 2), strict=True)


def test_a_crash_a_hang_and_a_bomb_are_refusals_and_the_process_stays(reader: LimitedReader) -> None:
    assert_reads(reader)
    pid = reader.pid
    assert refusal(reader, files.kills_scipy()) == "the reader gave up on it (crashed)"
    assert refusal(reader, files.takes_long()) == "the reader gave up on it (took longer than 1 s of a processor)"
    bomb = files.asks_for_a_gigabyte()
    assert refusal(reader, bomb, 2**32) == "the reader gave up on it (used more than 1 GB)"
    assert "unpack to more than the 268,435,456 bytes allowed" in refusal(reader, bomb)
    assert_reads(reader)
    assert reader.pid == pid


def test_a_process_that_dies_or_stops_is_started_again(
    reader: LimitedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_reads(reader)
    assert reader.pid
    os.kill(reader.pid, signal.SIGKILL)
    os.waitid(os.P_PID, reader.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and still the reader's to find out
    assert_reads(reader)
    os.kill(reader.pid, signal.SIGSTOP)  # as on a machine that has no time for it: no fault of the file
    with monkeypatch.context() as patch:
        patch.setattr(process, "PATIENCE", 1)
        with pytest.raises(TransientError, match="no processor time"):
            assert_reads(reader)
    assert_reads(reader)


def test_a_kernel_that_kills_for_want_of_memory_says_nothing_about_the_file(reader: LimitedReader) -> None:
    reader.seconds = 60  # it dies of nothing else before
    assert_reads(reader)
    server, data = psutil.Process(reader.pid), files.takes_long()
    while server.children():  # the fork of the file before has answered, and may not have ended
        time.sleep(0.01)

    def kill() -> None:
        while not (forks := [fork for fork in server.children() if fork.status() != psutil.STATUS_ZOMBIE]):
            time.sleep(0.01)
        forks[0].kill()

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill)
        with pytest.raises(TransientError, match="was killed"):
            reader.read(data, max_bytes=MAX_BYTES)
        killed.result(timeout=60)
    assert_reads(reader)


def test_an_interrupted_question_leaves_no_half_answer(
    reader: LimitedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_reads(reader)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(frames, "read_exactly", interrupt)
        with pytest.raises(KeyboardInterrupt):
            assert_reads(reader)
    assert reader.pid is None
    assert_reads(reader)


def test_threads_take_turns(reader: LimitedReader) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(assert_reads, reader) for _ in range(20)]
        crashes = [pool.submit(refusal, reader, files.kills_scipy()) for _ in range(5)]
        for answer in answers:
            answer.result(timeout=120)
        assert {crash.result(timeout=120) for crash in crashes} == {"the reader gave up on it (crashed)"}


def test_a_fork_of_the_parent_has_a_process_of_its_own() -> None:
    shared = process._SHARED["matlab.other_variables"]
    assert_reads(shared)
    pid = shared.pid
    fork = os.fork()
    if fork == 0:
        code = 1
        with contextlib.suppress(BaseException):
            at_first = shared.pid
            assert_reads(shared)
            assert at_first is None
            assert shared.pid not in (None, pid)
            shared.close()
            code = 0
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
    assert_reads(shared)
    assert shared.pid == pid


def test_no_start_is_a_fault_of_the_set_up_not_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermanentError, match="does not start: OverflowError"):
        assert_reads(LimitedReader("matlab.other_variables", memory_bytes=2**70))
    monkeypatch.setattr(process, "MODULE", "vitalake.nothing")
    with pytest.raises(TransientError, match=r"ended at its start \(1\)"):
        assert_reads(LimitedReader("matlab.other_variables"))
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(TransientError, match="does not start"):
        assert_reads(LimitedReader("matlab.other_variables"))


@pytest.mark.parametrize("parent_is", ["busy", "idle", "ending"])
def test_no_process_is_left_when_the_parent_ends(parent_is: str) -> None:
    root = Path(vitalake.__file__).parents[1]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, parent_is], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with parent:
        server = psutil.Process(int(parent.stdout.readline()))
        left = [server]
        if parent_is == "busy":
            deadline = time.monotonic() + 60
            while not (forks := server.children()) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert forks
            left += forks
        if parent_is != "ending":
            parent.kill()
        assert parent.wait(timeout=60) == (0 if parent_is == "ending" else -signal.SIGKILL)
        _, alive = psutil.wait_procs(left, timeout=60)
    assert not alive


@pytest.mark.parametrize("kind", ["struct", "hdf5"])
def test_mutations_end_in_matrices_or_in_a_refusal(kind: str) -> None:
    source = random.Random(21)
    original = files.struct_file() if kind == "struct" else files.hdf5_file(files.write_v73)
    outcomes = {"read": 0, "refused": 0}
    reader = LimitedReader("matlab.other_variables", seconds=5)
    threads = threading.active_count()
    for _ in range(200):
        try:
            found, _others = reader.read(mutate(original, source), max_bytes=2**24)
            assert all(matrix.ndim == 2 and matrix.dtype.kind in "iuf" for matrix in found.values())
            outcomes["read"] += 1
        except UnusableDataError as error:
            assert error.rule == "S02"
            outcomes["refused"] += 1
    reader.close()
    assert min(outcomes.values()) > 10  # both ends are reached
    assert threading.active_count() == threads


@given(st.binary(max_size=200), st.booleans())
def test_an_answer_is_not_trusted(junk: bytes, patched: bool) -> None:
    matrix = np.arange(6, dtype=np.int16).reshape(2, 3)
    answer = b"".join(frames.pack_variables({"a": matrix}, {"b": "text"}))
    found, others = frames.unpack_variables(bytearray(answer))
    np.testing.assert_array_equal(found["a"], matrix, strict=True)
    assert others == {"b": "text"}
    with contextlib.suppress(ValueError):
        frames.unpack_variables(bytearray(answer[: len(junk)] + junk if patched else junk))


def test_an_answer_longer_than_it_may_be_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    reader = LimitedReader("matlab.other_variables")
    with os.fdopen(ours, "rb", 0) as source, os.fdopen(theirs, "wb", 0) as target:
        monkeypatch.setattr(reader, "_pipes", lambda: (source, target))
        target.write(frames.ANSWER.pack(frames.VARIABLES, 2**40))
        assert reader._receive(2**20) is None
