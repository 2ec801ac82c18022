"""The file `<home>/env`: how everything else finds the local system.

Belongs here: reading and writing it, and the environment made of it. Does not belong here: what settings mean.

A shell (`. .vitalake/env`) and the settings read the same file. Lines that a person adds, a Slack token say, stay.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from resources.settings import env_text, env_values
from vitalake.errors import PermanentError

_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=")
_KEY = "VITALAKE_PSEUDONYM_KEY"
_UNSAFE = "'\\$\n\r\0"  # a shell and a dotenv reader do not agree on how to write these


def read_env(path: Path) -> dict[str, str]:
    """The variables in the file; none when there is no file."""
    return env_values(path)


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Set variables in the file and keep its other lines; only its owner may read it.

    Raises:
        PermanentError: a value cannot be written so that all readers agree, or the key of pseudonyms would become
            another one although the home holds data.
    """
    for name, value in values.items():
        if unsafe := sorted(set(value) & set(_UNSAFE)):
            raise PermanentError(f"{name} cannot hold {unsafe!r}: choose another state folder with --home")
    if _KEY in values and _holds_data(path.parent) and read_env(path).get(_KEY) != values[_KEY]:
        raise PermanentError(
            f"{_KEY} is not in {path}, but {path.parent} holds data: with a new key every subject would get "
            "another pseudonym. Put that file, or its line with the key, back from a backup; without one, choose "
            f"another folder with --home, or delete {path.parent} (make clean) and upload everything again"
        )
    kept = [line for line in _lines(path) if not ((match := _LINE.match(line)) and match[1] in values)]
    lines = [*(f"export {name}='{value}'" for name, value in values.items()), *kept]
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())  # the key is kept before there is anything to keep it for
    draft.replace(path)


def local_keys(env: Mapping[str, str]) -> dict[str, str]:
    """The S3 keys of this home and the key of its pseudonyms; random ones, made once."""
    return {
        _KEY: env.get(_KEY) or secrets.token_hex(32),
        "AWS_ACCESS_KEY_ID": env.get("AWS_ACCESS_KEY_ID") or f"local{secrets.token_hex(8)}",
        "AWS_SECRET_ACCESS_KEY": env.get("AWS_SECRET_ACCESS_KEY") or secrets.token_urlsafe(32),
    }


def process_env(from_file: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """What local services run with: the file, overridden by our own environment, overridden by `values`.

    Whoever is logged in to AWS here must not have those credentials used, so they are left out.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**from_file, **own, **values, "PYTHONUNBUFFERED": "1"}


def _holds_data(home: Path) -> bool:
    """Whether the S3 server of this home has ever run: its folder is made after `env` is written."""
    return (home / "s3").is_dir() and any((home / "s3").iterdir())


def _lines(path: Path) -> list[str]:
    return env_text(path).splitlines()
