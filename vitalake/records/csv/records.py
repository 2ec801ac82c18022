"""The records of a block of CSV, with their lines: rows, and what is refused.

Belongs here: which records of a block are used, and what is reported of the others. Does not belong here: finding
fields (`vitalake/records/csv/block.py`) and quotes that do not fit (`vitalake/records/csv/quotes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vitalake.lake.columns import array, numbers, truth
from vitalake.lake.contents import MAX_TEXT
from vitalake.lake.refusals import RefusalBudget
from vitalake.records.csv.block import NO_UTF8, CsvBlock, parse
from vitalake.records.csv.header import CsvHeader
from vitalake.records.csv.lines import CsvLines, first_lines, inner_newlines
from vitalake.records.csv.misfits import Misfits, between
from vitalake.records.csv.quotes import broken_lines, broken_start
from vitalake.records.csv.repeated_header import RepeatedHeader
from vitalake.records.csv.rows import CsvRows, RefusedLine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from vitalake.records.csv.lines import Numbers

    Mask = npt.NDArray[np.bool_]


class _RefusedLines(NamedTuple):
    """Refusals by one rule: on which line of the block each begins, its message and text, and how many it is."""

    rule: str
    lines: Numbers
    worded: Callable[[int], tuple[str, str]]
    counts: Numbers | None = None


class CsvRecords:
    """Reads the blocks of one file, one after the other."""

    def __init__(self, header: CsvHeader, declared: Sequence[str], encoding: str) -> None:
        self._header = header
        self._encoding = encoding.upper()
        self._told = RefusalBudget()
        self._line = header.line_count + 1  # on which the next block begins
        places = {name: place for place, name in enumerate(header.names)}
        self._places = {name: places.get(name) for name in declared}
        self._nameless = range(len(header.fields), header.width)
        self._wanted = [place for place in self._places.values() if place is not None] or [0]
        self._again = RepeatedHeader(header, tuple(self._wanted))
        self._wanted += self._nameless

    def read(self, data: bytes, end: int, last: bool, waits: bool) -> tuple[CsvRows, bytes]:
        """The records of a block that ends after a newline or with the file, and the bytes that go to the next.

        Args:
            data: the block, and what comes after it.
            end: of the block.
            last: it ends with the file.
            waits: as many bytes as it takes may go to the next, to see how they go on.
        """
        import numpy as np
        import pyarrow as pa

        added = b"" if data.endswith((b"\n", b"\r"), 0, end) else b"\n"
        block = self._parse((memoryview(data)[:end], added))
        lines, unfinished = CsvLines(block.data), block.unfinished
        first, inner = _places(block, lines)
        delimiter = self._header.delimiter
        broken: list[tuple[int, int]] = []
        count = lines.count
        if block.quoted:
            misfits = block.misfits.index[block.misfits.filled]
            broken, count = broken_lines(lines, delimiter, first, first + inner, misfits, waits)
        if last and unfinished and (given_up := self._given_up(unfinished)):
            broken.append((count, count + given_up))
            lines = CsvLines(np.concatenate([lines.data, np.frombuffer(unfinished, np.uint8)]))
            count, unfinished = lines.count, b""
        refused = self._run_together(lines, broken)
        if broken or count < lines.count:
            unfinished = lines.between(count, lines.count).tobytes() + unfinished
            block, first, inner = self._without(lines, broken, count)
        refused += self._misfits(block.misfits, first)
        columns, at = block.columns, first[block.index]
        unused, nameless = self._blank(columns, lines, at), self._nameless_values(columns, len(at))

        def text(row: int) -> bytes:
            return lines.between(at[row], at[row] + 1 + inner[block.index[row]]).tobytes()

        again = np.asarray(self._again.among(columns, text), np.int64)
        nameless[again] = False
        odd = {"a value in a column that has no name": np.flatnonzero(nameless), "the header again": again}
        for message, found in odd.items():
            unused[found] = True
            refused.append(_RefusedLines("D03", at[found], partial(_odd, message, found, text)))
        told = self._worded(refused)
        if unused.any():
            kept = numbers(np.flatnonzero(~unused), pa.int64())
            at, columns = at[~unused], {place: column.take(kept) for place, column in columns.items()}
        rows = self._line + at
        self._line += count
        if last and unfinished:
            told.append(self._endless(unfinished.removesuffix(added), "a quote that nothing closes"))
        return self._rows(rows, columns, sorted(told), end), unfinished

    def refuse_rest(self, data: bytes, message: str) -> CsvRows:
        """Of a record that is too long; `data` is how it begins."""
        import numpy as np

        return self._rows(np.empty(0, np.int64), {}, [self._endless(data, message)], 0)

    def _parse(self, pieces: Iterable[bytes | memoryview]) -> CsvBlock:
        return parse(pieces, self._header.delimiter, self._header.width, self._wanted)

    def _given_up(self, unfinished: bytes) -> int:
        """How many lines of a file's end to give up, if a quote is missing; 0: the file may be cut off as well.

        Lines of a text are seldom records, and so it takes more records than other lines. In a file of one column
        every line is one.
        """
        import numpy as np

        lines = CsvLines(np.frombuffer(unfinished, np.uint8))
        if self._header.width < 2 or (given_up := broken_start(lines, self._header.delimiter)) == lines.count:
            return 0
        block = self._parse([lines.between(given_up, lines.count).data])
        return given_up if len(block.index) > given_up - 1 + len(block.misfits.index) else 0

    def _without(
        self, lines: CsvLines, broken: Sequence[tuple[int, int]], count: int
    ) -> tuple[CsvBlock, Numbers, Numbers]:
        """The first lines read again without some of them, and where the records were before."""
        import numpy as np

        edges = np.concatenate([[0], np.asarray(broken, np.int64).ravel(), [count]])
        begin, stop = edges[::2], edges[1::2]
        # A piece that began with a blank line, an LF, would make one end of a line with the CR before it.
        filled = np.append(np.flatnonzero(lines.lengths), lines.count)
        begin = np.minimum(filled[np.searchsorted(filled, begin)], stop)
        starts = np.append(lines.starts, len(lines.data))
        block = self._parse([between(lines.data, starts[begin], starts[stop])])
        first, inner = _places(block, CsvLines(block.data))
        kept = np.zeros(lines.count + 1, np.int8)
        np.add.at(kept, begin, 1)
        np.subtract.at(kept, stop, 1)
        return block, np.flatnonzero(np.cumsum(kept))[first], inner

    def _blank(self, columns: Mapping[int, pa.Array], lines: CsvLines, at: Numbers) -> Mask:
        """Which rows are delimiters and nothing else."""
        import numpy as np

        found = np.zeros(len(at), np.bool_)
        if len(at) and all(column.null_count for column in columns.values()):
            empty = np.logical_and.reduce([truth(column.is_null()) for column in columns.values()])
            found[empty] = lines.lengths[at[empty]] == self._header.width - 1
        return found

    def _nameless_values(self, columns: Mapping[int, pa.Array], count: int) -> Mask:
        """Which rows have a value in a column without a name."""
        import numpy as np

        found = np.zeros(count, np.bool_)
        for place in self._nameless if count else ():
            found |= truth(columns[place].is_valid())
        return found

    def _misfits(self, found: Misfits, first: Numbers) -> list[_RefusedLines]:
        import numpy as np

        def worded(which: Numbers, number: int) -> tuple[str, str]:
            text, fields = found.text(which[number]), int(found.fields[which[number]])
            if not found.nul[which[number]]:
                return f"{fields:,} fields, expected {self._header.width:,}", text[:MAX_TEXT]
            message = f"bytes that are no {self._encoding}" if NO_UTF8 in text else "a NUL byte"
            return message, text.replace(NO_UTF8, "\ufffd")[:MAX_TEXT]

        masks = {"D02": found.filled & found.nul, "D03": found.filled & ~found.nul}
        by_rule = {rule: np.flatnonzero(mask) for rule, mask in masks.items()}
        return [
            _RefusedLines(rule, first[found.index[which]], partial(worded, which))
            for rule, which in by_rule.items()
        ]

    def _run_together(self, lines: CsvLines, broken: Sequence[tuple[int, int]]) -> list[_RefusedLines]:
        import numpy as np

        if not broken:
            return []
        first, stop = np.asarray(broken, np.int64).T
        before = np.append(0, np.cumsum(lines.lengths > 0))  # lines that are not blank
        counts = before[stop] - before[first]

        def worded(number: int) -> tuple[str, str]:
            count = int(counts[number])
            message = "a quote that is not closed, or text behind one that is"
            message += f": {count:,} lines cannot be told apart" if count > 1 else ""
            return message, _text(lines.between(*broken[number]).tobytes())

        return [_RefusedLines("D02", first, worded, counts)]

    def _worded(self, refused: Sequence[_RefusedLines]) -> list[RefusedLine]:
        """By each rule, in the order of the file, as many as have words of their own, and one for all others."""
        import numpy as np

        found: list[RefusedLine] = []
        for rule in sorted({each.rule for each in refused if len(each.lines)}):
            those = [each for each in refused if each.rule == rule]
            lines = np.concatenate([each.lines for each in those])
            counts = np.concatenate([np.ones_like(e.lines) if e.counts is None else e.counts for e in those])
            starts = np.cumsum([0, *(len(each.lines) for each in those)])
            order = np.argsort(lines, kind="stable")
            taken = self._told.take(rule, len(lines))
            for place in order[: taken + 1].tolist():
                which = int(np.searchsorted(starts, place, "right")) - 1
                message, text = those[which].worded(place - int(starts[which]))
                line = self._line + int(lines[place])
                found.append(RefusedLine(line, rule, message, text, int(counts[place])))
            if taken < len(lines):
                found[-1] = replace(found[-1], count=int(counts[order[taken:]].sum()))
        return found

    def _endless(self, data: bytes, message: str) -> RefusedLine:
        import numpy as np

        count = int(np.count_nonzero(CsvLines(np.frombuffer(data + b"\n", np.uint8)).lengths))
        return RefusedLine(self._line, "D07", f"{message}: nothing is read from here on", _text(data), count)

    def _rows(
        self, lines: Numbers, columns: Mapping[int, pa.Array], refused: Sequence[RefusedLine], size_bytes: int
    ) -> CsvRows:
        import pyarrow as pa

        found = {
            name: pa.nulls(len(lines), pa.string()) if place is None or place not in columns else columns[place]
            for name, place in self._places.items()
        }
        return CsvRows(lines, found, refused, self._header, size_bytes)


def _places(block: CsvBlock, lines: CsvLines) -> tuple[Numbers, Numbers]:
    """The line on which each record of a block begins, from 0, and the newlines inside it, shapes (records,)."""
    import numpy as np
    import pyarrow as pa

    if block.places is not None:
        return block.places
    count = len(block.index) + len(block.misfits.index)
    inner, blank = np.zeros((2, count), np.int64)
    if lines.count == count:  # no blank line, and no record of several
        return np.arange(count), inner
    if block.quoted:
        inner[block.index], blank[block.index] = inner_newlines(block.columns.values(), len(block.index))
    if block.quoted and len(index := block.misfits.index):
        texts = array(list(map(block.misfits.text, range(len(index)))), pa.string())
        inner[index], blank[index] = inner_newlines([texts], len(index))
    return first_lines(lines, inner, blank), inner


def _odd(message: str, found: Numbers, text: Callable[[int], bytes], number: int) -> tuple[str, str]:
    return message, _text(text(found[number]))


def _text(data: bytes) -> str:
    """How bytes of the file begin, for quarantine."""
    text = data[: 4 * MAX_TEXT].decode("utf-8", "replace").replace(NO_UTF8, "\ufffd")
    return text.rstrip("\r\n")[:MAX_TEXT]
