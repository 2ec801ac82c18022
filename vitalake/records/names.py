"""Names of columns and keys as files spell them, and as a dataset declares them.

Belongs here: which spelling is the same name, and which only looks like it. Does not belong here: what becomes of a
file or record with such a name (`vitalake/records/csv/header.py`, `parse.py`).

The same name is one that Unicode holds to be the same text (NFC: `ö` in one character or in two), and what nobody
sees before or behind it is no part of it. A letter of another alphabet is another letter, whatever it looks like:
nobody may guess that it was meant, but the message can say so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache
from itertools import chain

from vitalake.records.conditions import EDGE_CHARACTERS, without_edges

_SHOWN = 3
_LIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝӏгкмнтвпАВЕКМНОРСТУХІЈЅЗαονρικυχτεηγωΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսհıȷɑɡ‘’ʼ´`“”″⁄∕°˚ſ",
    "aeopcyxijshdqwlrkmhtbnABEKMHOPCTYXIJS3aovpikuxtenywABEZHIKMNOPTYXonuhijag'''''\"\"\"//oos",
)


class DeclaredNames:
    """The names that a dataset declares.

    Args:
        names: as declared.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._same = {_same(name): name for name in self.names} | {name: name for name in self.names}

    def declared(self, name: str) -> str | None:
        """The declared name that this spelling is; None: there is none."""
        return self._same.get(name) or self._same.get(_same(name))

    def resembled(self, name: str) -> str | None:
        """The declared name that this one, which is another, may be mistaken for; None: there is none."""
        if name.isascii() and self._all_ascii:
            return None
        alike, same = _looks(name), _same(name)
        by_looks = (each for each, looks in self._looks.items() if looks == alike)
        by_letters = (each for each in self.names if _differ_beyond_ascii(same, _same(each)))
        return next(chain(by_looks, by_letters), None)

    def likeness(self, name: str) -> str | None:
        """For a message: which declared name this one looks like, and by which character it is another."""
        found = self.resembled(name)
        if found is not None:
            return f"a name looks like {found!r} but {_difference(name, found)}"
        folded = {each.casefold(): each for each in self.names}
        if other := folded.get(_same(name).casefold()):
            return f"a name differs from {other!r} in upper and lower case"
        return None

    @cached_property
    def _all_ascii(self) -> bool:
        return all(name.isascii() for name in self.names)

    @cached_property
    def _looks(self) -> dict[str, str]:
        return {name: _looks(name) for name in self.names}


@lru_cache(maxsize=256)
def declared_names(names: tuple[str, ...]) -> DeclaredNames:
    """The names of a dataset, of which there are few, and files very many."""
    return DeclaredNames(names)


def character(sign: str) -> str:
    """A character for a message, which may not show it: U+200B ZERO WIDTH SPACE."""
    name = unicodedata.name(sign, "a control character" if unicodedata.category(sign) == "Cc" else "")
    return f"U+{ord(sign):04X} {name}".rstrip()


def unlike(names: Collection[str], known: DeclaredNames) -> list[str]:
    """What there is to say of names that are not declared, as far as they look like declared ones."""
    return [said for said in map(known.likeness, names) if said is not None]


def _same(name: str) -> str:
    return without_edges(unicodedata.normalize("NFC", name))


def _looks(name: str) -> str:
    """What is left of a name where all that looks alike is one: for comparison alone."""
    text = "".join(each for each in unicodedata.normalize("NFKC", name.translate(_LIKE)) if each not in _NO_WIDTH)
    return "".join(map(_plain, text.translate(_LIKE)))


def _plain(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Pd" or sign == "\u2212":
        return "-"
    if category == "Zs":
        return " "
    return str(unicodedata.digit(sign)) if category == "Nd" else sign


_NO_WIDTH = frozenset(each for each in EDGE_CHARACTERS if unicodedata.category(each) not in ("Zs", "Cc"))


def _differ_beyond_ascii(name: str, other: str) -> bool:
    """Whether two names are alike but for a few signs, and at each of these one of them is not of ASCII."""
    if len(name) != len(other) or len(name) < 2:
        return False
    odd = [(one, two) for one, two in zip(name, other, strict=True) if one != two]
    return 2 * len(odd) <= len(name) and all(not (one + two).isascii() for one, two in odd)


def _difference(name: str, declared: str) -> str:
    found, other = _same(name), _same(declared)
    odd = [sign for sign in dict.fromkeys(found) if sign not in other and not sign.isascii()]
    lacking = [sign for sign in dict.fromkeys(other) if sign not in found and not sign.isascii()]
    if odd:
        return f"has {', '.join(map(character, odd[:_SHOWN]))}"
    if lacking:
        return f"lacks {', '.join(map(character, lacking[:_SHOWN]))}"
    return "has its characters otherwise"
