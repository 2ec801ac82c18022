"""How far it is from a listed object to a row: how many files somebody who follows one opens, one after another."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timezone
from hashlib import md5
from itertools import pairwise
from pathlib import Path
from types import FrameType

import pytest

from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.scans import SCAN
from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.ecg import ECG
from vitalake.datasets.pricing import PRICING
from vitalake.datasets.retina import RETINA
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import ConflictError, parts_of
from vitalake.lake.reading import read_objects
from vitalake.lake.stages import derive, list_objects
from vitalake.pseudonyms import Pseudonyms

ROOT = Path(__file__).parents[3]
OURS = tuple(f"{ROOT / name}/" for name in ("vitalake", "pipeline_assets", "resources"))
MOST_SWITCHES = 8
DAY = "2026-11-20"
PSEUDONYMS = Pseudonyms(b"a key for tests, long enough")


class InMemory:
    """A bucket in memory, for one writer."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def objects(self, prefix: str) -> list[ObjectInfo]:
        found = {key: data for key, data in sorted(self.contents.items()) if key.startswith(prefix)}
        at = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
        return [ObjectInfo(key, _version(data), len(data), at) for key, data in found.items()]

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
        items = [(item, item.key.removeprefix(prefix).partition("/")) for item in self.objects(prefix)]
        folders = {f"{prefix}{name}/" for _, (name, slash, _) in items if slash}
        return sorted(folders), [item for item, (_, slash, _) in items if not slash]

    def get(self, key: str, version: str | None = None) -> bytes:
        if key not in self.contents or (version and version != _version(self.contents[key])):
            raise FileNotFoundError(key)
        return self.contents[key]

    def tail(self, key: str, size_bytes: int) -> bytes:
        return self.contents[key][-size_bytes:]

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        return ((item, self.contents[item.key]) for item in items)

    def stream(self, item: ObjectInfo) -> Iterator[bytes] | None:
        return iter([self.contents[item.key]])

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        self._expect(key, expected)
        self.contents[key] = data
        return _version(data)

    def delete(self, key: str, *, expected: str) -> None:
        self._expect(key, expected)
        del self.contents[key]

    def _expect(self, key: str, version: str | None) -> None:
        if version != (_version(self.contents[key]) if key in self.contents else None):
            raise ConflictError(key)


def _version(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


def longest_walk(work: Callable[[], object]) -> list[str]:
    """Of all chains of calls, that with the most steps from a file of ours to another: its files in order."""
    longest: list[str] = []

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal longest
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            files = []
            caller: FrameType | None = frame
            while caller is not None:
                files.append(caller.f_code.co_filename)
                caller = caller.f_back
            ours = [name for name in reversed(files) if name.startswith(OURS)]
            walk = [*ours[:1], *(name for before, name in pairwise(ours) if name != before)]
            longest = max(longest, walk, key=len)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(before)
    return [str(Path(name).relative_to(ROOT)) for name in longest]


@pytest.mark.parametrize(
    ("dataset", "name", "data"),
    [
        (ECG, "a.mat", v4_file(strip())),
        (PRICING, "a.csv", b"ID,Region,InstanceType,Price (USD/h)\n1,eu,m5,0.1\n"),
        (RETINA, "a.json", json.dumps([SCAN]).encode()),
    ],
    ids=lambda value: value.name if isinstance(value, Dataset) else "",
)
def test_no_stage_takes_more_steps_between_files_than_one_can_follow(
    dataset: Dataset, name: str, data: bytes
) -> None:
    raw, lake = InMemory(), InMemory()
    raw.contents[f"{dataset.prefix}date={DAY}/{name}"] = data

    def quiet(*_: object) -> None:
        """Nobody listens."""

    first_day = date(2026, 1, 1)
    loaded = InMemory()  # once before: what Python does to load a module is no step of ours
    list_objects(dataset, raw, loaded, DAY, first_day, quiet)
    read_objects(dataset, raw, loaded, DAY, PSEUDONYMS, quiet, quiet)
    for derived in dataset.derived:
        derive(dataset, derived, loaded, DAY, quiet)
    walks = {
        "list": longest_walk(lambda: list_objects(dataset, raw, lake, DAY, first_day, quiet)),
        "read": longest_walk(lambda: read_objects(dataset, raw, lake, DAY, PSEUDONYMS, quiet, quiet)),
    }
    for derived in dataset.derived:
        what = f"derive {derived.tables[0].name}"
        walks[what] = longest_walk(lambda derived=derived: derive(dataset, derived, lake, DAY, quiet))  # type: ignore[misc]
    assert parts_of(lake, dataset.tables[0].name, DAY)[0].rows > 0
    for stage, walk in walks.items():
        assert walk, stage
        assert len(walk) - 1 <= MOST_SWITCHES, f"{stage}: {' > '.join(walk)}"
