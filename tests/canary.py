"""A made-up person, and finding her anywhere: bytes, texts, tables.

Belongs here: her name, day of birth and numbers, as files spell them, and the search. Does not belong here: files
of any format, or assertions.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

NAME = "Zyqhvut Qrxtufw"
WORD = "Zyqhvut_Qrxtufw_19511202"  # as a name of a variable may be
BORN = "1951-12-02"
PHONE = "06 55 55 12 34"
PHONE_DIGITS = "0655551234"
RECORD_NUMBER = "MRN7734921"
MAIL = "zyqhvut@qrxtufw.example"
EVERYTHING = f"{NAME}, {BORN}, 02-12-1951, {PHONE}, {PHONE_DIGITS}, {RECORD_NUMBER}, {MAIL}"

# Also a part of each is too much. Digits with marks between them are as a message writes numbers.
_WORDS = ("zyqhvut", "qrxtufw", "zyqh", "qrxt")
_DIGITS = re.compile(r"1951\D?12\D?02|02\D?(?:12|dec)\D?1951|0?6\D?55\D?55\D?12\D?34|655\D?551\D?234|7\D?734\D?921")
_PNG_TEXT = (b"tEXt", b"iTXt", b"zTXt")


def traces(text: str) -> list[str]:
    """What of her stands in a text."""
    folded = text.casefold()
    return [word for word in _WORDS if word in folded] + _DIGITS.findall(folded)


def traces_in_bytes(data: bytes) -> list[str]:
    """What of her stands in bytes: as text of any width, as hexadecimal digits, or packed inside of a PNG."""
    views = [data, data.replace(b"\0", b"")]
    if data.startswith(b"\x89PNG"):
        views += list(_png_texts(data))
    found = [trace for view in views for trace in traces(view.decode("latin-1"))]
    return found + [word for word in _WORDS if word.encode().hex().encode() in data.lower()]


def traces_in_parquet(data: bytes) -> list[str]:
    """What of her stands in the values, names and metadata of a Parquet file, however they are packed."""
    file = pq.ParquetFile(io.BytesIO(data))
    found = traces(str(file.schema_arrow.to_string(show_schema_metadata=True, truncate_metadata=False)))
    found += traces(str(file.metadata.metadata))
    for name, column in zip(file.schema_arrow.names, file.read().columns, strict=True):
        if pa.types.is_string(column.type) or str(column.type).startswith("list<element: string"):
            found += [f"{name}: {trace}" for value in column.to_pylist() for trace in traces(str(value))]
    return found + traces_in_bytes(data)


def _png_texts(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 12 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + size]
        if kind in _PNG_TEXT:
            yield content
            packed = content.partition(b"\0\0")[2]
            if kind == b"zTXt" and packed:
                yield zlib.decompress(packed)
        at += 12 + size
