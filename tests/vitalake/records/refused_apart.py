"""One file read in a process of its own, which says how much memory it needed and what came of the records.

Belongs here: the process. Does not belong here: what is read, and how much is too much.

    python -m tests.vitalake.records.refused_apart DATASET FILE
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from vitalake.arrivals.objects import ObjectInfo
from vitalake.datasets.declared import DATASETS
from vitalake.lake import parquet
from vitalake.lake.parts import Inputs
from vitalake.lake.reading import read_part
from vitalake.pseudonyms import Pseudonyms

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


class Files:
    """Objects that are files of this machine."""

    def objects(self, prefix: str) -> list[ObjectInfo]:  # noqa: ARG002
        return []

    def folders(self, prefix: str) -> tuple[list[str], list[ObjectInfo]]:  # noqa: ARG002
        return [], []

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        for item in items:
            yield item, Path(item.key).read_bytes()

    def stream(self, item: ObjectInfo) -> Iterator[bytes]:
        with Path(item.key).open("rb") as file:
            while piece := file.read(4 << 20):
                yield piece


def read_apart(dataset: str, *paths: Path) -> dict[str, Any]:
    """`peak_mb`, `rows` of the first table, `refused` records and `quarantine` rows."""
    argv = [sys.executable, "-m", __name__, dataset, *map(str, paths)]
    done = subprocess.run(argv, check=True, timeout=280, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _read(name: str, paths: Sequence[str]) -> dict[str, Any]:
    [dataset] = [each for each in DATASETS if each.name == name]
    items = [ObjectInfo(path, "v", Path(path).stat().st_size, NOON) for path in paths]
    output, _ = read_part(dataset, Files(), items, Pseudonyms(bytes(32)), Inputs("", ""))
    peak_mb = _peak_mb()
    refused = parquet.decode(output.parts[dataset.quarantine_table.name].data, ["record_count"])
    return {
        "peak_mb": peak_mb,
        "rows": output.parts[dataset.tables[0].name].rows,
        "refused": sum(refused.column(0).to_pylist()),
        "quarantine": refused.num_rows,
    }


def _peak_mb() -> float:
    """Of this process alone: `ru_maxrss` begins with what the one needed that started it."""
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(_read(sys.argv[1], sys.argv[2:])), flush=True)  # noqa: T201 - what its parent reads
    os._exit(0)  # at once: a library's thread that still runs aborts, now and then, a process that ends slowly
