"""How many refusals are put into words: so many of one object and rule as have a row each in quarantine.

Belongs here: the count that readers, judges and quarantine share. Does not belong here: what a refusal is
(`vitalake/lake/dataset.py`), its row (`vitalake/lake/reading.py`).

Whoever refuses records counts them first and words the first ones only, so that a file of nothing but bad records
costs about what one of good ones does. One refusal, with the number of records it stands for, tells of the others.
"""

from __future__ import annotations

LISTED = 1000  # refusals of one object by one rule that have a row each; the last stands for all that follow


class RefusalBudget:
    """Of one object: how many more refusals each rule puts into words."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def all(self, rule: str) -> bool:
        """Whether no more refusals by a rule are worded."""
        return self._left.get(rule) == 0

    def take(self, rule: str, count: int = 1) -> int:
        """Of so many more refusals by a rule, how many are worded: the first ones."""
        left = self._left.get(rule, LISTED)
        taken = min(left, count)
        self._left[rule] = left - taken
        return taken
