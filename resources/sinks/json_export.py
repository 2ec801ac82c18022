"""A view as one JSON file in a bucket: `[{…}, …]`, ordered by the view's key.

Belongs here: writing the file, and putting it where it differs. Does not belong here: reading the view
(`resources/sinks/view_rows.py`), when it is delivered (`vitalake/lake/sinks.py`).

The object carries the SHA-256 of its content as metadata (`vitalake-sha256`), and content that is there already is
not written again. The ETag would not do: it is no digest of the content where the bucket is encrypted with KMS.
The store verifies the same digest when it is put; the MD5 that it answers is compared as well, for a store that
verifies nothing.
"""

# ruff: noqa: S608 - names are declared by datasets, and quoted

from __future__ import annotations

import hashlib
import tempfile
from base64 import b64encode
from contextlib import suppress
from functools import cached_property, partial
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from resources.aws import s3_client
from resources.content_check import md5_in
from resources.s3_errors import ChangedBytesError, call
from resources.settings import Settings
from resources.sinks.view_rows import ViewRows, finite, name
from vitalake.errors import PermanentError
from vitalake.lake.parts import ConflictError
from vitalake.lake.sinks import Delivery, Progress

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_IN_MEMORY = 16 * 2**20
_LARGEST = 5 * 2**30  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html: one put
_DIGEST = "vitalake-sha256"
_TIMES = 3  # that the file is sent where it arrives changed


class JsonExport:
    """The folder `exports/` of a bucket."""

    def __init__(self, settings: Settings, bucket: str, prefix: str = "exports/") -> None:
        self.bucket = bucket
        self._settings = settings
        self._prefix = prefix

    @cached_property
    def _client(self) -> S3Client:
        """boto3: obstore does not put a file of unknown size on a condition without holding it in memory."""
        return s3_client(self._settings)

    def deliver(self, view: ViewRows, progress: Progress) -> Delivery:
        """Put the rows as they are now, if the file says anything else.

        Raises:
            ConflictError: somebody else put the file meanwhile.
            TransientError, PermanentError: the bucket.
        """
        rows, lost = len(view), view.count_lost(finite)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            digests = _write(view, file, rows, progress)
            written = self._put(f"{self._prefix}{view.sink.view}.json", file, digests)
        return Delivery(rows, rows if written else 0, 0, 0 if written else rows, not_representable=lost)

    def _put(self, key: str, file: IO[bytes], digests: _Digests) -> bool:
        """Put the content unless the object has it; whether it was put."""
        where, size = f"{self.bucket}/{key}", file.tell()
        if size > _LARGEST:
            raise PermanentError(f"{where}: {size} bytes are more than one JSON file can be; read the Parquet")
        found = self._found(key)
        if found and found["Metadata"].get(_DIGEST) == digests.sha256.hex() and found["ContentLength"] == size:
            return False
        version = found["ETag"] if found else None
        for _ in range(_TIMES):
            with suppress(ChangedBytesError, FileNotFoundError):  # the store found it out, and kept nothing
                answer = self._send(key, file, size, digests, version)
                kept = md5_in(answer["ResponseMetadata"]["HTTPHeaders"], answer["ETag"])
                if kept is None or kept.expected == digests.md5:
                    return True
                version, bad = None, answer["ETag"]  # which says of itself that it is what was sent
                call(partial(self._client.delete_object, Bucket=self.bucket, Key=key, IfMatch=bad), where)
        raise ChangedBytesError(f"{where}: the bytes that reached the store are not those that were sent")

    def _send(self, key: str, file: IO[bytes], size: int, digests: _Digests, version: str | None) -> Any:
        condition: Any = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        file.seek(0)

        def put() -> Any:
            return self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=file,
                ContentLength=size,
                ContentType="application/json",
                Metadata={_DIGEST: digests.sha256.hex()},
                ChecksumSHA256=b64encode(digests.sha256).decode(),
                **condition,
            )

        try:
            return call(put, f"{self.bucket}/{key}")
        except FileNotFoundError:  # how `call` says that a condition does not hold
            raise ConflictError(f"{self.bucket}/{key} was written by somebody else") from None

    def _found(self, key: str) -> Any:
        from botocore.exceptions import ClientError

        def head() -> Any:
            try:
                return self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:  # an answer without a body: whether the bucket is missing, the put says
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return None
                raise

        return call(head, f"{self.bucket}/{key}")


class _Digests(NamedTuple):
    sha256: bytes
    md5: bytes


def _write(view: ViewRows, file: IO[bytes], rows: int, progress: Progress) -> _Digests:
    """Write the rows as JSON; the digests of what was written."""
    sha256, md5, done = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    order = ", ".join(map(name, view.sink.key))

    def write(text: str) -> None:
        data = text.encode()
        sha256.update(data)
        md5.update(data)
        file.write(data)

    write("[")
    for batch in view.batches(f"SELECT {view.json(finite)} FROM {{rows}} ORDER BY {order}"):
        write((",\n" if done else "") + ",\n".join(batch.column(0).to_pylist()))
        done += batch.num_rows
        progress(done, rows)
    write("]\n")
    return _Digests(sha256.digest(), md5.digest())
