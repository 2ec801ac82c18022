"""What a store keeps of one object to check its content by, asked for with a HEAD.

Belongs here: that request, and those for the sizes of an object's parts. Does not belong here: what headers mean,
digests (`resources/content_check.py`), reading (`resources/object_content.py`).

boto3 does it: obstore shows no headers. It is asked only where an ETag alone does not show that bytes are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.content_check import Checksum, Running, checksum_in, md5_in
from resources.s3_errors import call
from vitalake.lake.parts import side_by_side

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class StoredContent:
    """An object as its store knows it; without a `checksum` only its size can be compared.

    `md5` is what its ETag says, if that must be an MD5: the `checksum` may be another one.
    """

    size_bytes: int
    checksum: Checksum | None
    md5: Checksum | None = None
    part_bytes: tuple[int, ...] = ()

    @property
    def unsure(self) -> bool:
        """Whether bytes that differ may be right all the same, as long as they have the right length."""
        return self.checksum is not None and not self.checksum.sure

    def running(self) -> Running | None:
        """A digest to compare a content with."""
        return Running(self.checksum, self.part_bytes) if self.checksum else None

    def difference(self, data: bytes) -> str | None:
        """What is wrong with these bytes; None for nothing that can be seen."""
        if len(data) != self.size_bytes:
            return f"{len(data):,} bytes in place of {self.size_bytes:,}"
        running = self.running()
        if running is None or self.checksum is None:
            return None
        running.update(data)
        return None if running.matches() else differs(self.checksum)


def differs(checksum: Checksum) -> str:
    """How a difference is told."""
    return f"they differ from its own checksum, {checksum.algorithm.upper()}"


def stored_content(client: S3Client, bucket: str, key: str, version: str) -> StoredContent:
    """What the store keeps of this version; FileNotFoundError when there is no such object any more."""
    head = _head(client, bucket, key)
    if version and head["ETag"].strip('"') != version.strip('"'):
        raise FileNotFoundError(f"{key} is no longer version {version}")
    size = int(head["ContentLength"])
    headers = head["ResponseMetadata"]["HTTPHeaders"]
    checksum, md5 = checksum_in(headers, head["ETag"]), md5_in(headers, head["ETag"])
    if checksum is None or not checksum.parts:
        return StoredContent(size, checksum, md5)
    count, parts = checksum.parts, list[int]()
    # The first by itself: it shows whether the store knows parts at all.
    for numbers in (range(1, min(count, 2)), range(2, count)):
        with side_by_side(len(numbers)) as each:
            found = list(each(lambda number: _head(client, bucket, key, PartNumber=number), numbers))
        if any(part.get("PartsCount") != count for part in found):
            return StoredContent(size, None, md5)
        parts += [int(part["ContentLength"]) for part in found]
    last = size - sum(parts)
    return StoredContent(size, checksum, md5, (*parts, last)) if last > 0 else StoredContent(size, None, md5)


def _head(client: S3Client, bucket: str, key: str, **part: Any) -> Any:
    from botocore.exceptions import ClientError

    def head() -> Any:
        try:
            return client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", **part)
        except ClientError as error:  # an answer without a body: no code says what is missing
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(key) from None
            raise

    return call(head, f"{bucket}/{key}")
