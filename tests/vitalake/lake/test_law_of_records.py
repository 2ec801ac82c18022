"""The law of the lake for every dataset of records, as properties on a real store; each object is accounted for."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.vitalake.entities.samples import as_json, erp_export, legacy_export, ten_customers
from tests.vitalake.lake.watched_store import Crash, Event, WatchedStore, crash_at, meanwhile
from tests.vitalake.notes import DAYS, build, contents, remove, upload
from tests.vitalake.scans import SCAN
from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.fingerprints import listed_fingerprint
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.partitions import PartLimits, by_partition
from vitalake.datasets.entities import ENTITIES
from vitalake.datasets.entity_metrics import ENTITY_METRICS
from vitalake.datasets.entity_relationships import ENTITY_RELATIONSHIPS
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import ConflictError
from vitalake.lake.stages import combine, is_built, load_table

pytestmark = pytest.mark.store
KEYS = [f"date=2026-11-20/{name}" for name in ("a.csv", "b", "c +é", "d.json")] + ["crm/date=2026-11-21/e", "loose"]


def counted_csv(data: bytes) -> int:
    """Records of a file with a header, by Python's own module; delimiters alone are none."""
    text = data.decode("utf-8-sig")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in text else ",")
    return max(0, sum(map(any, rows)) - 1)


def counted_json(data: bytes) -> int:
    """Records of an array."""
    return len(json.loads(data.decode("utf-8-sig")))


def counted_export(data: bytes) -> int:
    """Records of an export, in an envelope or without."""
    found = json.loads(data)
    return len(found["records"] if isinstance(found, dict) else found)


@dataclass(frozen=True)
class Sample:
    """A dataset, objects of it that can be read, and how many records one has."""

    dataset: Dataset
    good: tuple[bytes, ...]
    count: Callable[[bytes], int]


_PRICES = b"ID,Region,InstanceType,Price (USD/h)\n"
_SEMICOLONS = _PRICES.replace(b",", b";").replace(b"\n", b"\r\n")
_LINKS = b"parent_id,child_id,type\n"
_UNUSABLE = as_json({"records": [{}, 5], "metadata": {"sourceSystem": "crm"}})
SAMPLES = (
    Sample(
        PRICING,
        (
            _PRICES,
            _PRICES + b"1,eu,m5,0.1\n2,us,m5,x\n1,eu,m5,0.2\n4,eu\n",
            b"\xef\xbb\xbf"
            + _PRICES.replace(b",", b";").replace(b"\n", b"\r\n")
            + b'5;"a\nb";m5;1\r\n\r\n6;;m5;1\r\n',
        ),
        counted_csv,
    ),
    Sample(
        RETINA,
        (
            b"[]",
            json.dumps([SCAN, SCAN | {"patient_id": ""}, 5, SCAN | {"diagnosis": "odd"}]).encode(),
            b"\xef\xbb\xbf" + json.dumps([SCAN | {"patient_id": "P2"}, SCAN | {"scan_date": "x"}]).encode(),
        ),
        counted_json,
    ),
    Sample(
        ENTITIES,
        (
            as_json(ten_customers()),
            as_json(erp_export()),
            as_json({"records": [{}, 5], "metadata": {"sourceSystem": "crm"}}),
        ),
        counted_export,
    ),
    Sample(
        ENTITY_RELATIONSHIPS,
        (
            b"parent_id,child_id,type\ncrm_1,erp_2,subsidiary\ncrm_1,crm_1,subsidiary\n",
            b"parent_id,child_id,type\n,,\n,crm_2,\n",
        ),
        counted_csv,
    ),
    Sample(
        ENTITY_METRICS,
        (b"entity_id,metric,date,value,unit\ncrm_1,revenue,2025-01-01,5,USD\ncrm_1,revenue,2025-01-01,six,USD\n",),
        counted_csv,
    ),
)
BAD = (b"", b"\xff\xfe no text", b"{", b"a,b,c\n1,2,3\n", as_json(legacy_export())[:50])


class Lake:
    """One dataset in one lake, to which anything may happen."""

    def __init__(self, sample: Sample, raw: ObjectStore, store: ObjectStore) -> None:
        self.sample, self.raw, self.store = sample, raw, store
        self.dataset = replace(sample.dataset, limits=PartLimits(part_objects=2, whole_bytes=150))
        self.files: dict[str, bytes] = {}
        self.days: set[Partition] = set()

    def upload(self, key: str, number: int) -> None:
        choices = (*self.sample.good, *BAD)
        self.files[self.dataset.prefix + key] = data = choices[number % len(choices)]
        upload(self.raw, self.dataset.prefix + key, data)

    def remove(self, key: str) -> None:
        self.files.pop(self.dataset.prefix + key, None)
        remove(self.raw, self.dataset.prefix + key)

    def listed(self) -> dict[Partition, str]:
        groups = by_partition(arrived(self.raw, self.dataset.prefix, DAYS), DAYS)
        self.days |= groups.keys()
        return {day: listed_fingerprint(groups.get(day, [])) for day in self.days}

    def run(self, store: WatchedStore) -> None:
        for day in sorted(self.listed()):
            build(self.dataset, self.raw, store, day)
        for combined in self.dataset.combined:
            combine(self.dataset, combined, store, lambda _done, _total: None)

    def crash(self, number: int, event: Event) -> None:
        with suppress(Crash):
            self.run(WatchedStore(self.store, crash_at(number, event)))

    def twins(self, number: int, key: str, data: int | None) -> None:
        """A run; at one of its steps an object comes or goes, and a second run does all its work."""

        def second() -> None:
            self.upload(key, data) if data is not None else self.remove(key)
            self.run(WatchedStore(self.store))

        with suppress(ConflictError):
            self.run(WatchedStore(self.store, meanwhile(number, second)))

    def assert_lawful(self, clean: ObjectStore) -> None:
        """One more run, and all is as after a clean backfill, nothing is left to do, and nothing is lost."""
        self.run(WatchedStore(self.store))
        afresh = Lake(self.sample, self.raw, clean)
        afresh.days = self.days
        afresh.run(WatchedStore(clean))
        idle = WatchedStore(self.store)
        self.run(idle)
        assert idle.writes == idle.deletions == []
        for day, fingerprint in self.listed().items():
            assert is_built(self.store, self.dataset.all_tables, str(day), fingerprint)
        assert contents(self.store, self.dataset.every_table) == contents(clean, self.dataset.every_table)
        self.assert_accounted()

    def assert_accounted(self) -> None:
        """Per object: records in = records out + records quarantined."""
        out: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        whole: set[str] = set()
        for day in self.days:
            out.update(load_table(self.store, self.dataset.tables[0], str(day)).column("source_key").to_pylist())
            for row in load_table(self.store, self.dataset.quarantine_table, str(day)).to_pylist():
                if row["record_number"] is None:
                    whole.add(row["source_key"])
                else:
                    refused[row["source_key"]] += row["record_count"]
        for key, data in self.files.items():
            if data in self.sample.good:
                assert (key, out[key] + refused[key]) == (key, self.sample.count(data))
                assert key not in whole
            else:
                assert key in whole or refused[key]
                assert out[key] == 0
        assert out.keys() | refused.keys() | whole <= self.files.keys()


keys, files, steps = st.sampled_from(KEYS), st.integers(0, 8), st.integers(0, 40)
happenings = st.one_of(
    st.tuples(st.just("upload"), keys, files),
    st.tuples(st.just("upload"), keys, files),
    st.tuples(st.just("remove"), keys),
    st.tuples(st.just("crash"), st.integers(0, 12), st.sampled_from(["before write", "after write"])),
    st.tuples(st.just("twins"), steps, keys, st.none() | files),
)


@pytest.fixture
def clean(settings: Settings, raw: ObjectStore) -> ObjectStore:
    """A lake that nothing has happened to."""
    raw._client.create_bucket(Bucket=f"{settings.lake_bucket}-clean")
    return ObjectStore(settings, f"{settings.lake_bucket}-clean")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.dataset.name)
@given(st.lists(happenings, min_size=3, max_size=10))
@hypothesis_settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_history_ends_as_one_clean_backfill(
    raw: ObjectStore,
    store: ObjectStore,
    clean: ObjectStore,
    sample: Sample,
    history: list[tuple[str, ...]],
) -> None:
    lake = Lake(sample, raw, store)
    for key in KEYS:  # what an earlier example left
        lake.remove(key)
    for name, *arguments in history:
        getattr(lake, name)(*arguments)
    lake.assert_lawful(clean)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.dataset.name)
def test_every_object_is_accounted_for(
    raw: ObjectStore, store: ObjectStore, clean: ObjectStore, sample: Sample
) -> None:
    lake = Lake(sample, raw, store)
    for number, key in enumerate(KEYS):
        lake.upload(key, number)
    lake.assert_lawful(clean)
    for number, key in enumerate(KEYS):
        lake.upload(key, number + 3)
    lake.remove(KEYS[0])
    lake.assert_lawful(clean)
