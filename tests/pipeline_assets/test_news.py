"""What a run tells people: newly quarantined files once, failures once, with the way to the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from dagster import DagsterInstance

from cli.demo.recordings import demo_files
from pipeline_assets.build import build_defs
from resources.alerting.outbox import Outbox
from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import (
    DAY,
    asked_by_schedule,
    materialized,
    run_day,
    run_trends,
    upload_all,
)
from tests.vitalake.ecg.matlab_files import strip, v4_file
from vitalake.errors import TransientError

pytestmark = pytest.mark.store


def test_a_newly_quarantined_file_is_told_once(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    settings = settings.model_copy(update={"webserver_url": "http://127.0.0.1:3000"})
    today = date(2025, 3, 2)
    good = [(f"{n}.mat", f.data) for n, f in enumerate(demo_files(today, days=1)) if f.kind == "clean"]
    upload_all(raw, [*good[:5], ("bad.mat", b"no recording")])
    run_id = run_day(settings, instance).run_id
    [alert] = Outbox(store).pending()
    assert alert.kind == "quarantine"
    assert alert.link == f"http://127.0.0.1:3000/runs/{run_id}"
    for told in ("ecg", DAY, "bad.mat", "S02"):
        assert told in alert.title + alert.body

    upload_all(raw, [("worse.mat", b"no recording either")])
    run_day(settings, instance)
    assert len(Outbox(store).pending()) == 2, "the second file is news"
    run_day(settings, instance)
    assert len(Outbox(store).pending()) == 2, "an unchanged day is none"


def test_a_failed_run_is_told_once_however_often_it_fails(
    settings: Settings, store: ObjectStore, instance: DagsterInstance
) -> None:
    broken = replace(build_resources(settings), raw=ObjectStore(settings, "no-such-bucket"))
    assert not run_day(settings, instance, broken).success
    [alert] = Outbox(store).pending()
    assert alert.kind == "run_failed"
    assert "no-such-bucket" in alert.body
    assert "does not exist" in alert.body


def test_a_day_that_checks_block_is_told_with_their_counts_and_as_one_cause(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("bad.mat", b"no recording")])
    assert not run_day(settings, instance).success
    upload_all(raw, [("worse.mat", b"no recording either")])
    assert not run_day(settings, instance).success
    one, two = (alert for alert in Outbox(store).pending() if alert.kind == "run_failed")
    assert f"readable: {DAY}: Objects can be read" in one.body
    assert "Not so: 1 of 1 (100.0%)." in one.body
    assert "Not so: 2 of 2 (100.0%)." in two.body
    assert one.cause == two.cause


def test_a_catalog_that_could_not_be_published_is_the_next_run_s_and_nobody_promises_another_of_the_day(
    settings: Settings,
    raw: ObjectStore,
    store: ObjectStore,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from resources.catalog import publish

    def unanswered(*_: object) -> bool:
        raise TransientError("lake: the object store did not answer")

    monkeypatch.setattr("pipeline_assets.failures._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("resources.catalog.publish", unanswered)
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert not run_day(settings, instance).success
    [alert] = Outbox(store).pending()
    assert "Step: lake" in alert.body
    assert "retried by itself" not in alert.body
    assert "What was built is stored; the next run, of whatever job, publishes the catalog again." in alert.body
    monkeypatch.setattr("resources.catalog.publish", publish)
    at = datetime.now(timezone.utc) + timedelta(days=1)
    assert asked_by_schedule(build_defs(settings), "trends_schedule", instance, at), "within minutes"
    assert materialized(run_trends(settings, instance))["lake"]["outcome"] == "published"
