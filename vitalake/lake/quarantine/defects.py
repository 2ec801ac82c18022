"""An exception of code that has a file's content in hand, and that nobody raised on purpose: a defect of ours.

Belongs here: what of an error is the object's own row in quarantine, and what the log says of it; which object is
at fault where many are laid out together. Does not belong here: which bytes are read when
(`vitalake/lake/reading.py`), the rows themselves (`rows.py`).

Reading and laying out are functions of the bytes alone, so such an error comes again each time, and whatever fails
with it waits for a programmer. So it is the row of one object, never the failure of a day. A machine that is short
of memory, a library that is not there or a store that does not answer says nothing about an object: that is raised.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from vitalake.arrivals.bundles import Bundle
from vitalake.errors import PermanentError, TransientError, UnusableDataError
from vitalake.escaping import printable
from vitalake.lake.checks import DEFECT
from vitalake.lake.contents import Refusal, Tabulated
from vitalake.lake.dataset import Dataset

OF_THE_MACHINE = (MemoryError, OSError, ImportError, TransientError, PermanentError)


def refusals_for(error: Exception, keys: Sequence[str]) -> tuple[Refusal, ...]:
    """Of each of these objects, what it is refused for, with the number of records in it where the error tells it.

    The log has the traceback of a defect, without what the exception says: a library may quote a value in it.
    """
    if isinstance(error, UnusableDataError):
        count = error.record_count
        return tuple(Refusal(key, error.rule, error.message, record_count=count) for key in keys)
    kind = type(error).__name__
    frames = "".join(traceback.format_tb(error.__traceback__))
    shown = ", ".join(map(printable, keys))
    logging.getLogger(__name__).error("a defect of the reader (%s) at %s\n%s", kind, shown, frames)
    message = (
        f"a defect of the reader ({kind}), no finding about the file: the log of the run has the traceback to "
        "report. A program that mends it reads the object again when its day is next built"
    )
    return tuple(Refusal(key, DEFECT, message) for key in keys)


def laid_out_apart(
    dataset: Dataset, pieces: Sequence[tuple[Bundle, Sequence[Any]]], failed: Exception
) -> Iterator[Tabulated]:
    """The rows of each bundle by itself, in order, after laying out all of them at once `failed`.

    The bundle whose values cannot be laid out is refused. Where none of several can be, the code is at fault and
    not one of them: the run fails, and the lake stays as it is.

    Raises:
        Exception: whatever the layout raised, where it is at fault.
    """
    apart: list[tuple[Bundle, Tabulated | Exception]] = []
    for bundle, its in groupby(pieces, key=lambda piece: piece[0]):
        try:
            apart.append((bundle, dataset.tabulate(list(chain.from_iterable(values for _, values in its)))))
        except OF_THE_MACHINE:
            raise
        except Exception as error:
            apart.append((bundle, error))
    if len(apart) > 1 and all(_is_defect(found) for _, found in apart):
        raise failed
    for bundle, found in apart:
        if isinstance(found, Tabulated):
            yield found
        else:
            yield Tabulated({}, refusals_for(found, [item.key for item in bundle]))


def _is_defect(found: Tabulated | Exception) -> bool:
    return isinstance(found, Exception) and not isinstance(found, UnusableDataError)
