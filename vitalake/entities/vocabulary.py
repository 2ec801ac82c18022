"""Names around the records of an export that everybody may see: those that are made of known words.

Belongs here: the words, and what is said in place of other names. Does not belong here: what a name means
(`metadata.py`, `summary.py`).

Anybody may call a field anything, also a person's name or number. So messages and open columns repeat a name only
where each of its words is one of exports and their figures: `totalRevenue`, `total_revenue`, `exportDate`.
"""

from __future__ import annotations

import re

OTHER = "?"  # in place of any other name
_MAX_CHARACTERS = 80

_KNOWN = (
    "metadata summary schema records source system export id date data version "
    "total totals sum average avg mean min minimum max maximum median count counts number of by unique distinct "
    "record entity entities customer customers company companies business businesses "
    "revenue annual employees employee headcount industry industries"
)
_WORDS = frozenset(_KNOWN.split())
_NAME = re.compile(r"([A-Za-z_]+)(?:\[[0-9]{1,6}\]){0,9}")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def is_known_word(name: str) -> bool:
    """Whether a name, with positions in lists behind it, is made of known words."""
    found = _NAME.fullmatch(name)
    words = _WORD.findall(found[1]) if found else []
    return bool(words) and all(word.lower() in _WORDS for word in words)


def visible_name(path: str) -> str:
    """A path, names with dots between them, with `?` for each name that is not known."""
    names = [name if is_known_word(name) else OTHER for name in path.split(".")]
    return ".".join(names)[:_MAX_CHARACTERS]
