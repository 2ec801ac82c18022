"""What objects hold, on its way from bytes to rows: raw, parsed, tabulated, or refused.

Belongs here: these shapes, and the columns that name an object. Does not belong here: the account of every object
(`reading.py`), formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vitalake.arrivals.objects import ObjectInfo

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class RawObject:
    """One object of the bucket with its bytes; a large one has a `stream` of them, good for once, and no `data`."""

    key: str
    version: str
    size_bytes: int
    uploaded_at: datetime
    data: bytes
    stream: Iterator[bytes] | None = None

    def chunks(self) -> Iterator[bytes]:
        """The content, a piece at a time."""
        return iter((self.data,)) if self.stream is None else self.stream


MAX_TEXT = 500  # characters that quarantine keeps of a record's text


@dataclass(frozen=True)
class Refusal:
    """An object, or one record of it, that cannot be used: one row of quarantine.

    Args:
        key: key of the object.
        rule: id of the check that refused it, e.g. ``"S02"``.
        message: what was found and what was expected, in words of our own: counts, shapes, declared names.
        record_number: record or line inside the object, from 1; None: the object as a whole.
        record_count: for how many records this stands.
        text: the record as it arrived; quarantine keeps it where the dataset names nobody.
    """

    key: str
    rule: str
    message: str
    record_number: int | None = None
    record_count: int = 1
    text: str | None = None


@dataclass(frozen=True)
class Parsed:
    """What came of objects that belong together, or of a piece of them: values for `tabulate`, and what is refused.

    `weight_bytes` is about what the values take in memory.
    """

    values: tuple[Any, ...]
    refusals: tuple[Refusal, ...] = ()
    weight_bytes: int = 0


@dataclass(frozen=True)
class Tabulated:
    """A slice of rows: by table, and what was found unusable while they were laid out."""

    tables: Mapping[str, pa.Table]
    refusals: Iterable[Refusal] = ()


def object_columns(item: ObjectInfo) -> dict[str, Any]:
    """The columns that say which object a row comes from."""
    return {
        "source_key": item.key,
        "source_version": item.version,
        "size_bytes": item.size_bytes,
        "uploaded_at": item.uploaded_at,
    }
