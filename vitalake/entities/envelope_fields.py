"""What stands around the records of an export, metadata and summary, as far as it can be trusted.

Belongs here: JSON of which a part may be spoilt. Does not belong here: where it stands (`envelope.py`), what the
fields mean (`metadata.py`, `summary.py`).

Something spoilt in a record refuses the record. Around the records it costs that one value and not the export, and
is told: a number that is none (NaN, Infinity, 1e999), a key that is there twice, text that is no Unicode, nesting
below 64 levels. A key that is no Unicode costs nothing: it is changed, and told. So Python's reader, which leaves
what to make of those to its caller; msgspec refuses the whole. Where something is wrong is told by known names
(`vocabulary.py`), and by no value.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from vitalake.entities.vocabulary import is_known_word, visible_name
from vitalake.errors import UnusableDataError
from vitalake.records.json.record import MAX_DEPTH


@dataclass(frozen=True)
class Fault:
    """Stands in a decoded document where something is that no table can hold."""

    message: str


def decoded(text: bytes) -> Any:
    """A JSON value, with a `Fault` for whatever in it cannot be trusted.

    Raises:
        UnusableDataError: S02, it is no JSON.
    """
    constant = Fault("a number that is none (NaN or Infinity)")
    try:
        return json.loads(
            text.decode("utf-8", "surrogateescape"),
            object_pairs_hook=_object,
            parse_constant=lambda _: constant,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise UnusableDataError("S02", f"what is around the records is no JSON: {error.msg}") from None
    except RecursionError:
        return Fault(f"nesting deeper than {MAX_DEPTH} levels")


def without_faults(value: Any, path: str, problems: list[str], depth: int = 1) -> Any:
    """The value with null for each fault, which `problems` tells with its path.

    Args:
        value: as `decoded` gives it.
        path: where it stands; empty for the document itself, whose fields stand at `depth` 0.
        problems: gets a line for whatever is not as it arrived.
        depth: how deep the value lies.
    """
    if isinstance(value, dict) and depth <= MAX_DEPTH:
        return _fields(value, path, problems, depth)
    if isinstance(value, list) and depth <= MAX_DEPTH:
        return [without_faults(each, path, problems, depth + 1) for each in value]
    found = _fault(value)
    if found is None:
        return value
    problems.append(f"{visible_name(path)}: {found}")
    return None


def _fields(value: dict[str, Any], path: str, problems: list[str], depth: int) -> dict[str, Any]:
    """The fields of an object, each under a key that is Unicode and its own."""
    found: dict[str, Any] = {}
    for key, each in value.items():
        where, name = f"{path}.{key}" if path else key, _unicode(key)
        if name != key:
            while name in value or name in found:
                name += "?"
            problems.append(f"{visible_name(where)}: a key that is no Unicode; it is kept under another")
        found[name] = without_faults(each, where, problems, depth + 1)
    return found


def _fault(value: Any) -> str | None:
    """Why no table can hold this value, in words; None: it can."""
    if isinstance(value, Fault):
        return value.message
    if isinstance(value, float) and not math.isfinite(value):
        return "a number too large for any column"
    if isinstance(value, (dict, list)):
        return f"nesting deeper than {MAX_DEPTH} levels"
    if isinstance(value, str) and _unicode(value) != value:
        return "text that is no Unicode: half of a surrogate pair, or bytes that are no UTF-8"
    return None


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return Fault(f"{key_named(double)} is there twice")


def _whole(digits: str) -> Any:
    try:
        return int(digits)
    except ValueError:  # Python reads no whole number of more than 4300 digits
        return Fault("a whole number of thousands of digits")


def key_named(key: str) -> str:
    """A key for a message: by its name, where that is known."""
    return f"the key '{key}'" if is_known_word(key) else "a key"


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
