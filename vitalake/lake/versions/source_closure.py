"""The source that functions and classes of ours use: what they name, and what that names, to the end.

Belongs here: reading source as Python does, without running it. Does not belong here: which functions
(`vitalake/lake/versions/code_version.py`).

A name is followed to where a module defines or imports it, so that a picture, a check or a view beside a function
is no part of it. Names are all that is seen, also in a text: that of a module, the beginning of one that is put
together (then it is every module below), that of a file or folder of data.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_HARMLESS = {"dataclass", "cache", "cached_property", "lru_cache", "contextmanager", "wraps"}
_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Symbol(NamedTuple):
    """What a module defines at its top; without a name: all of it."""

    module: str
    name: str = ""


# What is declared counts as values: in source it would be code with its prose. So of these calls so many arguments.
_DECLARED = {
    Symbol("vitalake.lake.tables", "Column"): 0,
    Symbol("vitalake.lake.tables", "Table"): 0,
    Symbol("vitalake.lake.dataset", "SqlView"): 2,  # a query that a computation may ask too
}
# It says what the source is, and has no part in any table.
_NO_PART = "vitalake.lake.versions"


@dataclass
class SourceClosure:
    """What was reached.

    Args:
        symbols: definitions of ours → their source in one form, without docstrings, comments and layout.
        files: data that they read → content.
        libraries: packages of others that they import, without Python's own.
    """

    symbols: dict[Symbol, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)

    @property
    def lines(self) -> list[str]:
        """All of it, for a digest; of libraries their names."""
        symbols = [f"{symbol.module}.{symbol.name}\n{text}" for symbol, text in sorted(self.symbols.items())]
        return [
            *symbols,
            *(f"{name}\n{text}" for name, text in sorted(self.files.items())),
            *sorted(self.libraries),
        ]


def source_closure(roots: set[Symbol], root: Path) -> SourceClosure:
    """Everything that these use of the packages that they are in, which lie in the folder `root`.

    Raises:
        FileNotFoundError: there is no source of one of them.
        SyntaxError: it cannot be read.
    """
    modules = _modules(root, frozenset(symbol.module.partition(".")[0] for symbol in roots) | {"vitalake"})
    closure = SourceClosure()
    todo = list(roots)
    seen: set[Symbol] = set()
    while todo:
        symbol = todo.pop()
        if symbol in seen or symbol.module.startswith(_NO_PART):
            continue
        seen.add(symbol)
        module = modules[symbol.module]
        todo += [Symbol(symbol.module, name) for name in module.always]
        if symbol.name in module.imported:
            ours, libraries = module.imported[symbol.name]
            todo += ours
            closure.libraries |= libraries
            continue
        statements = module.defined.get(symbol.name, [])
        if not symbol.name:
            todo += [Symbol(symbol.module, name) for name in (*module.defined, *module.imported)]
        elif not statements:
            todo.append(Symbol(symbol.module))  # nobody sees where it comes from
        closure.symbols[symbol] = module.text(symbol.name)
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    if node.id in module.defined or node.id in module.imported:
                        todo.append(Symbol(symbol.module, node.id))
                elif isinstance(node, (ast.Import, ast.ImportFrom)):
                    for ours, libraries in modules.imports(node).values():
                        todo += ours
                        closure.libraries |= libraries
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    todo += modules.named(node.value)
                    closure.files |= _data(module.path.parent, node.value, root)
    return closure


Imports = dict[str, tuple[list[Symbol], set[str]]]  # name → what of ours it is, or which library


@dataclass
class _Module:
    """The top of a module: name → what defines it, or from where it is imported; `always`: what just happens."""

    path: Path
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: Imports = field(default_factory=dict)
    always: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The source of a name in one form."""
        if name not in self._texts:
            self._texts[name] = "\n".join(map(_text, self.defined.get(name, ())))
        return self._texts[name]


class _Modules(dict[str, _Module]):
    """Modules by name, each read when it is asked for."""

    def __init__(self, root: Path, packages: frozenset[str]) -> None:
        self._root, self._packages = root, packages

    def path_of(self, name: str) -> Path | None:
        """The file of a module of ours; None for what is none."""
        if name.partition(".")[0] not in self._packages or not name.replace(".", "").isidentifier():
            return None
        path = self._root.joinpath(*name.split("."))
        return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)

    def named(self, text: str) -> list[Symbol]:
        """The modules that a text names: one, or with a dot at its end all below a package."""
        path = self.path_of(text.removesuffix("."))
        if path is None or not text.endswith("."):
            return [Symbol(text)] if path else []
        below = (each.relative_to(self._root).with_suffix("") for each in path.parent.rglob("*.py"))
        return [Symbol(".".join(each.parts).removesuffix(".__init__")) for each in below]

    def imports(self, node: ast.Import | ast.ImportFrom) -> Imports:
        """What an import binds."""
        found: Imports = {}
        for alias in node.names:
            name = node.module or "" if isinstance(node, ast.ImportFrom) else alias.name
            bound = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else name.partition(".")[0])
            if self.path_of(name) is None:
                found[bound] = [], {name.partition(".")[0]} - sys.stdlib_module_names
            elif isinstance(node, ast.Import):
                found[bound] = [Symbol(name)], set()
            else:
                inner = f"{name}.{alias.name}"
                found[bound] = [Symbol(inner) if self.path_of(inner) else Symbol(name, alias.name)], set()
        return found

    def __missing__(self, name: str) -> _Module:
        path = self.path_of(name)
        if path is None:
            raise FileNotFoundError(f"{name} has no source below {self._root}")
        module = self[name] = _Module(path)
        tree = ast.parse(path.read_text("utf-8"))
        for statement in tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                module.imported |= self.imports(statement)
        known = [(bound, symbol) for bound, (ours, _) in module.imported.items() for symbol in ours]
        known += [(symbol.name, symbol) for symbol in _DECLARED if symbol.module == name]
        declared = {bound: _DECLARED[symbol] for bound, symbol in known if symbol in _DECLARED}
        for number, statement in enumerate(_Bare(declared).visit(tree).body):
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                continue
            names = _names(statement)
            for each in names or [f"line {number}"]:
                module.defined.setdefault(each, []).append(statement)
            if not names:
                module.always.append(f"line {number}")
            elif isinstance(statement, _Definition) and not _HARMLESS.issuperset(_decorators(statement)):
                module.always += names  # a decorator may put it into a list from which it is called
        return module


_modules = cache(_Modules)


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, _Definition):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return []
    return [node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)]


def _decorators(statement: Any) -> Iterator[str]:
    for each in statement.decorator_list:
        name = each.func if isinstance(each, ast.Call) else each
        yield name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")


class _Bare(ast.NodeTransformer):
    """Without docstrings, what is for type checkers only, and what declarations say."""

    def __init__(self, declared: dict[str, int]) -> None:
        self._declared = declared

    def visit_If(self, node: ast.If) -> Any:
        test = node.test
        for_types = "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))
        return None if for_types else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        count = self._declared.get(getattr(node.func, "id", ""))
        if count is not None:
            node.args, node.keywords = node.args[:count], [each for each in node.keywords if each.arg == "sql"]
        return self.generic_visit(node)


def _text(node: Any) -> str:
    """A syntax tree as text, the same whatever Python reads it, as long as it knows the syntax."""
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = (each for each in ast.iter_fields(node) if each[1] not in (None, []) and each[0] != "ctx")
    return f"{type(node).__name__}({','.join(f'{name}={_text(value)}' for name, value in fields)})"


def _data(folder: Path, name: str, root: Path) -> dict[str, str]:
    """The file of data of this name beside a module, or all in the folder of this name."""
    if not name or not name.replace(".", "").replace("-", "").isidentifier():
        return {}
    path = folder / name
    if path.is_dir() and not (path / "__init__.py").exists():
        files = sorted(each for each in path.iterdir() if each.is_file())
    else:
        files = [path] if path.is_file() and path.suffix != ".py" else []
    return {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in files}
