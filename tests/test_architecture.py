"""The shape of the code, held by tests: who imports whom, who reads the environment, what a start costs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.tested_elsewhere import TESTED_ELSEWHERE

ROOT = Path(__file__).resolve().parents[1]
# Each package may import itself and the packages in its row, with everything below them.
LAYERS = {
    "definitions": ("sensors", "pipeline_assets", "resources", "vitalake"),
    "cli": ("sensors", "pipeline_assets", "resources", "vitalake"),
    "sensors": ("pipeline_assets", "resources", "vitalake"),
    "pipeline_assets": ("resources", "vitalake"),
    "resources": ("vitalake",),
    "vitalake": (),
}
# The same inside the core. `errors`, `escaping` and `pseudonyms` lie beside the packages, for everybody.
CORE = {
    "datasets": ("entities", "ecg", "records", "charts", "lake", "arrivals", "serving"),
    "serving": ("ecg", "records", "charts", "lake", "arrivals"),
    "alerting": ("arrivals",),
    "entities": ("records", "lake", "arrivals"),
    "ecg": ("charts", "lake", "arrivals"),
    "records": ("charts", "lake", "arrivals"),
    "charts": (),
    "lake": ("arrivals",),
    "arrivals": (),
}
# `vitalake.open()` leads up to what knows settings and stores, when it is called (docs/adr/0016).
DOOR = ROOT / "vitalake" / "__init__.py"
MOST_MODULES = 16  # of a folder: more, and a newcomer looks for the right one
MODULES = [ROOT / "definitions.py"]
MODULES += [path for name in LAYERS for path in sorted((ROOT / name).rglob("*.py"))]
WITH_CODE = [path for path in MODULES if path.name != "__init__.py" or path.read_text().strip()]
NOT_IN_THE_CORE = {"dagster", "boto3", "botocore", "obstore", "slack_sdk", "pydantic", "pydantic_settings"}
HEAVY = {"numpy", "scipy", "pandas", "pyarrow", "matplotlib", "duckdb", "boto3", "obstore", "slack_sdk"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Full names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative imports hide the direction"
            yield str(node.module)


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_only(path: Path) -> None:
    layer = layer_of(path)
    ours = {name.partition(".")[0] for name in imported(path)} & {*LAYERS, "tests", "benchmarks"}
    assert ours <= {layer, *LAYERS[layer], *({"resources"} if path == DOOR else ())}


def test_the_door_of_the_core_is_shut_until_somebody_opens_it() -> None:
    [inside] = [node for node in ast.parse(DOOR.read_text()).body if isinstance(node, ast.FunctionDef)]
    above = {name for name in imported(DOOR) if name.startswith("resources")}
    assert inside.name == "open"
    assert {node.module for node in ast.walk(inside) if isinstance(node, ast.ImportFrom)} == above
    assert loaded_by("import vitalake") - loaded_by("import typing") == {"vitalake"}


def core_packages(names: Iterator[str]) -> set[str]:
    """Which packages of the core these modules are in."""
    return {name.split(".")[1] for name in names if name.startswith("vitalake.")} - {
        "errors",
        "escaping",
        "pseudonyms",
    }


@pytest.mark.parametrize("package", CORE)
def test_inside_the_core_imports_point_down_only(package: str) -> None:
    for path in sorted((ROOT / "vitalake" / package).rglob("*.py")):
        assert core_packages(imported(path)) <= {package, *CORE[package]}, name_of(path)


def test_every_package_of_the_core_has_its_place() -> None:
    folders = {path.parent.name for path in (ROOT / "vitalake").glob("*/__init__.py")}
    assert folders == set(CORE)
    files = {path.stem for path in (ROOT / "vitalake").glob("*.py")}
    assert files == {"__init__", "errors", "escaping", "pseudonyms"}
    rows = list(CORE)
    for index, (package, below) in enumerate(CORE.items()):
        assert set(below) <= set(rows[index + 1 :]), (
            f"{package}: the order of the rows is the order of the packages"
        )


def test_no_two_modules_import_each_other() -> None:
    """Also not in a circle of several, inside functions and for types."""
    modules = {name_of(path).removesuffix(".py").replace("/", "."): path for path in WITH_CODE}
    graph = {}
    for name, path in modules.items():
        node = ast.parse(path.read_text())
        graph[name] = {
            target
            for each in node.body  # what is imported when the module is
            if isinstance(each, ast.ImportFrom)
            for target in (str(each.module), *(f"{each.module}.{alias.name}" for alias in each.names))
            if target in modules
        }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_no_folder_has_more_modules_than_a_person_overlooks() -> None:
    for folder in {path.parent for path in MODULES}:
        if folder != ROOT:
            modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            assert len(modules) <= MOST_MODULES, f"{name_of(folder)}: {len(modules)}"


def test_one_name_is_one_thing() -> None:
    """No two public classes have the same name, nor two constants of tags."""
    found: dict[str, str] = {}
    for path in WITH_CODE:
        for node in ast.parse(path.read_text()).body:
            names = [node.name] if isinstance(node, ast.ClassDef) else []
            if isinstance(node, ast.Assign):
                names = [
                    each.id for each in node.targets if isinstance(each, ast.Name) and each.id.endswith("_TAG")
                ]
            for name in names:
                if not name.startswith("_"):
                    assert name not in found, f"{name}: {found[name]} and {name_of(path)}"
                    found[name] = name_of(path)


def test_commands_ask_no_tables_of_the_lake() -> None:
    """What is asked of the lake's tables is asked in `vitalake/serving/`, where others find it."""
    from vitalake.datasets.declared import DATASETS

    tables = {table.name for dataset in DATASETS for table in dataset.every_table} | {"quarantine"}
    tables |= {view.name for dataset in DATASETS for view in dataset.views}
    for path in (path for path in MODULES if layer_of(path) == "cli"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "vitalake sql" not in node.value:
                words = node.value.split()
                asked = {
                    after.strip('"(),;').lower() for before, after in pairwise(words) if before in ("FROM", "JOIN")
                }
                assert not asked & tables, f"{name_of(path)}, line {node.lineno}: {node.value}"


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(path) == "vitalake"], ids=name_of)
def test_the_core_knows_neither_orchestrator_nor_store(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(path)}
    assert not {root for root in roots if root in NOT_IN_THE_CORE or root.startswith("dagster")}


def environment_reads(path: Path) -> set[str]:
    """The ways in which a file gets at environment variables."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else [name]
        found |= {"environ", "environb", "getenv", "getenvb"} & set(names)
    return found


def test_only_the_settings_read_the_environment() -> None:
    readers = {name_of(path) for path in MODULES if environment_reads(path)}
    outside = {name for name in readers if not name.startswith("cli/")}  # it hands it on to child processes
    assert outside == {"resources/settings.py"}


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_each_module_says_what_belongs_in_it(path: Path) -> None:
    said = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
    assert "Belongs here:" in said
    if path != ROOT / "definitions.py":  # nothing but its one line belongs there
        assert "oes not belong here:" in said


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_there_is_no_drawer_for_everything(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}
    if path.name == "__init__.py" and path != DOOR:
        assert not list(imported(path)), "a re-export hides where a name lives"


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a file, by the last part of its name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def test_markdown_is_made_of_pictures_only() -> None:
    """Dagster's UI loads what Markdown names when somebody looks at it."""
    made = [name_of(path) for path in MODULES for name, _ in calls(path) if name in ("md", "MarkdownMetadataValue")]
    assert made == ["pipeline_assets/dagster_metadata.py"]
    [picture] = [
        node
        for node in ast.walk(ast.parse((ROOT / "pipeline_assets/dagster_metadata.py").read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "picture"
    ]
    assert "MetadataValue.md(" in ast.unparse(picture)


def reachable(test: Path) -> set[str]:
    """Every file of ours that a test imports, through others too, wherever in them."""
    found: set[str] = set()
    todo = [test, *(folder / "conftest.py" for folder in test.parents if (folder / "conftest.py").exists())]
    while todo:
        for name in _names(todo.pop()):
            paths = [ROOT / f"{name.replace('.', '/')}.py"]
            if name == "vitalake.datasets.declared":  # which imports every module beside it
                paths += (ROOT / "vitalake/datasets").glob("*.py")
            for path in paths:
                if path.exists() and name_of(path) not in found:
                    found.add(name_of(path))
                    todo.append(path)
    return found


@cache
def _names(path: Path) -> tuple[str, ...]:
    return tuple(imported_names(path))


def imported_names(path: Path) -> Iterator[str]:
    """Modules that a file imports, also as names of their package, or starts by name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w.]+", node.value):
            yield node.value
            yield f"vitalake.ecg.readers.{node.value}"  # as the limited process imports its parsers


def test_every_module_has_a_test_of_its_own_or_says_where_it_is_tested() -> None:
    elsewhere = [module for modules in TESTED_ELSEWHERE.values() for module in modules]
    assert len(elsewhere) == len(set(elsewhere))
    for path in WITH_CODE:
        name, own = name_of(path), ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")
        if path.name != "__init__.py":
            assert own.exists() != (name in elsewhere), f"{name}: {name_of(own)}, or a line in the list"
    assert set(elsewhere) <= {name_of(path) for path in MODULES}, "a module that is gone"


@pytest.mark.parametrize(("test", "why"), TESTED_ELSEWHERE, ids=str)
def test_a_module_that_is_tested_elsewhere_is_reached_from_there(test: str, why: str) -> None:
    missed = set(TESTED_ELSEWHERE[test, why]) - reachable(ROOT / "tests" / test)
    assert not missed


ESCAPES = {"printable", "printable_lines", "json_text"}


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(path) == "cli"], ids=name_of)
def test_commands_print_through_the_plain_console_or_an_escape(path: Path) -> None:
    if path.name == "console.py":
        return
    assert not {"rich.markup"} & set(imported(path))
    for name, call in calls(path):
        assert name not in ("Console", "from_markup", "secho"), f"line {call.lineno}: use cli.options.stdout()"
        assert not {"markup", "emoji"} & {str(keyword.arg) for keyword in call.keywords}, f"line {call.lineno}"
        if name == "echo" or (name == "write" and ast.unparse(call.func).startswith("sys.std")):
            if ast.unparse(call.func) == "echo":  # what a caller hands in: the plain console's print
                continue
            through = {getattr(each.func, "id", "") for each in ast.walk(call) if isinstance(each, ast.Call)}
            assert through & ESCAPES, f"line {call.lineno}: {ast.unparse(call)}"


def test_no_log_of_a_run_has_the_text_of_a_strangers_error() -> None:
    for path in (path for path in MODULES if layer_of(path) == "pipeline_assets"):
        for name, call in calls(path):
            assert name != "exception", name_of(path)
            assert "exc_info" not in {keyword.arg for keyword in call.keywords}, name_of(path)


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in a fresh process after a statement."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    env = os.environ | {"VITALAKE_PSEUDONYM_KEY": "a key for tests, long enough"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_loading_the_code_location_loads_nothing_heavy() -> None:
    """Every run and every tick of a sensor starts with this import."""
    ours = loaded_by("import definitions") - loaded_by("import dagster")
    assert "vitalake" in ours
    assert not ours & HEAVY
