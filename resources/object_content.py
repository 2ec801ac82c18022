"""What an object holds: whole, in pieces, or its end, compared with what its store keeps of it.

Belongs here: reading, and again what came changed. Does not belong here: connections, listings, writing
(`resources/object_store.py`), what a store keeps (`resources/kept_content.py`), digests
(`resources/content_check.py`).

An ETag that is the MD5 of the bytes that came says that they are right, at no request; else a HEAD says what to
compare them with. A piece can only be compared by its length, and all pieces of a stream together at its end.
Where that is an ETag of parts, which may be no digest, bytes that differ are right if they come the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from resources.content_check import is_md5_of
from resources.kept_content import StoredContent, differs, stored_content
from resources.s3_errors import ChangedBytesError, call
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import TransientError

if TYPE_CHECKING:
    from obstore.store import S3Store
    from types_boto3_s3 import S3Client

T = TypeVar("T")
Span = tuple[int, int] | dict[str, int] | None
"""From one position up to another, or `{"suffix": n}`: the last n bytes."""
_PIECE = 4 * 2**20  # bytes of a stream at a time
_TIMES = 3  # that bytes are read where they arrive changed


class Answer(NamedTuple):
    """Bytes of an object, and which object: its version and whole size."""

    data: bytes
    version: str
    size_bytes: int


class ObjectContent:
    """Objects of one bucket by the bucket's connections, which are opened when they are needed."""

    def __init__(self, bucket: str, reading: Callable[[], S3Store], client: Callable[[], S3Client]) -> None:
        self._bucket, self._reading, self._client = bucket, reading, client

    def get(self, key: str, version: str | None = None, size_bytes: int | None = None) -> bytes:
        """All of it, of the size that a listing shows; FileNotFoundError when it is gone or no longer `version`."""

        def read() -> bytes:
            answer = self.answer(key, version)
            if size_bytes is not None:
                self._check_length(key, answer, size_bytes)
            self._check_content(key, answer, version)
            return answer.data

        return _until_right(read)

    def _check_length(self, key: str, answer: Answer, size_bytes: int) -> None:
        if len(answer.data) != size_bytes:
            raise self._changed(key, f"{len(answer.data):,} bytes in place of {size_bytes:,}")

    def _check_content(self, key: str, answer: Answer, version: str | None) -> None:
        """Compare a whole object with what the store keeps of it."""
        if is_md5_of(version or answer.version, answer.data):
            return
        try:
            kept = self.kept(key, version or answer.version)
            difference = kept.difference(answer.data)
            unsure = kept.unsure and len(answer.data) == kept.size_bytes
            if difference is None or (unsure and self.answer(key, answer.version).data == answer.data):
                return
        except FileNotFoundError:
            if version:
                raise
            difference = "they were replaced or deleted while they were read"
        raise self._changed(key, difference)

    def kept(self, key: str, version: str) -> StoredContent:
        """What the store keeps of this version; FileNotFoundError when there is no such object any more."""
        return stored_content(self._client(), self._bucket, key, version)

    def _changed(self, key: str, difference: str) -> ChangedBytesError:
        return ChangedBytesError(
            f"{self._bucket}/{key}: the bytes that came are not those that the store keeps: {difference}; nothing "
            "was made of them. Something on the way changes bytes, or the store's own copy is damaged"
        )

    def answer(self, key: str, version: str | None, span: Span = None) -> Answer:
        """The bytes of an object that `span` names, or all of them."""
        from obstore import exceptions

        where = f"{self._bucket}/{key}"
        options: Any = ({"if_match": version} if version else {}) | ({"range": span} if span else {})
        if key.endswith("/"):  # which obstore would take away
            return call(lambda: self._answer_exactly(key, version, span), where)

        def read() -> Answer:
            result = self._reading().get(key, options=options)
            return Answer(bytes(result.bytes()), result.meta["e_tag"] or "", result.meta["size"])

        try:
            return call(read, where)
        except exceptions.PreconditionError:
            raise FileNotFoundError(f"{key} is no longer version {version}") from None
        except ValueError:  # a key that obstore does not take
            return call(lambda: self._answer_exactly(key, version, span), where)

    def _answer_exactly(self, key: str, version: str | None, span: Span) -> Answer:
        condition: Any = {"IfMatch": version} if version else {}
        if isinstance(span, tuple):
            condition["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        elif span:
            condition["Range"] = f"bytes=-{span['suffix']}"
        response = self._client().get_object(Bucket=self._bucket, Key=key, **condition)
        size = response["ContentRange"].rpartition("/")[2] if span else response["ContentLength"]
        return Answer(bytes(response["Body"].read()), response["ETag"], int(size))

    def stream(self, item: ObjectInfo) -> Iterator[bytes]:
        """The content a piece at a time; FileNotFoundError for an object that is gone or changed.

        A request a piece, so that none is kept waiting while a piece is worked on, however long that takes.
        The iterator raises TransientError when the object is replaced or deleted on the way, and in place of the
        last piece when all of them together are not what the store keeps.
        """
        first = self._piece(item, 0)  # before a HEAD, whose answer has no code to say why it is refused
        return self._pieces(item, self.kept(item.key, item.version), first)

    def _pieces(self, item: ObjectInfo, kept: StoredContent, first: bytes) -> Iterator[bytes]:
        running = kept.running()

        def read(start: int) -> bytes:
            piece = self._piece(item, start) if start else first
            if running:
                running.update(piece)
            return piece

        with ThreadPoolExecutor(1) as ahead:  # which works out the digest as well, beside whoever reads
            coming = ahead.submit(read, 0)
            for start in range(_PIECE, item.size_bytes, _PIECE):
                piece, coming = self._come(coming, item), ahead.submit(read, start)
                yield piece
            last = self._come(coming, item)
            right = running is None or running.matches() or self._comes_again(item, kept, running.digest())
            if kept.checksum and not right:
                raise self._changed(item.key, differs(kept.checksum))
            yield last

    def _comes_again(self, item: ObjectInfo, kept: StoredContent, digest: bytes) -> bool:
        """Whether bytes that differ may be right, and are the same once more."""
        again = kept.running()
        if again is None or not kept.unsure:
            return False
        with suppress(FileNotFoundError):
            for start in range(0, item.size_bytes, _PIECE):
                again.update(self._piece(item, start))
        return again.digest() == digest

    def _come(self, coming: Future[bytes], item: ObjectInfo) -> bytes:
        try:
            return coming.result()
        except FileNotFoundError:
            where = f"{self._bucket}/{item.key}"
            raise TransientError(f"{where}: it was replaced or deleted while it was read") from None

    def _piece(self, item: ObjectInfo, start: int) -> bytes:
        end = min(start + _PIECE, item.size_bytes)

        def read() -> bytes:
            answer = self.answer(item.key, item.version, (start, end))
            self._check_length(item.key, answer, end - start)
            if answer.size_bytes != item.size_bytes:
                raise self._changed(item.key, f"a piece of {answer.size_bytes:,} bytes, not {item.size_bytes:,}")
            return answer.data

        return _until_right(read)

    def tail(self, key: str, size_bytes: int) -> bytes:
        """The last bytes of an object (all of it, if it is smaller)."""

        def read() -> bytes:
            answer = self.answer(key, None, {"suffix": size_bytes})
            self._check_length(key, answer, min(size_bytes, answer.size_bytes))
            if size_bytes >= answer.size_bytes:
                self._check_content(key, answer, None)
            return answer.data

        return _until_right(read)


def _until_right(read: Callable[[], T]) -> T:
    """Read again what came changed, a few times."""
    for _ in range(_TIMES - 1):
        with suppress(ChangedBytesError):
            return read()
    return read()
