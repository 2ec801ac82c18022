"""Which datasets there are: every `Dataset` that a module of this folder declares.

Belongs here: finding them. Does not belong here: any declaration, each in a module beside this one.
"""

import importlib
import pkgutil

import vitalake.datasets
from vitalake.dataset import Dataset


def _declared() -> tuple[Dataset, ...]:
    found: dict[str, Dataset] = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(vitalake.datasets.__path__)):
        if module == "declared":
            continue
        for value in vars(importlib.import_module(f"vitalake.datasets.{module}")).values():
            if isinstance(value, Dataset) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two datasets are named {value.name}: the name is the folder of its objects")
    return tuple(found[name] for name in sorted(found))


DATASETS: tuple[Dataset, ...] = _declared()
