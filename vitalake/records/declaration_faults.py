"""Slips in a declaration that Python lets pass, or tells in words that help nobody.

Belongs here: a wrong keyword, a missing comma, one thing where a list of them is expected. Does not belong here:
what a declaration may say (`declare.py`, `vitalake/lake/dataset.py`), finding declarations
(`vitalake/datasets/declared.py`).
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, NamedTuple

from vitalake.lake.dataset import Dataset

_UNEXPECTED = re.compile(r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'")
_MADE_HERE = {"name", "doc", "owner", "parse", "tabulate", "tables", "rules"}
_LISTS = (ast.Tuple, ast.List, ast.Set)


def refuse_unknown_argument(function: Callable[..., Any], what: str, given: Mapping[str, Any]) -> None:
    """Holds further arguments of a function, which go to `Dataset`, to those that are there. Raises ValueError."""
    own = [name for name in inspect.signature(function).parameters if name != "more"]
    known = [each.name for each in fields(Dataset) if each.name not in _MADE_HERE]
    for name in given:
        if name not in known:
            raise ValueError(f"{what} has no argument {name!r}{_meant(name, [*own, *known])}")


def refuse_no_list(what: str, **arguments: tuple[Any, type]) -> None:
    """Holds arguments to be lists of what they should hold. Raises ValueError.

    A text is a sequence too, of its letters, and brackets around one thing make no list without a comma.
    """
    for argument, (value, kind) in arguments.items():
        if isinstance(value, str):
            raise ValueError(
                f"{what}: {argument} is a list of names; of one name it is {argument}=({value!r},), and a comma "
                "stands between two of them"
            )
        if isinstance(value, kind) or not isinstance(value, (tuple, list)):
            raise ValueError(
                f"{what}: {argument} is a list; of one thing it is {argument}=(…,), with a comma behind it"
            )
        for each in value:
            if not isinstance(each, kind):
                raise ValueError(f"{what}: {argument} is a list of {kind.__name__}, and one of it is {each!r:.80}")


def hint(error: Exception, source: str) -> str:
    """What may be meant where a module of declarations raised an error; empty: nobody can tell.

    Args:
        error: what it raised.
        source: its text.
    """
    found = _UNEXPECTED.search(str(error))
    if isinstance(error, TypeError) and found and (known := _parameters(error, found[1])):
        return _meant(found[2], known).removeprefix(";").strip()
    lines = [line for line, _ in _joined_texts(source)]
    where = _line_of(error)
    near = [line for line in lines if where is not None and where <= line <= where + _end_of(source, where)]
    if isinstance(error, (TypeError, ValueError)) and near:
        return f"on line {near[0]} two texts stand side by side, which Python makes one: is a comma missing there?"
    return ""


def missing_comma(source: str) -> str | None:
    """Where two texts in a list of texts stand side by side, which makes one of them; None: nowhere."""
    line = next((line for line, listed in _joined_texts(source) if listed), None)
    if line is None:
        return None
    return (
        f"line {line}: two texts stand side by side in a list of texts, and Python makes one of them: a comma is "
        "missing; where a text is that long, put brackets around it"
    )


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _parameters(error: BaseException, name: str) -> list[str]:
    """The arguments of what was called in the frames of an error under a name."""
    frame = error.__traceback__
    while frame is not None:
        called = frame.tb_frame.f_globals.get(name)
        if callable(called):
            return [each for each in inspect.signature(called).parameters if each != "more"]
        frame = frame.tb_next
    return []


def _line_of(error: BaseException) -> int | None:
    """The line of the module that raised the error: the last frame of the file that was imported."""
    frame, lines = error.__traceback__, []
    while frame is not None:
        if frame.tb_frame.f_code.co_name == "<module>":
            lines.append(frame.tb_lineno)
        frame = frame.tb_next
    return lines[-1] if lines else None


def _end_of(source: str, line: int) -> int:
    """How many lines the innermost call has that begins on a line."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.lineno == line]
    return max((int(node.end_lineno or line) - line for node in calls), default=0)


def _joined_texts(source: str) -> Iterator[tuple[int, bool]]:
    """The line of each text that is put together of several, and whether it is one of a list of nothing but texts.

    In such a list, texts with brackets of their own around them are put together on purpose.
    """
    try:
        tree, texts = ast.parse(source), _texts(source)
    except (SyntaxError, tokenize.TokenError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (*_LISTS, ast.Call)):
            inside = node.args if isinstance(node, ast.Call) else node.elts
            plain = [each for each in inside if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            listed = not isinstance(node, ast.Call) and len(plain) == len(inside)
            for each in plain:
                text = texts.get((each.lineno, each.col_offset))
                own_bracket = text is not None and text.bracket not in (None, (node.lineno, node.col_offset))
                if text is not None and text.second is not None and not (listed and own_bracket):
                    yield text.second, listed


class _Text(NamedTuple):
    """A text of a source: where the bracket directly before it is, and on which line another text follows it."""

    bracket: tuple[int, int] | None
    second: int | None


def _texts(source: str) -> dict[tuple[int, int], _Text]:
    """The texts of a source, by line and column in bytes, as `ast` counts them."""
    lines = source.splitlines()
    found: dict[tuple[int, int], _Text] = {}
    first, bracket = None, None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NL, tokenize.COMMENT):
            continue
        line, column = token.start
        place = line, len(lines[line - 1][:column].encode()) if line <= len(lines) else column
        if token.type != tokenize.STRING:
            first, bracket = None, place if token.string == "(" else None
        elif first is None:
            first = place
            found[first] = _Text(bracket, None)
        elif found[first].second is None:
            found[first] = found[first]._replace(second=line)
    return found
