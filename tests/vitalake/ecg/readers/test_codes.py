"""Codes of diagnoses pass; telephone numbers, record numbers and dates, which have as many digits, do not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from vitalake.ecg.readers.codes import is_diagnosis

# fmt: off
CODES = [
    "426783006", "284470004", "427084000", "698252002", "55930002", "426177001", "59931005", "164934002", "6374002",
    "67741000119109", "I48.0", "I48", "I21.A1", "S52.521A", "Z79.4", "O9A.211",
]
OTHERS = [
    "", "Zyqhvut", "0655551234", "655551234", "31655551234", "7734921", "426783007", "19511202", "02121951", "I48.",
    "B12.ZYQH", "JOHN", "A1", "4267830061", "٤٢٦٧٨٣٠٠٦",
]
# fmt: on


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_one(code: str) -> None:
    assert is_diagnosis(code)


@pytest.mark.parametrize("text", OTHERS)
def test_whatever_else_somebody_writes_is_none(text: str) -> None:
    assert not is_diagnosis(text)


def test_no_day_on_which_somebody_living_was_born_is_a_code() -> None:
    days = (date(1900, 1, 1) + timedelta(days=number) for number in range(366 * 150))
    assert not any(is_diagnosis(f"{day:%Y%m%d}") for day in days)
