"""The dataset that files are checked against: one that is installed, or the declaration in a file.

Belongs here: finding it, and whether its rules, views and sinks can be asked, with the line where they cannot. Does
not belong here: what a declaration may say (`vitalake/lake/dataset.py`, `vitalake/records/declare.py`), which ones
are installed (`vitalake/datasets/declared.py`).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

import typer

from cli.options import all_datasets, dataset_named
from vitalake.errors import PermanentError, VitalakeError
from vitalake.lake.dataset import QUARANTINE_COLUMNS, Dataset

_MODULE = "checked_declaration"


@dataclass(frozen=True)
class CheckedDeclaration:
    """A dataset, and the file that declares it; None where that is not known."""

    dataset: Dataset
    file: Path | None

    def fault(self, name: str, message: str, *kinds: str) -> PermanentError:
        """What is wrong with one thing that it declares, with the line of `kind("name", …)` where there is one.

        Args:
            name: of the thing, or the id of a rule.
            message: what is wrong with it.
            kinds: what calls are named that make it; without, any call.
        """
        if self.file is None:
            return PermanentError(message)
        line = next(_lines_of(self.file, name, kinds), None)
        return PermanentError(f"{self.file}" + (f", line {line}" if line else "") + f": {message}")

    def own_fault(self, error: Exception) -> PermanentError | None:
        """An error in a function of the file, with its line; None where it comes from elsewhere."""
        frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename == str(self.file)]
        if not frames:
            return None
        said = f"{type(error).__name__}: {error}"
        return PermanentError(f"{self.file}, line {frames[-1].lineno}: {said}")


def declaration_of(name: str | None, file: Path | None) -> CheckedDeclaration:
    """The declaration that is meant, able to judge files.

    Args:
        name: of an installed dataset; of one of several where there is a `file`.
        file: Python that declares datasets.

    Raises:
        typer.BadParameter: neither is given, or there is no such dataset.
        PermanentError: the declaration is wrong; with its file, the line where it can be told, and the reason.
    """
    found = _installed(name) if file is None else _in_file(file, name)
    _require_rules(found)
    _require_views(found)
    return found


@contextmanager
def faults_of(declared: CheckedDeclaration) -> Iterator[None]:
    """While the dataset is used: what is wrong with its declaration becomes a PermanentError with file and line."""
    from vitalake.records.rules import WrongRuleError

    try:
        yield
    except WrongRuleError as error:
        raise declared.fault(error.rule, str(error), "Rule") from error
    except VitalakeError:
        raise
    except Exception as error:
        if own := declared.own_fault(error):
            raise own from error
        raise


def _installed(name: str | None) -> CheckedDeclaration:
    if name is None:
        known = "; ".join(f"{each.name} ({each.doc.rstrip('.')})" for each in all_datasets())
        raise typer.BadParameter(
            f"say which dataset the files are for, as no file says so: --dataset NAME, one of: {known}; or "
            "--declaration FILE.py for one that is not installed"
        )
    dataset = dataset_named(name)
    for module in _installed_modules():
        if module.__file__ and any(value.name == name for value in _datasets_in(module)):
            return CheckedDeclaration(dataset, _shown(Path(module.__file__)))
    return CheckedDeclaration(dataset, None)


def _installed_modules() -> list[ModuleType]:
    return [module for name, module in sys.modules.items() if name.startswith("vitalake.datasets.")]


def _in_file(file: Path, name: str | None) -> CheckedDeclaration:
    module = _run(file)
    from vitalake.datasets.declared import DATASETS, require_commas, require_own_names

    require_commas(str(file), file)

    imported = {id(dataset) for each in _installed_modules() for dataset in _datasets_in(each)}
    found = {each.name: each for each in _datasets_in(module) if id(each) not in imported}
    if not found:
        raise PermanentError(
            f"{file} declares no dataset: give it one at its top level, as in NAME = csv_dataset(…)"
        )
    if name is None and len(found) > 1:
        raise typer.BadParameter(f"{file} declares {', '.join(sorted(found))}; say which one with --dataset")
    if name is not None and name not in found:
        raise typer.BadParameter(f"{file} declares {', '.join(sorted(found))}, and no dataset {name!r}")
    dataset = found[name] if name else next(iter(found.values()))
    declared = CheckedDeclaration(dataset, file)
    others = [each for each in DATASETS if each.name != dataset.name]
    try:
        require_own_names((*others, dataset))
    except ValueError as error:
        name = next(each for each in dataset.own_names if f": {each} names " in str(error))
        raise declared.fault(name, str(error)) from error
    return declared


def _run(file: Path) -> ModuleType:
    """The file as a module; nothing is written beside it, and what it prints is no result of ours."""
    module = ModuleType(_MODULE)
    module.__file__ = str(file)
    sys.modules[_MODULE] = module  # where dataclasses look for the names of their fields' types
    try:
        with redirect_stdout(sys.stderr):
            exec(compile(file.read_bytes(), str(file), "exec"), vars(module))  # noqa: S102 - it is the user's own
    except OSError as error:
        if error.filename == str(file):
            raise PermanentError(f"cannot read {file}: {error.strerror or error}") from error
        raise _fault_of(file, error) from error
    except SystemExit as error:
        raise PermanentError(f"{file} ends the program when it is read: leave that out of a declaration") from error
    except Exception as error:
        raise _fault_of(file, error) from error
    return module


def _fault_of(file: Path, error: Exception) -> PermanentError:
    from vitalake.datasets.declared import declaration_fault

    return declaration_fault(str(file), file, error)


def _datasets_in(module: ModuleType) -> Iterator[Dataset]:
    return (value for value in vars(module).values() if isinstance(value, Dataset))


def _require_rules(declared: CheckedDeclaration) -> None:
    """Ask every rule of no rows."""
    with faults_of(declared):
        declared.dataset.tabulate([])


def _require_views(declared: CheckedDeclaration) -> None:
    """Make every view over empty tables of every dataset, and look for what sinks name."""
    import duckdb

    from vitalake.lake.tables import Table, partition_columns
    from vitalake.serving.catalog import DUCKDB_TYPES, QUARANTINE, statements

    dataset = declared.dataset
    if not dataset.views and not dataset.sinks:
        return
    others = [each for each in all_datasets() if each.name != dataset.name]
    everything = Table(QUARANTINE, "What could not be used.", QUARANTINE_COLUMNS)
    tables = [(each.partition, table) for each in (*others, dataset) for table in each.every_table]
    with duckdb.connect() as connection:
        for unit, table in (*tables, ("hour", everything)):
            columns = (*table.columns, *(() if table.whole else partition_columns(unit)))
            kinds = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.kind]}' for column in columns)
            connection.execute(f'CREATE TABLE "{table.name}" ({kinds})')
        for view in (view for each in (*others, dataset) for view in each.views):
            try:
                for statement in statements(view):
                    connection.execute(statement)
            except duckdb.Error as error:
                if view in dataset.views:
                    raise declared.fault(
                        view.name, f"view {view.name} is wrong: {_said(error)}", "SqlView"
                    ) from error
        for sink in dataset.sinks:
            key = ", ".join(f'"{name}"' for name in sink.key)
            try:
                connection.execute(f'SELECT {key} FROM "{sink.view}"')  # noqa: S608 - declared too
            except duckdb.Error as error:
                raise declared.fault(sink.name, f"sink {sink.name} is wrong: {_said(error)}", "Sink") from error


def _said(error: Exception) -> str:
    """What DuckDB says, in a line; without its picture of the place."""
    return " ".join(str(error).partition("\n\n")[0].split())


def _lines_of(file: Path, name: str, kinds: Sequence[str]) -> Iterator[int]:
    """The lines of calls `kind("name", …)`; without `kinds` of any."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Call) and (not kinds or _called(node) in kinds):
            given = (*node.args[:1], *(each.value for each in node.keywords if each.arg in ("id", "name")))
            if any(isinstance(each, ast.Constant) and each.value == name for each in given):
                yield node.lineno


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def _shown(file: Path) -> Path:
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
