"""Many files into a bucket, side by side: what is there with the same content stays.

Belongs here: finding files, comparing with the bucket, conditional puts. Does not belong here: which keys they get
and what the command says (`cli/upload/command.py`), files that are sent in pieces (`cli/upload/large_files.py`),
progress (`cli/upload/progress.py`).

An object's ETag is the MD5 of its content when it was put in one piece without a KMS key. Under KMS no ETag
matches, so everything is sent again, with the same result.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.upload.large_files import LargeFiles, UnusableFileError, etag_in_pieces
from cli.upload.progress import upload_progress
from vitalake.arrivals.partitions import PartLimits
from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import printable

if TYPE_CHECKING:
    from rich.console import Console

    from resources.object_store import ObjectStore
    from resources.settings import Settings

_ATTEMPTS = 5
_WHOLE_BYTES = 64 * 2**20  # what is larger goes in pieces: 16 files of this size are in memory at once


@dataclass(frozen=True)
class UploadSource:
    """One object to be: its key, and its content or the file that holds it."""

    key: str
    content: bytes | Path

    @property
    def size_bytes(self) -> int:
        """Size as far as it is known before reading; 0 for a file that cannot be looked at."""
        if isinstance(self.content, bytes):
            return len(self.content)
        try:
            return self.content.stat().st_size
        except OSError:
            return 0


@dataclass
class Sent:
    """What an upload did."""

    uploaded: int = 0
    skipped: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def files_below(paths: Sequence[Path], prefix: str) -> list[UploadSource]:
    """Files as they are, and those below folders with their relative path, in order.

    Hidden files and folders inside a folder are left out; links to folders are not followed.

    Raises:
        PermanentError: a folder cannot be read, or two files would get the same key.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for file, name in _walk(path) if path.is_dir() else [(path, path.name)]:
            key = prefix + name
            if key in found and found[key] != file:
                raise PermanentError(
                    f"{printable(f'{found[key]} and {file} would both become {key}')}\n"
                    "Upload the folder above them, or one after the other with another --device or --date."
                )
            found[key] = file
    return [UploadSource(key, file) for key, file in found.items()]


def upload_all(
    settings: Settings,
    sources: Sequence[UploadSource],
    console: Console,
    *,
    workers: int = 16,
    limit_bytes: int = PartLimits.object_bytes,
) -> Sent:
    """Bring the bucket in line with `sources`; files that cannot be read or named, or are too large, are listed.

    Raises:
        TransientError, PermanentError: the bucket does not take anything; what was sent until then stays.
    """
    from resources.object_store import ObjectStore

    stop = threading.Event()
    raw, large = ObjectStore(settings, settings.raw_bucket), LargeFiles(settings, stop.is_set)
    present: dict[str, str] = {}
    for prefix in sorted({"/".join(source.key.split("/")[:2]) + "/" for source in sources}):
        present.update((item.key, item.version) for item in raw.objects(prefix))
    sent = Sent()

    def send(source: UploadSource) -> bool:
        return not stop.is_set() and _send(raw, large, source, present.get(source.key), limit_bytes)

    with (
        upload_progress(console, [source.size_bytes for source in sources]) as advance,
        ThreadPoolExecutor(workers) as pool,
    ):
        waiting: dict[Future[bool], UploadSource] = {}
        todo = iter(sources)
        try:
            while True:
                for source in todo:
                    waiting[pool.submit(send, source)] = source
                    if len(waiting) >= 4 * workers:
                        break
                if not waiting:
                    return sent
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    source = waiting.pop(future)
                    try:
                        uploaded = future.result()
                        sent.uploaded += uploaded
                        sent.skipped += not uploaded
                    except UnusableFileError as error:
                        sent.failed.append((str(source.content), str(error)))
                    advance(source.size_bytes)
        finally:
            stop.set()  # leaving early: files and pieces under way are finished, nothing new begins
            pool.shutdown(wait=True, cancel_futures=True)


def _send(raw: ObjectStore, large: LargeFiles, source: UploadSource, version: str | None, limit_bytes: int) -> bool:
    """Put one object unless it is there with this content; whether it was put."""
    from obstore.exceptions import InvalidPathError

    from vitalake.lake.parts import ConflictError

    data = _read(source, limit_bytes)
    digest = (
        etag_in_pieces(data) if isinstance(data, Path) else hashlib.md5(data, usedforsecurity=False).hexdigest()
    )
    for _ in range(_ATTEMPTS):
        if version is not None and version.strip('"') == digest:
            return False
        try:
            if isinstance(data, Path):
                large.put(source.key, data, expected=version)
            else:
                raw.put(source.key, data, expected=version)
        except ConflictError:  # somebody else wrote or deleted it: look again
            _, siblings = raw.folders(source.key.rpartition("/")[0] + "/")
            version = next((item.version for item in siblings if item.key == source.key), None)
        except (InvalidPathError, ValueError) as error:
            raise UnusableFileError("its name cannot be part of a key; rename it") from error
        else:
            return True
    raise TransientError(f"{printable(source.key)}: somebody else keeps writing it")


def _read(source: UploadSource, limit_bytes: int) -> bytes | Path:
    """The content; of a large file only that it can be read."""
    if isinstance(source.content, bytes):
        return source.content
    try:
        source.key.encode()
        status = source.content.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
            raise UnusableFileError("not a regular file")
        if status.st_size > limit_bytes:
            raise UnusableFileError(f"{status.st_size:,} bytes; an object may have {limit_bytes:,}")
        if status.st_size > _WHOLE_BYTES:
            if not is_plain(source.key):
                raise UnusableFileError("its name cannot be part of a key; rename it")
            with source.content.open("rb"):
                return source.content
        return source.content.read_bytes()
    except UnicodeEncodeError:
        raise UnusableFileError("its name is not valid UTF-8; rename it") from None
    except OSError as error:
        raise UnusableFileError(error.strerror or str(error)) from None


def is_plain(key: str) -> bool:
    """Whether obstore takes the key, which checks those of smaller files by itself."""
    return key.isprintable() and all(segment not in ("", ".", "..") for segment in key.split("/"))


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    def refuse(error: OSError) -> None:
        raise PermanentError(
            f"cannot read the folder {printable(str(error.filename))}: {error.strerror}; nothing was uploaded"
        )

    for base, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(_shown(folders))
        for name in sorted(_shown(files)):
            path = Path(base, name)
            yield path, path.relative_to(folder).as_posix()


def _shown(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith("."))
