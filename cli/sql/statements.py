"""SQL text, cut where DuckDB's own tokens begin.

Belongs here: what the text of a statement begins with, where one ends, and writing a PIVOT out. Does not belong
here: whether it may run (`cli/sql/readonly.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENDS_PIVOT = {"using", "group", "order", "limit", "offset", "union", "intersect", "except", "window", "qualify"}


def _tokens(text: str) -> list[tuple[int, str]]:
    """Where each token begins (in bytes), and what it is: words in lower case, the rest as it is written."""
    import duckdb

    data = text.encode()
    starts = [start for start, _ in duckdb.tokenize(text)]
    found = []
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        token = data[start:end].decode(errors="replace").strip()
        # What lies between two tokens and is no space is a comment.
        word = re.match(r"\w+|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^-\s/]+|.", token, re.DOTALL)
        found.append((start, word[0].lower() if word else ""))
    return found


def words(text: str) -> str:
    """The tokens one after the other, each with a space behind it; of what is in quotes, the quotes."""
    found = [word for _, word in _tokens(text)]
    while found and found[-1] == ";":
        found.pop()
    return "".join(f"{word[0] * 2} " if word.startswith(("'", '"')) else f"{word} " for word in found)


def split(text: str) -> Iterator[str]:
    """The statements of a text, without their semicolons; what stands between two may be empty."""
    data, begin = text.encode(), 0
    for start, word in [*_tokens(text), (len(data), ";")]:
        if word == ";":
            yield data[begin:start].decode()
            begin = start + 1


def after(text: str, begins: re.Match[str] | None) -> str | None:
    """The text without the words at its beginning that were matched; None when there is nothing left."""
    starts = [start for start, _ in _tokens(text)]
    count = len(begins[0].split()) if begins else len(starts)
    return text.encode()[starts[count] :].decode() if count < len(starts) else None


def with_values(text: str) -> str:
    """A query whose PIVOTs have their values written out, where they would be looked up.

    Only so does DuckDB show it as one tree. Every word of the query is still in it, at its place.
    """
    tokens = [*_tokens(text), (len(text.encode()), "")]
    depths, depth = [], 0
    for _, word in tokens:
        depth -= word in {")", "]", "}"}
        depths.append(depth)
        depth += word in {"(", "[", "{"}
    places: set[int] = set()
    for first, (_, pivot) in enumerate(tokens):
        if pivot in {"pivot", "pivot_wider"}:
            level, begun, listed = depths[first], False, False
            for (start, word), here in zip(tokens[first:], depths[first:], strict=True):
                ends = here < level or not word or (here == level and word in {*_ENDS_PIVOT, ";"})
                if begun and not listed and (ends or (here == level and word == ",")):
                    places.add(start)
                if here == level and word in {"on", ","}:
                    begun, listed = begun or word == "on", False
                listed = listed or (here == level and word == "in")
                if ends and begun:
                    break
    data = text.encode()
    for place in sorted(places, reverse=True):
        data = data[:place] + b"\n IN ('') " + data[place:]  # a comment may end there
    return data.decode()
