"""The page about a dataset of one's own is followed to the letter, in a copy of the tree."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from tests.docs.page import ROOT, Step, fresh_clone, steps_of
from vitalake.lake.dataset import Dataset
from vitalake.lake.tables import arrow_types
from vitalake.records import typed
from vitalake.records.declare import csv_dataset

PAGE = ROOT / "docs" / "new-dataset.md"
KINDS = ("string", "int32", "int64", "float64", "bool", "date", "timestamp")


def steps() -> list[Step]:
    return steps_of(PAGE)


def declared(name: str) -> str:
    return next(step.text for step in steps() if step.kind == "file" and step.about.endswith(name))


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute on an idle machine: a whole system starts twice
def test_the_page_ends_where_it_says(tmp_path: Path) -> None:
    with fresh_clone(tmp_path) as reader:
        reader.follow(steps())


def test_it_takes_one_file_of_at_most_sixty_lines() -> None:
    files = [step for step in steps() if step.about.startswith("vitalake/") and step.kind == "file"]
    assert len(files) == 2
    assert all(len(step.text.splitlines()) <= 60 for step in files)


def test_every_argument_is_explained() -> None:
    page = PAGE.read_text()
    arguments = set(inspect.signature(csv_dataset).parameters) - {"more"}
    assert {name for name in arguments if f"| `{name}` |" not in page} == set()


def test_what_the_page_says_of_types_is_so() -> None:
    import pyarrow as pa

    begins = tuple(f"| `{kind}`" for kind in KINDS)
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith(begins) and line.count("|") == 5]
    rows = [line.split("|")[1:4] for line in lines]
    seen = []
    for row in rows:
        kinds, good, bad = (re.findall("`(.+?)`", cell) for cell in row)
        seen += kinds
        for kind in kinds:
            arrow = arrow_types()[kind]
            for text in (*good, *bad):
                _, refused = typed.from_texts(pa.array([text], pa.string()), arrow)
                assert refused.tolist() == [text in bad], f"{kind} {text}"
    assert seen == list(KINDS)


def test_names_lie_in_the_restricted_table_only() -> None:
    module: dict[str, Dataset] = {}
    exec(declared("visits.py"), module)  # noqa: S102
    visits, names = module["VISITS"].tables
    assert (visits.restricted, names.restricted) == (False, True)
    assert "name" not in visits.names
