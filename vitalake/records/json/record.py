"""Whether a JSON text can be taken as a record without losing anything, and if not, why.

Belongs here: decoding, and what a decoder passes silently. Does not belong here: where a record begins and ends.

msgspec refuses NaN, Infinity, numbers beyond a double, invalid UTF-8, lone surrogates and control characters, and
keeps integers of any size (orjson makes floats of those beyond 64 bits). Two things it lets pass: a key that occurs
twice (the last one wins) and deep nesting. Keys are counted: as many in the text as were decoded is the proof that
none was lost. The number of colons is never below that of the keys, so where it equals the number of keys decoded
the proof is done; only colons in values make the closer counts necessary.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import msgspec

MAX_DEPTH = 64
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
_QUOTE, _COLON, _SPACE = b'": '
_LONG_BYTES = 1 << 12  # below, numpy takes longer to start than the work takes
_NESTED = {dict, list}
_KINDS = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "true or false"}


class UnusableRecordError(ValueError):
    """Why a record cannot be used, without any of its values."""


class _ConstantError(Exception):
    pass


@cache
def decoder_of(kind: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a JSON text to a type."""
    import msgspec

    return msgspec.json.Decoder(kind)


@cache
def undecodable() -> tuple[type[Exception], ...]:
    """What a decoder raises for a text that it refuses."""
    import msgspec

    return (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def nothing_lost(text: bytes, records: Sequence[dict[str, Any]]) -> bool:
    """Whether records decoded from a text have all its keys and are not nested too deep."""
    keys: int | None = sum(map(len, records))
    shallow = text.count(b"[") < MAX_DEPTH
    if shallow and text.count(b":") == keys:
        return True  # what is inside of records has no key
    if not shallow or text.count(b"{") > len(records):
        keys = _keys_decoded(records)
    return keys is not None and _has_keys(text, keys)


def record_of(text: bytes, explained: bool = True) -> dict[str, Any]:
    """The record that a text is.

    Args:
        text: JSON, it may be.
        explained: say what is wrong with a text that is none, which takes much longer than seeing it.

    Raises:
        UnusableRecordError: it is none, or could only be taken with a loss.
    """
    import msgspec

    try:
        value = decoder_of(Any).decode(text)
    except UnicodeDecodeError:
        raise UnusableRecordError("holds bytes that are not UTF-8") from None
    except RecursionError:
        raise UnusableRecordError(TOO_DEEP) from None
    except msgspec.ValidationError:
        raise UnusableRecordError("holds a number out of range") from None
    except msgspec.DecodeError:
        raise UnusableRecordError(_syntax(text) if explained else "is no valid JSON") from None
    if not isinstance(value, dict):
        raise UnusableRecordError(f"is {_KINDS.get(type(value), 'null')}, not an object")
    keys = _keys_decoded([value])
    if keys is None:
        raise UnusableRecordError(TOO_DEEP)
    if not _has_keys(text, keys):
        raise UnusableRecordError("has a key twice")
    return value


@cache
def _explaining() -> json.JSONDecoder:
    """A decoder that says what is wrong."""

    def refuse(_: str) -> None:
        raise _ConstantError

    return json.JSONDecoder(parse_constant=refuse)


def _syntax(text: bytes) -> str:
    """What is wrong with a text that is no JSON."""
    try:
        _explaining().decode(text.decode("latin-1"))  # so that positions are those of the bytes
    except _ConstantError:
        return "holds NaN or Infinity, which JSON does not have"
    except json.JSONDecodeError as error:
        return f"is no valid JSON: {error.msg.rstrip(': ')}, at byte {error.pos} of the record"
    except (ValueError, RecursionError):
        return "is no valid JSON"
    return "holds half of a surrogate pair, which no UTF-8 text can hold"


def _keys_decoded(records: Sequence[dict[str, Any]]) -> int | None:
    """How many keys the objects in some values have together; None where they are nested too deep."""
    level: Sequence[Any] = records
    found = 0
    for _ in range(MAX_DEPTH):
        found += sum([len(each) for each in level if type(each) is dict])
        inside = [each.values() if type(each) is dict else each for each in level]
        level = [each for values in inside for each in values if type(each) in _NESTED]
        if not level:
            return found
    return None


def _has_keys(text: bytes, keys: int) -> bool:
    """Whether a valid JSON text has exactly that many keys, which are not more than it has."""
    if text.count(b":") == keys:
        return True
    quickly = len(text) > _LONG_BYTES and _has_key_colons(text, keys)
    return quickly or _has_colons_outside_strings(text, keys)


def _has_key_colons(text: bytes, keys: int) -> bool:
    """Whether that many colons stand after a quote or white space, as those of keys do, among others."""
    import numpy as np

    view = np.frombuffer(text, np.uint8)
    before = view[np.flatnonzero(view == _COLON) - 1]
    return bool(np.count_nonzero((before == _QUOTE) | (before <= _SPACE)) == keys)


def _has_colons_outside_strings(text: bytes, keys: int) -> bool:
    bare = text.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in text else text
    # Now each quote begins or ends a string.
    return b"".join(bare.split(b'"')[::2]).count(b":") == keys
