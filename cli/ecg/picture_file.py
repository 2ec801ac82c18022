"""The file that a command draws a picture into.

Belongs here: which names it may have, and writing it. Does not belong here: drawing (`vitalake/ecg/pictures/`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

import typer

from vitalake.errors import PermanentError


def check_picture_path(path: Path, kinds: Mapping[str, str]) -> None:
    """Hold the name of a picture's file to what can be written, before anything is read.

    Args:
        path: the file.
        kinds: endings of names, in lower case, and the kind of file that each means.

    Raises:
        typer.BadParameter: it has none of these endings, or its folder is not there.
    """
    if path.suffix.lower() not in kinds:
        raise typer.BadParameter(
            f"{path} is no name of a {' or '.join(kinds.values())} file: it has to end with {' or '.join(kinds)}"
        )
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"{path.absolute().parent} is not a folder")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, which is there as a whole or not at all. Raises PermanentError: it cannot be written."""
    # A name that nobody can foresee, and never a file that is there: others may write into this folder.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
        draft.replace(path)
    except OSError as error:
        raise PermanentError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
