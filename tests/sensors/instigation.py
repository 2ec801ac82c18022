"""Sensors and schedules as Dagster's daemon records them: states, and ticks that work or fail."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    Definitions,
    SensorEvaluationContext,
    SkipReason,
    job,
    op,
)
from dagster import schedule as scheduled
from dagster import sensor as looking
from dagster._core.execution.build_resources import wrap_resources_for_execution
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from resources.alerting.outbox import Outbox

LOCATION = "vitalake"


@op
def nothing() -> None:
    """Does nothing."""


@job
def ecg_job() -> None:
    """As the product names its jobs."""
    nothing()


@looking(job=ecg_job, minimum_interval_seconds=4, default_status=DefaultSensorStatus.RUNNING)
def drops() -> SkipReason:
    """Looks every few seconds."""
    return SkipReason()


@looking(job=ecg_job, minimum_interval_seconds=60, default_status=DefaultSensorStatus.RUNNING)
def ecg_sweep() -> SkipReason:
    """Looks now and then."""
    return SkipReason()


@looking(job=ecg_job, minimum_interval_seconds=4)
def not_by_default() -> SkipReason:
    """Runs only where somebody starts it."""
    return SkipReason()


@scheduled(job=ecg_job, cron_schedule="7 * * * *")
def hourly() -> SkipReason:
    """Once an hour."""
    return SkipReason()


defs = Definitions(jobs=[ecg_job], sensors=[drops, ecg_sweep, not_by_default], schedules=[hourly])


def context_of(
    instance: DagsterInstance, cursor: str | None, outbox: Outbox | None = None
) -> SensorEvaluationContext:
    """A tick's context, as the code server makes it."""
    return SensorEvaluationContext(
        instance_ref=None,
        instance=instance,
        cursor=cursor,
        resources=wrap_resources_for_execution({"outbox": outbox}),
        repository_def=defs.get_repository_def(),
        code_location_origin=GrpcServerCodeLocationOrigin("127.0.0.1", 1, location_name=LOCATION),
    )


def recorded(error: BaseException) -> SerializableErrorInfo:
    """An error as the daemon gets it from the code server: wrapped once."""
    try:
        try:
            raise error
        except BaseException as inner:
            raise RuntimeError("Error occurred during the execution of evaluation_fn") from inner
    except RuntimeError:
        import sys

        return serializable_error_info_from_exc_info(sys.exc_info())


@dataclass
class Recorder:
    """One sensor or schedule; its ticks lie 20 seconds apart, long ago."""

    instance: DagsterInstance
    name: str
    location: str = LOCATION
    is_schedule: bool = False
    status: InstigatorStatus = InstigatorStatus.DECLARED_IN_CODE
    failed_in_a_row: int = 0
    at: float = 0.0

    def __post_init__(self) -> None:
        place = GrpcServerCodeLocationOrigin("127.0.0.1", 1, location_name=self.location)
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(place, "__repository__"), self.name)
        kind = InstigatorType.SCHEDULE if self.is_schedule else InstigatorType.SENSOR
        self.state = InstigatorState(origin, kind, self.status, self._data(worked=False))
        self.instance.add_instigator_state(self.state)
        self.at = time.time() - 100_000

    def works(self, count: int = 1) -> None:
        """So many ticks that skip."""
        for _ in range(count):
            self.failed_in_a_row = 0
            self._tick(TickStatus.SKIPPED, None)
            self._save(worked=True)

    def fails(self, count: int, error: BaseException | SerializableErrorInfo) -> None:
        """So many ticks that end with this error."""
        record = error if isinstance(error, SerializableErrorInfo) else recorded(error)
        for _ in range(count):
            self.failed_in_a_row += 1
            self._tick(TickStatus.FAILURE, record)
            self._save(worked=False)

    def begins(self) -> None:
        """A tick that is under way."""
        ended_at = self.at
        self._tick(TickStatus.STARTED, None)
        self._save(worked=False, ended_at=ended_at)

    def is_set(self, status: InstigatorStatus) -> None:
        """Stopped or started by somebody."""
        self.state = self.state.with_status(status)
        self.instance.update_instigator_state(self.state)

    def _tick(self, status: TickStatus, error: SerializableErrorInfo | None) -> None:
        self.at += 20
        self.instance.create_tick(
            TickData(
                instigator_origin_id=self.state.instigator_origin_id,
                instigator_name=self.name,
                instigator_type=self.state.instigator_type,
                status=status,
                timestamp=self.at,
                selector_id=self.state.selector_id,
                error=error,
                failure_count=self.failed_in_a_row,
                consecutive_failure_count=self.failed_in_a_row,
            )
        )

    def _save(self, *, worked: bool, ended_at: float | None = None) -> None:
        self.state = self.state.with_data(self._data(worked=worked, ended_at=ended_at or self.at))
        self.instance.update_instigator_state(self.state)

    def _data(
        self, *, worked: bool, ended_at: float | None = None
    ) -> SensorInstigatorData | ScheduleInstigatorData:
        if self.is_schedule:
            return ScheduleInstigatorData("7 * * * *", self.at)
        return SensorInstigatorData(
            last_tick_timestamp=ended_at,
            last_tick_start_timestamp=self.at,
            last_tick_success_timestamp=self.at if worked else None,
        )
