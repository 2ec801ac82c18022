r"""Lines of CSV with quotes that do not fit.

Belongs here: finding them. Does not belong here: fields (`vitalake/records/csv/block.py`).

A record is quoted strictly if each of its quotes stands at an end of its field, or is doubled. Blanks between the
quote that closes a field and the end of the field do no harm.

Where the quote that ends a field is missing, the field goes on to the next quote of the file, most often the one
that opens the same field of a later record, and text follows that one. So a record with a line break inside of
quotes is believed only if it is quoted strictly. Of one that is not, lines are given up from its first one on until
the rest is quoted strictly, up to where a record ends either way. With a missing quote that is the line that lacks
it. Text that holds line breaks and is followed by more text never gets there: its last line has a quote amid a
field, and so all its lines are given up.

Where there is a quote too many inside of a text, the field ends there, and text follows. So a record on one line is
believed unless text follows a quote that closes a field. A quote amid a field without quotes (`5"`) is a character
like any other there. What is left of such a text, after a line or amid one, ends with a quote amid a field: if one
is met before a record that is quoted strictly, within `TEXT_LINES`, all lines up to it are given up.

Where the file ends inside of quotes, lines of the rest are given up until what follows is quoted strictly.

What nobody can tell from a file that was meant so, with text that holds line breaks:
* a quote too many before a delimiter or at the end of a line, where a field may end: `"Dear Bob,"\nSir, hello"`;
* the quote missing that opens the field, or that closes it: `Dear Bob\nSir, hello"`;
* a text or a later field with quotes beside a delimiter or a line break, which looks like fields, and makes the
  record look strict that runs into it, but hardly the one after it. Where that is wrong, and all would be strict
  without the first lines, all lines are given up.
Lines of such a text become rows if they have as many fields as the header.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from vitalake.records.csv.lines import Bytes, CsvLines, Numbers

    Mask = npt.NDArray[np.bool_]

TEXT_LINES = 100
"""As many lines a text may have from a quote too many to its end."""
MAX_FIELDS = 1000
"""In so many fields of a line, with and without quotes by turns, text behind a quote is looked for."""
_FEW_LINES = 8
_LF, _CR, _QUOTE = b'\n\r"'


def broken_lines(  # noqa: PLR0915 - three steps that share what is known of the quotes
    lines: CsvLines, delimiter: str, first: Numbers, last: Numbers, misfits: Numbers, waits: bool
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
    quotes, turns = faults(lines.data, delimiter)
    starts = np.flatnonzero(np.isin(lines.data[quotes - 1], [_LF, _CR, ord(delimiter)]))
    if not long.any() and not (len(starts) and turns[0].any()):
        return [], lines.count
    before = np.searchsorted(quotes, np.append(lines.starts, len(lines.data)))  # quotes before each line
    begin, end = before[first], before[last + 1]
    bad = _text_behind(np.flatnonzero(~long & (end > begin)), begin, end, turns, starts)
    if not (long.any() or bad.any()):
        return [], lines.count
    wrong_before = np.concatenate([np.zeros((2, 1), np.int32), np.cumsum(turns, axis=1, dtype=np.int32)], axis=1)
    strict = (wrong_before[begin % 2, end] == wrong_before[begin % 2, begin]) & ((end - begin) % 2 == 0)
    ends = [last[end % 2 == turn] for turn in (0, 1)]
    wrong = ~strict
    wrong[misfits] = True
    doubtful = strict & np.append(wrong[1:], False)
    bad |= long & ~strict

    looked = 0  # no text ends in records before this one, as far as it was looked for

    def goes_on(record: int) -> int:
        """Behind which line the text ends that a quote too many in this record cuts; -1: more must be read."""
        nonlocal looked
        stop = int(last[record]) + 1
        for later in range(max(record + 1, looked), len(first)):
            looked, quote = later, int(begin[later])
            if first[later] >= stop + TEXT_LINES or (strict[later] and end[later] > quote):
                return stop
            if long[later] or (end[later] - quote) % 2:
                if turns[1 - quote % 2, quote]:
                    return stop  # a quote that closes no field
                return int(first[later] if long[later] else last[later] + 1)  # a long one is found itself
        return -1 if waits else stop

    def strict_from(record: int) -> tuple[int, int]:
        """The line from which on all is quoted strictly, to behind which: -1, none; 0, the end is not met."""
        start, stop = int(first[record]), int(last[record]) + 1
        # The first end of a record with an even number of quotes between, by whether that of those before is odd.
        later = [int(each[at]) + 1 if (at := int(each.searchsorted(stop - 1))) < len(each) else 0 for each in ends]
        until = [int(before[each]) if each else len(quotes) for each in later]
        for line in range(start + 1, min(stop, start + _FEW_LINES)):  # most records are short
            turn = int(before[line]) % 2
            if wrong_before[turn, until[turn]] == wrong_before[turn, before[line]]:
                return line, later[turn]
        if stop <= start + _FEW_LINES:
            return -1, -1
        here = before[start + _FEW_LINES : stop]
        good = wrong_before[here % 2, np.asarray(until)[here % 2]] == wrong_before[here % 2, here]
        offset = int(good.argmax()) if good.any() else -1
        return (start + _FEW_LINES + offset, later[here[offset] % 2]) if offset >= 0 else (-1, -1)

    found: list[tuple[int, int]] = []
    settled = 0
    for record in np.flatnonzero(bad | (long & doubtful)).tolist():
        start = int(first[record])
        if start < settled:
            continue
        line, until = strict_from(record) if long[record] else (-1, -1)
        if not until and waits:
            return found, start
        if until > 0:
            found.append((start, until if strict[record] else line))
            settled = until
        elif not strict[record]:
            settled = goes_on(record)
            if settled < 0:
                return found, start
            found.append((start, settled))
    if waits and long[-1] and strict[-1] and settled < last[-1]:
        return found, int(first[-1])  # what comes next is not known
    return found, lines.count


def broken_start(lines: CsvLines, delimiter: str) -> int:
    """How many lines to give up, one or more, until the rest is quoted strictly up to the end; maybe all.

    Args:
        lines: from a record on that nothing closes.
        delimiter: between fields.
    """
    import numpy as np

    quotes, turns = faults(lines.data, delimiter)
    before = np.searchsorted(quotes, lines.starts[1:])
    left = np.cumsum(turns[:, ::-1], axis=1)[:, ::-1]
    left = np.append(left, np.zeros((2, 1), np.int64), axis=1)
    good = (left[before % 2, before] == 0) & ((len(quotes) - before) % 2 == 0)
    return 1 + int(good.argmax()) if good.any() else lines.count


def faults(data: Bytes, delimiter: str) -> tuple[Numbers, Mask]:
    """Quotes, and whether each is out of place, if even ones open and odd ones close, and the other way round."""
    import numpy as np

    quotes = np.flatnonzero(data == _QUOTE)
    fits = np.zeros(256, np.bool_)
    fits[[_LF, _CR, _QUOTE, ord(delimiter)]] = True
    # Faults, were it the quote that opens a field, and that closes one. Data end with a newline, so [-1] fits.
    opening, closing = ~fits[data[quotes - 1]], ~fits[data[quotes + 1]]
    blanks = b" \t".replace(delimiter.encode(), b"")
    if np.isin(data[quotes[closing] + 1], list(blanks)).any():
        fitting = re.finditer(rb'"[%b]+(?=[%b\r\n])' % (blanks, re.escape(delimiter.encode())), data.tobytes())
        closing[np.searchsorted(quotes, [each.start() for each in fitting])] = False
    turns = np.stack([opening, closing])
    turns[:, 1::2] = turns[::-1, 1::2].copy()
    return quotes, turns


def _text_behind(records: Numbers, begin: Numbers, end: Numbers, turns: Mask, starts: Numbers) -> Mask:
    """Which of all records have text behind a quote that closes a field.

    Args:
        records: those to look at, each on one line.
        begin: the first quote of each record, shape (all,).
        end: the one behind its last.
        turns: as `faults` gives them.
        starts: quotes at the start of a field, if they are not within quotes.
    """
    import numpy as np

    found = np.zeros(len(begin), np.bool_)
    none = turns.shape[1]
    met_at = [np.append(np.flatnonzero(each), none) for each in turns]
    starts = np.append(starts, none)
    at = begin[records]
    for _ in range(MAX_FIELDS):
        if not len(records):
            break
        met = [each[np.searchsorted(each, at)] for each in met_at]
        fault = np.where(at % 2, met[1], met[0])
        closes = (fault - at) % 2 == 1
        found[records[closes & (fault < end[records])]] = True
        # One that does not open its field leaves all up to the next delimiter without quotes.
        at = starts[np.searchsorted(starts, np.minimum(fault, none - 1), "right")]
        left = ~closes & (at < end[records]) & (fault < end[records])
        records, at = records[left], at[left]
    return found
