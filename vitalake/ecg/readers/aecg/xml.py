"""XML from strangers: parsed into elements, without document types, entities, or anything outside the file.

Belongs here: limits on XML and its encodings. Does not belong here: what elements mean (`aecg`).

expat is driven directly: ElementTree's own parser offers no way to refuse a document type. Without one there can be
no entity beyond the five of XML itself, so nothing expands and nothing is fetched.
"""

from __future__ import annotations

import re
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from vitalake.errors import UnusableDataError

MAX_DEPTH = 64
MAX_ELEMENTS = 200_000
MAX_ATTRIBUTES = 64  # of one element
_DECLARED_ENCODING = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([^"']{1,40})"""
)
_ENCODINGS = re.compile(rb"(?:utf-?(?:8|16)|us-ascii|iso-8859-\d{1,2}|windows-125\d)", re.IGNORECASE)


def parse(data: bytes) -> Element:
    """The root element; names of elements and attributes come without their namespaces.

    Raises:
        UnusableDataError: S02, no well-formed XML, a document type, an encoding that is none of UTF-8, UTF-16,
            ISO 8859 and Windows 125x, or beyond the limits above.
    """
    declared = _DECLARED_ENCODING.match(data)
    if declared and not _ENCODINGS.fullmatch(declared[1]):
        raise UnusableDataError("S02", "an XML encoding that is none of UTF-8, UTF-16, ISO 8859 and Windows 125x")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.EntityDeclHandler = _refuse_document_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = expat.errors.messages.get(error.code, "unknown error")
        raise UnusableDataError("S02", f"no well-formed XML: {problem} in line {error.lineno:,}") from None
    except (ValueError, LookupError):  # expat asks Python for encodings that it does not know
        raise UnusableDataError("S02", "XML in an encoding that cannot be read") from None
    return builder.close()


class _Builder:
    def __init__(self) -> None:
        self._tree = TreeBuilder()
        self._depth = self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise UnusableDataError(
                "S02",
                f"XML beyond {MAX_ELEMENTS:,} elements, {MAX_DEPTH} levels or {MAX_ATTRIBUTES} attributes of one",
            )
        self._tree.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        self._tree.end(_local(name))

    def text(self, text: str) -> None:
        self._tree.data(text)

    def close(self) -> Element:
        return self._tree.close()


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _refuse_document_type(*_: object) -> NoReturn:
    raise UnusableDataError("S02", "XML with a document type declaration, which an aECG file has no use for")
