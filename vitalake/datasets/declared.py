"""Which datasets there are: every `Dataset` that a module of this folder declares.

Belongs here: finding them, and that none takes a name of another. Does not belong here: any declaration, each in a
module beside this one.
"""

import importlib
import pkgutil
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

import vitalake.datasets
from vitalake.errors import PermanentError
from vitalake.lake.dataset import Dataset
from vitalake.serving.catalog import QUARANTINE

_TAKEN = {
    QUARANTINE: "the view of what no dataset could use",
    "lake": "the asset of the catalog (pipeline_assets/catalog_asset.py)",
    "trends": "the asset of pictures (pipeline_assets/trends.py)",
}


def _declared() -> tuple[Dataset, ...]:
    found: dict[str, Dataset] = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(vitalake.datasets.__path__)):
        if module == "declared":
            continue
        for value in vars(_imported(module)).values():
            if isinstance(value, Dataset) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two datasets are named {value.name}: the name is the folder of its objects")
    datasets = tuple(found[name] for name in sorted(found))
    taken = dict(_TAKEN)
    for dataset in datasets:
        for name in dataset.own_names:
            if name in taken:
                raise ValueError(f"dataset {dataset.name!r}: {name} names {taken[name]}; choose another name")
            taken[name] = f"something of dataset {dataset.name!r}"
    return datasets


def _imported(module: str) -> ModuleType:
    """A module of this folder. Raises PermanentError: it cannot be used; with file, line and reason."""
    try:
        return importlib.import_module(f"vitalake.datasets.{module}")
    except Exception as error:
        file = f"{module}.py"
        lines = [frame.lineno for frame in extract_tb(error.__traceback__) if Path(frame.filename).name == file]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        where = f"vitalake/datasets/{file}" + (f", line {line}" if line else "")
        raise PermanentError(f"{where}: {error or type(error).__name__}") from error


DATASETS: tuple[Dataset, ...] = _declared()
