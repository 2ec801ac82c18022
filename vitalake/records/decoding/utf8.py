"""Files of records as they arrive to UTF-8, a piece at a time: unpacked, decoded, or named as what they are.

Belongs here: bytes to text. Does not belong here: what the text says (`vitalake/records/csv/`,
`vitalake/records/json/`), what a file is that is no text (`file_kinds.py`), gzip (`gzipped.py`).

A file in UTF-8 that is not packed passes as it is. In every other one, bytes that its encoding does not have become
a byte that UTF-8 does not have, so that they refuse the record in which they stand.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from vitalake.errors import UnusableDataError
from vitalake.records.decoding.file_kinds import GZIP, HEAD_BYTES, marked_encoding, other_kind, wide_encoding
from vitalake.records.decoding.gzipped import unpacked

UTF_8 = "utf-8"
_WIDE = ("utf-16", "utf-32")
_CONTROLS = dict.fromkeys(range(0x80, 0xA0), "\udcff")
_NO_TEXTS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7"})


def utf8_chunks(chunks: Iterable[bytes], expected: str, most_bytes: int, encoding: str = UTF_8) -> Iterator[bytes]:
    """A file in UTF-8, in pieces.

    Args:
        chunks: the file, cut anywhere.
        expected: what it should be, for messages, e.g. ``"CSV"``.
        most_bytes: that it may have when it is unpacked.
        encoding: in which it should be.

    Raises:
        UnusableDataError: with the first piece; S01, unpacked it is empty or too large; S02, it is something else,
            or in another encoding.
    """
    head, chunks = _begin(chunks)
    if head.startswith(GZIP):
        head, chunks = _begin(unpacked(chunks, most_bytes))
    if found := other_kind(head):
        kind, advice = found
        advice = advice or f"save or export it as {expected}, and upload that"
        raise UnusableDataError("S02", f"this is {kind}, expected {expected}: {advice}")
    if encoding == UTF_8:
        _check_utf8(head, expected)
        yield from chunks
        return
    yield from _recoded(chunks, _actual(head, encoding))


def encoding_named(name: str) -> str:
    """An encoding as Python calls it.

    Raises:
        ValueError: there is none of this name, or it is none of text.
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, TypeError):
        raise ValueError(f"there is no encoding {name!r}; e.g. 'utf-8', 'cp1252', 'utf-16'") from None
    known = found.name.replace("_", "-")
    if not found._is_text_encoding or known.replace("-", "_") in _NO_TEXTS or known in _NO_TEXTS:
        raise ValueError(f"{name!r} is no encoding of files of text; e.g. 'utf-8', 'cp1252', 'utf-16'")
    return UTF_8 if known in (UTF_8, "utf-8-sig") else known


def _begin(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """How a file begins, `HEAD_BYTES` of it if it is as long, and all of it."""
    rest = iter(chunks)
    read: list[bytes] = []
    size = 0
    while size < HEAD_BYTES and (chunk := next(rest, None)) is not None:
        read.append(chunk)
        size += len(chunk)
    head = read[0] if len(read) == 1 else b"".join(read)
    return head[:HEAD_BYTES], chain(read, rest)


def _check_utf8(head: bytes, expected: str) -> None:
    if found := wide_encoding(head):
        name = found[: len(_WIDE[0])]
        how = "" if marked_encoding(head) else ", without a byte order mark"
        advice = f", or declare encoding={name!r}" if expected == "CSV" else ""
        raise UnusableDataError(
            "S02", f"the file is in {name.upper()}{how}, expected {expected} in UTF-8: save it as UTF-8{advice}"
        )


def _actual(head: bytes, encoding: str) -> str:
    """The encoding to read by: of UTF-16 and UTF-32 with the order of the bytes.

    Raises:
        UnusableDataError: S02, it is another one than was declared.
    """
    found = wide_encoding(head)
    declared = encoding.upper()
    if encoding.startswith(_WIDE):
        if found is None:
            raise UnusableDataError("S02", f"the file is not in {declared}, in which the dataset declares it")
        if not found.startswith(encoding):
            raise UnusableDataError("S02", f"the file is in {found.upper()}, and the dataset declares {declared}")
        return found
    if found:
        raise UnusableDataError("S02", f"the file is in {found.upper()}, and the dataset declares {declared}")
    if not head.isascii() and _is_utf8(head):  # each letter beyond ASCII of another encoding speaks against it
        raise UnusableDataError(
            "S02",
            f"the file is in UTF-8, and the dataset declares {declared}: save it as {declared}, or declare "
            "encoding='utf-8'",
        )
    return encoding


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder(UTF_8)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _recoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(_MARKED)
    # There these have controls that no text uses; most files that say so are in Windows-1252, with letters.
    without = _CONTROLS if encoding.startswith("iso8859") else None
    for chunk, last in chain(((chunk, False) for chunk in chunks), [(b"", True)]):
        text = decoder.decode(chunk, last)
        if without and not text.isascii():
            text = text.translate(without)
        if text:
            yield text.encode(UTF_8, _MARKED)


def _marked(error: UnicodeError) -> tuple[str | bytes, int]:
    """Half a surrogate pair in place of bytes that are no text, and in place of that a byte that is no UTF-8."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


_MARKED = "vitalake-marked"
codecs.register_error(_MARKED, _marked)
