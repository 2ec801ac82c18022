"""Which declaration and code made a table: one digest over everything that a dataset's bytes depend on.

Belongs here: the digest. Does not belong here: following source (`source_closure.py`), what the digest is compared
with (`vitalake/lake/reconcile.py`, `outdated.py`).

Every run and every tick of a sensor asks for it, so what was found out about the source is kept beside Python's own
compiled files, under the digest of all source that there is.
"""

from __future__ import annotations

import importlib.util
import json
import os
from contextlib import suppress
from dataclasses import is_dataclass
from datetime import timedelta
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

from vitalake.arrivals.fingerprints import digest
from vitalake.lake.computed.declaration import ComputedTable
from vitalake.lake.dataset import Dataset
from vitalake.lake.versions.source_closure import Symbol, source_closure

Declared = Dataset | ComputedTable

_ROOT = Path(__file__).parents[3]
_PACKAGE = "vitalake"
# What builds tables from what is declared.
_MECHANISM = [
    Symbol("vitalake.lake.reading", "read_objects"),
    *(Symbol("vitalake.lake.stages", name) for name in ("list_objects", "derive", "combine")),
]
_COMPUTING = Symbol("vitalake.lake.computed.build", "compute_table")
# Everything else that is declared counts, so that whatever is added counts until somebody says that it need not.
_OF_DATASET = {
    "doc",
    "owner",
    "views",
    "checks",
    "sinks",
    "pictures",
    "trends",
    "processed_within",
    "computed",
    "feeds",
}
_OF_COMPUTED = {"doc", "owner", "checks"}
_LEFT_OUT = {Dataset: _OF_DATASET, ComputedTable: _OF_COMPUTED}
_NO_BYTES = {"doc", "formerly"}  # of anything else that is declared
_KNOWN: dict[int, tuple[Declared, str]] = {}  # by identity: what is declared in dictionaries has no hash


def code_digest(dataset: Declared) -> str:
    """Digest of what the bytes of a dataset, or of a table of one's own, depend on.

    That is: what is declared, the source that it leads to, and the libraries which that imports.
    Nobody has to remember to raise a number: a changed line is a new version. Prose, views, checks, pictures and
    what other datasets declare are none of it. Old partitions keep the code they were built with until somebody
    backfills them; a partition that is touched is rebuilt whole.

    Raises:
        TypeError: something is declared of which nobody can say whether it has changed.
    """
    if id(dataset) not in _KNOWN:
        declared, symbols = _declaration(dataset)
        source, libraries = _source(frozenset(symbols))
        found = digest(*declared, source, *(f"{name} {_version(name)}" for name in libraries))[:16]
        _KNOWN[id(dataset)] = dataset, found
    return _KNOWN[id(dataset)][1]


def code_symbols(dataset: Declared) -> set[Symbol]:
    """The functions and classes that a dataset's tables are built by, before they are followed."""
    return _declaration(dataset)[1]


def _declaration(dataset: Declared) -> tuple[list[str], set[Symbol]]:
    declared: list[str] = []
    if isinstance(dataset, ComputedTable):
        symbols = {_COMPUTING}
        _declare(dataset, declared, symbols)
    else:
        symbols = set(_MECHANISM)
        _declare((dataset, dataset.raw_table, dataset.quarantine_table), declared, symbols)
    return declared, symbols


def _declare(value: Any, lines: list[str], symbols: set[Symbol]) -> None:
    """Add a declared value to `lines`, in one form; the functions and classes in it go to `symbols`."""
    if value is None or isinstance(value, (str, bytes, int, float, timedelta)):
        lines.append(repr(value))
    elif isinstance(value, (tuple, list, dict)):
        lines.append("(")
        for each in value.items() if isinstance(value, dict) else value:
            _declare(each, lines, symbols)
        lines.append(")")
    elif isinstance(value, partial):
        _declare((value.func, value.args, value.keywords), lines, symbols)
    elif isinstance(value, FunctionType):
        symbols.add(Symbol(value.__module__, value.__qualname__.partition(".")[0]))
        lines.append(value.__qualname__)
        _declare([cell.cell_contents for cell in value.__closure__ or ()], lines, symbols)
    elif isinstance(value, (type, BuiltinFunctionType)):
        lines.append(f"{value.__module__}.{value.__qualname__}")
    elif is_dataclass(value):
        kind = type(value)
        symbols.add(Symbol(kind.__module__, kind.__qualname__))
        left_out = next((names for of, names in _LEFT_OUT.items() if isinstance(value, of)), _NO_BYTES)
        lines.append(kind.__qualname__)
        _declare({name: each for name, each in vars(value).items() if name not in left_out}, lines, symbols)
    else:
        raise TypeError(
            f"nobody can say whether {value!r} has changed since a table was built: declare texts, numbers, lists, "
            "dataclasses and functions of these"
        )


@cache
def _source(symbols: frozenset[Symbol]) -> tuple[str, list[str]]:
    """The digest of all source that these lead to, and the libraries that it imports."""
    if any(symbol.module.partition(".")[0] != _PACKAGE for symbol in symbols):  # of a test
        return _followed(symbols)
    name = digest(*(f"{symbol.module} {symbol.name}" for symbol in sorted(symbols)))
    place = Path(importlib.util.cache_from_source(__file__)).with_name(f"source-{name}.kept")
    every = _all_source()
    with suppress(OSError, ValueError, LookupError, TypeError):
        kept = json.loads(place.read_text("utf-8"))
        if kept["of"] == every:
            return str(kept["digest"]), list(map(str, kept["libraries"]))
    found, libraries = _followed(symbols)
    with suppress(OSError):  # nothing can be kept there: then it is found out each time
        place.parent.mkdir(exist_ok=True)
        new = place.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"of": every, "digest": found, "libraries": libraries}))
        new.replace(place)
    return found, libraries


def _followed(symbols: frozenset[Symbol]) -> tuple[str, list[str]]:
    closure = source_closure(set(symbols), _ROOT)
    return digest(*closure.lines), sorted(closure.libraries)


@cache
def _all_source() -> str:
    """Digest of every file of ours, as it lies there."""
    source = sha256()
    folders = [(base, names) for base, _, names in os.walk(_ROOT / _PACKAGE) if not base.endswith("__pycache__")]
    for path in sorted(f"{base}/{name}" for base, names in folders for name in names):
        content = Path(path).read_bytes()
        source.update(f"{path} {len(content)} ".encode() + content)
    return source.hexdigest()


@cache
def _version(library: str) -> str:
    """Of what is imported by this name; nothing for a folder that was never installed."""
    try:
        return version(library)
    except PackageNotFoundError:  # installed under another name, such as Pillow for PIL
        return " ".join(f"{name} {version(name)}" for name in packages_distributions().get(library, ()))
