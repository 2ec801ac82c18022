"""Which partitions were built by an older declaration or other code.

Belongs here: looking at what parts say of themselves. Does not belong here: the digest (`code_version.py`),
building them again (`cli/backfill.py`).

Dagster knows too, as long as it keeps its history. The parts know always, and one request a partition suffices: the
last part of the table that is written last. 1,800 days are two listings and 1,800 requests, 16 at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitalake.arrivals.calendar import Partition
from vitalake.arrivals.fingerprints import digest
from vitalake.arrivals.objects import ObjectInfo
from vitalake.lake.dataset import Count, Dataset, Statement, Threshold
from vitalake.lake.parquet import SEED_PARTITION, part_index
from vitalake.lake.parts import Inputs, Store, part_inputs, side_by_side
from vitalake.lake.versions.code_version import code_digest

# It never warns: rows of older code are right as they are, until somebody wants them judged anew.
CURRENT = Statement("current", "Partitions are of today's declaration and code.", Threshold(warn=1.0))


@dataclass(frozen=True)
class PartitionVersions:
    """How many partitions a dataset has; those that today's declaration and code would build otherwise, sorted."""

    total: int
    outdated: tuple[str, ...]

    @property
    def count(self) -> Count:
        """For the check `CURRENT`."""
        return Count(
            len(self.outdated), self.total, dict.fromkeys(self.outdated, "of an older declaration or code")
        )


def partition_versions(dataset: Dataset, lake: Store, key_id: str) -> PartitionVersions:
    """Look at every partition of a dataset.

    Args:
        dataset: as it is declared now.
        lake: where its parts are.
        key_id: of the key for pseudonyms (`vitalake.pseudonyms.Pseudonyms.key_id`), which tables depend on too.
    """
    table, code = _last_written(dataset, key_id)
    last: dict[str, ObjectInfo] = {}
    for item in lake.objects(f"{table}/"):
        partition = Partition.of_folder(item.key)
        if partition and part_index(item.key) is not None and str(partition.day) != SEED_PARTITION:
            last[str(partition)] = max(item, last.get(str(partition), item), key=lambda each: each.key)
    with side_by_side(len(last)) as each:
        built = zip(last, each(lambda item: part_inputs(lake, item), last.values()), strict=True)
        outdated = sorted(partition for partition, inputs in built if inputs is None or inputs.code != code)
    return PartitionVersions(len(last), tuple(outdated))


def _last_written(dataset: Dataset, key_id: str) -> tuple[str, str]:
    """The last table of a partition that everybody may read, and the code that its footer names when it is new."""
    code = code_digest(dataset)
    read = Inputs("", code).then(digest(code, key_id))
    derived = [table.name for item in dataset.derived for table in item.tables if not table.restricted]
    return (derived[-1], read.then(code).code) if derived else (dataset.quarantine_table.name, read.code)
