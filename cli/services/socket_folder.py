"""A folder for unix sockets, which every user of a machine could reach as ports.

Belongs here: making it, and removing that of an earlier start. Does not belong here: who listens there.

It is a temporary folder, since the path of a socket may have some 100 bytes and that of a state folder any number.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_LINK, _PREFIX = "sockets", "vitalake-"
_LONGEST = 60  # characters, so that there is room for the names of sockets


@contextmanager
def socket_folder(home: Path) -> Iterator[Path]:
    """A new folder that only we may enter, gone when the block ends; ``<home>/sockets`` leads to it."""
    link = home / _LINK
    _remove(link)  # of a start that was killed
    usual = gettempdir()
    folder = Path(mkdtemp(prefix=_PREFIX, dir=usual if len(usual) <= _LONGEST else "/tmp"))  # noqa: S108
    link.symlink_to(folder)
    try:
        yield folder
    finally:
        _remove(link)


def _remove(link: Path) -> None:
    if link.is_symlink():
        if link.readlink().name.startswith(_PREFIX):  # never a folder that somebody else has linked here
            shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()
