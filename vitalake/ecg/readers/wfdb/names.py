"""Which files of a folder make up one WFDB recording, by name only: a listing knows no content.

Belongs here: the grouping of names. Does not belong here: which of the files a header needs (`wfdb.needed`).

A header ``100.hea`` starts the group ``100``. A header belongs to it if its stem is ``100`` or goes on after that
with anything but a digit (``100_3chan.hea``, ``100skew.hea``, not ``1001.hea``), and so does a signal file or an
annotation (``100.dat``, ``100_1.dat``, ``100.atr``). A MATLAB file belongs to a header of its very stem only, and a
file of a format that needs no header (``100.edf``) to none: one stray header does not bind a folder together. Where
several headers fit, a file goes with the longest stem, and that header's group is the one of the shortest.
"""

from __future__ import annotations

from collections.abc import Iterable

HEADER_SUFFIX = ".hea"
OWN_STEM = (".mat",)
ALONE = (".edf", ".bdf", ".dcm", ".xml", ".scp", ".ecg", ".ann", ".csv", ".tsv", ".txt", ".json", ".pdf", ".md")


def recordings(names: Iterable[str]) -> dict[str, str]:
    """Name of the group by file name, for the files of one folder; a name that belongs to no header is left out.

    The order of `names` does not matter. Time grows as sorting does: 100,000 names in a folder are fine.
    """
    names = set(names)
    if not any(map(_is_header, names)):
        return {}
    entries = sorted((name.rpartition(".")[0] or name, not _is_header(name), name) for name in names)
    groups: dict[str, str] = {}
    # The header stems that the current stem begins with, shortest first, each with its group. In sorted order they
    # come before it. If the longest has joined a shorter one, so does whatever begins with it, digit or not: the
    # character after the shorter stem is the same.
    open_headers: list[tuple[str, str]] = []
    for stem, is_other, name in entries:
        while open_headers and not stem.startswith(open_headers[-1][0]):
            open_headers.pop()
        group = _join(stem, *open_headers[-1]) if open_headers else None
        if group is not None and _keeps_apart(name.lower(), stem, open_headers[-1][0]):
            group = None
        if not is_other:
            group = group or stem
            open_headers.append((stem, group))
        if group is not None:
            groups[name] = group
    return groups


def _keeps_apart(name: str, stem: str, header_stem: str) -> bool:
    return name.endswith(ALONE) or (name.endswith(OWN_STEM) and stem != header_stem)


def _is_header(name: str) -> bool:
    return name.endswith(HEADER_SUFFIX) and name != HEADER_SUFFIX


def _join(stem: str, header_stem: str, group: str) -> str | None:
    follows = stem[len(header_stem) : len(header_stem) + 1]
    return None if group == header_stem and "0" <= follows <= "9" else group
