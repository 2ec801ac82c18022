"""Of how an object begins nothing is told but the signature of a known kind of file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.lake.quarantine.signatures import signature_of


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"%PDF-1.7", b"%PDF"),
        (b"PK\x03\x04\x14\0", b"PK\x03\x04"),
        (b"\xff\xd8\xffZyqh", b"\xff\xd8\xff"),
        (b"\xef\xbb\xbfAnna", b"\xef\xbb\xbf"),
        (b"\xff\xfeA\0n\0", b"\xff\xfe"),
        (b"\0" * 9, b"\0" * 4),
        (b"John", None),
        ("Ян".encode(), None),
        ("李".encode(), None),
        (b"J\0o\0", None),
        (b"", None),
    ],
)
def test_a_known_signature_and_nothing_behind_it(data: bytes, found: bytes | None) -> None:
    assert signature_of(data) == found


@given(st.text(min_size=1), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "latin-1"]))
def test_of_a_text_that_is_no_known_file_there_is_nothing(text: str, encoding: str) -> None:
    data = f"J{text}".encode(encoding, "replace")
    assert signature_of(data) is None
