"""Trigram similarity by others: PostgreSQL's own, and a plain one in Python that shares nothing with ours."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any
from unittest.mock import patch

import numpy as np
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests import postgres_server


def similarity(a: str, b: str) -> np.float32:
    """As PostgreSQL's documentation describes it, for letters, digits and anything that is no part of words."""
    one, other = _trigrams(a), _trigrams(b)
    alike: np.float32 = np.divide(len(one & other), len(one | other) or 1, dtype=np.float32)
    return alike if one and other else np.float32(0)


def _trigrams(name: str) -> set[str]:
    runs = groupby(name, lambda c: unicodedata.category(c) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl"})
    words = ["".join("i" if c == "İ" else c.lower() for c in run) for is_word, run in runs if is_word]
    return {padded[at : at + 3] for word in words for padded in [f"  {word} "] for at in range(len(word) + 1)}


@contextmanager
def pg_trgm() -> Iterator[Engine]:
    """A real PostgreSQL with the extension, in a database of UTF-8 and a locale that knows its letters.

    Raises:
        LookupError: this machine has none: the wheel's comes without contrib, so it is that on PATH.
    """
    with (
        patch.object(postgres_server, "_PACKAGE", "no_wheel_has_contrib"),
        postgres_server.postgres_server() as url,
    ):
        database = "CREATE DATABASE trgm TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
        _autocommit(url, database)
        engine = create_engine(make_url(url).set(database="trgm"))
        try:
            _autocommit(engine.url.render_as_string(hide_password=False), "CREATE EXTENSION pg_trgm")
            yield engine
        finally:
            engine.dispose()


def _autocommit(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        raise LookupError(f"PostgreSQL here cannot do this: {statement}: {error.orig}") from error
    finally:
        engine.dispose()


def rows(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]
