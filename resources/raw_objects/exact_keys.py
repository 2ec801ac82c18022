"""Keys as S3 has them, where obstore shows and asks for others.

Belongs here: telling `name/` from `name`, which obstore shows as `name`, and whether an object is still listed.
Does not belong here: listings themselves (`resources/object_store.py`), what a key that ends in a slash stands for
(`vitalake/arrivals/folder_markers.py`).

Of keys that end in a slash only those of empty objects, which are markers of folders, are told from others when
they are listed: where obstore then does not have such an object, its key has a slash. Each is asked for once as
long as the process lives. SeaweedFS keeps nothing of what is put under such a key, and lists it as empty, with the
ETag of that content: it was an upload, and is no marker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING, Any

from resources.content_check import md5_in
from resources.s3_errors import call
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import PermanentError
from vitalake.lake.parts import side_by_side

if TYPE_CHECKING:
    from obstore.store import S3Store
    from types_boto3_s3 import S3Client

_KNOWN = 100_000  # objects that are remembered: some 30 MB
_NOTHING = md5(b"", usedforsecurity=False).hexdigest()


class ExactKeys:
    """Those of one bucket, by the bucket's connections, which are opened when they are needed."""

    def __init__(self, bucket: str, listing: Callable[[], S3Store], client: Callable[[], S3Client]) -> None:
        self._bucket, self._listing, self._client = bucket, listing, client
        self._markers: dict[ObjectInfo, bool] = {}

    def named(self, items: Sequence[ObjectInfo], prefix: str) -> list[ObjectInfo]:
        """Objects that obstore lists below a folder ("…/"), a marker's key with its slash."""
        known = self._markers
        unknown = [item for item in items if not item.size_bytes and item not in known]
        with side_by_side(len(unknown)) as each:
            known |= zip(unknown, each(lambda item: self._is_marker(item, prefix), unknown), strict=True)
        if len(known) > _KNOWN:
            self._markers = {}
        return [replace(item, key=f"{item.key}/") if known.get(item) else item for item in items]

    def _is_marker(self, item: ObjectInfo, prefix: str) -> bool:
        return self._ends_in_slash(item, prefix) and self._is_of_nothing(f"{item.key}/", item.version)

    def _ends_in_slash(self, item: ObjectInfo, prefix: str) -> bool:
        if item.key == prefix.removesuffix("/"):  # only its slash puts it below the folder
            return True
        try:
            here = call(lambda: self._listing().head(item.key), f"{self._bucket}/{item.key}")
        except FileNotFoundError:
            return True
        except (PermanentError, ValueError):  # it may not be read, or obstore does not take its key
            return False
        # Of two, `name` and `name/`, it is the one of this time, which an answer has to the second.
        return bool(here["last_modified"] != item.uploaded_at.replace(microsecond=0))

    def _is_of_nothing(self, key: str, version: str) -> bool:
        """Whether an object that is listed as empty may have been put so; `key` with its slash."""
        if version.strip('"') == _NOTHING:
            return True
        try:
            head = call(lambda: self._client().head_object(Bucket=self._bucket, Key=key), f"{self._bucket}/{key}")
        except (PermanentError, FileNotFoundError):
            return True
        return md5_in(head["ResponseMetadata"]["HTTPHeaders"], version) is None

    def info(self, entry: Any) -> ObjectInfo:
        """An entry of boto3's listing as `named` would give it."""
        key, version = entry["Key"], entry["ETag"]
        if not (key.endswith("/") and entry["Size"] == 0 and self._is_of_nothing(key, version)):
            key = key.removesuffix("/")
        return ObjectInfo(key, version, entry["Size"], entry["LastModified"])

    def is_listed(self, item: ObjectInfo) -> bool:
        """Whether the store still lists an object as it did."""

        def first(key: str) -> list[Any]:
            return self._client().list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1).get("Contents", [])

        keys = (item.key, f"{item.key}/")
        found = [entry for key in keys for entry in call(partial(first, key), f"{self._bucket}/{key}")]
        return any(entry["Key"] in keys and self.info(entry) == item for entry in found)
