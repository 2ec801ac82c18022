"""Objects that a store lists and does not give out, each told from a store that gives out nothing.

Belongs here: whether a refusal is of one object, and what to do about it. Does not belong here: what any error of
a store means (`resources/s3_errors.py`), reading (`resources/object_content.py`).

S3 says of an archived object, of one with a key of the customer's, and of one whose KMS key is out of use that it
is this object. "Access denied", and whatever else, may be about the object, or about credentials, policy or
address: it is the object if another one of the same dataset can be read at this very moment.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from resources.object_content import ObjectContent
from resources.s3_errors import StoreRefusalError
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import UnusableDataError
from vitalake.escaping import printable
from vitalake.lake.checks import WITHHELD

T = TypeVar("T")
_AGAIN = "then read it again with `vitalake quarantine retry`"
_RENAME = (
    "upload it under a key without empty or dotted folders and without a slash at its end, and delete this one"
)
_ASKED = 20  # other objects of those that are read together, and of the dataset's
_OF_A_REQUEST = ("InvalidRequest", "InvalidArgument")
_CUSTOMER_KEY = re.compile(r"stored using a form of server.side encryption|customer", re.IGNORECASE)
# As S3 passes on what KMS says of a key. That it is busy, or failed, is no state of a key.
_KMS_KEY = re.compile(r"KMS\.\w*(?:Disabled|NotFound|InvalidState|InvalidKeyUsage|IncorrectKey|KeyUnavailable)\w*")
_KMS = re.compile(r"kms|customer master key|ciphertext", re.IGNORECASE)


class WithheldObjects:
    """Reads objects, and tells what it is about where one is not given out; safe to share between threads.

    Args:
        items: the objects that are read together.
        content: what reads them.
        pages: lists others of the bucket below a folder.
        is_listed: whether an object is listed still.
    """

    def __init__(
        self,
        items: Sequence[ObjectInfo],
        content: ObjectContent,
        pages: Callable[[str], Iterator[list[ObjectInfo]]],
        is_listed: Callable[[ObjectInfo], bool],
    ) -> None:
        self._items, self._content, self._pages, self._is_listed = items, content, pages, is_listed
        self._lock = threading.Lock()
        self._readable: ObjectInfo | None = None
        self._nothing_is_readable = False

    def given(self, read: Callable[[str, str], T], item: ObjectInfo) -> T | None:
        """What `read` gives for the key and version of an object as it was listed; None where that is gone.

        Raises:
            UnusableDataError: the store lists the object and does not give it out.
            PermanentError, TransientError: as any request does.
        """
        try:
            for key in (item.key, f"{item.key}/"):  # a listing shows both without the slash
                with suppress(FileNotFoundError):
                    return read(key, item.version)
            if not self._is_listed(item):
                return None
            with suppress(FileNotFoundError):  # it was away for a moment
                return read(item.key, item.version)
        except StoreRefusalError as error:
            raise self._refusal(item, error) from None
        raise UnusableDataError(WITHHELD, f"the store lists the object and says that there is none; {_RENAME}")

    def _refusal(self, item: ObjectInfo, error: StoreRefusalError) -> UnusableDataError:
        """Why this one object is not given out; the error itself is raised where it is not this one alone."""
        message = _of_the_object(error)
        if message is None:
            with self._lock:
                if self._nothing_is_readable or not self._another_is_readable(item):
                    self._nothing_is_readable = True
                    raise error
            message = _while_others_are_read(item.key, error)
        return UnusableDataError(WITHHELD, message)

    def _another_is_readable(self, item: ObjectInfo) -> bool:
        for other in self._others(item):
            try:
                self._content.answer(other.key, other.version, (0, 1))
            except FileNotFoundError:
                continue
            except StoreRefusalError as error:
                if _of_the_object(error) is None:
                    continue
            self._readable = other
            return True
        self._readable = None
        return False

    def _others(self, item: ObjectInfo) -> Iterator[ObjectInfo]:
        """What was read before, else some of those that are read together, else some of the dataset."""
        if self._readable:
            yield self._readable
        yield from _some(self._items, item)
        yield from _some(next(self._pages(item.key.partition("/")[0] + "/"), []), item)


def _some(items: Sequence[ObjectInfo], but: ObjectInfo) -> Sequence[ObjectInfo]:
    """A few from everywhere in a sequence that have content, without one."""
    found = [each for each in items if each.size_bytes and each.key != but.key]
    return found[:: len(found) // _ASKED + 1]


def _of_the_object(error: StoreRefusalError) -> str | None:
    """What is said of an object where S3 itself says that it is this object."""
    if error.code == "InvalidObjectState":
        return f"the object is archived and cannot be read as long as it is; restore it, {_AGAIN}"
    if error.code in _OF_A_REQUEST and _CUSTOMER_KEY.search(error.reason):
        return (
            "the object is encrypted with a key of the uploader's own (SSE-C), which nobody else has; upload it "
            "again without that key"
        )
    if _KMS_KEY.fullmatch(error.code):
        return (
            f"the object's KMS key cannot be used ({printable(error.code)}); enable or restore the key, {_AGAIN}, "
            "or upload the object again under another key"
        )
    return None


def _while_others_are_read(key: str, error: StoreRefusalError) -> str:
    """What is said of an object that is refused while another one is not."""
    if error.status in ("401", "403") and _KMS.search(error.reason):
        return (
            "the object's KMS key may not be used by this system, while other objects can be read; allow its role "
            f"kms:Decrypt with that key, {_AGAIN}"
        )
    code = f"HTTP {printable(error.status)}" + (f" {printable(error.code)}" if error.code else "")
    if not {"", ".", ".."}.isdisjoint(key.split("/")):
        return f"the store refuses an object of this name ({code}), while others can be read; {_RENAME}"
    return (
        f"reading the object is denied ({code}), while other objects can be read; allow it in the bucket's policy, "
        f"the object's tags or its ACL, {_AGAIN}"
    )
