"""What the key of an object says about the recording in it (check S14).

Belongs here: patterns in keys. Does not belong here: what the content says (`readers/`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from vitalake.ecg.recording import Finding

_CLASS_FOLDER = re.compile(r"[0-9]{1,3} (?P<label>[A-Za-z]\w*)", re.ASCII)
_FRAGMENT_FILE = re.compile(r"(?P<record>[0-9]{1,6})m \((?P<fragment>[0-9]{1,6})\)\.mat", re.ASCII)
_DEVICE_FOLDER = re.compile(r"(?:^|/)device=([^/]+)/")


class PathMetadata(NamedTuple):
    """What a key says; None where it says nothing."""

    label: str | None
    record: str | None
    fragment: int | None
    device_id: str | None
    findings: tuple[Finding, ...]


def parse_path(key: str) -> PathMetadata:
    """Metadata of ``…/<n> <class>/<record>m (<fragment>).mat`` and of ``device=<id>/`` anywhere in the key.

    A key that only half follows the first pattern gives none of it, and the finding S14.
    """
    _, folder, file = ("/" * 2 + key).rsplit("/", 2)
    in_class, fragment = _CLASS_FOLDER.fullmatch(folder), _FRAGMENT_FILE.fullmatch(file)
    device = _DEVICE_FOLDER.search(key)
    device_id = device[1] if device else None
    if in_class and fragment:
        return PathMetadata(in_class["label"], fragment["record"], int(fragment["fragment"]), device_id, ())
    odd = Finding("S14", "the folder names a rhythm class or the file a fragment, but not both as expected")
    return PathMetadata(None, None, None, device_id, (odd,) if in_class or fragment else ())
