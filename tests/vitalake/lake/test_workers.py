"""Work spread over processes gives what it gives in one, and says so when a process dies."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import date

import numpy as np
import psutil
import pytest
from loky import get_reusable_executor

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.notes import FIRST_DAY, PSEUDONYMS, contents, upload
from vitalake.arrivals.partitions import PartLimits
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import derive, list_objects
from vitalake.lake.workers import WORTH_IT, spread

MANY = range(WORTH_IT * 3)
DAY = str(date(2026, 11, 20))


def process_of(_task: int) -> int:
    return os.getpid()


def twice(task: int) -> int:
    return 2 * task


def fail(task: int) -> int:
    if task == WORTH_IT:
        raise PermanentError("the bucket is gone")
    return task


def end(_task: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert list(spread(twice, MANY, 2)) == [2 * task for task in MANY]


def test_few_tasks_and_a_single_process_stay_here() -> None:
    assert set(spread(process_of, MANY, 1)) == {os.getpid()}
    assert set(spread(process_of, range(WORTH_IT - 1), 2)) == {os.getpid()}
    assert os.getpid() not in set(spread(process_of, MANY, 2))


def test_on_one_core_all_work_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert set(spread(process_of, MANY, None)) == {os.getpid()}


def test_no_more_is_done_ahead_than_there_are_processes() -> None:
    asked: list[int] = []

    def tasks() -> object:
        for task in MANY:
            asked.append(task)
            yield task

    results = spread(twice, tasks(), 2)  # type: ignore[arg-type]
    assert next(results) == 0
    assert len(asked) == max(WORTH_IT, 3)
    results.close()  # type: ignore[attr-defined]


def test_what_the_work_raises_is_raised_here() -> None:
    with pytest.raises(PermanentError, match="the bucket is gone"):
        list(spread(fail, MANY, 2))
    assert list(spread(twice, MANY, 2))[-1] == 2 * MANY[-1]


def test_a_process_that_is_killed_is_transient_and_the_next_time_there_is_another() -> None:
    with pytest.raises(TransientError, match="was killed"):
        list(spread(end, MANY, 2))
    assert list(spread(twice, MANY, 2))[-1] == 2 * MANY[-1]


@pytest.mark.store
def test_parts_read_side_by_side_are_the_same_bytes(settings: Settings, raw: ObjectStore) -> None:
    """Good recordings, junk and copies, in parts of two; what is refused is announced in the order of the parts."""
    dataset = replace(ECG, limits=PartLimits(part_objects=2))
    for number in range(4 * WORTH_IT):
        data = b"no recording" if number % 5 == 0 else v4_file(strip() + np.int16(number // 3))
        upload(raw, f"ecg/date={DAY}/{number:02d}.mat", data)
    get_reusable_executor().shutdown(wait=True)  # of the tests before
    built, announced = [], []
    for processes in (1, 2):
        raw._client.create_bucket(Bucket=f"{settings.lake_bucket}-{processes}")
        lake = ObjectStore(settings, f"{settings.lake_bucket}-{processes}")
        news: list[str] = []

        def announce(rows: list[dict[str, str]], news: list[str] = news) -> None:
            news += [row["source_key"] for row in rows]

        list_objects(dataset, raw, lake, DAY, FIRST_DAY, lambda *_: None)
        read_objects(dataset, raw, lake, DAY, PSEUDONYMS, lambda *_: None, announce, processes)
        for each in dataset.derived:
            derive(dataset, each, lake, DAY, lambda *_: None, processes)
        built.append(contents(lake, dataset.all_tables))
        announced.append(news)
    assert len(built[0]) == 2 * WORTH_IT * len(dataset.all_tables)
    assert built[0] == built[1]
    assert announced[0] == announced[1] == sorted(announced[0])
    assert len(announced[0]) == -(-4 * WORTH_IT // 5)
    workers = [each for each in psutil.Process().children(recursive=True) if "loky" in " ".join(each.cmdline())]
    assert workers, "everything was computed in this process"
