"""The loop of every sink: whoever writes last has looked last."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vitalake.errors import PermanentError, TransientError
from vitalake.lake.parts import ConflictError
from vitalake.lake.sinks import Delivery, keep_in_line


class Copy:
    """A view and its copy; `meanwhile` is what others do between the reading and the writing of each round."""

    def __init__(self, *meanwhile: Callable[[], None]) -> None:
        self.view, self.target, self.changes = 1, 0, 0
        self.meanwhile = list(meanwhile)

    def change(self) -> None:
        self.view += 1

    def version(self) -> str:
        return str(self.view)

    def bring(self) -> Delivery:
        read = self.view
        if self.meanwhile:
            self.meanwhile.pop(0)()
        differs = self.target != read
        self.target = read
        return Delivery(rows=1, written=int(differs), deleted=0, unchanged=int(not differs))


def test_inputs_that_stand_still_need_one_round_and_a_second_delivery_writes_nothing() -> None:
    copy = Copy()
    assert keep_in_line(copy.version, copy.bring) == Delivery(1, 1, 0, 0, rounds=1)
    assert keep_in_line(copy.version, copy.bring) == Delivery(1, 0, 0, 1, rounds=1)


def test_what_changes_meanwhile_is_delivered_too_and_the_rounds_are_counted_together() -> None:
    copy = Copy()
    copy.meanwhile = [copy.change, copy.change]
    assert keep_in_line(copy.version, copy.bring) == Delivery(1, 3, 0, 0, rounds=3)
    assert copy.target == copy.view == 3


def test_old_rows_that_are_written_over_newer_ones_do_not_stay() -> None:
    def another_delivers_newer_rows() -> None:
        copy.change()
        keep_in_line(copy.version, copy.bring)
        assert copy.target == copy.view

    copy = Copy(another_delivers_newer_rows)
    keep_in_line(copy.version, copy.bring)
    assert copy.target == copy.view == 2


def test_inputs_that_never_stand_still_are_left_to_the_next_delivery() -> None:
    copy = Copy()
    copy.meanwhile = [copy.change] * 9
    assert keep_in_line(copy.version, copy.bring, rounds=4).rounds == 4
    assert (copy.target, copy.view) == (4, 5)


def test_a_delivery_that_fails_in_its_last_round_is_none() -> None:
    def replaced_while_read() -> None:
        copy.change()
        raise TransientError("a part is gone")

    copy = Copy()
    copy.meanwhile = [copy.change, replaced_while_read]
    with pytest.raises(TransientError, match="2 rounds"):
        keep_in_line(copy.version, copy.bring, rounds=2)


def failing(*errors: Exception) -> Callable[[], None]:
    left = list(errors)

    def fail() -> None:
        if left:
            raise left.pop(0)

    return fail


def test_trouble_is_raised_where_the_inputs_stood_still() -> None:
    copy = Copy(failing(TransientError("busy")))
    with pytest.raises(TransientError, match="busy"):
        keep_in_line(copy.version, copy.bring)


def test_trouble_while_the_inputs_changed_is_another_round() -> None:
    def replaced_while_read() -> None:
        copy.change()
        raise TransientError("a part is gone")

    copy = Copy(replaced_while_read)
    assert keep_in_line(copy.version, copy.bring).rounds == 1
    assert copy.target == copy.view == 2


def test_a_target_that_somebody_else_wrote_is_another_round() -> None:
    copy = Copy(failing(ConflictError("written by somebody else")))
    keep_in_line(copy.version, copy.bring)
    assert copy.target == copy.view


def test_permanent_trouble_ends_it_at_once() -> None:
    copy = Copy(failing(PermanentError("another key"), PermanentError("asked again")))
    with pytest.raises(PermanentError, match="another key"):
        keep_in_line(copy.version, copy.bring)
