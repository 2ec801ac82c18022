"""Records of a JSON object that has one on each line.

Belongs here: lines. Does not belong here: records that stand otherwise (`json_sequence.py`).
"""

from __future__ import annotations

from typing import Any

from vitalake.records.json_block import Block
from vitalake.records.json_nesting import objects_in
from vitalake.records.json_record import decoder_of, nothing_lost, undecodable
from vitalake.records.json_window import Window

_PARTS = 8


class Lines:
    """Reads lines; a bad one is refused alone.

    Lines of white space are none. A line that holds several objects one after the other holds several records.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def step(self, window: Window, block: Block) -> bool:
        """Reads the lines of a piece of at most `max_bytes`; False where there are no more."""
        if not window.skip_blank():
            return False
        more = window.ensure(self._max_bytes + 1)
        data, at = window.data, window.at
        cut = data.rfind(b"\n", at, at + self._max_bytes + 1) + 1 if more else len(data)
        if not cut:
            block.refuse(f"the line is larger than {self._max_bytes:,} bytes")
            window.skip_past(b"\n")
            return True
        window.at = cut
        self._take(data[at:cut], block)
        return True

    def _take(self, piece: bytes, block: Block) -> None:
        """Takes the records of some lines: of all together, else of an eighth at a time, else of each."""
        lines = list(filter(bytes.strip, piece.split(b"\n")))
        try:
            records = list(map(decoder_of(dict[str, Any]).decode, lines))
        except undecodable():
            records = []
        if len(records) == len(lines) and nothing_lost(piece, records):
            block.accept(records)
            return
        if len(lines) > _PARTS:
            size = -(-len(lines) // _PARTS)
            for begin in range(0, len(lines), size):
                self._take(b"\n".join(lines[begin : begin + size]), block)
            return
        for line in lines:
            objects = objects_in(line) or []
            for text in objects if len(objects) > 1 else [line]:
                block.take(text)
