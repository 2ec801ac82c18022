"""One object of business records: its records, and what is said around them.

Belongs here: JSON to records, and what of a record no table can hold. Does not belong here: what the fields mean,
of a record (`mapping.py`) or of the metadata (`metadata.py`), and whether the summary is true (`summary.py`).

An object is `{"records": […], "metadata": {…}, "summary": {…}}`, an array of records, or one record. JSON as
RFC 8259 has it, in UTF-8 with or without a byte order mark. What breaks the document refuses the object; a number
that is none (NaN, Infinity, 1e999), a key that is there twice, text that is no Unicode and nesting below 64 levels
refuse the record that holds it, and are left out, with a word, of what is around the records.

Python's own reader: it shows keys that are there twice. msgspec hides them, and is no faster once they are counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitalake.errors import UnusableDataError

MAX_DEPTH = 64
_UTF_16_32 = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"{\0", b"[\0", b"\0{", b"\0[")
_LEAVES = frozenset({str, int, bool, type(None)})


@dataclass(frozen=True)
class Fault:
    """Stands in a decoded document where something is that no table can hold."""

    message: str


@dataclass(frozen=True)
class Envelope:
    """The records as they arrived, and everything around them.

    Args:
        records: each anything that JSON knows, maybe with a `Fault` in it.
        around: every other field of the object, without faults; empty for a bare array or a single record.
        problems: what was wrong with these, in words.
    """

    records: list[Any]
    around: dict[str, Any]
    problems: tuple[str, ...]

    def section(self, name: str) -> Mapping[str, Any]:
        """`metadata` or `summary`; empty where there is none."""
        found = self.around.get(name)
        return found if isinstance(found, dict) else {}


def read_envelope(data: bytes) -> Envelope:
    """Read a whole object.

    Raises:
        UnusableDataError: S02, it is no JSON document of records.
    """
    value = _decoded(data)
    if isinstance(value, Fault):
        raise UnusableDataError("S02", f"the object cannot be trusted: {value.message}")
    if isinstance(value, list):
        return Envelope(value, {}, ())
    if not isinstance(value, dict):
        raise UnusableDataError("S02", f"JSON, but {kind_of(value)} where records were expected")
    if "records" not in value:
        return Envelope([value], {}, ())
    records = value.pop("records")
    if not isinstance(records, list):
        raise UnusableDataError("S02", f"`records` is {kind_of(records)}, not an array")
    if isinstance(metadata := value.get("metadata"), Fault):
        raise UnusableDataError("S02", f"the metadata cannot be trusted: {metadata.message}")
    problems: list[str] = []
    around = _without_faults(value, "", problems)
    for name in ("metadata", "summary"):
        if not isinstance(around.get(name), (dict, type(None))):
            problems.append(f"{name}: {kind_of(around[name])}, not an object")
    return Envelope(records, around, tuple(problems))


def fault_in(value: Any, depth: int = 1) -> str | None:
    """Why no table can hold this value of a decoded document, in words; None: it can."""
    import msgspec

    found = _fault(value, depth)
    if found is None:
        try:
            msgspec.json.encode(value)
        except UnicodeEncodeError:
            return "text that is no Unicode: half of a surrogate pair, or bytes that are no UTF-8"
    return found


def canonical(value: Any) -> str:
    """The one JSON text of a value without faults: keys sorted, no blanks."""
    import msgspec

    return msgspec.json.encode(value, order="sorted").decode()


def as_text(value: Any) -> str:
    """JSON of a value that may have faults, for people to look at."""
    return json.dumps(value, ensure_ascii=True, default=lambda fault: f"<{fault.message}>")


def kind_of(value: Any) -> str:
    """What a value of a document is, in words."""
    if isinstance(value, Fault):
        return value.message
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _decoded(data: bytes) -> Any:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(_UTF_16_32):
        raise UnusableDataError("S02", "the object is UTF-16 or UTF-32; UTF-8 was expected")
    if not data or data.isspace():
        raise UnusableDataError("S02", "the object holds nothing but blanks")
    text = data.decode("utf-8", "surrogateescape")  # what is no UTF-8 is found where it lies, in one record

    def read(**hooks: Any) -> Any:
        constant = Fault("a number that is none (NaN or Infinity)")
        return json.loads(text, object_pairs_hook=_object, parse_constant=lambda _: constant, **hooks)

    try:
        try:
            return read()
        except json.JSONDecodeError:
            raise
        except ValueError:  # Python reads no whole number of more than 4300 digits
            return read(parse_int=_whole)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnusableDataError("S02", f"the object is no JSON: {error.msg} ({where})") from None
    except RecursionError:
        raise UnusableDataError("S02", "the object is nested too deeply to be read") from None


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return Fault(f"the key {double[:40]!a} is there twice")


def _whole(digits: str) -> Any:
    try:
        return int(digits)
    except ValueError:
        return Fault("a whole number of thousands of digits")


def _fault(value: Any, depth: int) -> str | None:
    if isinstance(value, Fault):
        return value.message
    if isinstance(value, float):
        return None if math.isfinite(value) else "a number too large for any column"
    if isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            return f"nesting deeper than {MAX_DEPTH} levels"
        for each in value.values() if isinstance(value, dict) else value:
            if type(each) not in _LEAVES and (found := _fault(each, depth + 1)):
                return found
    return None


def _without_faults(value: Any, path: str, problems: list[str], depth: int = 1) -> Any:
    """The value with null for each fault, which `problems` tells."""
    if isinstance(value, dict) and depth <= MAX_DEPTH:
        return {
            _unicode(key): _without_faults(each, f"{path}.{key}".strip("."), problems, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list) and depth <= MAX_DEPTH:
        return [_without_faults(each, path, problems, depth + 1) for each in value]
    found = fault_in(value, depth)
    if found is None:
        return value
    problems.append(f"{ascii(path)[1:-1][:80]}: {found}")
    return None


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
