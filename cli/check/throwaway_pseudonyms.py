"""Pseudonyms that mean nothing outside of one check.

Belongs here: making them, and knowing them again. Does not belong here: how a pseudonym is made
(`vitalake/pseudonyms.py`), how it is marked where it is shown (`cli/check/text.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vitalake.pseudonyms import Pseudonyms

_MADE = 10_000  # more than the rows that are shown can have


@dataclass(frozen=True)
class ThrowawayPseudonyms(Pseudonyms):
    """Pseudonyms by a key that nobody keeps, which remember the first that they made."""

    made: set[str] = field(default_factory=set, repr=False, compare=False)

    def of(self, domain: str, identifier: str) -> str:
        """As `Pseudonyms.of`."""
        found = super().of(domain, identifier)
        if len(self.made) < _MADE:
            self.made.add(found)
        return found
