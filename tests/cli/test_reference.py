"""The reference pages say what the declarations say."""

from __future__ import annotations

import pytest

from cli.reference import pages


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda value: getattr(value, "name", ""))
def test_page_is_up_to_date(path, text) -> None:  # type: ignore[no-untyped-def]
    assert path.read_text() == text, "run `make docs`"
