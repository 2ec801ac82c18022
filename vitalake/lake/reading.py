"""The objects of one part, read: each becomes rows of the dataset's tables, or rows of quarantine.

Belongs here: the account of every object, and what of an error is the file's fault. Does not belong here: which
objects a part has (`vitalake/lake/stages.py`), formats and rules (`vitalake/datasets/`).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from vitalake.arrivals.bundles import Bundle, bundles, size_bytes
from vitalake.arrivals.keys import unclear
from vitalake.arrivals.objects import Bucket, ObjectInfo
from vitalake.errors import PermanentError, TransientError, UnusableDataError, VitalakeError
from vitalake.lake.checks import UNCLEAR_TIME, VANISHED
from vitalake.lake.contents import Parsed, RawObject, Refusal
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import Inputs
from vitalake.lake.reconcile import Output, PartWriter
from vitalake.lake.refusals import LISTED
from vitalake.lake.signatures import signature_of
from vitalake.pseudonyms import Pseudonyms

SLICE_BYTES = 32 * 2**20  # values in memory at once; 12 leads of 10 s at 500 Hz weigh 240 kB
_ROW_BYTES, _CHARACTER_BYTES = 700, 2  # what a row of quarantine takes in memory, about
_TOLD = 5  # messages of one object and rule that are told one by one
_TOLD_COLUMNS = ("source_key", "source_version", "rule", "message", "record_count")


class RawBucket(Bucket, Protocol):
    """What the stages need of the bucket that devices upload to."""

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        """Contents in order; None for an object that is gone or changed since it was listed."""

    def stream(self, item: ObjectInfo) -> Iterator[bytes] | None:
        """The content a piece at a time; None for an object that is gone or changed since it was listed."""


def read_part(
    dataset: Dataset, raw: RawBucket, items: Sequence[ObjectInfo], pseudonyms: Pseudonyms, inputs: Inputs
) -> tuple[Output, list[dict[str, Any]]]:
    """Read the objects of one part: each becomes rows of the dataset's tables, of quarantine, or of both.

    What was read is laid out in slices of bounded weight, so that a part of long recordings needs no more memory
    than one of short ones; so are the rows of quarantine, of objects that were read to their end. What came into
    quarantine comes back as well, in few rows.
    """
    sheets = PartWriter([*dataset.tables, dataset.quarantine_table])
    refused = _QuarantineRows(dataset, items, sheets)
    values: list[Any] = []
    weight = 0
    vanished: list[str] = []

    def lay_out() -> None:
        with _without_values(dataset):
            found = dataset.tabulate(values)
            sheets.append(found.tables)
            refused.add(found.refusals, settled=True)
        values.clear()

    small: list[Bundle] = []
    for bundle in bundles(items, dataset.group_objects):
        refusals = _unread(bundle, dataset)
        refused.add(refusals)
        if not refusals:
            small.append(bundle)
    for bundle, objects in _fetched(raw, small, dataset.limits.whole_bytes):
        refused.see(objects)
        if len(objects) < len(bundle):
            there = {item.key for item in objects}
            vanished += [item.key for item in bundle if item.key not in there]
            message = "deleted or replaced after it was listed; the partition will be built again"
            refused.add(Refusal(item.key, VANISHED, message) for item in bundle)
            continue
        for parsed in _parse(dataset, objects, pseudonyms):
            values += parsed.values
            weight += parsed.weight_bytes
            refused.add(parsed.refusals)
            if weight >= SLICE_BYTES:
                lay_out()
                weight = 0
        if refused.heavy:
            lay_out()
            weight = 0
            refused.lay_out(bundle[-1].key)
    lay_out()
    refused.lay_out()
    return sheets.close(inputs, vanished), refused.news()


def _fetched(
    raw: RawBucket, found: Sequence[Bundle], whole_bytes: int
) -> Iterator[tuple[Bundle, tuple[RawObject, ...]]]:
    """Each bundle with those of its objects that are still there: many small ones are fetched side by side."""

    def streamed(bundle: Bundle) -> bool:
        return len(bundle) == 1 and bundle[0].size_bytes > whole_bytes

    contents = raw.get_many([item for bundle in found if not streamed(bundle) for item in bundle])
    for bundle in found:
        if streamed(bundle):
            stream = raw.stream(bundle[0])
            yield bundle, () if stream is None else (_raw_object(bundle[0], b"", _Stream(stream)),)
        else:
            pairs = list(itertools.islice(contents, len(bundle)))
            yield bundle, tuple(_raw_object(item, data) for item, data in pairs if data is not None)


class _Stream:
    """An object's pieces; why they ended stays known, whatever a reader makes of the error."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._error:
            raise self._error
        try:
            return next(self._pieces)
        except StopIteration:
            raise
        except Exception as error:
            self._error = error
            raise


def _raw_object(item: ObjectInfo, data: bytes, stream: Iterator[bytes] | None = None) -> RawObject:
    return RawObject(item.key, item.version, item.size_bytes, item.uploaded_at, data, stream)


def _unread(bundle: Bundle, dataset: Dataset) -> list[Refusal]:
    """A refusal for each object where their keys say no clear time, one is empty, or all together are too large."""
    if why := unclear(bundle[0].key, dataset.partition):
        return [Refusal(item.key, UNCLEAR_TIME, f"{why}; nothing of it is read") for item in bundle]
    weight, limit = size_bytes(bundle), dataset.limits.object_bytes
    if weight > limit:
        who = "the object has" if len(bundle) == 1 else f"{len(bundle)} objects that belong together have"
        return [Refusal(item.key, "S01", f"{who} {weight:,} bytes; the limit is {limit:,}") for item in bundle]
    if len(bundle) == 1 and weight == 0:
        return [Refusal(bundle[0].key, "S01", "the object is empty (0 bytes)")]
    return []


def _parse(dataset: Dataset, objects: Sequence[RawObject], pseudonyms: Pseudonyms) -> Iterator[Parsed]:
    """What the dataset makes of them; where it gives up, what it read before stays and the rest is refused.

    A stream is read to its end, whatever is made of it: only there it says that its bytes changed on the way, which
    is no finding about a file.
    """
    refusal: UnusableDataError | None = None
    try:
        yield from dataset.parse(objects, pseudonyms)
    except UnusableDataError as error:
        refusal = error
    except (MemoryError, OSError, ImportError, TransientError, PermanentError):
        raise  # the machine is at fault: a reader has bytes in its hand and no reason to touch a file
    except Exception as error:
        # Parsing is a function of the bytes alone, so whatever goes wrong in it is a finding about them.
        refusal = UnusableDataError("S02", f"the reader failed on it ({type(error).__name__})")
    for item in objects:
        deque(item.stream or (), maxlen=0)
    if refusal:
        what, count = (refusal.rule, refusal.message), refusal.record_count
        yield Parsed((), tuple(Refusal(item.key, *what, record_count=count) for item in objects))


@contextmanager
def _without_values(dataset: Dataset) -> Iterator[None]:
    """Laying out is our own code at fault: the run fails. What a library says of it may quote a value of a file."""
    try:
        yield
    except (VitalakeError, MemoryError, OSError, ImportError):
        raise
    except Exception as error:
        said = f"laying out rows of {dataset.name} failed ({type(error).__name__})"
        raise RuntimeError(said).with_traceback(error.__traceback__) from None


def object_columns(item: ObjectInfo) -> dict[str, Any]:
    """The columns that say which object a row comes from."""
    return {
        "source_key": item.key,
        "source_version": item.version,
        "size_bytes": item.size_bytes,
        "uploaded_at": item.uploaded_at,
    }


class _QuarantineRows:
    """Rows of quarantine: each refusal, in the order of the objects, and very many of one kind as a number."""

    def __init__(self, dataset: Dataset, items: Sequence[ObjectInfo], sheets: PartWriter) -> None:
        self._dataset = dataset
        self._items = {item.key: (position, item) for position, item in enumerate(items)}
        self._sheets = sheets
        self._excerpts: dict[str, str] = {}
        self._rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._weight = 0
        self._news: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}

    @property
    def heavy(self) -> bool:
        """Whether the rows take as much memory as a slice of values may."""
        return self._weight >= SLICE_BYTES

    def see(self, objects: Iterable[RawObject]) -> None:
        """Remember how these begin."""
        self._excerpts |= {item.key: found.hex() for item in objects if (found := signature_of(item.data))}

    def add(self, refusals: Iterable[Refusal], settled: bool = False) -> None:
        """One row each; of one object and rule `LISTED` at most, and a number in the last of them.

        `settled`: of objects before that of a refusal nothing more is refused.
        """
        last = ""
        for refusal in refusals:
            if settled and self.heavy and last and refusal.key != last:
                self.lay_out(last)
            last = refusal.key
            rows = self._rows.setdefault((refusal.key, refusal.rule), [])
            if len(rows) < LISTED:
                rows.append(self._row(refusal))
                self._weight += _ROW_BYTES + _CHARACTER_BYTES * (len(refusal.message) + len(refusal.text or ""))
            else:
                rows[-1]["record_count"] += refusal.record_count

    def lay_out(self, key: str | None = None) -> None:
        """Put rows into the part: all, or those of objects up to one, of which nothing more is refused."""
        last = len(self._items) if key is None else self._items[key][0]
        done = [each for each in self._rows if self._items[each[0]][0] <= last]
        found = [row for each in done for row in self._rows.pop(each)]
        found.sort(key=lambda row: (self._items[row["source_key"]][0], row["record_number"] or 0))
        table = self._dataset.quarantine_table
        for row in found:
            self._tell(row)
        self._sheets.append({table.name: table.from_rows(found)})
        self._weight = 0

    def news(self) -> list[dict[str, Any]]:
        """What is in quarantine: of each object and rule a row for each message, the last for all others."""
        return [row for messages in self._news.values() for row in messages.values()]

    def _tell(self, row: dict[str, Any]) -> None:
        messages = self._news.setdefault((row["source_key"], row["rule"]), {})
        known = messages.get(row["message"])
        if known is None and len(messages) >= _TOLD:
            known = list(messages.values())[-1]
        if known is None:
            messages[row["message"]] = {name: row[name] for name in _TOLD_COLUMNS}
        else:
            known["record_count"] += row["record_count"]

    def _row(self, refusal: Refusal) -> dict[str, Any]:
        _, item = self._items[refusal.key]
        return {
            "dataset": self._dataset.name,
            **object_columns(item),
            "record_number": refusal.record_number,
            "rule": refusal.rule,
            "message": refusal.message,
            "record_count": refusal.record_count,
            "record_text": None if self._dataset.names_people else refusal.text,
            "excerpt_hex": self._excerpts.get(item.key),
        }
