"""A large file into a bucket, piece by piece: memory holds one piece, and a file that is there already stays.

Belongs here: multipart uploads, and the ETag that one leads to. Does not belong here: which files are sent and in
which order (`cli/upload.py`), what errors of S3 mean (`resources/s3_errors.py`).

The ETag of an object that came in pieces is the MD5 of the MD5s of its pieces, and their number. Ours all have one
size, so it can be told from the file alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitalake.parts import ConflictError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from resources.settings import Settings

PIECE_BYTES = 16 * 2**20


class LargeFiles:
    """The raw bucket, as large files reach it; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bucket = settings.raw_bucket

    def put(self, key: str, file: Path, *, expected: str | None) -> None:
        """Create (None) or replace exactly that version. Raises ConflictError, TransientError, PermanentError."""
        from resources.s3_errors import call

        where, client = f"{self.bucket}/{key}", self._client
        target: Any = {"Bucket": self.bucket, "Key": key}
        target["UploadId"] = call(lambda: client.create_multipart_upload(**target), where)["UploadId"]
        try:
            tags = []
            for number, piece in enumerate(_pieces(file), 1):
                sent = call(lambda n=number, body=piece: client.upload_part(**target, PartNumber=n, Body=body), where)  # type: ignore[misc]
                tags.append({"PartNumber": number, "ETag": sent["ETag"]})
            condition: Any = {"IfMatch": expected} if expected else {"IfNoneMatch": "*"}
            parts: Any = {"Parts": tags}
            call(lambda: client.complete_multipart_upload(**target, MultipartUpload=parts, **condition), where)
        except FileNotFoundError:  # how `call` says that a condition does not hold
            client.abort_multipart_upload(**target)
            raise ConflictError(f"{where} was written by somebody else") from None
        except BaseException:
            client.abort_multipart_upload(**target)
            raise

    @cached_property
    def _client(self) -> S3Client:
        """boto3: obstore makes no multipart upload on a condition."""
        import boto3

        settings = self._settings
        secret, token = settings.aws_secret_access_key, settings.aws_session_token
        client: S3Client = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            region_name=settings.aws_region,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            aws_session_token=token.get_secret_value() if token else None,
        )
        return client


def etag_in_pieces(file: Path) -> str:
    """The ETag, without quotes, that the file gets when it is sent in pieces. Raises OSError."""
    digests = [hashlib.md5(piece, usedforsecurity=False).digest() for piece in _pieces(file)]
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece
