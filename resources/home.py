"""The state folder as whoever only reads it needs it: which one is meant, whose it is, and its settings.

Belongs here: finding a home and reading its settings, with errors that say what to do. Does not belong here: what
settings there are (`resources/settings.py`), making a home and keeping others out (`cli/state_folder.py`).
"""

from __future__ import annotations

import os
from pathlib import Path

from resources.settings import Settings, home_folder, load_settings
from vitalake.errors import PermanentError


def nearest_home() -> Path:
    """The home that the environment names, in this folder or, as a repository's, in the nearest one above it."""
    named, here = home_folder(), Path.cwd()
    found = (folder / named for folder in (here, *here.parents) if (folder / named).is_dir())
    return next(found, named)


def is_foreign(path: Path) -> bool:
    """Whether something is there that neither we nor the administrator own: it is not to be believed."""
    try:
        return path.lstat().st_uid not in (os.geteuid(), 0)
    except (FileNotFoundError, NotADirectoryError):
        return False


def settings_in(home: Path) -> Settings:
    """The settings of the system in `home`.

    Raises:
        PermanentError: its file of settings is another user's, or a value cannot be used.
    """
    from pydantic import ValidationError

    if is_foreign(home / "env"):  # it could send what is uploaded to a server of theirs
        raise PermanentError(f"{home / 'env'} belongs to another user: choose your own state folder with --home")
    try:
        return load_settings(home)
    except ValidationError as error:
        # Not str(error): it repeats the value, which may be a secret.
        found = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise PermanentError(
            f"a setting cannot be used: {found}\nLook at the environment and at {home / 'env'}."
        ) from None
