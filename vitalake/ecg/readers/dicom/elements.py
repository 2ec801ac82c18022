"""The elements of a DICOM file, tags, values and nested items, in the layouts of PS3.5 and PS3.10 (section 7).

Belongs here: finding the wanted elements among all others, in bounded time and memory. Does not belong here: what
they mean (`dicom_values`, `dicom`).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from vitalake.errors import UnusableDataError

PREAMBLE_BYTES, MARK = 128, b"DICM"
META_LENGTH, TRANSFER_SYNTAX = 0x00020000, 0x00020010
IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
LONG_KINDS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
MAX_DEPTH = 32
MAX_ELEMENTS = 500_000  # visited; an ECG with all its annotations has some thousands


class Encoding(NamedTuple):
    """How elements are written: with or without their kind (VR), and the byte order, ``"<"`` or ``">"``."""

    explicit: bool
    order: str


class _Element(NamedTuple):
    tag: int
    kind: bytes
    start: int
    length: int  # UNDEFINED: up to a delimiter


Span = tuple[int, int]


class Elements:
    """One data set in memory, read on demand; a span is a range of its bytes.

    Args:
        data: the encoded data set.
        start: its first byte.
        encoding: of all of it.
    """

    def __init__(self, data: bytes, start: int, encoding: Encoding) -> None:
        self.data = data
        self.root: Span = (start, len(data))
        self.encoding = encoding
        self._visits = 0

    def find(self, span: Span, tags: frozenset[int]) -> dict[int, Span]:
        """Spans of the values of those `tags` that stand in the data set or item at `span`.

        Raises:
            UnusableDataError: S02, broken, nested too deeply, or more elements than any ECG has.
        """
        at, end = span
        how = self.encoding
        found: dict[int, Span] = {}
        last = max(tags)
        while at < end and len(found) < len(tags):
            element = self._element(at, end, how)
            if element.tag > last:  # tags ascend: nothing wanted comes now
                break
            stop, at = self._skip(element, end, how, 0)
            if element.tag in tags:
                found.setdefault(element.tag, (element.start, stop))
        return found

    def items(self, span: Span) -> Iterator[Span]:
        """Spans of the items of the sequence at `span`."""
        at, end = span
        while at < end:
            item = self._element(at, end, self.encoding)
            if item.tag != ITEM:
                raise UnusableDataError("S02", f"byte {at:,} of the data set belongs to no item of its sequence")
            stop, at = self._skip(item, end, self.encoding, 0)
            yield item.start, stop

    def _element(self, at: int, end: int, how: Encoding) -> _Element:
        self._visits += 1
        if self._visits > MAX_ELEMENTS:
            raise UnusableDataError("S02", f"the data set has more than {MAX_ELEMENTS:,} elements")
        if end - at < 8:
            raise UnusableDataError("S02", f"the data set ends inside the element at byte {at:,}")
        group, number = struct.unpack_from(f"{how.order}2H", self.data, at)
        tag, kind = group << 16 | number, b""
        if group == ITEM >> 16 or not how.explicit:
            start, length = at + 8, struct.unpack_from(f"{how.order}I", self.data, at + 4)[0]
        else:
            kind = self.data[at + 4 : at + 6]
            if kind not in LONG_KINDS:
                start, length = at + 8, struct.unpack_from(f"{how.order}H", self.data, at + 6)[0]
            elif end - at < 12:
                raise UnusableDataError("S02", f"the data set ends inside the element at byte {at:,}")
            else:
                start, length = at + 12, struct.unpack_from(f"{how.order}I", self.data, at + 8)[0]
        if length != UNDEFINED and start + length > end:
            raise UnusableDataError(
                "S02", f"the element at byte {at:,} needs {length:,} bytes, {end - start:,} are there"
            )
        return _Element(tag, kind, start, length)

    def _skip(self, element: _Element, end: int, how: Encoding, depth: int) -> Span:
        """Where the value of `element` ends, and where the next element begins."""
        if element.length != UNDEFINED:
            return element.start + element.length, element.start + element.length
        if depth > MAX_DEPTH:
            raise UnusableDataError("S02", f"the data set is nested more than {MAX_DEPTH} deep")
        # A sequence of unknown kind is written without kinds inside (PS3.5 section 6.2.2, note 4).
        inner = Encoding(False, "<") if element.kind == b"UN" else how
        closing = ITEM_END if element.tag == ITEM else SEQUENCE_END
        at = element.start
        while at < end:
            child = self._element(at, end, inner)
            if child.tag == closing:
                return at, child.start
            _, at = self._skip(child, end, inner, depth + 1)
        raise UnusableDataError("S02", f"the sequence or item at byte {element.start:,} has no end")


def open_elements(data: bytes, *, max_inflated: int) -> Elements:
    """The data set of a DICOM file, inflated where it is deflated.

    Raises:
        UnusableDataError: S01, inflates to more than `max_inflated` bytes; S02, no readable file.
    """
    start = PREAMBLE_BYTES + len(MARK)
    if data[PREAMBLE_BYTES:start] != MARK:
        raise UnusableDataError("S02", "no DICOM file: the mark after its preamble is missing")
    meta = Elements(data, start, Encoding(True, "<"))
    lengths = meta.find(meta.root, frozenset((META_LENGTH,)))
    at, end = lengths.get(META_LENGTH, (0, 0))
    if end - at != 4:
        raise UnusableDataError("S02", "the DICOM file does not say how long its first part is")
    body = end + struct.unpack_from("<I", data, at)[0]
    if body > len(data):
        raise UnusableDataError(
            "S02", f"the first part of the DICOM file needs {body:,} bytes, {len(data):,} are there"
        )
    found = meta.find((end, body), frozenset((TRANSFER_SYNTAX,)))
    at, stop = found.get(TRANSFER_SYNTAX, (0, 0))
    syntax = data[at:stop].decode("ascii", errors="replace").strip("\0 ")
    if syntax == DEFLATED:
        return Elements(_inflate(data[body:], max_inflated), 0, Encoding(True, "<"))
    return Elements(data, body, Encoding(syntax != IMPLICIT, ">" if syntax == BIG_ENDIAN else "<"))


def _inflate(deflated: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(deflated, most)
        over = not inflater.eof and bool(inflater.decompress(inflater.unconsumed_tail, 1))
    except zlib.error as error:
        raise UnusableDataError("S02", "the deflated data set is damaged") from error
    if over:
        raise UnusableDataError("S01", f"the deflated data set has more than {most:,} bytes")
    if not inflater.eof:
        raise UnusableDataError("S02", "the deflated data set ends early")
    return content
