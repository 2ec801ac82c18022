"""The stage that reads: each object becomes rows of the dataset's tables, or rows of quarantine.

Belongs here: the account of every object, and what of an error is the file's fault. Does not belong here: which
objects a part has (`vitalake/lake/stages.py`), the rows of quarantine (`vitalake/lake/quarantine/rows.py`), formats
and rules (`vitalake/datasets/`).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from vitalake.arrivals.bundles import Bundle, bundles, size_bytes
from vitalake.arrivals.fingerprints import digest
from vitalake.arrivals.keys import unclear
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import UnusableDataError, VitalakeError
from vitalake.lake.checks import UNCLEAR_TIME, VANISHED, WAITING, WITHHELD
from vitalake.lake.columns import rows_of
from vitalake.lake.contents import Parsed, RawObject, Refusal, Tabulated
from vitalake.lake.dataset import Dataset
from vitalake.lake.parts import Inputs, Part, Store, listed_parts, load_part
from vitalake.lake.quarantine.defects import OF_THE_MACHINE, laid_out_apart, refusals_for
from vitalake.lake.quarantine.rows import QuarantineRows
from vitalake.lake.reconcile import Output, PartWriter, Progress, Report, following, reconcile
from vitalake.lake.versions.code_version import code_digest
from vitalake.lake.workers import spread
from vitalake.pseudonyms import Pseudonyms

SLICE_BYTES = 32 * 2**20  # values in memory at once; 12 leads of 10 s at 500 Hz weigh 240 kB

Announce = Callable[[list[dict[str, Any]]], None]


class RawBucket(Protocol):
    """What reading needs of the bucket that devices upload to: the bytes of objects."""

    def get_many(
        self, items: Sequence[ObjectInfo]
    ) -> Iterator[tuple[ObjectInfo, bytes | UnusableDataError | None]]:
        """Contents in order; None for an object that is gone or changed since it was listed.

        An error, not raised, for one that the store lists and does not give out.
        """

    def stream(self, item: ObjectInfo) -> Iterator[bytes] | None:
        """The content a piece at a time; None for an object that is gone or changed since it was listed.

        Raises:
            UnusableDataError: the store lists it and does not give it out.
        """


def read_objects(
    dataset: Dataset,
    raw: RawBucket,
    lake: Store,
    partition: str,
    pseudonyms: Pseudonyms,
    progress: Progress,
    announce: Announce,
    processes: int | None = 1,
) -> Report:
    """Read every object of the manifest into the dataset's tables, or into quarantine with the reason.

    `announce` gets what of quarantine was not there before, and gets it before it is written (`read_part`): a
    crash in between may repeat the news, never lose it. What waits for its other objects is no news.
    The parts of a large day are read in `processes` side by side (None: one a core).
    """
    manifest: dict[int, Part] = {}
    known: set[tuple[str, str, str]] | None = None
    quarantine = dataset.quarantine_table
    read = partial(_read_listed, dataset, raw, lake, pseudonyms)

    def compute(stale: Mapping[int, Inputs]) -> Iterator[Output]:
        nonlocal known
        for output, refused in spread(read, ((manifest[index], stale[index]) for index in stale), processes):
            if refused and known is None:
                named = ["source_key", "source_version", "rule"]
                parts = listed_parts(lake, quarantine.name, partition).values()
                known = {
                    _identity(row) for part in parts for row in rows_of(load_part(lake, quarantine, part, named))
                }
            final = [row for row in refused if row["rule"] not in (VANISHED, WAITING)]
            if news := [row for row in final if _identity(row) not in (known or ())]:
                announce(news)
            yield output

    outputs = [*dataset.tables, quarantine]
    code = digest(code_digest(dataset), pseudonyms.key_id)
    inputs = following(lake, dataset.raw_table, partition, manifest, code)
    return reconcile(lake, partition, outputs, inputs, compute, progress)


def read_part(
    dataset: Dataset, raw: RawBucket, items: Sequence[ObjectInfo], pseudonyms: Pseudonyms, inputs: Inputs
) -> tuple[Output, list[dict[str, Any]]]:
    """Read the objects of one part: each becomes rows of the dataset's tables, of quarantine, or of both.

    What was read is laid out in slices of bounded weight, so that a part of long recordings needs no more memory
    than one of short ones; so are the rows of quarantine, of objects that were read to their end. What came into
    quarantine comes back as well, in few rows.
    """
    sheets = PartWriter([*dataset.tables, dataset.quarantine_table])
    refused = QuarantineRows(dataset, items, sheets, SLICE_BYTES)
    pieces: list[tuple[Bundle, Sequence[Any]]] = []
    weight = 0
    vanished: list[str] = []
    withheld: list[str] = []

    def lay_out() -> None:
        with _without_values(dataset):
            for rows in _laid_out(dataset, pieces):
                sheets.append(rows.tables)
                refused.add(rows.refusals, settled=True)
        pieces.clear()

    small: list[Bundle] = []
    for bundle in bundles(items, dataset.group_objects):
        refusals = _unread(bundle, dataset)
        refused.add(refusals)
        if not refusals:
            small.append(bundle)
    for bundle, objects, denied in _fetched(raw, small, dataset.limits.whole_bytes):
        refused.see(objects)
        if len(objects) + len(denied) < len(bundle):
            there = {*(item.key for item in objects), *(refusal.key for refusal in denied)}
            vanished += [item.key for item in bundle if item.key not in there]
            message = "deleted or replaced after it was listed; the partition will be built again"
            refused.add(Refusal(item.key, VANISHED, message) for item in bundle)
            continue
        if denied:
            withheld += [f"{refusal.key} {refusal.message}" for refusal in denied]
            refused.add(denied)
            message = "another object of its recording is not given out by the store: its row says why"
            refused.add(Refusal(item.key, WITHHELD, message) for item in objects)
            continue
        for parsed in _parse(dataset, objects, pseudonyms):
            pieces.append((bundle, parsed.values))
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
    return sheets.close(inputs, vanished, withheld), refused.news()


def _laid_out(dataset: Dataset, pieces: Sequence[tuple[Bundle, Sequence[Any]]]) -> Iterator[Tabulated]:
    """The rows of these values as one slice; where that fails, of each bundle by itself."""
    try:
        slice_ = dataset.tabulate([value for _, values in pieces for value in values])
    except OF_THE_MACHINE:
        raise
    except Exception as error:
        yield from laid_out_apart(dataset, pieces, error)
    else:
        yield slice_


def _read_listed(
    dataset: Dataset, raw: RawBucket, lake: Store, pseudonyms: Pseudonyms, task: tuple[Part, Inputs]
) -> tuple[Output, list[dict[str, Any]]]:
    listed, needed = task
    rows = rows_of(load_part(lake, dataset.raw_table, listed))
    items = [
        ObjectInfo(row["source_key"], row["source_version"], row["size_bytes"], row["uploaded_at"]) for row in rows
    ]
    return read_part(dataset, raw, items, pseudonyms, needed)


def _identity(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["source_key"], row["source_version"], row["rule"]


def _fetched(
    raw: RawBucket, wanted: Sequence[Bundle], whole_bytes: int
) -> Iterator[tuple[Bundle, tuple[RawObject, ...], tuple[Refusal, ...]]]:
    """Each bundle with those of its objects that are still there, and a refusal of each that the store withholds.

    Many small ones are fetched side by side.
    """

    def streamed(bundle: Bundle) -> bool:
        return len(bundle) == 1 and bundle[0].size_bytes > whole_bytes

    contents = raw.get_many([item for bundle in wanted if not streamed(bundle) for item in bundle])
    for bundle in wanted:
        objects, denied = list[RawObject](), list[Refusal]()
        count = len(bundle)
        pairs = [(bundle[0], _opened(raw, bundle[0]))] if streamed(bundle) else itertools.islice(contents, count)
        for item, content in pairs:
            if isinstance(content, UnusableDataError):
                denied.append(Refusal(item.key, content.rule, content.message))
            elif isinstance(content, _Stream):
                objects.append(_raw_object(item, b"", content))
            elif content is not None:
                objects.append(_raw_object(item, content))
        yield bundle, tuple(objects), tuple(denied)


def _opened(raw: RawBucket, item: ObjectInfo) -> _Stream | UnusableDataError | None:
    try:
        pieces = raw.stream(item)
    except UnusableDataError as error:
        return error
    return None if pieces is None else _Stream(pieces)


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
    failed: Exception | None = None
    try:
        yield from dataset.parse(objects, pseudonyms)
    except OF_THE_MACHINE:
        raise
    except Exception as error:
        failed = error
    for item in objects:
        deque(item.stream or (), maxlen=0)
    if failed:
        yield Parsed((), refusals_for(failed, [item.key for item in objects]))


@contextmanager
def _without_values(dataset: Dataset) -> Iterator[None]:
    """Writing rows fails by our own code: the run fails. What a library says of it may quote a value of a file."""
    try:
        yield
    except (VitalakeError, MemoryError, OSError, ImportError):
        raise
    except Exception as error:
        message = f"laying out rows of {dataset.name} failed ({type(error).__name__})"
        raise RuntimeError(message).with_traceback(error.__traceback__) from None
