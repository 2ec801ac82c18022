"""Bundles: objects whose names go together, such as a header and the files that it names.

Belongs here: grouping by names, and the order in which bundles came. Does not belong here: which names go together,
which each dataset says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

from vitalake.arrivals.objects import ObjectInfo

# Objects that make one recording, in the order of their keys. Most recordings are one object; a header and the
# files it names are one bundle, which is never torn apart: it has one day, one part, and is read together.
Bundle = tuple[ObjectInfo, ...]


# File names of one folder -> name of the bundle each belongs to; a name that is left out stands alone.
GroupObjects = Callable[[Collection[str]], Mapping[str, str]]


def bundles(items: Iterable[ObjectInfo], group_objects: GroupObjects | None) -> list[Bundle]:
    """Objects that belong together, in upload order; without `group_objects` each stands alone.

    A function of the names in a folder alone, so that whoever lists sees the same bundles as whoever reads.
    """
    if group_objects is None:
        return in_upload_order((item,) for item in items)
    folders: defaultdict[str, dict[str, ObjectInfo]] = defaultdict(dict)
    for item in items:
        folder, _, name = item.key.rpartition("/")
        folders[folder][name] = item
    return in_upload_order(bundle for names in folders.values() for bundle in in_one_folder(names, group_objects))


def in_one_folder(names: Mapping[str, ObjectInfo], group_objects: GroupObjects) -> Iterator[Bundle]:
    """The bundles of one folder, from all its objects by name."""
    group_of = group_objects(names.keys())
    groups: defaultdict[str, list[ObjectInfo]] = defaultdict(list)
    for name, item in names.items():
        if name in group_of:
            groups[group_of[name]].append(item)
        else:
            yield (item,)
    for group in groups.values():
        yield tuple(sorted(group, key=lambda item: item.key))


def in_upload_order(arrived: Iterable[Bundle]) -> list[Bundle]:
    """Sorted by (last modified, key): new objects come last, so an append-only day keeps its early parts."""
    return sorted(arrived, key=lambda bundle: (completed_at(bundle), bundle[0].key))


def size_bytes(bundle: Bundle) -> int:
    """What the objects of a bundle weigh together."""
    return sum(item.size_bytes for item in bundle)


def completed_at(bundle: Bundle) -> datetime:
    """When the last of its objects came (UTC)."""
    return bundle[0].uploaded_at if len(bundle) == 1 else max(item.uploaded_at for item in bundle)
