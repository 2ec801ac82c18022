"""A view as one JSON file in a bucket: `[{…}, …]`, ordered by the view's key.

Belongs here: writing the file, and putting it where it differs. Does not belong here: reading the view
(`resources/view_rows.py`), when it is delivered (`vitalake/sinks.py`).

The object carries the SHA-256 of its content as metadata (`vitalake-sha256`), and content that is there already is
not written again. The ETag would not do: it is no digest of the content where the bucket is encrypted with KMS.
"""

# ruff: noqa: S608 - names are declared by datasets, and quoted

from __future__ import annotations

import hashlib
import tempfile
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from resources.aws import s3_client
from resources.s3_errors import call
from resources.settings import Settings
from resources.view_rows import ViewRows, finite, name
from vitalake.errors import PermanentError
from vitalake.parts import ConflictError
from vitalake.sinks import Delivery, Progress

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_IN_MEMORY = 16 * 2**20
_LARGEST = 5 * 2**30  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html: one put
_DIGEST = "vitalake-sha256"


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
            digest = _write(view, file, rows, progress)
            written = self._put(f"{self._prefix}{view.sink.view}.json", file, digest)
        return Delivery(rows, rows if written else 0, 0, 0 if written else rows, not_representable=lost)

    def _put(self, key: str, file: IO[bytes], digest: str) -> bool:
        """Put the content unless the object has it; whether it was put."""
        where, size = f"{self.bucket}/{key}", file.tell()
        if size > _LARGEST:
            raise PermanentError(f"{where}: {size} bytes are more than one JSON file can be; read the Parquet")
        found = self._found(key)
        if found and found["Metadata"].get(_DIGEST) == digest and found["ContentLength"] == size:
            return False
        condition: Any = {"IfMatch": found["ETag"]} if found else {"IfNoneMatch": "*"}
        file.seek(0)

        def put() -> None:
            self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=file,
                ContentLength=size,
                ContentType="application/json",
                Metadata={_DIGEST: digest},
                **condition,
            )

        try:
            call(put, where)
        except FileNotFoundError:  # how `call` says that a condition does not hold
            raise ConflictError(f"{where} was written by somebody else") from None
        return True

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


def _write(view: ViewRows, file: IO[bytes], rows: int, progress: Progress) -> str:
    """Write the rows as JSON; the digest of what was written."""
    sha256, done = hashlib.sha256(), 0
    order = ", ".join(map(name, view.sink.key))

    def write(text: str) -> None:
        data = text.encode()
        sha256.update(data)
        file.write(data)

    write("[")
    for batch in view.batches(f"SELECT {view.json(finite)} FROM {{rows}} ORDER BY {order}"):
        write((",\n" if done else "") + ",\n".join(batch.column(0).to_pylist()))
        done += batch.num_rows
        progress(done, rows)
    write("]\n")
    return sha256.hexdigest()
