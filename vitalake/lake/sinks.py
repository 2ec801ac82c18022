"""Sinks: a view of the lake kept in line with a table elsewhere, and the loop that every sink has in common.

Belongs here: what a sink declares, what a delivery reports, and when one is finished. Does not belong here: reading
a view (`resources/sinks/view_rows.py`), or the targets (`resources/sinks/dynamodb_table.py`,
`resources/sinks/postgres_table.py`, `resources/sinks/json_export.py`).

A delivery never asks what happened since the last one. It compares the whole view with the whole target and writes
the difference, so the same delivery twice writes nothing, and nothing has to be remembered outside the target. It
looks at the view's inputs before and after: whoever writes last has looked last, however many deliver at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from vitalake.errors import TransientError

Progress = Callable[[int, int], None]
_ROUNDS = 3


@dataclass(frozen=True)
class Sink:
    """A view, and where a copy of it is wanted.

    Args:
        name: name of the asset, e.g. ``"pricing_instances_dynamodb"``.
        view: the view; its name is the target's too.
        key: columns that together name a row: never null, and no two rows alike.
        target: what kind of place; ``"json"`` alone for a view that names people.
    """

    name: str
    view: str
    key: tuple[str, ...]
    target: Literal["dynamodb", "postgres", "json"]
    doc: str


@dataclass(frozen=True)
class Delivery:
    """What a delivery found and did, in rows; `written` and `deleted` of all its rounds, the rest of the last.

    Args:
        rows: rows of the view.
        written: rows that were new or different in the target.
        deleted: rows of the target that the view lacks, or that the target can no longer hold.
        unchanged: rows that were there already, just so.
        refused: rows that the target cannot hold at all (`reasons` says why), so it lacks them.
        not_representable: values inside rows that the target cannot hold; they are null or absent there.
        reasons: why rows were refused, each with its count; no values.
    """

    rows: int
    written: int
    deleted: int
    unchanged: int
    refused: int = 0
    not_representable: int = 0
    reasons: tuple[str, ...] = ()
    rounds: int = 1

    def after(self, earlier: Delivery | None) -> Delivery:
        """Together with the rounds before this one."""
        if earlier is None:
            return self
        return replace(
            self,
            written=self.written + earlier.written,
            deleted=self.deleted + earlier.deleted,
            rounds=self.rounds + earlier.rounds,
        )


def keep_in_line(version: Callable[[], str], bring: Callable[[], Delivery], rounds: int = _ROUNDS) -> Delivery:
    """Bring the target in line with the view, again if the view's inputs changed meanwhile, some times at most.

    Inputs that never stand still are left to the next delivery: what it has to follow is newer than what this one
    says to have followed (`pipeline_assets/all_days.py`).

    Args:
        version: what the view is computed from, in short; changes whenever the view may.
        bring: reads the view and brings the target in line with it, once.
        rounds: the most that are made.

    Raises:
        TransientError: `bring` failed though the inputs stood still, or in the last round, or somebody else wrote
            the target during every one.
        PermanentError: from `bring`.
    """
    from vitalake.lake.parts import ConflictError  # which stands above the declarations, as this module does not

    total: Delivery | None = None
    failed: TransientError | None = None
    seen = version()
    for _ in range(rounds):
        failed = None
        try:
            total = bring().after(total)
        except TransientError as error:  # a part that was replaced while it was read, most likely
            failed = error
        before, seen = seen, version()
        if seen != before or isinstance(failed, ConflictError):
            continue
        if failed is not None:
            raise failed
        break
    if failed is not None or total is None:
        raise TransientError(f"the view's inputs, or the target, changed in each of {rounds} rounds") from failed
    return total
