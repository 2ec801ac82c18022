"""Trouble with the infrastructure: retried or not, said clearly, and never held against the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, Failure, RetryRequested

from pipeline_assets.failures import steered
from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import materialized, rows, run_day, upload_all
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.notes import contents
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError, TransientError, UnusableDataError


@pytest.mark.parametrize(("retry", "shortest_s", "longest_s"), [(0, 2.5, 7.5), (1, 5, 15), (2, 10, 30)])
def test_transient_trouble_is_retried_after_a_growing_random_pause(
    retry: int, shortest_s: float, longest_s: float
) -> None:
    pauses = set()
    for _ in range(20):
        with pytest.raises(RetryRequested) as retried, steered(retry):
            raise TransientError("busy")
        assert retried.value.max_retries == 3
        pauses.add(retried.value.seconds_to_wait)
    assert all(pause is not None and shortest_s <= pause <= longest_s for pause in pauses)
    assert len(pauses) > 1


def test_permanent_trouble_fails_at_once_with_its_own_words() -> None:
    with pytest.raises(Failure) as failed, steered(0):
        raise PermanentError("the bucket does not exist; create it")
    assert (failed.value.allow_retries, failed.value.description) == (False, "the bucket does not exist; create it")


def test_what_nobody_foresaw_is_left_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), steered(0):
        raise ZeroDivisionError


class TroubledRaw:
    """The raw bucket, whose objects cannot be read as long as there is trouble left."""

    def __init__(self, raw: ObjectStore, *troubles: Exception) -> None:
        self._raw, self.troubles = raw, list(troubles)

    def objects(self, prefix: str) -> list[ObjectInfo]:
        return self._raw.objects(prefix)

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        return self._raw.folders(prefix)

    def get_many(
        self, items: Sequence[ObjectInfo]
    ) -> Iterator[tuple[ObjectInfo, bytes | UnusableDataError | None]]:
        for item in self._raw.get_many(items):
            yield item
            if self.troubles:
                raise self.troubles.pop(0)


def events(result: ExecuteInProcessResult, kind: str) -> list[Any]:
    return [event for event in result.all_events if event.event_type_value == kind]


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_assets.failures._FIRST_PAUSE_S", 0.01)


MakeRaw = Callable[..., ObjectStore]


@pytest.fixture
def troubled(raw: ObjectStore) -> MakeRaw:
    """Two recordings, of which the second is not reached as long as there is trouble."""
    upload_all(raw, [("a.mat", v4_file(strip())), ("b.mat", v4_file(strip() + 1))])
    return lambda *troubles: cast("ObjectStore", TroubledRaw(raw, *troubles))


@pytest.mark.store
@pytest.mark.usefixtures("no_pause")
def test_transient_trouble_passes_and_nothing_is_held_against_the_data(
    settings: Settings, store: ObjectStore, instance: DagsterInstance, troubled: MakeRaw
) -> None:
    result = run_day(
        settings,
        instance,
        replace(build_resources(settings), raw=troubled(TransientError("busy"), TransientError("busy"))),
    )
    assert result.success
    assert len(events(result, "STEP_UP_FOR_RETRY")) == 2
    assert rows(store, "ecg_quarantine") == []
    assert len(rows(store, "ecg_recordings")) == 2


@pytest.mark.store
@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize(
    ("error", "retries"), [(TransientError("busy"), 3), (PermanentError("access denied; check the policy"), 0)]
)
def test_trouble_that_stays_fails_the_run_and_quarantines_nothing(
    settings: Settings,
    store: ObjectStore,
    instance: DagsterInstance,
    troubled: MakeRaw,
    error: Exception,
    retries: int,
) -> None:
    result = run_day(settings, instance, replace(build_resources(settings), raw=troubled(*[error] * 9)))
    assert not result.success
    assert len(events(result, "STEP_UP_FOR_RETRY")) == retries
    assert list(materialized(result)) == ["raw_ecg"]
    assert contents(store, [*ECG.tables, ECG.quarantine_table]) == {}


@pytest.mark.store
@pytest.mark.parametrize("missing", ["raw", "lake"])
def test_a_missing_bucket_fails_the_run_at_once_and_says_what_to_do(
    settings: Settings, instance: DagsterInstance, missing: str
) -> None:
    # A name of its own: SeaweedFS makes the bucket when the alert about the failure is put into it.
    name = f"gone-{settings.raw_bucket}"
    result = run_day(settings.model_copy(update={f"{missing}_bucket": name}), instance)
    assert not result.success
    assert events(result, "STEP_UP_FOR_RETRY") == []
    (failure,) = events(result, "STEP_FAILURE")
    assert failure.step_key == "raw_ecg"
    said = failure.event_specific_data.user_failure_data.description
    assert said.startswith(f"{name}/")
    assert "the bucket does not exist" in said
    assert "VITALAKE_RAW_BUCKET" in said


@pytest.mark.store
def test_denied_access_is_permanent_and_says_so(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert run_day(settings, instance).success
    before = contents(store, ECG.all_tables)
    result = run_day(settings.model_copy(update={"aws_access_key_id": "nobody"}), instance)
    (failure,) = events(result, "STEP_FAILURE")
    assert "access denied" in failure.event_specific_data.user_failure_data.description
    assert events(result, "STEP_UP_FOR_RETRY") == []
    assert contents(store, ECG.all_tables) == before
