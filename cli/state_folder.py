"""The state folder: whose it is, and that nobody else reads what is in it.

Belongs here: who may use a folder for the local state, and the modes of what is made in it. Does not belong here:
what is kept there (`cli/local.py` and the services).

Health data and keys lie in it. Others who may write into it could put a link where a file of ours is about to be
made; so it has to be ours alone to write. A folder that others may read is left as it is: what is made in it is
closed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    "sql_history",
    "workspace.yaml",
)


def open_folder(home: Path) -> Path:
    """The folder with links followed; made, for us alone, unless it is there. What is there keeps its mode.

    Raises:
        PermanentError: it or something directly in it belongs to another user, or others may write or rename there.
        OSError: it cannot be made or looked at.
    """
    for link in (home.absolute(), *home.absolute().parents):
        if is_foreign(link) and link.is_symlink():
            raise _refused(home, f"{link} is a link of another user")
    home = home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_foreign(home):
        raise _refused(home, f"{home} belongs to another user")
    if (mode := stat.S_IMODE(home.stat().st_mode)) & 0o022:
        raise _refused(home, f"others may write into {home} (mode {mode:o}; `chmod go-w` ends that)")
    for folder in home.parents:
        if (mode := folder.stat().st_mode) & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise _refused(home, f"others may rename what is in {folder} (mode {stat.S_IMODE(mode):o})")
    for item in home.iterdir():
        if is_foreign(item):
            raise _refused(home, f"{item} belongs to another user")
    for item in map(home.joinpath, _MADE):
        if item.exists() and not item.is_symlink() and (mode := stat.S_IMODE(item.stat().st_mode)) & 0o077:
            item.chmod(mode & 0o700)
    return home


def is_foreign(path: Path) -> bool:
    """Whether something is there that neither we nor the administrator own: it is not to be believed."""
    try:
        return path.lstat().st_uid not in (os.geteuid(), 0)
    except (FileNotFoundError, NotADirectoryError):
        return False


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
