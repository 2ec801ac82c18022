"""Files that are packed, in another encoding, or no text at all: read, or named as what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.errors import UnusableDataError
from vitalake.records.decoding.utf8 import encoding_named, utf8_chunks

TABLE = "a,b\n1,ö\n2,€\n"
WIDE_LIMIT = 10**6


def decoded(data: bytes, encoding: str = "utf-8", size: int = 7, most_bytes: int = WIDE_LIMIT) -> bytes:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return b"".join(utf8_chunks(pieces, "CSV", most_bytes, encoding_named(encoding)))


def refused(data: bytes, encoding: str = "utf-8", most_bytes: int = WIDE_LIMIT) -> UnusableDataError:
    """Why it is, before any piece comes."""
    with pytest.raises(UnusableDataError) as caught:
        next(utf8_chunks(iter([data]), "CSV", most_bytes, encoding_named(encoding)))
    return caught.value


def zipped(*names: str, text: str = "x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, text)
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), out)
    return out.getvalue()


def test_a_file_in_utf8_passes_as_it_is() -> None:
    pieces = [b"a,b\n", b"1,\xff\n", b"", b"2,\0\n"]
    assert list(utf8_chunks(iter(pieces), "CSV", 1)) == pieces


@pytest.mark.parametrize("size", [1, 3, 10**6])
@pytest.mark.parametrize(
    "encoding",
    ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-15", "UTF16", "utf-8-sig", "gb18030"],
)
def test_a_declared_encoding_is_decoded_however_the_file_is_cut(encoding: str, size: int) -> None:
    found = decoded(TABLE.encode(encoding), encoding, size)
    assert found.decode("utf-8-sig") == TABLE


@pytest.mark.parametrize(
    ("encoding", "order"), [("utf-16", "utf-16-be"), ("utf-16", "utf-16-le"), ("utf-32", "utf-32-be")]
)
def test_the_order_of_bytes_is_found_without_a_mark(encoding: str, order: str) -> None:
    assert decoded(TABLE.encode(order), encoding).decode() == TABLE
    cyrillic = "а,б\n" + "имя,город\n" * 20
    assert decoded(cyrillic.encode(order), encoding).decode() == cyrillic


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (b"a\n\x81\n\xd6\n", "cp1252", b"a\n\xff\n\xc3\x96\n"),
        (b"a\n\xd2\xaa\xd6\n", "cp1253", b"a\n\xff\xff\xce\xa6\n"),  # together they would be a letter of UTF-8
        ("a,b\n1".encode("utf-16-le") + b"2", "utf-16", b"a,b\n1\xff"),
        ("a,b\n".encode("utf-16-le") + b"\x00\xd8" + ",c\n".encode("utf-16-le"), "utf-16-le", b"a,b\n\xff,c\n"),
        (b"a\n\x80\n", "latin-1", b"a\n\xff\n"),
        (b"a\n\x93\xfa\x81", "shift_jis", b"a\n\xe6\x97\xa5\xff"),
    ],
)
def test_bytes_that_an_encoding_lacks_become_one_that_no_text_has(
    data: bytes, encoding: str, expected: bytes
) -> None:
    for size in (1, 2, 100):
        assert decoded(data, encoding, size) == expected


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_another_encoding_than_utf8_is_named_with_what_to_declare(encoding: str, mark: bool) -> None:
    error = refused((("\ufeff" if mark else "") + TABLE).encode(encoding))
    assert error.rule == "S02"
    assert f"the file is in {encoding[:6].upper()}" in error.message
    assert f"encoding='{encoding[:6]}'" in error.message
    assert ("without a byte order mark" in error.message) is not mark


@pytest.mark.parametrize(
    ("data", "declared", "said"),
    [
        (TABLE.encode(), "cp1252", "the file is in UTF-8"),
        (("\ufeff" + TABLE).encode(), "cp1252", "the file is in UTF-8"),
        (b"\xef\xbb\xbfa,b\n1,2\n", "latin-1", "the file is in UTF-8"),
        (b"a,b\n1,2\n", "utf-16", "not in UTF-16"),
        (TABLE.encode("utf-16"), "cp1252", "the file is in UTF-16-LE"),
        (TABLE.encode("utf-16-be"), "utf-16-le", "the file is in UTF-16-BE"),
        (TABLE.encode("utf-32"), "utf-16", "the file is in UTF-32-LE"),
    ],
)
def test_an_encoding_that_the_file_contradicts_is_refused(data: bytes, declared: str, said: str) -> None:
    error = refused(data, declared)
    assert error.rule == "S02"
    assert said in error.message


KINDS: dict[str, bytes] = {
    "an Excel workbook (.xlsx)": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "an Excel workbook (.xlsb)": zipped("xl/workbook.bin"),
    "an OpenDocument spreadsheet (.ods)": zipped("mimetype", text="application/vnd.oasis.opendocument.spreadsheet"),
    "a Word document": zipped("word/document.xml"),
    "a ZIP archive": zipped("table.csv"),
    "(.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "bzip2": bz2.compress(TABLE.encode()),
    "xz": lzma.compress(TABLE.encode()),
    "LZMA": lzma.compress(TABLE.encode(), lzma.FORMAT_ALONE),
    "Zstandard": pa.Codec("zstd").compress(TABLE.encode(), asbytes=True),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(30),
    "a RAR archive": b"Rar!\x1a\x07\x01\0",
    "a tar archive": b"a.csv".ljust(257, b"\0") + b"ustar\x0000" + bytes(248),
    "a Parquet file": parquet(),
    "an ORC file": b"ORC\x08\x03" + bytes(20),
    "a SQLite database": b"SQLite format 3\0" + bytes(84),
    "a PDF file": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an HTML page": b"\n<!DOCTYPE html>\n<html><body>403 Forbidden",
    "an HTML page: ": b"\xef\xbb\xbf<!-- saved --><HTML>",
    "an error message of a store": b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>',
    "an XML file": b'<?xml version="1.0"?><rows/>',
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n",
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(8),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_text_of_records_is_named(kind: str) -> None:
    for data in (KINDS[kind], gzip.compress(KINDS[kind])):
        error = refused(data)
        assert error.rule == "S02"
        assert kind.removesuffix(": ") in error.message
        assert "expected CSV" in error.message


@pytest.mark.parametrize(
    "header", ["ORCID,x", "PAR1,PAR2", "MZ,x", "BZh9,a", "GIF8,b", "%,a", "version,a", "RIFF,1", "<5,y"]
)
def test_a_header_that_begins_as_another_file_does_is_a_header(header: str) -> None:
    data = f"{header}\n1,2\n".encode()
    assert decoded(data) == data


def test_a_nul_byte_on_every_line_makes_no_utf16() -> None:
    data = b"a,b\n" + b"1,x\0\n" * 500
    assert decoded(data) == data


def test_gzip_is_read_whatever_its_members_and_pieces() -> None:
    two = gzip.compress(TABLE.encode()) + gzip.compress(b"3,4\n") + gzip.compress(b"")
    for data in (two, two + bytes(100)):
        for size in (1, 5, 10**6):
            assert decoded(data, size=size) == TABLE.encode() + b"3,4\n"
    assert decoded(gzip.compress(TABLE.encode("cp1252")), "cp1252") == TABLE.encode()


WHOLE = gzip.compress(b"".join(b"%d,%d\n" % (number, number**2) for number in range(50_000)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (WHOLE[:-1], "cut off"),
        (WHOLE[:-9], "cut off"),
        (WHOLE[:5000], "cut off"),
        (WHOLE[:2], "cut off"),
        (WHOLE + WHOLE[:1000], "cut off"),
        (WHOLE[:-8] + b"\1\2\3\4" + WHOLE[-4:], "checksum"),
        (WHOLE[:-4] + b"\1\2\3\4", "checksum"),
        (WHOLE[:9000] + bytes([WHOLE[9000] ^ 64]) + WHOLE[9001:], "damaged"),
        (WHOLE + b"junk", "something else follows"),
        (WHOLE + bytes(10) + b"j", "something else follows"),
    ],
)
def test_a_gzip_file_that_is_not_whole_gives_nothing(data: bytes, said: str) -> None:
    error = refused(data, most_bytes=10**9)
    assert error.rule == "S02"
    assert said in error.message


def test_what_is_unpacked_is_held_to_the_limit_before_it_is_read() -> None:
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 10**6)
    assert len(bomb) < 10**5
    error = refused(bomb, most_bytes=10**6)
    assert error.rule == "S01"
    assert "1,000,000 bytes" in error.message
    assert refused(gzip.compress(b"")).rule == "S01"


def test_a_gzip_file_is_read_in_small_pieces() -> None:
    data = gzip.compress(bytes(b"1,2\n" * 4_000_000))
    sizes = [len(piece) for piece in utf8_chunks(iter([data]), "CSV", 10**9)]
    assert sum(sizes) == 16_000_000
    assert max(sizes) <= 1 << 20


def test_an_error_of_the_store_is_none_of_the_file() -> None:
    def torn() -> Iterator[bytes]:
        yield WHOLE[:100]
        raise OSError("the connection is gone")

    with pytest.raises(OSError, match="gone"):
        next(utf8_chunks(torn(), "CSV", 10**9))


@pytest.mark.parametrize("name", ["cp9999", "utf-7", "idna", "base64", "unicode_escape", "", "rot13"])
def test_what_is_no_encoding_of_files_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="encoding"):
        encoding_named(name)


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "cp1252", "utf-16", "shift_jis", "utf-32-be"]))
def test_any_bytes_are_read_or_unusable(data: bytes, encoding: str) -> None:
    try:
        decoded(data, encoding)
    except UnusableDataError as error:
        assert error.rule in ("S01", "S02")
