"""What may be declared of how files are written, and what is said of what may not."""

from __future__ import annotations

from typing import Any

import pytest

from vitalake.records.csv_format import CsvFormat


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"decimal_sign": ""}, "decimal_sign is one character"),
        ({"decimal_sign": "e"}, "decimal_sign is one character"),
        ({"decimal_sign": "-"}, "decimal_sign is one character"),
        ({"thousands_sign": "0"}, "thousands_sign is one character"),
        ({"thousands_sign": ".."}, "thousands_sign is one character"),
        ({"thousands_sign": "."}, "both '.'"),
        ({"decimal_sign": "'", "thousands_sign": "\u2019"}, "no number could be read"),
        ({"date_formats": "%d.%m.%Y"}, r"date_formats=\('%d.%m.%Y',\)"),
        ({"date_formats": ("dd.mm.yyyy",)}, "write e.g. '%d.%m.%Y'"),
        ({"date_formats": ("%d.%m.%Y %H:%M",)}, "date_formats are of days"),
        ({"date_formats": ("%d.%m.%y",)}, "two_digit_years_from"),
        ({"date_formats": ("%d.%m.%y",), "two_digit_years_from": 50}, None),
        ({"date_formats": ("%d.%m.%y",), "two_digit_years_from": 0}, "is a year"),
        ({"timestamp_formats": ("%d.%b.%Y",)}, "%b is not known"),
        ({"timestamp_formats": ("%d.%m.%Y %I:%M",)}, "%H, or %I with %p"),
        ({"timestamp_formats": ("%d.%d.%Y",)}, "%d twice"),
        ({"timestamp_formats": ("%H:%M",)}, "needs a day"),
        ({"time_zone": "Europe/Berln"}, "did you mean 'Europe/Berlin'"),
        ({"time_zone": "Mars/Olympus"}, "there is no time zone"),
        ({"time_zone": "../etc/passwd"}, "there is no time zone"),
        ({"encoding": "cp9999"}, "there is no encoding 'cp9999'"),
        ({"delimiter": ";;"}, "delimiter is one sign"),
        ({"delimiter": "a"}, "delimiter is one sign"),
        ({"delimiter": '"'}, "delimiter is one sign"),
        ({"delimiter": "§"}, "delimiter is one sign"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_write(declared: dict[str, Any], said: str | None) -> None:
    if said is None:
        assert CsvFormat(**declared).days
        return
    with pytest.raises(ValueError, match=said):
        CsvFormat(**declared)


def test_signs_that_look_alike_are_one_thousands_sign() -> None:
    assert "\u00a0" in CsvFormat(thousands_sign=" ").thousands_signs
    assert "\u202f" in CsvFormat(thousands_sign="\u00a0").thousands_signs
    assert CsvFormat(thousands_sign="'").thousands_signs == "'\u2019"
    assert CsvFormat(decimal_sign=",", thousands_sign=".").thousands_signs == "."
    assert CsvFormat().thousands_signs == ""
