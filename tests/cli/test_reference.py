"""The reference pages say what the declarations say."""

from __future__ import annotations

import re

import pytest

from cli.reference import pages, tables_page
from cli.up import publish_empty
from resources.catalog import connect
from resources.settings import Settings


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda value: getattr(value, "name", ""))
def test_page_is_up_to_date(path, text) -> None:  # type: ignore[no-untyped-def]
    assert path.read_text() == text, "run `make docs`"


def sections() -> dict[str, str]:
    """The tables page by heading: the name of a table or view → what is said of it."""
    parts = re.split(r"(?m)^### (\w+)(?: \(view\))?$", tables_page())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.usefixtures("home")
def test_everything_that_can_be_asked_is_on_the_page_with_every_column(settings: Settings) -> None:
    publish_empty(settings)
    page = sections()
    with connect(settings) as connection:
        query = """SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal
            AND database_name = current_database()"""
        columns = connection.execute(query).fetchall()
    stored_by_day = {
        name for name, text in page.items() if "| type | null |" in text and "Over all days" not in text
    }
    assert {name for name, _, _ in columns} == {*page}
    for name, column, comment in columns:
        assert comment, f"{name}.{column} has no meaning in the catalog"
        if not (column == "date" and name in stored_by_day):  # said once, at the top
            assert f"| `{column}` |" in page[name], f"{name}.{column} is not on the page"


def test_what_names_people_is_marked_and_what_is_over_all_days_too() -> None:
    page = sections()
    assert {name for name, text in page.items() if "**Restricted.**" in text} == {
        "retina_names",
        "retina_patients",
        "entities_private_attributes",
        "entities_envelopes",
        "entities_with_private",
    }
    assert {name for name, text in page.items() if "Over all days" in text} == {
        "entities_matches",
        "entities_golden",
    }
