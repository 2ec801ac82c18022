"""Records of each source system to one canonical form, by tables that are data (`systems/<system>.json`).

Belongs here: the mapping tables as they are read, and what of a record cannot be mapped. Does not belong here: JSON
(`envelope.py`), anything computed from the canonical form (`quality.py`).

A table names, for each canonical field, paths into a record in order of preference, with dots for nested objects.
The first path at which there is a value wins. `0` and `false` are values; null, an absent key and a text in which
nothing can be seen (white space, characters of no width) are none. Whatever else a record has goes to its
attributes, a value at a path that lost included; only the value taken and what is blank at a mapped path do not.

Attributes may name people: contacts, e-mail addresses, whatever a system calls its fields tomorrow. So everybody
sees only those at the paths that the table lists as `open`, and of these only numbers, true, false, null and short
texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import category

from vitalake.entities.envelope import canonical, kind_of
from vitalake.errors import UnusableDataError
from vitalake.records.conditions import FILLERS, without_edges

FIELDS = ("id", "name", "revenue", "employees", "industry")
OPEN = "open"
MAX_OPEN_TEXT = 40  # characters: a code or a word, no note

_PathTo = tuple[str, ...]
_SYSTEMS = Path(__file__).with_name("systems")
# An underscore would make `canonical_id` ambiguous: crm + eu_1 is not crm_eu + 1.
_SYSTEM_NAME = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER = 60
_MOST_EMPLOYEES = 2**63 - 1
_INEXACT = 2.0**53  # from here on two whole numbers can be one float: 2**53 and 2**53 + 1
# As `vitalake.records.conditions.visible` has it; a character that is not assigned yet may be one to see.
_UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"}


@dataclass(frozen=True)
class SystemMapping:
    """Where one source system keeps each canonical field, and what else of a record names nobody.

    Args:
        system: its name.
        paths: for each canonical field, in order of preference.
        open_paths: of attributes that everybody may see.
    """

    system: str
    paths: Mapping[str, tuple[_PathTo, ...]]
    open_paths: tuple[_PathTo, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """Keys of a record below which a canonical field may be."""
        return frozenset(path[0] for paths in self.paths.values() for path in paths)


class Entity(NamedTuple):
    """A record in canonical form.

    Args:
        record_number: from 1 in its object.
        attributes: what no other column has, as far as everybody may see it: a JSON object.
        all_attributes: all that no other column has; None: it is the same.
        attribute_count, attributes_filled: of all of these.
    """

    record_number: int
    source_id: str
    name: str
    revenue: float | None
    employees: int | None
    industry: str | None
    attributes: str
    all_attributes: str | None
    attribute_count: int
    attributes_filled: int


@cache
def system_mappings() -> Mapping[str, SystemMapping]:
    """Every source system that has a mapping, by name, in alphabetical order."""
    return {
        path.stem: system_mapping(path.stem, path.read_text("utf-8")) for path in sorted(_SYSTEMS.glob("*.json"))
    }


def system_mapping(system: str, text: str) -> SystemMapping:
    """The mapping of one system from its table.

    Raises:
        ValueError: the table or the name of the system is not as it must be.
    """
    table = json.loads(text)
    if not _SYSTEM_NAME.fullmatch(system):
        raise ValueError(f"source system {system!r}: small letters and digits only")
    expected = sorted((*FIELDS, OPEN))
    if sorted(table) != expected:
        raise ValueError(f"mapping of {system}: fields {sorted(table)} where {expected} were expected")
    paths = {field: tuple(tuple(path.split(".")) for path in table[field]) for field in FIELDS}
    every = [path for field in FIELDS for path in paths[field]]
    if len(set(every)) != len(every) or not all(paths.values()):
        raise ValueError(f"mapping of {system}: each field has paths, and each path belongs to one field")
    shared = tuple(tuple(path.split(".")) for path in table[OPEN])
    if isinstance(table[OPEN], str) or any(path[: len(each)] == each for path in shared for each in every):
        raise ValueError(f"mapping of {system}: {OPEN} is a list of paths, and none of them belongs to a field")
    return SystemMapping(system, paths, shared)


def map_record(record: dict[str, Any], number: int, mapping: SystemMapping) -> Entity:
    """One record, as decoded, in canonical form.

    Raises:
        UnusableDataError: E03 no usable id; E04 no usable name; E05 revenue or employees that are no number, or
            negative; D05 an industry that is no text.
    """
    taken: dict[str, Any] = {}
    rest = record.copy()
    for field, paths in mapping.paths.items():
        for path in paths:
            if path[0] not in record:
                continue
            value = record[path[0]] if len(path) == 1 else _at(record, path)
            if not _is_blank(value):
                if field in taken:
                    continue
                taken[field] = value
            _drop(rest, path)
    shared = _open(rest, mapping.open_paths)
    return Entity(
        number,
        _code(taken.get("id"), "E03", "an id"),
        _name(taken.get("name")),
        _revenue(taken.get("revenue")),
        _employees(taken.get("employees")),
        None if "industry" not in taken else _code(taken["industry"], "D05", "an industry"),
        canonical(shared),
        None if shared == rest else canonical(rest),
        len(rest),
        sum([_is_filled(value) for value in rest.values()]),
    )


def number_of(value: Any) -> int | float | None:
    """A number as it is, or written as text: `1200000`, `1,200,000`, `1.2e6`; None for anything else.

    A comma stands between thousands and nowhere else: `1,2` is no number, `1,200` is twelve hundred.
    """
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
            return None
        text = text.replace(",", "")
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _at(record: dict[str, Any], path: _PathTo) -> Any:
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _open(rest: dict[str, Any], paths: Iterable[_PathTo]) -> dict[str, Any]:
    """What everybody may see of the attributes, where it stood."""
    found: dict[str, Any] = {}
    for *folders, name in paths:
        place: Any = rest
        for folder in folders:
            place = place.get(folder) if isinstance(place, dict) else None
        if not isinstance(place, dict) or name not in place or not _is_short(place[name]):
            continue
        target = found
        for folder in folders:
            target = target.setdefault(folder, {})
        target[name] = place[name]
    return found


def _is_short(value: Any) -> bool:
    return len(value) <= MAX_OPEN_TEXT if isinstance(value, str) else not isinstance(value, (dict, list))


def _drop(rest: dict[str, Any], path: _PathTo) -> None:
    """Take a value out, and the objects that hold nothing else; what the caller's record holds stays as it is."""
    key, below = path[0], path[1:]
    if not below:
        rest.pop(key, None)
    elif isinstance(inner := rest.get(key), dict) and below[0] in inner:
        rest[key] = dict(inner)
        _drop(rest[key], below)
        if not rest[key]:
            del rest[key]


def _is_blank(value: Any) -> bool:
    if type(value) is not str:
        return value is None
    for each in value:  # noqa: SIM110, a fifth of the time of all(…), a dozen times a record
        if category(each) not in _UNSEEN and each not in FILLERS:
            return False
    return True


def _is_filled(value: Any) -> bool:
    return not _is_blank(value) and value not in ({}, [])


def _code(value: Any, rule: str, what: str) -> str:
    """Text, or a whole number, as text."""
    if value is None:
        raise UnusableDataError(rule, f"the record has no value where {what} was expected")
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= _INEXACT:
            raise UnusableDataError(
                rule, f"a number so large that others read the same where {what} was expected; write it as text"
            )
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise UnusableDataError(rule, f"{kind_of(value)} where {what} was expected: a text or a whole number")
    return _without_nul(value, rule, what)


def _name(value: Any) -> str:
    if value is None:
        raise UnusableDataError("E04", "the record has no value where a name was expected")
    if not isinstance(value, str):
        raise UnusableDataError("E04", f"{kind_of(value)} where a name was expected: a text")
    return _without_nul(value, "E04", "a name")


def _without_nul(text: str, rule: str, what: str) -> str:
    if "\0" in text:
        raise UnusableDataError(
            rule, f"a text with U+0000 in it, which databases refuse, where {what} was expected"
        )
    return without_edges(text)


def _revenue(value: Any) -> float | None:
    if value is None:
        return None
    found = number_of(value)
    try:
        revenue = None if found is None else float(found)
    except OverflowError:
        revenue = float("inf")
    if revenue is None or not 0 <= revenue < float("inf"):
        raise UnusableDataError("E05", f"revenue is {_told(value, found)}; a number from 0 was expected")
    return revenue + 0.0  # not -0.0


def _employees(value: Any) -> int | None:
    if value is None:
        return None
    found = number_of(value)
    if found is None or not 0 <= found <= _MOST_EMPLOYEES or found != int(found):
        raise UnusableDataError("E05", f"employees is {_told(value, found)}; a whole number from 0 was expected")
    return int(found)


def _told(value: Any, number: float | None) -> str:
    """What a value is that is no such number: in a message it may be anything, also a telephone number."""
    if number is None:
        return "a text that is no number" if isinstance(value, str) else kind_of(value)
    return "below 0" if number < 0 else "a fraction, or too large"
