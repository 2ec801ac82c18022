"""Where a JSON value ends, from its brackets and quotes alone.

Belongs here: this search, which goes on where the last bytes ended. Does not belong here: whether the value is any
good (`record.py`): one with NaN, broken UTF-8 or a missing colon inside still ends where its brackets do.
"""

from __future__ import annotations

import re

QUOTE, BACKSLASH = b'"\\'
_CLOSER = bytes.maketrans(b"{[", b"}]")
_OPENERS, _CLOSERS = re.compile(rb"[{\[]+"), re.compile(rb"[}\]]+")
_STEP_BYTES = 1 << 16  # a repeated group of `re` takes memory for each repetition
_MAX_OPEN = 1 << 20
_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_OUTSIDE = re.compile(rb'[^"{}\[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"{}\[\]]*)*', re.DOTALL)


class NestingError(ValueError):
    """A bracket closes what is not open, or a million are open."""


class Nesting:
    """Follows one object, array or string to its end through as many pieces of bytes as it takes."""

    def __init__(self) -> None:
        self._closers = bytearray()
        self._in_string = False

    def follow(self, data: bytes, at: int) -> tuple[int, bool]:
        """Looks on from a position: how far it came, and whether the value ends there.

        Where it does not end, call again with the bytes from that position on and more behind them.

        Raises:
            NestingError: brackets do not match.
        """
        if not self._closers and not self._in_string and data[at] == QUOTE:
            self._in_string, at = True, at + 1
        while at < len(data):
            stop = min(at + _STEP_BYTES, len(data))
            found = (_STRING if self._in_string else _OUTSIDE).match(data, at, stop)
            at = found.end() if found else at
            if at == len(data):
                break
            if self._in_string and data[at] == BACKSLASH and at + 1 == len(data):
                break  # what it escapes is not here yet
            if data[at] == QUOTE:
                self._in_string = not self._in_string
                at += 1
            elif not self._in_string and data[at] in b"{}[]":
                at = self._brackets(data, at)
            else:
                continue  # the step ended, perhaps within an escape
            if not self._closers and not self._in_string:
                return at, True
        return at, False

    def _brackets(self, data: bytes, at: int) -> int:
        """Takes brackets that follow each other, all that open or all that close, up to where the value ends."""
        if opened := _OPENERS.match(data, at):
            self._closers += opened[0].translate(_CLOSER)
            if len(self._closers) > _MAX_OPEN:
                raise NestingError("more than a million brackets are open")
            return opened.end()
        closed = _CLOSERS.match(data, at, at + len(self._closers))
        if closed is None or not self._closers.endswith(closed[0][::-1]):
            raise NestingError("a bracket closes what is not open")
        del self._closers[-len(closed[0]) :]
        return closed.end()


def objects_in(text: bytes) -> list[bytes] | None:
    """The objects that stand one after the other in a text; None where it holds anything else."""
    found, at = [], 0
    while at < len(text):
        if text[at] in b" \t\r\n":
            at += 1
            continue
        if text[at] != ord("{"):
            return None
        try:
            end, ended = Nesting().follow(text, at)
        except NestingError:
            return None
        if not ended:
            return None
        found.append(text[at:end])
        at = end
    return found
