r"""What a key, a name or a file says, made harmless for where people read it: one function for each place.

Belongs here: escaping, pure. Does not belong here: wording, or what a place looks like. Values are escaped where
they are shown, never where they are stored.

What a reader cannot see is written as Python writes it in a string: ``\x1b``, ``\u202e``. A backslash stays one, so
this is for looking at; what is to be exact is json, csv or parquet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_LINE_CHARS = 300
# Letters and marks to Unicode, so that `isprintable` lets them pass, but nothing to see.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Where a spreadsheet may begin a cell: with the text, and in the middle of one where its separator is no comma.
# Then what it may skip, and what begins a formula; CR and tab count by themselves.
_FORMULA = re.compile(
    r"""(?:^|(?<=[;\t\r\n]))"""
    r"""(?='*[\t\r]|[\s"'`´‘’“”\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫−])"""
)
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
SECTION_CHARS = 3000  # https://docs.slack.dev/reference/block-kit/blocks/section-block


def printable(text: str) -> str:
    r"""One line of a terminal or a log: control codes, line breaks, what is invisible or turns text as ``\x01``."""
    return _escaped(text, lambda each: ascii(each)[1:-1])


def printable_lines(text: str) -> str:
    """The same for a text that has lines of ours; what it quotes goes through `printable` before."""
    return "\n".join(map(printable, text.split("\n")))


def bounded_line(text: str, limit: int = _LINE_CHARS) -> str:
    """`printable`, at most `limit` characters long: no key or message can pose as another line, or fill a page."""
    clean = printable(text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def json_text(text: str) -> str:
    """JSON as `json.dumps` gives it without `ensure_ascii`: the same value, but nothing in it steers a terminal."""
    return "\n".join(_escaped(line, lambda each: json.dumps(each)[1:-1]) for line in text.split("\n"))


def markdown(text: str) -> str:
    """A text within Markdown: a code span, in which neither links nor pictures nor HTML exist.

    Escaping with backslashes would not do: GitHub's flavour makes links of addresses after it has removed them.
    """
    clean = printable(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", clean)), default=0))
    return f"{fence} {clean} {fence}" if clean.strip() else f"{fence} {fence}"


def slack_text(text: str, limit: int = SECTION_CHARS) -> str:
    """Text with Slack's three control characters escaped, then at most `limit` characters, counted in UTF-16.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    pieces = [_SLACK.get(character, character) for character in text]
    length, fits = 0, 0  # fits: how many pieces leave room for the ellipsis; no entity is cut in two
    for piece in pieces:
        length += len(piece.encode("utf-16-le", "surrogatepass")) // 2
        fits += length < limit
    return "".join(pieces) if length <= limit else "".join(pieces[:fits]) + "…"


def spreadsheet_cell(text: str) -> str:
    """Text of which no spreadsheet makes a formula: an apostrophe stands before what would be one.

    It can be undone: what would be a formula has one apostrophe more than it came with. Source:
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return _FORMULA.sub("'", text)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return "".join(each if each.isprintable() and not _INVISIBLE.match(each) else escape(each) for each in text)
