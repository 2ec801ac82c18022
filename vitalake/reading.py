"""The objects of one part, read: each becomes rows of the dataset's tables, or rows of quarantine.

Belongs here: the account of every object, and what of an error is the file's fault. Does not belong here: which
objects a part has (`vitalake/stages.py`), formats and rules (`vitalake/datasets/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from vitalake.arrivals import Bucket, Bundle, ObjectInfo, bundles, size_bytes
from vitalake.checks import VANISHED
from vitalake.dataset import Dataset, Parsed, RawObject, Refusal
from vitalake.errors import PermanentError, TransientError, UnusableDataError
from vitalake.parts import Inputs
from vitalake.pseudonyms import Pseudonyms
from vitalake.reconcile import Output, Sheets

SLICE_BYTES = 32 * 2**20  # values in memory at once; 12 leads of 10 s at 500 Hz weigh 240 kB


class RawBucket(Bucket, Protocol):
    """What the stages need of the bucket that devices upload to."""

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        """Contents in order; None for an object that is gone or changed since it was listed."""


def read_part(
    dataset: Dataset, raw: RawBucket, items: Sequence[ObjectInfo], pseudonyms: Pseudonyms, inputs: Inputs
) -> tuple[Output, list[dict[str, Any]]]:
    """Read the objects of one part: each becomes rows of the dataset's tables or one row of quarantine.

    What was read is laid out in slices of bounded weight, so that a part of long recordings needs no more memory
    than one of short ones. The rows of quarantine come back as well.
    """
    sheets = Sheets([*dataset.tables, dataset.quarantine_table])
    values: list[Any] = []
    weight = 0
    refused: list[dict[str, Any]] = []
    vanished: list[str] = []
    small: list[Bundle] = []
    infos = {item.key: item for item in items}
    for bundle in bundles(items, dataset.together):
        refusals = _weigh(bundle, dataset.limits.object_bytes)
        refused += [_refusal(dataset, infos, {}, refusal) for refusal in refusals]
        if not refusals:
            small.append(bundle)
    contents = raw.get_many([item for bundle in small for item in bundle])
    for bundle in small:
        data = {item.key: content for item, content in (next(contents) for _ in bundle)}
        there = {key: content for key, content in data.items() if content is not None}
        if len(there) < len(data):
            vanished += [key for key in data if key not in there]
            message = "deleted or replaced after it was listed; the partition will be built again"
            parsed = Parsed((), tuple(Refusal(key, VANISHED, message) for key in data))
        else:
            parsed = _parse(dataset, bundle, there, pseudonyms)
        values += parsed.values
        weight += parsed.weight_bytes
        refused += [_refusal(dataset, infos, there, refusal) for refusal in parsed.refusals]
        if weight >= SLICE_BYTES:
            sheets.append(dataset.tabulate(values))
            values, weight = [], 0
    sheets.append(dataset.tabulate(values))
    order = {item.key: position for position, item in enumerate(items)}
    refused.sort(key=lambda row: (order[row["source_key"]], row["record_number"] or 0))
    sheets.append({dataset.quarantine_table.name: dataset.quarantine_table.from_rows(refused)})
    return sheets.close(inputs, vanished), refused


def _weigh(bundle: Bundle, limit: int) -> list[Refusal]:
    """A refusal for each object where one is empty, or all together are too large to be read."""
    weight = size_bytes(bundle)
    if weight > limit:
        who = "the object has" if len(bundle) == 1 else f"{len(bundle)} objects that belong together have"
        return [Refusal(item.key, "S01", f"{who} {weight:,} bytes; the limit is {limit:,}") for item in bundle]
    if len(bundle) == 1 and weight == 0:
        return [Refusal(bundle[0].key, "S01", "the object is empty (0 bytes)")]
    return []


def _parse(dataset: Dataset, bundle: Bundle, contents: dict[str, bytes], pseudonyms: Pseudonyms) -> Parsed:
    objects = [
        RawObject(item.key, item.version, item.size_bytes, item.uploaded_at, contents[item.key]) for item in bundle
    ]
    try:
        return dataset.parse(objects, pseudonyms)
    except UnusableDataError as error:
        rule, message = error.rule, error.message
    except (MemoryError, OSError, ImportError, TransientError, PermanentError):
        raise  # the machine is at fault: a reader has bytes in its hand and no reason to touch a file
    except Exception as error:
        # Parsing is a function of the bytes alone, so whatever goes wrong in it is a finding about them.
        rule, message = "S02", f"the reader failed on it ({type(error).__name__})"
    return Parsed((), tuple(Refusal(item.key, rule, message) for item in bundle))


def object_columns(item: ObjectInfo) -> dict[str, Any]:
    """The columns that say which object a row comes from."""
    return {
        "source_key": item.key,
        "source_version": item.version,
        "size_bytes": item.size_bytes,
        "uploaded_at": item.uploaded_at,
    }


def _refusal(
    dataset: Dataset, items: dict[str, ObjectInfo], contents: dict[str, bytes], refusal: Refusal
) -> dict[str, Any]:
    item = items[refusal.key]
    return {
        "dataset": dataset.name,
        **object_columns(item),
        "record_number": refusal.record_number,
        "rule": refusal.rule,
        "message": refusal.message,
        "excerpt_hex": contents.get(item.key, b"")[:4].hex() or None,
    }
