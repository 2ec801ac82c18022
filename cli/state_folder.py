"""The state folder: whose it is, and that nobody else reads what is in it.

Belongs here: who may use a folder for the local state, and the modes of what is made in it. Does not belong here:
what is kept there (`cli/services/local_system.py` and the services).

Health data and keys lie in it. A folder that is there already is left as it is, also where others may read it
or add files of theirs, as in `/tmp`: what is made in it is closed. But nobody else may be able to replace a file of
ours, or have put something where one is about to be made.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.home import is_foreign
from vitalake.errors import PermanentError

# What is made directly in it: an earlier version may have left these open to whoever may enter.
_MADE = (
    "dagster",
    "env",
    "init.sql",
    "lake.duckdb",
    "lock",
    "logs",
    "ports.json",
    "s3",
    "sockets",
    "sql_history",
    "tls",
    "workspace.yaml",
)


def open_folder(home: Path) -> Path:
    """The folder with links followed; made, for us alone, unless it is there. What is there keeps its mode.

    Raises:
        PermanentError: it, or something in the place of what is ours, belongs to another user, or others may rename
            what is in it.
        OSError: it cannot be made or looked at.
    """
    for link in (home.absolute(), *home.absolute().parents):
        if is_foreign(link) and link.is_symlink():
            raise _refused(home, f"{link} is a link of another user")
    home = home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_foreign(home):
        raise _refused(home, f"{home} belongs to another user")
    found = home.stat()
    others = stat.S_IWOTH | (0 if _is_private(found.st_gid) else stat.S_IWGRP)
    if found.st_mode & others and not found.st_mode & stat.S_ISVTX:
        mode = stat.S_IMODE(found.st_mode)
        raise _refused(home, f"others may rename what is in {home} (mode {mode:o}; `chmod go-w` ends that)")
    for item in map(home.joinpath, _MADE):
        if is_foreign(item):
            raise _refused(home, f"{item} belongs to another user")
        if item.exists() and not item.is_symlink() and (mode := stat.S_IMODE(item.stat().st_mode)) & 0o077:
            item.chmod(mode & 0o700)
    return home


def _is_private(group: int) -> bool:
    """Whether a group is that of our own user alone, as systems make one for each user."""
    try:
        found, own = grp.getgrgid(group), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return found.gr_name == own.pw_name and group == own.pw_gid and not set(found.gr_mem) - {own.pw_name}


@contextmanager
def closed_to_others() -> Iterator[None]:
    """Whatever this process and those that it starts make in the meantime, only its owner may read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _refused(home: Path, why: str) -> PermanentError:
    return PermanentError(
        f"{home} is no place for health data: {why}, who could put files of theirs in the place of ours. Choose a "
        "folder that only you may write into with --home or VITALAKE_HOME"
    )
