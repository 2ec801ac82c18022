r"""Conditions on text that rules, views and readers share, in DuckDB's SQL and as classes of regular expressions.

Belongs here: what more than one dataset says of a text, and of which characters. Does not belong here: rules (each
dataset's declaration), taking characters away (`vitalake/records/edges.py`).

DuckDB's `trim` takes spaces only, its `\s` ASCII only.
"""

# Letters and signs by their category that show nothing: fillers of Hangul, vowels of Khmer, a blank of Braille.
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_FILLERS = "".join(rf"\x{{{ord(each):x}}}" for each in FILLERS)
UNSEEN = r"\p{Z}\p{C}" + _FILLERS
"""Separators, control and format characters: the zero-width space and the byte order mark too; a class of RE2."""
BLANK = r"\p{Z}\t-\r\x1c-\x1f\x{85}"  # what `str.strip` takes
# White space, controls, fillers, and what else has no width: the zero-width space, the byte order mark, the soft
# hyphen, marks of direction, joiners, selectors of variants. Not the signs of format that one sees, as of Arabic.
_EDGE = (
    *((0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x1680, 0x1680)),
    *((0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800)),
    *((0x3000, 0x3000), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
EDGE = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in _EDGE)
"""What is no part of a value where it stands before or behind it; a class of RE2."""
EDGE_CHARACTERS = frozenset(chr(code) for first, last in _EDGE for code in range(first, last + 1))
"""The same as characters."""


def visible(column: str) -> str:
    """Whether a text has a character that one can see; null where there is no text."""
    return f"regexp_matches({column}, '[^{UNSEEN}]')"


def trimmed(*columns: str) -> str:
    """Whether none of these texts begins or ends with white space."""
    return " AND ".join(f"NOT regexp_matches({column}, '^[{BLANK}]|[{BLANK}]$')" for column in columns)


def without_edges(text: str) -> str:
    """A text without what is no part of it before and behind it."""
    first, last = 0, len(text)
    while first < last and text[first] in EDGE_CHARACTERS:
        first += 1
    while first < last and text[last - 1] in EDGE_CHARACTERS:
        last -= 1
    return text[first:last]
