"""Which code made a table: one digest over everything that its bytes depend on.

Belongs here: the digest. Does not belong here: what it is compared with (`vitalake/lake/reconcile.py`).
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

from vitalake.arrivals.fingerprints import digest

_LIBRARIES = ("duckdb", "h5py", "msgspec", "numpy", "pandas", "pyarrow", "scipy")


@cache
def code_digest() -> str:
    """Digest of the pure core's source and of the libraries that compute and write.

    Nobody has to remember to raise a number: a changed line is a new version. Old partitions keep the code they
    were built with until somebody backfills them; a partition that is touched is rebuilt whole.
    """
    folder = Path(__file__).parents[1]
    files = sorted(path for kind in ("*.py", "*.sql", "*.json") for path in folder.rglob(kind))
    sources = [f"{path.relative_to(folder)}\n{path.read_text('utf-8')}" for path in files]
    return digest(*sources, *(f"{name} {version(name)}" for name in _LIBRARIES))[:16]
