"""Which names columns of times and counters have, and which units their numbers.

Belongs here: words. Does not belong here: what such a column says (`time_axis.py`).
"""

from __future__ import annotations

import re

TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunden"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), 1e6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e9),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 3600),
}

_WORDS = (
    "time timestamp timestamps datetime date clock epoch zeit zeitstempel uhrzeit datum temps heure tiempo hora "
    "fecha tempo ora tijd tid"
)
_TIME_WORDS = frozenset(_WORDS.split())
_TIME = re.compile(r"t|s|secs?|seconds?|ms|msec|milliseconds?|us|ns|min|minutes?", re.IGNORECASE)
_COUNTER = re.compile(
    r"(?:sample|packet|frame|index|idx|seq|nseq|sequence|counter|n|no|nr|#|row)"
    r"[ _]?(?:number|num|no|nr|#|id|interval|index|counter|count)?\.?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def is_time_name(name: str) -> bool:
    """Whether a column of this name is one of time: it has a word for it, or is a unit of time."""
    return has_time_word(name) or bool(_TIME.fullmatch(name))


def has_time_word(name: str) -> bool:
    """Whether the name leaves no doubt, as "T" does, which may be a temperature."""
    return any(word.casefold() in _TIME_WORDS for word in _WORD.findall(name))


def has_only_time_words(name: str) -> bool:
    """Whether the name says nothing but time."""
    return all(word.casefold() in _TIME_WORDS or _TIME.fullmatch(word) for word in _WORD.findall(name))


def is_counter_name(name: str) -> bool:
    """Whether a column of this name may count samples or packets; one of samples may as well be the signal."""
    return bool(_COUNTER.fullmatch(name))
