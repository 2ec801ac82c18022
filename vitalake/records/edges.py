"""Characters that nobody sees before and behind the texts of a column: taken away, or told.

Belongs here: finding them, in a column at a time. Does not belong here: which characters these are
(`conditions.py`), what becomes of a record (`judge.py`).
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from vitalake.lake.columns import array, truth
from vitalake.records.conditions import EDGE, without_edges
from vitalake.records.csv.lines import text_of
from vitalake.records.names import character

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]


def without_edges_in(column: pa.Array, empty_is_null: bool) -> pa.Array:
    """The texts of a column without them; null, if so it is said, where nothing is left."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    at = _with_edges(column)
    if not len(at):
        return column
    texts = pc.replace_substring_regex(column.take(array(at, pa.int64())), rf"\A[{EDGE}]+|[{EDGE}]+\z", "")
    if empty_is_null:
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    mask = np.zeros(len(column), np.bool_)
    mask[at] = True
    return pc.replace_with_mask(column, array(mask, pa.bool_()), texts)


def edges_of(column: pa.Array) -> list[tuple[str, Mask]]:
    """Which texts begin or end with one, by the character, shape (n,); not those that are nothing else."""
    import numpy as np
    import pyarrow as pa

    at = _with_edges(column)
    found: dict[str, Mask] = {}
    for position, text in zip(at.tolist(), column.take(array(at, pa.int64())).to_pylist(), strict=True):
        rest = without_edges(text)
        if rest:
            sign = text[0] if text[0] != rest[0] else text[-1]
            found.setdefault(sign, np.zeros(len(column), np.bool_))[position] = True
    return [(f"begins or ends with {character(sign)}, which nobody sees", found[sign]) for sign in sorted(found)]


def _with_edges(column: pa.Array) -> Numbers:
    """Positions of the texts that have one; most begin and end with a visible sign of ASCII, which is soon seen."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets, data = text_of(column)
    if not len(data) or (data.min() >= ord("!") and data.max() <= ord("~")):
        return np.empty(0, np.int64)
    ends = (data.take(places, mode="clip") for places in (offsets[:-1], offsets[1:] - 1))
    odd = reduce(or_, (end - np.uint8(ord("!")) > ord("~") - ord("!") for end in ends))
    at = np.flatnonzero(odd & (offsets[:-1] < offsets[1:]))
    if not len(at):
        return at
    matched = pc.match_substring_regex(column.take(array(at, pa.int64())), rf"\A[{EDGE}]|[{EDGE}]\z")
    return at[truth(matched.fill_null(False))]
