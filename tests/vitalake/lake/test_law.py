"""The law of the lake, as properties, on a real store: whatever happened, a table is a function of its objects."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cli.demo.recordings import demo_files
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.lake.watched_store import Crash, Event, WatchedStore, crash_at, meanwhile
from tests.vitalake.notes import FIRST_DAY, build, contents, notes_dataset, remove, upload
from vitalake.arrivals.calendar import Granularity, Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.partitions import PartLimits, by_partition
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import ConflictError
from vitalake.lake.stages import is_built, load_table

pytestmark = pytest.mark.store
DAY = date(2026, 11, 20)
UNITS: tuple[Granularity, ...] = ("day", "hour")
KEYS = [f"date=2026-11-20/{name}" for name in (*"abcdef", "g.head", "g.tail", "h.tail")]
KEYS += ["date=2026-11-21/a", "loose"]
# The same of hours: in some of the folders that name one, in one that names none, and in none at all.
HOURLY = [key.replace("2026-11-20/", "2026-11-20/hour=05/") for key in KEYS[:3]] + KEYS[3:4]
HOURLY += [f"2026/11/20/{key.rpartition('/')[2]}" for key in KEYS[4:6]] + [
    f"2026/11/20/05/{key[16:]}" for key in KEYS[6:9]
]
HOURLY += ["dt=2026-11-20-04/a", "loose"]
CONTENTS = [b"one", b"two", b"bad", b"", b"\xff no text", b"more than twenty bytes of text"]


@pytest.fixture
def clean(settings: Settings, raw: ObjectStore) -> ObjectStore:
    """A lake that nothing has happened to."""
    raw._client.create_bucket(Bucket=f"{settings.lake_bucket}-clean")
    return ObjectStore(settings, f"{settings.lake_bucket}-clean")


def keys_in(table: pa.Table) -> list[str]:
    """Every object that the rows speak of, companions included."""
    return [key for row in table.to_pylist() for key in (row["source_key"], *row.get("companion_keys", ()))]


class Lake:
    """One dataset in one lake, to which anything may happen."""

    def __init__(self, dataset: Dataset, raw: ObjectStore, store: ObjectStore) -> None:
        self.dataset, self.raw, self.store = dataset, raw, store
        self.calendar = dataset.calendar(FIRST_DAY)
        self.keys = KEYS if dataset.partition == "day" else HOURLY
        self.partitions = {self.calendar.of(DAY)}

    def upload(self, key: str | int, data: bytes) -> None:
        """A key, or the number of one."""
        upload(self.raw, self.dataset.prefix + (self.keys[key] if isinstance(key, int) else key), data)

    def remove(self, key: str | int) -> None:
        remove(self.raw, self.dataset.prefix + (self.keys[key] if isinstance(key, int) else key))

    def listed(self) -> dict[Partition, str]:
        """Fingerprint of what is in the bucket, by partition; the partitions are remembered."""
        found = arrived(self.raw, self.dataset.prefix, self.calendar, group_objects=self.dataset.group_objects)
        groups = by_partition(found, self.calendar)
        self.partitions |= groups.keys()
        return {partition: listed_fingerprint(groups.get(partition, [])) for partition in self.partitions}

    def is_built(self) -> bool:
        """Whether every table of every partition says that it was built from what is listed."""
        return all(
            is_built(self.store, self.dataset.all_tables, str(day), fingerprint)
            for day, fingerprint in self.listed().items()
        )

    def run(self, store: WatchedStore) -> None:
        for day in sorted(self.listed()):
            build(self.dataset, self.raw, store, day)

    def crash(self, number: int, event: Event) -> None:
        with suppress(Crash):
            self.run(WatchedStore(self.store, crash_at(number, event)))

    def twins(self, number: int, key: str | int, data: bytes | None) -> None:
        """A run; at one of its steps an object comes or goes, and a second run does all its work."""

        def second() -> None:
            self.upload(key, data) if data is not None else self.remove(key)
            self.run(WatchedStore(self.store))

        with suppress(ConflictError):  # the second may win for good
            self.run(WatchedStore(self.store, meanwhile(number, second)))

    def assert_lawful(self, clean: ObjectStore) -> None:
        """One more run, and all is as after a clean backfill, nothing is left to do, and nothing is lost."""
        self.run(WatchedStore(self.store))
        tables = self.dataset.all_tables
        assert self.is_built()
        for day in self.listed():
            build(self.dataset, self.raw, clean, day)
            idle = WatchedStore(self.store)
            reports = build(self.dataset, self.raw, idle, day)
            assert not any(report.changed for report in reports)
            assert {report.fingerprint for report in reports} == {self.listed()[day]}
            assert idle.writes == idle.deletions == []
            manifest, good, bad = (
                sorted(keys_in(load_table(self.store, table, str(day))))
                for table in (tables[0], tables[1], self.dataset.quarantine_table)
            )
            # Two headers may share a signal file, which is heard of twice then; nothing is in both places.
            assert manifest == sorted({*good, *bad})
            assert set(good).isdisjoint(bad)
            assert len(set(manifest)) == len(manifest)
        assert contents(self.store, tables) == contents(clean, tables)


keys, texts, steps = st.integers(0, len(KEYS) - 1), st.sampled_from(CONTENTS), st.integers(0, 40)
happenings = st.one_of(
    st.tuples(st.just("upload"), keys, texts),
    st.tuples(st.just("upload"), keys, texts),
    st.tuples(st.just("remove"), keys),
    st.tuples(st.just("crash"), st.integers(0, 12), st.sampled_from(["before write", "after write"])),
    st.tuples(st.just("twins"), steps, keys, st.none() | texts),
)


@pytest.mark.parametrize("unit", UNITS)
@given(history=st.lists(happenings, min_size=4, max_size=16))
@hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_history_ends_as_one_clean_backfill(
    raw: ObjectStore, store: ObjectStore, clean: ObjectStore, unit: Granularity, history: list[tuple[str, ...]]
) -> None:
    lake = Lake(notes_dataset(unit), raw, store)
    for name, *arguments in history:
        getattr(lake, name)(*arguments)
    lake.assert_lawful(clean)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("event", ["before write", "after write"])
def test_a_crash_at_any_write_costs_nothing(
    raw: ObjectStore, store: ObjectStore, clean: ObjectStore, unit: Granularity, event: Event
) -> None:
    lake = Lake(notes_dataset(unit), raw, store)
    for key in range(7):
        lake.upload(key, CONTENTS[key % 3])
    for write in range(13):  # three parts of four tables; the thirteenth crash has nothing left to interrupt
        if write == 6:  # half of it is there: now a part too many, and one that differs
            lake.remove(0)
            lake.upload(6, b"other")
        lake.crash(write % 4, event)
    lake.assert_lawful(clean)


@pytest.mark.parametrize("unit", UNITS)
def test_a_slow_run_never_undoes_a_newer_one(
    raw: ObjectStore, store: ObjectStore, clean: ObjectStore, unit: Granularity
) -> None:
    """At each step of a run, more arrives and a second run does all its work; the first must notice."""
    lake = Lake(notes_dataset(unit), raw, store)
    for step in range(0, 60, 2):
        lake.upload(step % 5, b"before %d" % step)
        lake.twins(step, 5 + step % 3, [b"during %d" % step, b"bad", None][step % 18 // 6])
        assert lake.is_built()
    lake.assert_lawful(clean)


def test_who_loses_a_race_finishes_what_the_winner_left(
    raw: ObjectStore, store: ObjectStore, clean: ObjectStore
) -> None:
    """At each step of a run, a second one is quicker with one part, and ends there."""
    lake = Lake(notes_dataset(), raw, store)
    for step in range(0, 40, 2):
        for key in range(7):
            lake.upload(key, b"before %d" % step)
        lake.run(WatchedStore(store, meanwhile(step, lambda: lake.crash(0, "after write"))))
        assert lake.is_built()
    lake.assert_lawful(clean)


@pytest.mark.parametrize("unit", UNITS)
def test_runs_side_by_side(raw: ObjectStore, store: ObjectStore, clean: ObjectStore, unit: Granularity) -> None:
    lake = Lake(notes_dataset(unit), raw, store)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(4):
            lake.upload(chance.randrange(len(KEYS)), chance.choice(CONTENTS))
            lake.remove(chance.randrange(len(KEYS)))
            with suppress(ConflictError):
                lake.run(WatchedStore(lake.store))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    lake.assert_lawful(clean)


def test_the_law_holds_for_recordings(raw: ObjectStore, store: ObjectStore, clean: ObjectStore) -> None:
    lake = Lake(replace(ECG, limits=PartLimits(part_objects=3)), raw, store)
    files = demo_files(DAY, days=2, per_device=1)
    uploaded = [(file.key.removeprefix(ECG.prefix), file.data) for file in files]
    chance = random.Random(1)
    chance.shuffle(uploaded)
    for number, (key, data) in enumerate(uploaded):
        lake.upload(key, data)
        if number % 4 == 1:
            lake.crash(number % 7, "after write")
    lake.remove(uploaded[2][0])
    lake.upload(uploaded[0][0], uploaded[1][1])
    lake.twins(9, uploaded[3][0], b"no recording")
    lake.assert_lawful(clean)


def test_the_law_holds_for_recordings_of_several_objects(
    raw: ObjectStore, store: ObjectStore, clean: ObjectStore
) -> None:
    """Pairs, half pairs, strays and shared files, in and without a dated folder; each step ends lawfully."""
    lake = Lake(replace(ECG, limits=PartLimits(part_objects=3)), raw, store)
    header = b"%s 1 360 3600\n%s.dat 16 200(1024)/mV 16 0 0 0 0 MLII\n"
    signal, other = (strip(3600) + step for step in (0, 1))
    pair = {"date=2026-11-20/a.hea": header % (b"a", b"a"), "date=2026-11-20/a.dat": signal.astype("<i2").tobytes()}
    steps: list[tuple[str, bytes | None]] = [
        *pair.items(),
        ("date=2026-11-20/b.mat", v4_file(signal)),
        ("date=2026-11-20/b.hea", b""),  # a stray header beside a recording that needs none
        ("date=2026-11-20/a.atr", b"\x48\x31\0\0"),
        ("date=2026-11-20/a-again.hea", header % (b"a-again", b"a")),  # shares the signal file
        ("date=2026-11-20/a.dat", other.astype("<i2").tobytes()),
        ("loose/c.dat", other.astype("<i2").tobytes()),
        ("loose/c.hea", header % (b"c", b"c")),
        ("date=2026-11-20/a.dat", None),
        ("loose/c.hea", None),
        ("date=2026-11-20/b.hea", None),
        ("date=2026-11-20/a.hea", None),
    ]
    for number, (key, data) in enumerate(steps):
        lake.upload(key, data) if data is not None else lake.remove(key)
        if number % 3 == 1:
            lake.crash(number % 5, "after write")
        lake.assert_lawful(clean)
