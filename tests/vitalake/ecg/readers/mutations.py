"""Damage to files, for tests that anything may be uploaded.

Belongs here: one hypothesis strategy for all formats. Does not belong here: expectations.
"""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def mutated(draw: st.DrawFn, original: bytes, structure: int) -> bytes:
    """`original` with bytes changed, mostly among the first `structure`, and perhaps a piece cut out or doubled."""
    data = bytearray(original)
    places = st.one_of(st.integers(0, min(structure, len(data)) - 1), st.integers(0, len(data) - 1))
    values = st.one_of(st.sampled_from((0, 1, 2, 127, 128, 255)), st.integers(0, 255))
    for at, value in draw(st.lists(st.tuples(places, values), max_size=12)):
        data[at] = value
    start, length = draw(places), draw(st.integers(0, 400))
    kind = draw(st.sampled_from(("keep", "keep", "keep", "cut", "double", "end")))
    if kind == "cut":
        del data[start : start + length]
    elif kind == "double":
        data[start:start] = data[start : start + length]
    elif kind == "end":
        del data[start:]
    return bytes(data)
