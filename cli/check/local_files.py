"""Files of this machine as the objects that they would become, so that the lake's own code reads them.

Belongs here: listing files under the keys that an upload would give them, and their bytes. Does not belong here:
which keys those are (`cli/upload/prefix.py`), what becomes of the bytes (`vitalake/lake/reading.py`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cli.upload.files import is_plain
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import PermanentError

_PIECE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class LocalListing:
    """Files as objects, by key, and those that no upload takes, each with the reason."""

    items: tuple[ObjectInfo, ...]
    files: dict[str, Path]
    failed: tuple[tuple[Path, str], ...]


def listed(sources: Sequence[tuple[str, Path]], uploaded_at: datetime) -> LocalListing:
    """Files with their keys, as a bucket would list them had they been uploaded at that time."""
    items, files, failed = [], {}, []
    for key, file in sources:
        try:
            items.append(_listed(key, file, uploaded_at))
            files[key] = file
        except UnicodeEncodeError:
            failed.append((file, "its name is not valid UTF-8; rename it"))
        except ValueError as error:
            failed.append((file, str(error)))
        except OSError as error:
            failed.append((file, error.strerror or str(error)))
    return LocalListing(tuple(items), files, tuple(failed))


def _listed(key: str, file: Path, uploaded_at: datetime) -> ObjectInfo:
    key.encode()
    if not is_plain(key):
        raise ValueError("its name cannot be part of a key; rename it")
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        raise ValueError("not a regular file")
    with file.open("rb"):
        pass
    return ObjectInfo(key, _version(status), status.st_size, uploaded_at)


def _version(status: os.stat_result) -> str:
    """What changes when a file does."""
    return f"{status.st_mtime_ns}-{status.st_size}"


class LocalFiles:
    """The bytes of listed files, as `vitalake.lake.reading.read_part` asks for them.

    A file that changes while it is read is a PermanentError: what was said of it would be of no file that there is.
    So is one that can no longer be read.
    """

    def __init__(self, files: dict[str, Path], advance: Callable[[int], None]) -> None:
        self._files, self._advance = files, advance

    def get_many(self, items: Sequence[ObjectInfo]) -> Iterator[tuple[ObjectInfo, bytes | None]]:
        """Contents in order."""
        for item in items:
            yield item, b"".join(self.stream(item))

    def stream(self, item: ObjectInfo) -> Iterator[bytes]:
        """The content a piece at a time."""
        file = self._files[item.key]
        try:
            with file.open("rb") as opened:
                while piece := opened.read(_PIECE_BYTES):
                    yield piece
                    self._advance(len(piece))
                version = _version(os.fstat(opened.fileno()))
        except OSError as error:
            raise PermanentError(f"cannot read {file}: {error.strerror or error}") from error
        if version != item.version:
            raise PermanentError(f"{file} changed while it was read: check it again when nobody writes it")
