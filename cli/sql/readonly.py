"""What `vitalake sql` may carry out: statements that read, and nothing else.

Belongs here: judging statements before they run, and closing a connection to everything but the lake and this
machine's files. Does not belong here: cutting up their text (`cli/sql/statements.py`), running them
(`cli/sql/session.py`).

A read-only connection protects its own file alone: COPY writes to the buckets, SET and CREATE SECRET reconfigure,
INSTALL downloads. No setting of DuckDB forbids that and leaves reading S3. So a statement has to be of a kind that
is known to read, and DuckDB's own parser has to show that every function in it which gives rows is known, too.
What cannot be shown is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from cli.sql.statements import after, split, with_values, words
from vitalake.serving.catalog import quote

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

# Functions of a FROM clause that open files; where, is in their arguments.
READS_FILES = frozenset(
    {
        *("glob", "parquet_bloom_probe", "parquet_file_metadata", "parquet_full_metadata"),
        *("parquet_kv_metadata", "parquet_metadata", "parquet_scan", "parquet_schema", "read_blob"),
        *("read_csv", "read_csv_auto", "read_json", "read_json_auto", "read_json_objects"),
        *("read_json_objects_auto", "read_ndjson", "read_ndjson_auto", "read_ndjson_objects"),
        *("read_ndjson_objects_auto", "read_parquet", "read_text", "sniff_csv"),
    }
)
# Others that only give rows; with them everything that begins like `_ABOUT`.
GIVES_ROWS = frozenset(
    {
        *("generate_series", "generate_subscripts", "icu_calendar_names"),
        *("json_each", "json_tree", "pg_timezone_names", "range", "repeat", "repeat_row", "summary"),
        *("test_all_types", "test_vector_types", "unnest"),
    }
)
_ABOUT = ("duckdb_", "pragma_")  # what DuckDB says of itself: tables, columns, settings, memory
_WRITES = frozenset({"write_log"})  # the only one of the other functions
# How a list or a structure of constants stands in the tree; any other function may compute an address.
_LITERALS = frozenset({"list_value", "struct_pack", "row", "map"})
_NAMED = ("catalog", "schema", "table")
SETTINGS = frozenset(
    {"timezone", "threads", "memory_limit", "preserve_insertion_order", "default_order", "default_null_order"}
)
_EXPLAIN = re.compile(r"explain (?:analyze |verbose )*(?:\( (?:(?:analyze|verbose|format) (?:\w+ )?(?:, )?)+\) )?")
_TEMPORARY = re.compile(r"create (?:or replace )?temp(?:orary)? (?:table|view) (?:if not exists )?(?:\w+|\"\") as ")
_SET = re.compile(r"(?:set|reset) (?:session |global |local )?(\w+) (?:(?:=|to) (?:\w+|'') )?")
_INSTEAD = {
    "create": "CREATE TEMP TABLE name AS SELECT … lasts as long as this session",
    "set": f"what can be set: {', '.join(sorted(SETTINGS))}",
}


class StatementRefusedError(Exception):
    """A statement that does more than read; the message is for whoever asked."""


@dataclass(frozen=True)
class JudgedStatement:
    """A statement that only reads, to be run as this text; and whether it has rows to show."""

    text: str
    has_rows: bool


def close_off(connection: duckdb.DuckDBPyConnection, buckets: Sequence[str], spill: Path) -> None:
    """Let a connection reach nothing but these buckets and this machine's files, for as long as it lives.

    What it cannot prevent is writing there: that is for `judge`.

    Args:
        connection: one that can read S3 already; after this it takes no other extension.
        buckets: names of buckets.
        spill: an existing folder for what a large query does not keep in memory.
    """
    places = ", ".join(quote(place) for place in ("/", *(f"s3://{bucket}/" for bucket in buckets)))
    for setting in (
        f"temp_directory = {quote(str(spill))}",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "python_enable_replacements = false",  # a name in SQL is no variable of this program
        f"allowed_directories = [{places}]",
        "enable_external_access = false",  # last: it closes the door, and cannot be set back
    ):
        connection.execute(f"SET {setting}")


def judge(text: str, buckets: Sequence[str]) -> list[JudgedStatement]:
    """The statements of a text, if every one of them only reads; none has been run.

    Raises:
        RefusedError: one of them does more, or it cannot be shown that it does not.
        duckdb.Error: the text is not SQL.
    """
    found = _parsed(text)
    if all(statement.query for statement in found):
        pieces = [statement.query for statement in found]
    else:  # a PIVOT, which becomes several statements that have no text of their own
        pieces = [piece for piece in split(text) if _parsed(piece)]
    return [_judged(piece, buckets) for piece in pieces]


def _judged(text: str, buckets: Sequence[str]) -> JudgedStatement:
    said = words(text)
    kinds = [statement.type.name for statement in _parsed(text)]
    if kinds == ["SET"] and (found := _SET.fullmatch(said)) and found[1] in SETTINGS:
        return JudgedStatement(text, has_rows=False)
    query: str | None = None
    if kinds == ["CREATE"]:
        query = after(text, _TEMPORARY.match(said))
    elif "EXPLAIN" in kinds:  # of a PIVOT it becomes several statements
        query = after(text, _EXPLAIN.match(said))
    elif "SELECT" in kinds:
        query = text
    tree = None if query is None else _tree(query) or _tree(with_values(query))
    if tree is None:
        raise _refused(said)
    _walk(tree, buckets)
    return JudgedStatement(text, has_rows=kinds != ["CREATE"])


def _refused(said: str) -> StatementRefusedError:
    first = said.partition(" ")[0]
    what = f"not {first.upper()}" if first.isalpha() else "not this"
    instead = _INSTEAD.get(first, "to keep a result, use --output FILE")
    return StatementRefusedError(f"`vitalake sql` is read-only and runs what is known to read, {what}; {instead}")


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """Where statements are read that are not judged yet: DuckDB looks into files while it reads IMPORT."""
    import duckdb

    return duckdb.connect(config={"enable_external_access": "false", "autoload_known_extensions": "false"})


def _parsed(text: str) -> list[duckdb.Statement]:
    import duckdb

    try:
        return _parser().extract_statements(text)
    except (duckdb.PermissionException, duckdb.IOException):
        raise _refused(words(text)) from None


def _tree(query: str) -> Any:
    """DuckDB's own parse of a text that is one SELECT; None when it is anything else."""
    if "\0" in query:
        raise StatementRefusedError("the query holds a NUL character, behind which nothing is read: take it out")
    # Written out: for a text that is a parameter, DuckDB imports pandas.
    [(answer,)] = _parser().execute(f"SELECT json_serialize_sql({quote(query)})").fetchall()
    try:
        parsed = json.loads(answer)
    except RecursionError:
        raise StatementRefusedError("the query is nested too deeply to be judged: split it up") from None
    if parsed["error"] or len(parsed["statements"]) != 1:
        return None
    return parsed["statements"]


def _walk(tree: Any, buckets: Sequence[str]) -> None:
    """Raise RefusedError for anything in the tree that is not known to read only, and only here."""
    for node in _nodes(tree):
        # A name with a dot in it may be the address of a file.
        _refuse_elsewhere(".".join(str(node.get(f"{part}_name") or "") for part in _NAMED).lstrip("."), buckets)
        if str(node.get("function_name")).lower() in _WRITES:
            raise StatementRefusedError(f"`vitalake sql` is read-only, and {node['function_name']} writes")
        if node.get("type") == "TABLE_FUNCTION":
            name = str(node["function"]["function_name"]).lower()
            if name in READS_FILES:
                _walk_address(node["function"], buckets)
            elif name not in GIVES_ROWS and not name.startswith(_ABOUT):
                raise StatementRefusedError(f"`vitalake sql` is read-only, and {name} is not known to be")


def _walk_address(call: dict[str, Any], buckets: Sequence[str]) -> None:
    for node in _nodes(call["children"]):
        if not _is_written_out(node):
            raise StatementRefusedError(
                f"write out what {call['function_name']} reads: `vitalake sql` has to know it before"
            )
        if node.get("class") == "CONSTANT" and isinstance(text := node["value"].get("value"), str):
            _refuse_elsewhere(text, buckets)


def _is_written_out(node: dict[str, Any]) -> bool:
    """Whether this part of an argument stands there as it will be used: DuckDB works out all others later.

    `header = true` is a comparison of a column with a cast of 't'.
    """
    kind = node.get("class")
    if kind == "FUNCTION":
        return node["function_name"] in _LITERALS
    if kind == "CAST":
        return node["child"].get("class") == "CONSTANT" and node["child"]["value"].get("value") in {"t", "f"}
    return kind in {None, "CONSTANT", "COMPARISON", "COLUMN_REF"}


def _refuse_elsewhere(address: str, buckets: Sequence[str]) -> None:
    """Raise RefusedError for an address that leads away from here: there our keys would be shown, and our data.

    What follows a question mark, DuckDB takes for settings of the connection: another server, say. It does so in a
    key that a pattern finds, too, and in the raw bucket keys are whatever somebody has uploaded.
    """
    if "://" not in address or (address.startswith("file:///") and address.count("://") == 1):
        return
    scheme, bucket, *key = address.replace("://", "/", 1).split("/", 2)
    if bucket == buckets[0] and set("*[{") & set("".join(key)):
        raise StatementRefusedError(
            f"`vitalake sql` reads no patterns in {bucket}, where keys are whatever somebody has uploaded: "
            "name one object; the tables raw_… list them"
        )
    if scheme != "s3" or bucket not in buckets or "?" in "".join(key):
        raise StatementRefusedError(
            f"`vitalake sql` reads files of this machine and s3:// addresses without a question mark in "
            f"{', '.join(buckets)}, and nothing elsewhere: {address}"
        )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            yield node
            todo += node.values()
        elif isinstance(node, list):
            todo += node
