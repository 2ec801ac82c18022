"""One S3 bucket as the core sees it: listings, whole objects, conditional writes.

Belongs here: connections, listings, writing. Does not belong here: what an object holds
(`resources/object_content.py`), what keys mean, when something is written, what an error means
(`resources/s3_errors.py`).

obstore does the work: a tenth of boto3's CPU. It refuses keys that S3 allows (control characters, empty or dotted
segments), so listings that hold such a key, and reads of it, go through boto3: slower, but nothing is unseen.

What is put carries a SHA-256 that the store verifies.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from resources.aws import s3_client
from resources.content_check import is_md5_of
from resources.object_content import ObjectContent
from resources.raw_objects.exact_keys import ExactKeys
from resources.raw_objects.withheld_objects import WithheldObjects
from resources.s3_errors import ChangedBytesError, call
from resources.settings import Settings
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import PermanentError, UnusableDataError
from vitalake.lake.parts import ConflictError

# `from obstore import …` takes all of obstore first. Its modules import each other: of two threads that begin with
# different ones of them, one may meet half of it.
if TYPE_CHECKING:
    from obstore.store import S3Store
    from types_boto3_s3 import S3Client

T = TypeVar("T")
_READERS = 16
# What a store writes into XML for a character that XML does not have: whoever lists so sees another key.
_UNREADABLE = "\ufffd"
_PAGE = 1000  # keys a request; S3 gives no more
_TIMES = 3  # that bytes are sent where they arrive changed
# Sub-second retries first, some 10 s of them in all: a longer outage is the run's to retry, not the call's. (Each
# pause is drawn between the first and `base` times the last: with a base of 2, eight of them took 2 s.)
_RETRIES: dict[str, Any] = {
    "max_retries": 10,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 3},
    "retry_timeout": timedelta(seconds=20),
}

# One whole request, over the slow line of somebody who uploads, too. (obstore's own 30 s are 2 MB/s for 64 MB.) An
# answer that has begun may pause for less.
_TIMEOUT = timedelta(minutes=15)
_PAUSE = timedelta(seconds=30)

# A page of a listing takes milliseconds. A store that hangs must end a sensor's tick before Dagster does, as
# trouble and not as very many keys (`SlowListingError`, after 10 s).
_PAGE_TIMEOUT = timedelta(seconds=8)
_PAGE_RETRIES = {**_RETRIES, "retry_timeout": timedelta(seconds=5)}


class SlowListingError(Exception):
    """There is more to list than the time allows."""


class ObjectStore:
    """A bucket. Implements `vitalake.lake.reconcile.Store`; safe to share between threads, and with processes."""

    def __init__(self, settings: Settings, bucket: str) -> None:
        self.bucket = bucket
        self._settings = settings

    def __getstate__(self) -> dict[str, Any]:
        """For another process: the same bucket, connections of its own."""
        return {"bucket": self.bucket, "_settings": self._settings}

    @cached_property
    def _store(self) -> S3Store:
        return self._opened(_RETRIES, timeout=_TIMEOUT)

    @cached_property
    def _listing(self) -> S3Store:
        return self._opened(_PAGE_RETRIES, timeout=_PAGE_TIMEOUT)

    @cached_property
    def _reading(self) -> S3Store:
        return self._opened(_RETRIES, timeout=_TIMEOUT, read_timeout=_PAUSE)  # which would end a slow put, too

    def _opened(self, retries: dict[str, Any], **client: Any) -> S3Store:
        from obstore import store

        settings = self._settings
        secret, token = settings.aws_secret_access_key, settings.aws_session_token
        # Of the bytes that are put. Their SHA-256 in the signature is not verified by every store.
        options: dict[str, Any] = {"region": settings.aws_region, "checksum_algorithm": "sha256"}
        if settings.s3_endpoint:
            options |= {"endpoint": settings.s3_endpoint, "virtual_hosted_style_request": False}
            client["allow_http"] = settings.s3_endpoint.startswith("http://")
        if settings.aws_access_key_id and secret:
            # As a provider: given one by one, obstore would fill a missing token from the shell's environment.
            keys = {
                "access_key_id": settings.aws_access_key_id,
                "secret_access_key": secret.get_secret_value(),
                "token": token.get_secret_value() if token else None,
                "expires_at": None,
            }
            options["credential_provider"] = lambda: keys
        return store.S3Store(self.bucket, retry_config=retries, client_options=client, **options)  # type: ignore[arg-type]

    @cached_property
    def _client(self) -> S3Client:
        """boto3, for what obstore does not do: keys that it refuses."""
        return s3_client(self._settings)

    def _call(self, request: Callable[[], T], what: str) -> T:
        return call(request, f"{self.bucket}/{what}")

    def objects(self, prefix: str) -> list[ObjectInfo]:
        """All objects below a folder ("…/"), in no particular order; raises when any page fails."""
        return [item for page in self.pages(prefix) for item in page]

    def pages(self, prefix: str, after: str | None = None) -> Iterator[list[ObjectInfo]]:
        """The same a page at a time, a folder's objects without a break; only what is listed after the key `after`.

        The store's order is its own: S3 lists by the bytes of the whole key, SeaweedFS folder by folder.
        """
        from obstore import exceptions

        if not prefix.endswith("/"):
            raise ValueError(f"{prefix!r} is no folder: obstore lists whole path segments and would find nothing")
        last = after
        try:
            pages = iter(self._call(lambda: self._listing.list(prefix, offset=after, chunk_size=_PAGE), prefix))
            while (page := self._call(lambda: next(pages, None), prefix)) is not None:
                if any(_UNREADABLE in meta["path"] for meta in page):
                    raise ValueError(prefix)
                if page:
                    yield self._keys.named([_info(meta) for meta in page], prefix)
                    last = page[-1]["path"]
        except (exceptions.InvalidPathError, ValueError):  # a key that obstore does not take: exactly from here on
            yield from self._exact_pages(prefix, last)

    def _exact_pages(self, prefix: str, after: str | None) -> Iterator[list[ObjectInfo]]:
        more: Any = {"StartAfter": after} if after else {}
        listing = self._client.get_paginator("list_objects_v2")
        pages = iter(listing.paginate(Bucket=self.bucket, Prefix=prefix, **more))
        while (page := self._call(lambda: next(pages, None), prefix)) is not None:
            yield [self._keys.info(entry) for entry in page.get("Contents", [])]

    def _folders_exactly(self, prefix: str, until: float) -> tuple[list[str], list[ObjectInfo]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, Delimiter="/", PaginationConfig={"PageSize": _PAGE}
        )
        folders: list[str] = []
        items: list[ObjectInfo] = []
        for page in pages:
            folders += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
            items += [self._keys.info(entry) for entry in page.get("Contents", [])]
            if page["IsTruncated"] and monotonic() > until:
                raise SlowListingError(prefix)
        return folders, items

    def folders(self, prefix: str, within_s: float | None = None) -> tuple[list[str], list[ObjectInfo]]:
        """The folders directly below a prefix (each ending in "/") and the objects directly in it.

        Raises:
            SlowListingError: it takes longer than `within_s`.
        """
        from obstore import exceptions

        until = monotonic() + (inf if within_s is None else within_s)

        def quick() -> tuple[list[str], list[ObjectInfo]]:
            try:
                page = asyncio.run(asyncio.wait_for(self._listing.list_with_delimiter_async(prefix), within_s))
            except asyncio.TimeoutError:
                raise SlowListingError(prefix) from None
            if any(
                _UNREADABLE in path for path in (*page["common_prefixes"], *(m["path"] for m in page["objects"]))
            ):
                raise ValueError(prefix)
            return [f"{folder}/" for folder in page["common_prefixes"]], [_info(meta) for meta in page["objects"]]

        try:
            folders, items = self._call(quick, prefix)
            return folders, self._keys.named(items, prefix)
        except (exceptions.InvalidPathError, ValueError):  # a key that obstore does not take
            return self._call(lambda: self._folders_exactly(prefix, until), prefix)

    @cached_property
    def _keys(self) -> ExactKeys:
        return ExactKeys(self.bucket, lambda: self._listing, lambda: self._client)

    @property
    def _content(self) -> ObjectContent:
        return ObjectContent(self.bucket, lambda: self._reading, lambda: self._client)

    def get(self, key: str, version: str | None = None) -> bytes:
        """The content; FileNotFoundError when it is gone or is no longer `version`."""
        return self._content.get(key, version)

    def get_many(
        self, items: Sequence[ObjectInfo]
    ) -> Iterator[tuple[ObjectInfo, bytes | UnusableDataError | None]]:
        """Contents in order, read side by side; None for an object that is gone or changed since it was listed.

        An UnusableDataError for one that the store lists and does not give out.
        """
        withheld = self._withheld(items)

        def read(item: ObjectInfo) -> bytes | UnusableDataError | None:
            try:
                return withheld.given(partial(self._content.get, size_bytes=item.size_bytes), item)
            except UnusableDataError as refusal:
                return refusal

        with ThreadPoolExecutor(_READERS) as pool:
            yield from zip(items, pool.map(read, items), strict=True)

    def stream(self, item: ObjectInfo) -> Iterator[bytes] | None:
        """The content a piece at a time; None for an object that is gone or changed.

        The iterator raises TransientError when the object is replaced or deleted on the way, and in place of the
        last piece when all of them together are not what the store keeps.

        Raises:
            UnusableDataError: the store lists the object and does not give it out.
        """
        return self._withheld([item]).given(lambda key, _: self._content.stream(replace(item, key=key)), item)

    def _withheld(self, items: Sequence[ObjectInfo]) -> WithheldObjects:
        return WithheldObjects(items, self._content, self.pages, self._keys.is_listed)

    def tail(self, key: str, size_bytes: int) -> bytes:
        """The last bytes of an object (all of it, if it is smaller)."""
        return self._content.tail(key, size_bytes)

    def put(self, key: str, data: bytes, *, expected: str | None) -> str:
        """Create (None) or replace exactly that version; the new version.

        A store that verifies the checksum keeps nothing of bytes that changed on the way; what another has kept of
        them is replaced, or deleted.

        Raises:
            ConflictError, PermanentError: as they say.
            TransientError: the store, or the bytes arrive changed.
        """
        stored = None
        for _ in range(_TIMES):
            with suppress(ChangedBytesError):
                stored = self._put(key, data, expected)
                if self._arrived(key, data, stored):
                    return stored
                expected = stored
        if stored:
            with suppress(ConflictError):
                self.delete(key, expected=stored)
        raise ChangedBytesError(
            f"{self.bucket}/{key}: the bytes that reached the store are not those that were sent, {_TIMES} times"
        )

    def _arrived(self, key: str, data: bytes, version: str) -> bool:
        if is_md5_of(version, data):
            return True
        try:
            kept = self._content.kept(key, version)
            if kept.difference(data) is not None:
                return False
            # An ETag of which only the store knows what it is; one that must be an MD5 is of other bytes, whatever
            # checksum is kept beside it (the one that was sent, perhaps): they show themselves.
            return kept.md5 is None or self._content.answer(key, version).data == data
        except FileNotFoundError:  # somebody else has replaced it since
            return True

    def _put(self, key: str, data: bytes, expected: str | None) -> str:
        from obstore import exceptions

        mode: Any = {"e_tag": expected} if expected is not None else "create"
        try:
            result = self._call(lambda: self._store.put(key, data, mode=mode, use_multipart=False), key)
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError, FileNotFoundError) as error:
            if "<Code>NoSuchBucket<" in str(error):  # 404, which obstore takes for a missing object
                advice = "create it, or set VITALAKE_RAW_BUCKET and VITALAKE_LAKE_BUCKET"
                raise PermanentError(f"{self.bucket}/{key}: the bucket does not exist; {advice}") from None
            raise ConflictError(f"{self.bucket}/{key} was written by somebody else") from None
        return result["e_tag"] or ""

    def delete(self, key: str, *, expected: str) -> None:
        """Delete exactly that version. Raises ConflictError.

        obstore has no conditional delete, so the request is signed by it and sent with an If-Match header.
        """

        def send() -> None:
            url = self._store_sign("DELETE", key)
            request = urllib.request.Request(url, method="DELETE", headers={"If-Match": expected})  # noqa: S310
            with urllib.request.urlopen(request, timeout=60):  # noqa: S310
                pass

        try:
            self._call(send, key)
        except urllib.error.HTTPError as error:
            if error.code in (404, 409, 412):
                raise ConflictError(f"{self.bucket}/{key} was written by somebody else") from None
            raise

    def _store_sign(self, method: Any, key: str) -> str:
        import obstore

        return obstore.sign(self._store, method, key, timedelta(minutes=5))


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["e_tag"] or "", meta["size"], meta["last_modified"])
