"""Which datasets there are: every `Dataset` that a module of this folder declares.

Belongs here: finding them, and that none takes a name of another. Does not belong here: any declaration, each in a
module beside this one.
"""

import importlib
import pkgutil

import vitalake.datasets
from vitalake.catalog import QUARANTINE
from vitalake.dataset import Dataset

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
        for value in vars(importlib.import_module(f"vitalake.datasets.{module}")).values():
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


DATASETS: tuple[Dataset, ...] = _declared()
