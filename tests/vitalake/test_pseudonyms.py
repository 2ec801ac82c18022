"""The same person is the same stranger, and only the holder of the key can tell who."""

from __future__ import annotations

import hashlib

import pytest

from vitalake.errors import PermanentError
from vitalake.pseudonyms import Pseudonyms

KEY = b"a key for tests, long enough"


def test_the_same_identifier_is_the_same_pseudonym_under_the_same_key_and_domain() -> None:
    ours = Pseudonyms(KEY)
    assert ours.of("subject", "123456789") == Pseudonyms(KEY).of("subject", "123456789")
    others = {
        ours.of("subject", "123456780"),
        ours.of("device", "123456789"),
        Pseudonyms(KEY + b"x").of("subject", "123456789"),
    }
    assert len(others) == 3
    assert ours.of("subject", "123456789") not in others


def test_a_pseudonym_is_no_plain_hash_and_shows_nothing_of_the_identifier() -> None:
    said = Pseudonyms(KEY).of("subject", "123456789")
    assert said.startswith("p1_")
    assert len(said) == 27
    assert "123456789" not in said
    assert hashlib.sha256(b"123456789").hexdigest()[:24] not in said


def test_no_domain_and_identifier_can_be_taken_for_another_pair() -> None:
    ours = Pseudonyms(KEY)
    assert ours.of("a", "bc") != ours.of("ab", "c")


def test_the_key_is_told_by_its_id_and_never_shown() -> None:
    ours, theirs = Pseudonyms(KEY), Pseudonyms(KEY + b"x")
    assert ours.key_id != theirs.key_id
    assert "tests" not in repr(ours)


@pytest.mark.parametrize("key", [b"", b"15 bytes, short"])
def test_without_a_key_worth_the_name_nothing_starts(key: bytes) -> None:
    with pytest.raises(PermanentError, match="VITALAKE_PSEUDONYM_KEY"):
        Pseudonyms(key)
