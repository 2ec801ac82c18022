"""Which names around the records of an export are repeated: those made of known words."""

from __future__ import annotations

import pytest

from vitalake.entities.vocabulary import is_known_word, visible_name

KNOWN = [
    "metadata", "sourceSystem", "exportId", "recordCount", "exportDate", "dataVersion", "totalRevenue",
    "total_revenue", "TOTAL_REVENUE", "averageEmployees", "by_industry", "bySystem[0]",
    "totals[1][0]", "distinctIndustries",
]  # fmt: skip
OTHERS = [
    "", "Smith", "JohnSmith", "totalSmith", "total_revenue_of_smith", "revenue 0655551234", "total1951",
    "tota\u0131", "\u212aount", "revenue[x]", "total-revenue", "churnRisk", "_", "totalrevenue\n",
]  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_a_name_of_known_words_is_repeated(name: str) -> None:
    assert is_known_word(name)
    assert visible_name(f"summary.{name}") == f"summary.{name}"


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_name_is_not(name: str) -> None:
    assert not is_known_word(name)
    assert visible_name(f"summary.{name}.total") == "summary.?.total"


def test_a_key_with_dots_in_it_is_no_way_out_and_a_long_path_is_cut() -> None:
    assert visible_name("summary.John.Smith.total") == "summary.?.?.total"
    assert len(visible_name("summary" + ".total" * 1000)) == 80
