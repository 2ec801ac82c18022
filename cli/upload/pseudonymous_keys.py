"""Keys that name nobody, for files that are called after people.

Belongs here: from names of files to keys. Does not belong here: which files there are, sending them
(`cli/upload/files.py`), or what a key is made of otherwise (`cli/upload/command.py`).

Everybody who may read the lake sees keys, and so does whoever reads alerts, logs and the web UI. So a file's path
is replaced by an HMAC with the key for pseudonyms. The same path gives the same key again: what is uploaded again
replaces what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from cli.upload.files import UploadSource
from vitalake.errors import PermanentError
from vitalake.pseudonyms import Pseudonyms

# What may stay of a name: formats are recognised by content, but people like to see them.
_SUFFIXES = (".bdf", ".csv", ".dcm", ".ecg", ".edf", ".json", ".mat", ".ndjson", ".scp", ".tsv", ".txt", ".xml")
_OF_SEVERAL_FILES = (".hea", ".dat", ".atr", ".qrs")


def pseudonymous(sources: Sequence[UploadSource], prefix: str, pseudonyms: Pseudonyms) -> list[UploadSource]:
    """The same files, each with a pseudonym of its path in place of what follows `prefix` in its key.

    Raises:
        PermanentError: a file is part of a WFDB recording, whose header knows the others by name.
    """
    renamed = []
    for source in sources:
        path = PurePosixPath(source.key.removeprefix(prefix))
        suffix = path.suffix.lower()
        if suffix in _OF_SEVERAL_FILES:
            raise PermanentError(
                f"{path.name} is part of a WFDB recording: its header knows the other files by their names, so "
                "they have to keep them. Rename the recording with a program that writes the header anew (WFDB's "
                "xform), and upload it without --pseudonymous-names"
            )
        kept = suffix if suffix in _SUFFIXES else ""
        renamed.append(replace(source, key=f"{prefix}{pseudonyms.of('path of a file', str(path))}{kept}"))
    return renamed
