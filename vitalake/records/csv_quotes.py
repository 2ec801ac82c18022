r"""Lines of CSV that quotes which do not fit have run together.

Belongs here: finding them. Does not belong here: fields (`vitalake/records/csv_block.py`).

Where the quote that ends a field is missing, the field goes on to the next quote of the file, most often the one
that opens the same field of a later record, and text follows that one. So a record with a line break inside of
quotes is believed only if it is quoted strictly: a quote stands at an end of its field, or is doubled.

Of a record that is not, lines are given up from its first one on until the rest is quoted strictly, up to where a
record ends either way. With a missing quote that is the line that lacks it. Text that holds line breaks and is
followed by more text never gets there: its last line has a quote amid a field, and so all its lines are given up.

A later field that begins with a quote or a delimiter can make the record look strict, but hardly the one after it.
Where that is wrong, and all would be strict without the first lines, nobody can tell: all lines are given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitalake.records.csv_lines import Lines, Numbers

_LF, _CR, _QUOTE = b'\n\r"'


def broken_lines(
    lines: Lines, delimiter: str, first: Numbers, last: Numbers, misfits: Sequence[int], waits: bool
) -> tuple[list[tuple[int, int]], int]:
    """Which lines to give up, and where to stop.

    Args:
        lines: of a block.
        delimiter: between fields.
        first: the line on which each record begins, from 0, shape (records,).
        last: the one on which it ends.
        misfits: which records have too few or too many fields.
        waits: more comes behind this block, and may be waited for.

    Returns:
        Ranges of lines, each from the first to behind the last; and the line from which on it takes more of the
        file to tell, or the number of lines.
    """
    import numpy as np

    long = last > first
    data = lines.data
    quotes = np.flatnonzero(data == _QUOTE)
    fits = np.zeros(256, np.bool_)
    fits[[_LF, _CR, _QUOTE, ord(delimiter)]] = True
    # Faults, were it the quote that opens a field, and that closes one. Data end with a newline, so [-1] fits.
    opening, closing = ~fits[data[quotes - 1]], ~fits[data[quotes + 1]]
    # Quotes open and close by turns. Faults among the first n of them, where even ones open and where odd ones do.
    odd = np.arange(len(quotes)) % 2 == 1
    turns = np.stack([np.where(odd, closing, opening), np.where(odd, opening, closing)])
    faults = np.concatenate([np.zeros((2, 1), np.int64), np.cumsum(turns, axis=1)], axis=1)
    before = np.searchsorted(quotes, np.append(lines.starts, len(data)))  # quotes before each line
    begin, end = before[first], before[last + 1]
    strict = (faults[begin % 2, end] == faults[begin % 2, begin]) & ((end - begin) % 2 == 0)
    ends = [last[end % 2 == turn] for turn in (0, 1)]
    wrong = ~strict
    wrong[misfits] = True
    doubtful = strict & np.append(wrong[1:], False)
    found: list[tuple[int, int]] = []
    settled = 0
    for record in np.flatnonzero(long & (doubtful | ~strict)).tolist():
        start, stop = int(first[record]), int(last[record]) + 1
        if start < settled:
            continue
        # The first end of a record with an even number of quotes between, by whether that of those before is odd.
        later = [int(each[at]) + 1 if (at := np.searchsorted(each, stop - 1)) < len(each) else 0 for each in ends]
        until = np.asarray([before[each] if each else len(quotes) for each in later])
        here = before[start + 1 : stop]
        good = faults[here % 2, until[here % 2]] == faults[here % 2, here]
        if not good.any():
            found += [] if strict[record] else [(start, stop)]
            continue
        offset = int(good.argmax())
        settled = later[here[offset] % 2]
        if not settled and waits:
            return found, start
        if not settled:
            settled = stop
            found += [] if strict[record] else [(start, stop)]
            continue
        found.append((start, settled if strict[record] else start + 1 + offset))
    if waits and long[-1] and strict[-1] and settled < last[-1]:
        return found, int(first[-1])  # what comes next is not known
    return found, lines.count
