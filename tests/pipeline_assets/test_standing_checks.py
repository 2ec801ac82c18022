"""What is looked at every hour and every night, and that what was found at night is not forgotten by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from dagster import (
    AssetCheckEvaluation,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RunRequest,
)
from dagster._utils.tags import TagConcurrencyLimitsCounter

from pipeline_assets.build import build_defs
from resources.alerting.outbox import Outbox
from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import DAY, asked_by_schedule, checks, run_day, upload_all
from tests.vitalake.ecg.matlab_files import strip, v4_file
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.ecg import ECG

pytestmark = pytest.mark.store
ANOTHER_DAY = "2025-03-04"
HOURLY, NIGHTLY = "freshness_schedule", "freshness_of_all_days"


class Listed(ObjectStore):
    """The bucket, and below which prefixes all objects were listed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, settings.raw_bucket)
        self.prefixes: list[str] = []

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        self.prefixes.append(prefix)
        return super().pages(prefix, after)


@dataclass
class Checks:
    """The check of a dataset in which nothing may wait, as schedules and people run it."""

    settings: Settings
    instance: DagsterInstance
    raw: Listed
    defs: Definitions = field(init=False)
    run_id: str = ""

    def __post_init__(self) -> None:
        impatient = replace(ECG, processed_within=timedelta(0))
        self.defs = build_defs(
            self.settings, resources=replace(build_resources(self.settings), raw=self.raw), datasets=[impatient]
        )

    def requests(self, schedule: str) -> list[RunRequest]:
        """What a schedule asks for at its tick."""
        at = datetime(2026, 5, 4, 3, 37, tzinfo=timezone.utc)
        return asked_by_schedule(self.defs, schedule, self.instance, at)

    def run(self, schedule: str) -> AssetCheckEvaluation:
        """The run that a schedule asks for."""
        (request,) = self.requests(schedule)
        return self._run(request.tags)

    def by_hand(self, day: str | None = None) -> AssetCheckEvaluation:
        return self._run({"dagster/partition": day} if day else {})

    def _run(self, tags: Mapping[str, str]) -> AssetCheckEvaluation:
        self.raw.prefixes.clear()
        job = self.defs.resolve_job_def("freshness")
        result = job.execute_in_process(instance=self.instance, tags=tags)
        self.run_id = result.run_id
        return checks(result)["fresh"]


@pytest.fixture
def fresh(settings: Settings, instance: DagsterInstance) -> Checks:
    settings = settings.model_copy(update={"webserver_url": "http://ui"})
    return Checks(settings, instance, Listed(settings))


def today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def keys(found: AssetCheckEvaluation) -> set[str]:
    """The objects that are late."""
    details = found.metadata["details"].value
    assert isinstance(details, dict)
    return set(details)


def test_an_hourly_run_looks_at_the_open_days_and_the_others_at_all(fresh: Checks) -> None:
    (old,) = upload_all(fresh.raw, [("old.mat", v4_file(strip()))])
    (new,) = upload_all(fresh.raw, [("new.mat", v4_file(strip()))], today())
    hourly = fresh.run(HOURLY)
    assert keys(hourly) == {new}
    assert (hourly.metadata["day"].value, hourly.metadata["total"].value) == ("open and late days", 1)
    assert not any(prefix == "ecg/" or DAY in prefix for prefix in fresh.raw.prefixes)
    for found in (fresh.run(NIGHTLY), fresh.by_hand()):
        assert keys(found) == {old, new}
        assert (found.metadata["day"].value, found.metadata["total"].value) == ("all", 2)
    assert keys(fresh.by_hand(DAY)) == {old}


def test_what_is_found_at_night_is_told_every_hour_until_it_is_mended(fresh: Checks) -> None:
    upload_all(fresh.raw, [("old.mat", v4_file(strip()))])
    upload_all(fresh.raw, [("other.mat", v4_file(strip()))], ANOTHER_DAY)
    assert fresh.run(HOURLY).passed
    assert fresh.run(NIGHTLY).metadata["late days"].value == [DAY, ANOTHER_DAY]
    assert fresh.by_hand("2025-03-09").passed  # one day says nothing of others
    for _hour in range(2):
        hourly = fresh.run(HOURLY)
        assert (hourly.passed, hourly.metadata["bad"].value) == (False, 2)
    assert run_day(fresh.settings, fresh.instance).success
    assert fresh.run(HOURLY).metadata["late days"].value == [ANOTHER_DAY]
    assert run_day(fresh.settings, fresh.instance, day=ANOTHER_DAY).success
    assert fresh.run(HOURLY).passed
    fresh.run(HOURLY)
    assert not any(DAY in prefix or ANOTHER_DAY in prefix for prefix in fresh.raw.prefixes)


def test_late_days_are_told_once_and_again_when_others_are_late_or_the_same_anew(
    fresh: Checks, store: ObjectStore
) -> None:
    def told() -> list[str]:
        return [alert.title for alert in Outbox(store).pending()]

    upload_all(fresh.raw, [("old.mat", v4_file(strip())), ("bad.mat", b"no recording")])
    fresh.by_hand(DAY)
    assert told() == [], "somebody is looking at it"
    fresh.run(NIGHTLY)
    first = fresh.run_id
    for _hour in range(2):
        fresh.run(HOURLY)
    (alert,) = Outbox(store).pending()
    assert alert.title == f"2 objects of ecg are late: {DAY}"
    assert alert.link == f"http://ui/runs/{first}"
    for part in ("0 minutes", "vitalake status", f"vitalake backfill ecg --from {DAY} --to {DAY}"):
        assert part in alert.body
    upload_all(fresh.raw, [("other.mat", v4_file(strip()))], ANOTHER_DAY)
    fresh.run(NIGHTLY)
    both = f"3 objects of ecg are late: {DAY}, {ANOTHER_DAY}"
    assert told()[1:] == [both]
    Outbox(store).mark_sent(Outbox(store).pending(), "1.0")
    assert run_day(fresh.settings, fresh.instance).success
    fresh.run(HOURLY)
    assert not any("late" in title for title in told()), "fewer are no news"
    upload_all(fresh.raw, [("once_more.mat", v4_file(strip()))])
    fresh.run(NIGHTLY)
    assert [title for title in told() if "late" in title] == [f"2 objects of ecg are late: {DAY}, {ANOTHER_DAY}"]


def test_a_day_that_is_being_built_is_not_told_before_its_run_has_ended(fresh: Checks, store: ObjectStore) -> None:
    upload_all(fresh.raw, [("old.mat", v4_file(strip()))])
    job = fresh.defs.resolve_job_def("ecg_job")
    tags = {**job.tags, "dagster/partition": DAY}
    run = fresh.instance.create_run_for_job(job, tags=tags, status=DagsterRunStatus.STARTED)
    assert not fresh.run(NIGHTLY).passed
    assert Outbox(store).pending() == []
    fresh.instance.report_run_failed(run)
    fresh.run(NIGHTLY)
    assert [alert.title for alert in Outbox(store).pending()] == [f"1 object of ecg is late: {DAY}"]


def test_however_many_looks_at_one_day_a_late_one_is_remembered(
    fresh: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_assets.standing_checks._PAGE", 1)
    upload_all(fresh.raw, [("old.mat", v4_file(strip()))])
    assert not fresh.run(NIGHTLY).passed
    for _ in range(3):
        assert fresh.by_hand("2025-03-09").passed
    assert not fresh.run(HOURLY).passed


def test_an_hourly_run_is_not_asked_for_while_one_is_under_way_and_a_nightly_is(fresh: Checks) -> None:
    before = fresh.instance.add_run(DagsterRun("freshness", status=DagsterRunStatus.STARTED))
    assert (fresh.requests(HOURLY), len(fresh.requests(NIGHTLY))) == ([], 1)
    fresh.instance.report_run_canceled(before)
    assert len(fresh.requests(HOURLY)) == 1


@pytest.mark.parametrize("going_on", ["freshness", "trends_job"])
def test_runs_that_nobody_waits_for_take_one_slot_of_the_queue(fresh: Checks, going_on: str) -> None:
    limits = yaml.safe_load(Path("dagster.yaml").read_text())["concurrency"]["runs"]["tag_concurrency_limits"]
    tags = {name: dict(fresh.defs.resolve_job_def(name).run_tags) for name in ("freshness", "trends_job")}
    counter = TagConcurrencyLimitsCounter(limits, [DagsterRun(going_on, tags=tags[going_on])])
    for job, theirs in tags.items():
        assert counter.is_blocked(DagsterRun(job, tags=theirs)), job
    assert not counter.is_blocked(DagsterRun("ecg_job", tags={"vitalake/partition": f"ecg:{DAY}"}))
