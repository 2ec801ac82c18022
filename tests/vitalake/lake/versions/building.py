"""The lake of the demo's files, built stage by stage.

Belongs here: uploading and building. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cli.demo.feed import demo_waves
from resources.object_store import ObjectStore
from tests.vitalake.notes import PSEUDONYMS, upload
from vitalake.arrivals.listing import arrived
from vitalake.arrivals.partitions import by_partition
from vitalake.lake.dataset import Dataset
from vitalake.lake.reading import read_objects
from vitalake.lake.reconcile import Report
from vitalake.lake.stages import combine, derive, list_objects

FIRST_DAY = date(2026, 11, 20)


def upload_demo(raw: ObjectStore) -> None:
    """Every file of the demo."""
    newest = {file.key: file.data for wave in demo_waves(FIRST_DAY) for file in wave}
    for key, data in newest.items():
        upload(raw, key, data)


def days_of(dataset: Dataset, raw: ObjectStore) -> list[str]:
    """The days of which a dataset has objects."""
    calendar = dataset.calendar(FIRST_DAY)
    found = arrived(raw, dataset.prefix, calendar, None, dataset.group_objects)
    return list(map(str, by_partition(found, calendar)))


def build(dataset: Dataset, raw: ObjectStore, lake: ObjectStore, days: Sequence[str]) -> list[str]:
    """Build these days of a dataset, and what follows from all; the keys of the parts that were written."""
    reports: list[Report] = []
    for day in days:
        reports += [
            list_objects(dataset, raw, lake, day, FIRST_DAY, _quiet),
            read_objects(dataset, raw, lake, day, PSEUDONYMS, _quiet, _quiet),
            *(derive(dataset, derived, lake, day, _quiet) for derived in dataset.derived),
        ]
    reports += [combine(dataset, combined, lake, _quiet) for combined in dataset.combined]
    return [key for report in reports for key in report.written]


def _quiet(*_: object) -> None:
    pass
