"""One object of the raw bucket: whether it is there, whether its versions are kept, and deleting it.

Belongs here: these requests. Does not belong here: what is said about them (`cli/remove/command.py`).

By boto3, which takes every key as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from resources.s3_errors import StoreRefusalError, call
from vitalake.errors import PermanentError

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_s3 import S3Client

Versioning = Literal["kept", "suspended", "none", "unknown"]


@dataclass(frozen=True)
class BucketObject:
    """An object under its exact key; `etag` in quotes, as a listing has it."""

    key: str
    etag: str
    size_bytes: int
    uploaded_at: datetime

    @property
    def listed_key(self) -> str:
        """Its key in the tables: without a slash at its end."""
        return self.key.removesuffix("/")


def find(client: S3Client, bucket: str, key: str) -> BucketObject | None:
    """The object with this key, else the one with a slash behind it; None where there is neither.

    Listed, not read: of an object that may not be read S3 does not even tell the size.
    """
    for exact in (key, f"{key}/"):
        for entry in _listed(client, bucket, exact):
            if entry["Key"] == exact:
                return BucketObject(exact, entry["ETag"], entry["Size"], entry["LastModified"])
    return None


def _listed(client: S3Client, bucket: str, key: str) -> list[Any]:
    def first() -> list[Any]:
        return client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])

    return call(first, f"{bucket}/{key}")


def versioning(client: S3Client, bucket: str) -> Versioning:
    """Whether the bucket keeps what is deleted."""
    try:
        status = call(lambda: client.get_bucket_versioning(Bucket=bucket).get("Status"), bucket)
    except StoreRefusalError:  # a right of its own
        return "unknown"
    return "kept" if status == "Enabled" else "suspended" if status == "Suspended" else "none"


def delete(client: S3Client, bucket: str, item: BucketObject) -> str | None:
    """Delete the object as it was found; the id of the marker that hides its versions, where they are kept.

    Raises:
        PermanentError: it has been replaced since, or may not be deleted.
    """
    if find(client, bucket, item.key) != item:
        raise _replaced()
    try:
        answer = call(
            lambda: client.delete_object(Bucket=bucket, Key=item.key, IfMatch=item.etag), f"{bucket}/{item.key}"
        )
    except FileNotFoundError:
        raise _replaced() from None
    return answer.get("VersionId") if answer.get("DeleteMarker") else None


def _replaced() -> PermanentError:
    return PermanentError("the object was replaced or deleted meanwhile, so nothing was deleted; look at it again")
