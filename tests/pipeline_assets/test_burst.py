"""A burst of bad files, from the runs that read them to Slack: one message or two, and every object in one.

Belongs here: quarantine's alerts with the real runs, outbox and delivery. Does not belong here: their wording
(`tests/vitalake/alerting/test_alert_grouping.py`), or other news of a run (`test_news.py`).
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from dagster import DagsterInstance

from pipeline_assets.build import build_defs
from resources.alerting.delivery import deliver
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from resources.build import build_resources
from resources.lake_store import LakeStore
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.slack_server import OK, Slack, slack_server
from tests.vitalake.lake.watched_store import Crash
from tests.vitalake.notes import DAY, notes_dataset
from vitalake.alerting.alerts import Alert
from vitalake.arrivals.partitions import PartLimits
from vitalake.lake.dataset import Dataset

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("no_proxy")]
PARTS = 20
PER_PART = 1000 if os.environ.get("VITALAKE_TEST_LONG") else 50
OBJECTS = PARTS * PER_PART
LOG = logging.getLogger("test")
# Refused by three rules, in turn.
CONTENTS = (b"bad", b"", b"\xff", b"x" * 21)
RULES = ("S03", "S01", "X01", "S01")


@pytest.fixture
def notes() -> Dataset:
    return replace(notes_dataset(), limits=PartLimits(part_objects=PER_PART, object_bytes=20))


@pytest.fixture
def upload(raw: ObjectStore, notes: Dataset) -> Callable[[int, int], None]:
    """Upload the bad files from one number up to another, side by side."""

    def put(number: int) -> None:
        key = f"{notes.prefix}date={DAY}/{number:05}"
        raw.put(key, CONTENTS[number % len(CONTENTS)], expected=None)

    def upload(first: int, end: int) -> None:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put, range(first, end)))

    return upload


class KilledStore(LakeStore):
    """The lake, until so many parts of quarantine were written: then the process ends, before or after the next."""

    parts_left = 0

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        if "_quarantine/" in key:
            if self.parts_left == 0:
                raise Crash
            self.parts_left -= 1
        return super().put(key, data, expected=expected)


def run(settings: Settings, instance: DagsterInstance, notes: Dataset, lake: ObjectStore | None = None) -> None:
    """A run of the day; its checks may block what follows, as nothing of it is good."""
    settings = settings.model_copy(update={"processes_per_run": 1})
    resources = build_resources(settings)
    resources = replace(resources, lake=lake) if lake else resources
    job = build_defs(settings, resources=resources, datasets=[notes]).resolve_job_def(f"{notes.name}_job")
    job.execute_in_process(instance=instance, partition_key=DAY, raise_on_error=False)


class Clock:
    """Ticks of delivery every thirty simulated seconds, from now on."""

    def __init__(self, store: ObjectStore, server: Slack) -> None:
        self.now = datetime.now(timezone.utc)
        self._store, self._server = store, server

    def tick(self, minutes: float, *, reading: bool) -> None:
        until = self.now + timedelta(minutes=minutes)
        slack = SlackAlerts(token="xoxb-secret", channel="#health", base_url=self._server.url, timeout_s=60)
        while self.now < until:
            deliver(Outbox(self._store), slack, LOG, self.now, lambda _cause: reading)
            self.now += timedelta(seconds=30)


def told_objects(server: Slack) -> list[int]:
    """How many objects each message about quarantine counts."""
    found = [re.match(r"([\d,]+) objects? of \S+ \S+ in quarantine$", post["text"]) for post in server.posts]
    return [int(match[1].replace(",", "")) for match in found if match]


def told_records(server: Slack) -> Counter[str]:
    """Rule → records, of all messages about quarantine."""
    counted: Counter[str] = Counter()
    for post in server.posts:
        lines = post["blocks"][1]["text"]["text"].splitlines()
        for line in (line for line in lines if "y rule: " in line):
            for rule, number in re.findall(r"([SX]\d\d) × ([\d,]+)", line):
                counted[rule] += int(number.replace(",", ""))
    return counted


def recorded_objects(store: ObjectStore) -> set[str]:
    """The objects of all alerts about quarantine that were sent."""
    alerts = [Alert.from_json(json.loads(store.get(item.key))["alert"]) for item in store.objects("alerts/sent/")]
    return {name for a in alerts if a.refused for objects in a.refused.records.values() for name in objects}


def expected_records() -> Counter[str]:
    return Counter(RULES[number % len(RULES)] for number in range(OBJECTS))


def assert_all_told(store: ObjectStore, server: Slack) -> None:
    assert sum(told_objects(server)) == len(recorded_objects(store)) == OBJECTS
    assert told_records(server) == expected_records()
    assert store.objects("alerts/pending/") == []


def test_a_run_is_one_message_however_many_parts_it_reads(
    settings: Settings,
    store: ObjectStore,
    instance: DagsterInstance,
    notes: Dataset,
    upload: Callable[[int, int], None],
) -> None:
    upload(0, OBJECTS)
    with slack_server(OK) as server:
        clock = Clock(store, server)
        run(settings, instance, notes)
        assert len(store.objects("alerts/pending/")) >= PARTS
        clock.tick(4, reading=True)
        assert told_objects(server) == [], "it waits for the end of the run"
        clock.tick(60, reading=False)
        assert told_objects(server) == [OBJECTS]
        run(settings, instance, notes)
        clock.tick(60, reading=False)
    assert_all_told(store, server)


@pytest.mark.parametrize("noticed", [False, True], ids=["nobody knows of runs", "runs are known of"])
def test_a_run_that_is_killed_and_its_next_are_two_messages_at_most(
    settings: Settings,
    store: ObjectStore,
    instance: DagsterInstance,
    notes: Dataset,
    upload: Callable[[int, int], None],
    noticed: bool,
) -> None:
    upload(0, OBJECTS)
    killed = KilledStore(settings, ())
    killed.parts_left = 7
    with slack_server(OK) as server:
        clock = Clock(store, server)
        run(settings, instance, notes, lake=killed)
        assert killed.parts_left == 0
        clock.tick(1, reading=noticed)
        run(settings, instance, notes)
        clock.tick(1, reading=noticed)
        clock.tick(60, reading=False)
        assert len(told_objects(server)) == (1 if noticed else 2)
    assert_all_told(store, server)


def test_runs_while_files_still_arrive_are_two_messages_at_most(
    settings: Settings,
    store: ObjectStore,
    instance: DagsterInstance,
    notes: Dataset,
    upload: Callable[[int, int], None],
) -> None:
    with slack_server(OK) as server:
        clock = Clock(store, server)
        for first in range(0, OBJECTS, OBJECTS // 5):
            upload(first, first + OBJECTS // 5)
            run(settings, instance, notes)
            clock.tick(2, reading=False)
        clock.tick(60, reading=False)
        assert told_objects(server)[0] == OBJECTS // 5, "the first is told at once"
        assert len(told_objects(server)) == 2
    assert_all_told(store, server)


def test_a_run_that_never_ends_holds_nothing_up_for_long(
    settings: Settings,
    store: ObjectStore,
    instance: DagsterInstance,
    notes: Dataset,
    upload: Callable[[int, int], None],
) -> None:
    upload(0, 1)
    with slack_server(OK) as server:
        run(settings, instance, notes)
        Clock(store, server).tick(6, reading=True)
        assert told_objects(server) == [1]
