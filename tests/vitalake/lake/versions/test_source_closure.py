"""What is listed as a dataset's code, against what Python really runs and loads to build it."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from resources.object_store import ObjectStore
from tests.vitalake.lake.versions.building import build, days_of, upload_demo
from vitalake.datasets.declared import DATASETS
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Dataset
from vitalake.lake.versions.code_version import code_symbols
from vitalake.lake.versions.source_closure import SourceClosure, Symbol, source_closure

ROOT = Path(__file__).parents[4]
# Run while a table is built, and no byte of it depends on them.
NO_PART = {"vitalake.lake.versions"}


def listed(dataset: Dataset) -> SourceClosure:
    return source_closure(code_symbols(dataset), ROOT)


@contextmanager
def watched() -> Iterator[set[CodeType]]:
    """What of `vitalake/` is run, in this thread and in others that begin meanwhile."""
    seen: set[CodeType] = set()
    folder = str(ROOT / "vitalake")

    def see(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(folder):
            seen.add(frame.f_code)

    threading.setprofile(see)
    sys.setprofile(see)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@cache
def top_level(file: str) -> list[tuple[int, int, str]]:
    found = []
    for node in ast.parse(Path(file).read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min(each.lineno for each in (node, *node.decorator_list))
            found.append((first, node.end_lineno or first, node.name))
    return found


def symbol_of(code: CodeType) -> Symbol | None:
    """The function or class that this code stands in; None for the top of a module."""
    module = ".".join(Path(code.co_filename).relative_to(ROOT).with_suffix("").parts)
    spans = top_level(code.co_filename)
    names = [name for first, last, name in spans if first <= code.co_firstlineno <= last]
    return Symbol(module, names[0]) if names and code.co_name != "<module>" else None


def test_everything_that_runs_to_build_a_dataset_is_listed(raw: ObjectStore, store: ObjectStore) -> None:
    upload_demo(raw)
    for dataset in DATASETS:
        code = listed(dataset)
        whole = {symbol.module for symbol in code.symbols if not symbol.name}
        days = days_of(dataset, raw)
        with watched() as seen:
            build(dataset, raw, store, days)
        run = {symbol for symbol in map(symbol_of, seen) if symbol}
        assert len(run) > 50, "nothing was built"
        unlisted = {
            symbol
            for symbol in run - code.symbols.keys()
            if symbol.module not in whole and not symbol.module.startswith(tuple(NO_PART))
        }
        assert not unlisted, dataset.name


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_library_has_a_version_and_nothing_above_the_core_is_one(dataset: Dataset) -> None:
    """What is no distribution of this name costs a look at all that are installed: 0.1 s of CPU a process."""
    assert all(version(name) for name in listed(dataset).libraries)


def test_what_runs_in_a_process_of_its_own_is_listed_too() -> None:
    """Nobody sees it run: the readers of files that nobody trusts, and their libraries."""
    code = listed(ECG)
    modules = {symbol.module.removeprefix("vitalake.ecg.readers.") for symbol in code.symbols}
    assert {"limited.child", "matlab.other_variables", "matlab.hdf5", "dicom.elements"} <= modules
    assert {"h5py", "pydicom", "scipy"} <= code.libraries


LOADED = """
import json, sys
from cli.demo.feed import demo_waves
from datetime import date, datetime, timezone
files = [file for wave in demo_waves(date(2026, 11, 20)) for file in wave if file.key.startswith({prefix!r})]
from vitalake.datasets.{module} import {constant} as dataset
from vitalake.lake.contents import RawObject
from vitalake.pseudonyms import Pseudonyms
import vitalake.lake.stages
now = datetime(2026, 11, 20, tzinfo=timezone.utc)
for file in files[:40]:
    item = RawObject(file.key, "1", len(file.data), now, file.data)
    try:
        values = [v for p in dataset.parse([item], Pseudonyms(bytes(32))) for v in p.values]
    except Exception:
        continue
    tables = dataset.tabulate(values).tables
    for derived in dataset.derived:
        derived.compute(tables[derived.source].select(derived.columns))
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("constant", ["ECG", "PRICING", "RETINA", "ENTITIES"])
def test_the_modules_that_a_fresh_process_loads_are_listed(constant: str) -> None:
    """All of `vitalake/`, but for what a declaration names beside its bytes, and all libraries of these modules."""
    dataset = next(each for each in DATASETS if each.name == constant.lower())
    code = LOADED.format(prefix=dataset.prefix, module=dataset.name, constant=constant)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=180, check=True
    )
    loaded = {name for name in json.loads(done.stdout) if name.startswith("vitalake.")}
    closure = listed(dataset)
    modules = {symbol.module for symbol in closure.symbols}
    packages = {name for name in loaded if (ROOT.joinpath(*name.split(".")) / "__init__.py").is_file()}
    beside = {
        f"vitalake.datasets.{dataset.name}",  # of records: nothing but values, and so are the next two
        "vitalake.records.declare",
        "vitalake.records.declaration_faults",
        "vitalake.lake.sinks",
        "vitalake.lake.computed.declaration",  # the digest asks whether something is one
    }
    assert len(loaded) > 30
    unlisted = {name for name in loaded - packages - beside - modules if not name.startswith(tuple(NO_PART))}
    assert not unlisted
    assert {"numpy", "pyarrow"} <= closure.libraries
    imported = {name for module in modules & loaded for name in libraries_at_the_top(module)}
    assert imported - {"__future__"} <= closure.libraries


def libraries_at_the_top(module: str) -> Iterator[str]:
    """What a module of ours imports from others as soon as it is loaded."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(file.read_text()).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        yield from {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"vitalake"}


MODULES = {
    "pack/__init__.py": "",
    "pack/main.py": '''
"""Main."""
from typing import TYPE_CHECKING
from pack.other import used as renamed
from pack import tools
if TYPE_CHECKING:
    from pack.types_only import Thing

def start():
    """Say what it does."""
    import lib.part
    return renamed(tools.number) + CONSTANT + len("data") + len(f"pack.plugins.{CONSTANT}")

def beside():
    from pack.pictures import draw
    return draw()

CONSTANT = 1  # a comment
''',
    "pack/other.py": """
import numpy as np
REGISTER = []
def register(function):
    REGISTER.append(function)
    return function
@register
def hidden():
    return np.zeros(1)
def used(x: "Thing"):
    return [f(x) for f in REGISTER]
def unused():
    import scipy
""",
    "pack/tools.py": "import json\nnumber = 5\nother = 'pack.child'\n",
    "pack/child.py": "for each in range(3):\n    print(each)\n",
    "pack/pictures.py": "import matplotlib\ndef draw(): ...\n",
    "pack/plugins/__init__.py": "",
    "pack/plugins/one.py": "import plugged\n",
    "pack/types_only.py": "class Thing: ...\n",
    "pack/data/values.json": "{}",
}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_names_are_followed_and_nothing_else(pack: Path) -> None:
    found = source_closure({Symbol("pack.main", "start")}, pack)
    names = {f"{symbol.module.removeprefix('pack.')}.{symbol.name}" for symbol in found.symbols}
    assert {
        "main.start",
        "main.CONSTANT",
        "other.used",
        "other.REGISTER",
        "other.hidden",
        "other.register",
    } <= names
    assert {"tools.", "tools.number", "child."} <= names, (
        "a module by itself is all of it, also one named in a text"
    )
    assert not {"main.beside", "other.unused", "pictures.draw", "types_only.Thing"} & names
    assert {"plugins.", "plugins.one."} <= names, "a name that is put together may be of any module there"
    assert found.libraries == {"lib", "numpy", "plugged"}
    assert list(found.files) == ["pack/data/values.json"]


@pytest.mark.parametrize(
    ("file", "old", "new", "same"),
    [
        ("main.py", "Say what it does.", "Say it better.", True),
        ("main.py", "# a comment", "# another", True),
        ("main.py", "+ CONSTANT", "+   CONSTANT", True),
        ("main.py", "return draw()", "return draw(1)", True),
        ("other.py", "import scipy", "import pandas", True),
        ("main.py", "CONSTANT = 1", "CONSTANT = 2", False),
        ("main.py", "+ CONSTANT", "- CONSTANT", False),
        ("main.py", "import lib.part", "import lab.part", False),
        ("other.py", "np.zeros(1)", "np.zeros(2)", False),
        ("tools.py", "number = 5", "number = 5.0", False),
        ("child.py", "range(3)", "range(4)", False),
        ("data/values.json", "{}", "[]", False),
    ],
)
def test_what_makes_another_digest(pack: Path, file: str, old: str, new: str, same: bool, tmp_path: Path) -> None:
    roots = {Symbol("pack.main", "start")}
    before = source_closure(roots, pack).lines
    again = shutil.copytree(pack / "pack", tmp_path / "again" / "pack")
    text = (again / file).read_text()
    assert old in text
    (again / file).write_text(text.replace(old, new))
    assert (source_closure(roots, again.parent).lines == before) == same
