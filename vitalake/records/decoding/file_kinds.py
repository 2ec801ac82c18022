r"""What a file is that is no text of records: an archive, a workbook, a page of an error, text in another encoding.

Belongs here: telling it from how the file begins, in words. Does not belong here: what becomes of it
(`utf8.py`), the signature that quarantine keeps (`vitalake/lake/signatures.py`).

A signature of letters alone (`ORC`, `PAR1`) may begin a header too, so it counts only where bytes follow that no
text has.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

GZIP = b"\x1f\x8b"
HEAD_BYTES = 1 << 16
"""So much of a file tells what it is."""

_SAVE, _UNPACK = "", "unpack it, and upload the files inside, or one with gzip"
_BINARY: tuple[tuple[bytes, str, str], ...] = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Office file of before 2007 (.xls, .doc), or one with a password",
        _SAVE,
    ),
    (b"BZh", "a file compressed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "a file compressed with xz", _UNPACK),
    (b"\x5d\0\0", "a file compressed with LZMA", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a file compressed with Zstandard", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x04\x22\x4d\x18", "a file compressed with LZ4", _UNPACK),
    (b"\xff\x06\0\0sNaPpY", "a file compressed with Snappy", _UNPACK),
    (b"LZIP\1", "a file compressed with lzip", _UNPACK),
    (b"\x1f\x9d", "a file compressed with compress (.Z)", _UNPACK),
    (b"\x1f\xa0", "a file compressed with compress (.Z)", _UNPACK),
    (b"PAR1", "a Parquet file", _SAVE),
    (b"PARE", "an encrypted Parquet file", _SAVE),
    (b"ORC", "an ORC file", _SAVE),
    (b"Obj\1", "an Avro file", _SAVE),
    (b"ARROW1\0\0", "an Arrow file", _SAVE),
    (b"FEA1", "a Feather file", _SAVE),
    (b"SQLite format 3\0", "a SQLite database", _SAVE),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _SAVE),
    (b"MATLAB 5.0", "a MATLAB file", _SAVE),
    (b"$FL2", "an SPSS file", _SAVE),
    (b"\x80\4\x95", "a Python pickle", _SAVE),
    (b"RIFF", "a RIFF file", _SAVE),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", _SAVE),
    (b"\xff\xd8\xff", "a JPEG picture", _SAVE),
    (b"GIF8", "a GIF picture", _SAVE),
    (b"II*\0", "a TIFF picture", _SAVE),
    (b"MM\0*", "a TIFF picture", _SAVE),
    (b"\x7fELF", "a program", _SAVE),
    (b"MZ", "a program", _SAVE),
)
_FIRST_BYTES = frozenset(sign[:1] for sign, _, _ in _BINARY)
_ZSTANDARD_SKIPPED = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_BLANK = rb"\A(?:\xef\xbb\xbf)?[ \t\r\n]*"
_MARKUP = re.compile(_BLANK + rb"[<%{v-]")  # how each of those begins
_COMMENT = rb"(?:<!--.*?-->[ \t\r\n]*)*"
_TEXTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(_BLANK + pattern, re.IGNORECASE | re.DOTALL), name, advice)
    for pattern, name, advice in (
        (rb"%PDF-", "a PDF file", _SAVE),
        (rb"%!PS", "a PostScript file", _SAVE),
        (rb"\{\\rtf", "an RTF file", _SAVE),
        (
            _COMMENT
            + rb"(?:<\?xml[^>]*\?>[ \t\r\n]*)?"
            + _COMMENT
            + rb"<(?:!doctype[ \t\r\n]+html|html|head|body|table|meta)\b",
            "an HTML page",
            "a server that had no file may have answered so, or a table was saved as a page: export it again",
        ),
        (
            rb"(?:<\?xml[^>]*\?>[ \t\r\n]*)?<Error>",
            "an error message of a store, in XML",
            "the download of the file failed: fetch it again",
        ),
        (_COMMENT + rb"<(?:\?xml|[A-Za-z_][\w:.-]*[ \t\r\n/>])", "an XML file", _SAVE),
        (
            rb"version https://git-lfs\.github\.com/spec/",
            "a pointer of Git LFS, and not the file that it stands for",
            "fetch the file with `git lfs pull`",
        ),
        (rb"-----BEGIN PGP MESSAGE", "a file encrypted with PGP", "decrypt it first"),
    )
)
_IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)"),
    (b"opendocument", "an OpenDocument file"),
    (b"xl/workbook.bin", "an Excel workbook (.xlsb)"),
    (b"xl/", "an Excel workbook (.xlsx)"),
    (b"word/", "a Word document (.docx)"),
    (b"ppt/", "a PowerPoint file (.pptx)"),
    (b"Index/Document.iwa", "a Numbers, Pages or Keynote file"),
    (b"[Content_Types].xml", "an Office file, most likely an Excel workbook (.xlsx)"),
)
# The marks of UTF-32 come first: in little-endian order they begin as those of UTF-16 do.
_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a]")  # control characters that no text has
# What stands between the words of any table or document, whatever alphabet these are in; in UTF-16 beside a NUL.
_SIGNS = (b"\n", b"\r", b"\t", b",", b";", b"|", b":", b'"', b" ")
_MOST_SIGNS, _BY_CHANCE, _MOSTLY = 0.5, 0.5, 0.9
_TAR_AT, _DICOM_AT = 257, 128


def other_kind(head: bytes) -> tuple[str, str] | None:  # noqa: PLR0911
    """What a file is, if no text of records, and what to do about it, where it is not enough to save it otherwise.

    None: nothing speaks against it.

    Args:
        head: how it begins, `HEAD_BYTES` of it or all.
    """
    if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
        inside = next((name for sign, name in _IN_ZIP if sign in head), None)
        return (inside, _SAVE) if inside else ("a ZIP archive", _UNPACK)
    if head.startswith(GZIP):
        return "a file compressed with gzip", _UNPACK
    if head[:1] in _FIRST_BYTES:
        for sign, name, advice in _BINARY:
            if head.startswith(sign) and _NO_TEXT.search(head):
                return name, advice
    if _ZSTANDARD_SKIPPED.match(head):
        return "a file compressed with Zstandard", _UNPACK
    if head.startswith(b"ustar", _TAR_AT):
        return "a tar archive", _UNPACK
    if head.startswith(b"DICM", _DICOM_AT):
        return "a DICOM file", _SAVE
    return _kind_of_text(head)


def _kind_of_text(head: bytes) -> tuple[str, str] | None:
    if not _MARKUP.match(head):
        return None
    found = ((name, advice) for pattern, name, advice in _TEXTS if pattern.match(head))
    return next(found, None)


def marked_encoding(head: bytes) -> str | None:
    """The encoding of which a byte order mark begins a file, but for UTF-8's, as Python names it."""
    return next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)


def wide_encoding(head: bytes) -> str | None:
    """The encoding of two or four bytes a character that a file is in, by mark or NUL bytes; None: in none."""
    if marked := marked_encoding(head):
        return marked
    if b"\0" not in head:
        return None
    counts = [head[place::4].count(0) for place in range(4)]
    quarter = max(len(head) // 4, 1)
    if min(counts[0], counts[3]) == 0 and counts[1] + counts[2] > _MOST_SIGNS * quarter:
        for place, beside, encoding in ((3, 2, "utf-32-le"), (0, 1, "utf-32-be")):
            if counts[place] >= quarter and counts[beside] > _MOSTLY * quarter:
                return encoding
    even, odd = counts[0] + counts[2], counts[1] + counts[3]
    if min(even, odd) > _BY_CHANCE * max(even, odd):
        return None
    little = odd > even
    signs = sum(map(head.count, _SIGNS))
    wide = sum(head.count(sign + b"\0" if little else b"\0" + sign) for sign in _SIGNS)
    if not signs or wide < _MOST_SIGNS * signs:
        return None
    return "utf-16-le" if little else "utf-16-be"
