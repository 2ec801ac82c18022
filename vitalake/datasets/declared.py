"""Which datasets there are: every `Dataset` that a module of this folder declares, with every table of one's own.

Belongs here: finding them, and that none takes a name of another. Does not belong here: any declaration, each in a
module beside this one, or in `tables/`.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

import vitalake.datasets.tables
from vitalake.errors import PermanentError
from vitalake.lake.computed.declaration import ComputedTable
from vitalake.lake.computed.resolved import with_computed
from vitalake.lake.dataset import Dataset
from vitalake.records.declaration_faults import hint, missing_comma
from vitalake.serving.catalog import QUARANTINE

_SLOW_TO_IMPORT = {"matplotlib", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}
_TAKEN = {
    QUARANTINE: "the view of what no dataset could use",
    "lake": "the asset of the catalog (pipeline_assets/catalog_asset.py)",
    "trends": "the asset of pictures (pipeline_assets/trends.py)",
}


def _declared() -> tuple[Dataset, ...]:
    found: dict[str, Dataset] = {}
    for module in _modules(vitalake.datasets):
        for value in vars(module).values():
            if isinstance(value, Dataset) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two datasets are named {value.name}: the name is the folder of its objects")
    datasets = _with_tables(tuple(found[name] for name in sorted(found)))
    require_own_names(datasets)
    return datasets


def require_own_names(datasets: Iterable[Dataset]) -> None:
    """Hold datasets that are used together to names of their own. Raises ValueError: two things have the same."""
    taken = dict(_TAKEN)
    for dataset in datasets:
        for name in dataset.own_names:
            if name in taken:
                raise ValueError(f"dataset {dataset.name!r}: {name} names {taken[name]}; choose another name")
            taken[name] = f"something of dataset {dataset.name!r}"


def _with_tables(datasets: tuple[Dataset, ...]) -> tuple[Dataset, ...]:
    """The datasets with the tables that `tables/` declares. Raises PermanentError: one is wrong; with its file."""
    found: list[ComputedTable] = []
    for module in _modules(vitalake.datasets.tables):
        if heavy := _SLOW_TO_IMPORT & {_comes_from(value) for value in vars(module).values()}:
            raise PermanentError(
                f"{module.__name__.replace('.', '/')}.py imports {', '.join(sorted(heavy))} at its top: every "
                "run of every dataset would wait for it. Import it inside the function"
            )
        tables = [value for value in vars(module).values() if isinstance(value, ComputedTable)]
        found += [table for table in tables if not any(table is each for each in found)]
        try:
            with_computed(datasets, tables)
        except ValueError as error:
            raise PermanentError(f"{module.__name__.replace('.', '/')}.py: {error}") from error
    return with_computed(datasets, found)


def _comes_from(value: object) -> str:
    """The library that a name of a module was imported from."""
    found = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return str(found).partition(".")[0]


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    """The modules of a folder that declare something, in the order of their names."""
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        if module.name != "declared" and not module.ispkg:
            yield _imported(package, module.name)


def _imported(package: ModuleType, module: str) -> ModuleType:
    """A module of a folder. Raises PermanentError: it cannot be used; with file, line and reason."""
    where = f"{package.__name__.replace('.', '/')}/{module}.py"
    paths = [Path(folder) / f"{module}.py" for folder in package.__path__]
    file = next((path for path in paths if path.exists()), paths[0])
    require_commas(where, file)
    try:
        return importlib.import_module(f"{package.__name__}.{module}")
    except Exception as error:
        raise declaration_fault(where, file, error) from error


def require_commas(where: str, file: Path) -> None:
    """Holds a file that declares something to commas between texts. Raises PermanentError, with the line."""
    if missing := missing_comma(_source(file)):
        raise PermanentError(f"{where}, {missing}")


def declaration_fault(where: str, file: Path, error: Exception) -> PermanentError:
    """What is wrong with a file that declares something: the line, the reason, and what may be meant.

    Args:
        where: the file, as a person knows it.
        file: itself.
        error: what running it raised.
    """
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if Path(frame.filename).name == file.name]
    ours = isinstance(error, SyntaxError) and Path(error.filename or file).name == file.name
    line = error.lineno if ours and isinstance(error, SyntaxError) else lines[-1] if lines else None
    place = where + (f", line {line}" if line else "")
    said = error.msg if isinstance(error, SyntaxError) else error or type(error).__name__
    meant = hint(error, _source(file))
    return PermanentError(f"{place}: {said}{meant and f'; {meant}'}")


def _source(file: Path) -> str:
    """The text of a file; empty: it cannot be read, which running it will say."""
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""


DATASETS: tuple[Dataset, ...] = _declared()
