"""A large file into a bucket, piece by piece: memory holds one piece, and a file that is there already stays.

Belongs here: multipart uploads, and the ETag that one leads to. Does not belong here: which files are sent and in
which order (`cli/upload/files.py`), what errors of S3 mean (`resources/s3_errors.py`).

The ETag of an object that came in pieces is the MD5 of the MD5s of its pieces, and their number. Ours all have one
size, so it can be told from the file alone. Each piece carries a CRC32 that the store verifies, of which S3 makes
that of the whole object; the MD5 that it answers is compared as well, for a store that verifies nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalake.lake.parts import ConflictError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from resources.settings import Settings

PIECE_BYTES = 16 * 2**20
_TIMES = 3  # that a piece is sent where it arrives changed
_OF_THE_WHOLE: dict[str, Any] = {"ChecksumType": "FULL_OBJECT"}  # else a checksum of checksums is kept


class UnusableFileError(Exception):
    """A file that cannot be sent; the rest goes on."""


class StoppedError(Exception):
    """The upload was interrupted."""


class LargeFiles:
    """The raw bucket, as large files reach it; safe to share between threads."""

    def __init__(self, settings: Settings, stopped: Callable[[], bool] = lambda: False) -> None:
        self._settings, self._stopped = settings, stopped
        self.bucket = settings.raw_bucket

    def put(self, key: str, file: Path, *, expected: str | None) -> None:
        """Create (None) or replace exactly that version.

        Raises:
            ConflictError, UnusableFileError, StoppedError: as they say; nothing is left of it.
            TransientError, PermanentError: those of S3.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        from resources.s3_errors import call

        where, client = f"{self.bucket}/{key}", self._client
        target: Any = {"Bucket": self.bucket, "Key": key}
        new: Any = {**target, **_OF_THE_WHOLE, "ChecksumAlgorithm": "CRC32"}
        target["UploadId"] = call(lambda: client.create_multipart_upload(**new), where)["UploadId"]
        try:
            tags = []
            for number, piece in enumerate(_pieces(file), 1):
                if self._stopped():
                    raise StoppedError
                part: Any = {**target, "PartNumber": number, "Body": piece, "ChecksumAlgorithm": "CRC32"}
                tags.append({"PartNumber": number, **self._send(part, where)})
            condition: Any = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
            parts: Any = {**target, **_OF_THE_WHOLE, "MultipartUpload": {"Parts": tags}}
            call(lambda: client.complete_multipart_upload(**parts, **condition), where)
        except BaseException as error:
            with suppress(BotoCoreError, ClientError):  # what is left of it, the bucket's lifecycle ends
                client.abort_multipart_upload(**target)
            if isinstance(error, FileNotFoundError):  # how `call` says that a condition does not hold
                raise ConflictError(f"{where} was written by somebody else") from None
            raise

    def _send(self, part: Any, where: str) -> dict[str, str]:
        """Send a piece, again where it arrives changed; what the store says of it."""
        from resources.content_check import md5_in
        from resources.s3_errors import ChangedBytesError, call

        for _ in range(_TIMES):
            with suppress(ChangedBytesError):  # the store found it out, and kept nothing
                sent: Any = call(partial(self._client.upload_part, **part), where)
                kept = md5_in(sent["ResponseMetadata"]["HTTPHeaders"], sent["ETag"])
                if kept is None or kept.expected == hashlib.md5(part["Body"], usedforsecurity=False).digest():
                    return {name: sent[name] for name in ("ETag", "ChecksumCRC32") if name in sent}
        number = part["PartNumber"]
        raise ChangedBytesError(
            f"{where}: the bytes of piece {number} arrive changed, {_TIMES} times; nothing is kept"
        )

    @cached_property
    def _client(self) -> S3Client:
        """boto3: obstore makes no multipart upload on a condition."""
        from resources.aws import s3_client

        return s3_client(self._settings)


def etag_in_pieces(file: Path) -> str:
    """The ETag, without quotes, that the file gets when it is sent in pieces. Raises OSError."""
    digests = [hashlib.md5(piece, usedforsecurity=False).digest() for piece in _pieces(file)]
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def _pieces(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise UnusableFileError(error.strerror or str(error)) from None
