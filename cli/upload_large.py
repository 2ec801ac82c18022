"""A large file into a bucket, piece by piece: memory holds one piece, and a file that is there already stays.

Belongs here: multipart uploads, and the ETag that one leads to. Does not belong here: which files are sent and in
which order (`cli/upload.py`), what errors of S3 mean (`resources/s3_errors.py`).

The ETag of an object that came in pieces is the MD5 of the MD5s of its pieces, and their number. Ours all have one
size, so it can be told from the file alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalake.parts import ConflictError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from resources.settings import Settings

PIECE_BYTES = 16 * 2**20


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
        target["UploadId"] = call(lambda: client.create_multipart_upload(**target), where)["UploadId"]
        try:
            tags = []
            for number, piece in enumerate(_pieces(file), 1):
                if self._stopped():
                    raise StoppedError
                part: Any = {**target, "PartNumber": number, "Body": piece}
                sent = call(partial(client.upload_part, **part), where)
                tags.append({"PartNumber": number, "ETag": sent["ETag"]})
            condition: Any = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
            parts: Any = {"Parts": tags}
            call(lambda: client.complete_multipart_upload(**target, MultipartUpload=parts, **condition), where)
        except BaseException as error:
            with suppress(BotoCoreError, ClientError):  # what is left of it, the bucket's lifecycle ends
                client.abort_multipart_upload(**target)
            if isinstance(error, FileNotFoundError):  # how `call` says that a condition does not hold
                raise ConflictError(f"{where} was written by somebody else") from None
            raise

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
