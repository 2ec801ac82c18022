"""The account of files: nothing is lost, whatever they hold and however many parts they are read in."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from cli.check.account import Account, account_of
from cli.check.local_files import listed
from cli.check.throwaway_pseudonyms import ThrowawayPseudonyms
from vitalake.arrivals.partitions import PartLimits
from vitalake.datasets.pricing import PRICING
from vitalake.lake.dataset import Dataset
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

NOON = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
HEAD = "ID,Region,InstanceType,Price (USD/h)\n"


def account(dataset: Dataset, *files: tuple[str, Path], limits: PartLimits | None = None) -> Account:
    pseudonyms = ThrowawayPseudonyms(secrets.token_bytes(32))
    chosen = replace(dataset, limits=limits or dataset.limits)
    return account_of(chosen, listed(files, NOON), date(2015, 1, 1), pseudonyms, 3, 2, lambda _: None)


def test_every_record_is_counted_once_by_file_in_one_part_and_in_many(tmp_path: Path) -> None:
    files = []
    for number in range(5):
        path = tmp_path / f"{number}.csv"
        bad = f"{number},eu,m5,-1\n" * number + "x,eu,m5,1\n" * (number % 2)
        path.write_text(HEAD + f"{number},eu,m5,1\n" * 4 + bad)
        files.append((f"pricing/2026/01/0{number + 1}/{number}.csv", path))
        files.append((f"pricing/2026/02/01/{number}.csv", path))
    for limits in (None, PartLimits(part_objects=1), PartLimits(part_objects=2, whole_bytes=10)):
        found = account(PRICING, *files, limits=limits)
        assert found.records == (40, 24)
        for each in found.objects.values():
            number = int(each.file.stem)
            assert each.rows == {"pricing_instances": 4}
            assert each.refused_records == number + number % 2
            assert each.outcome == ("refused in part" if number else "read")
            assert each.partition == each.key[8:18].replace("/", "-")
        assert found.tables["pricing_instances"].first.num_rows == 3
        [negative] = [
            each for each in found.refusals.values() if each.key.endswith("01/04/3.csv") and each.rule == "P01"
        ]
        assert (negative.records, negative.numbers) == (3, [6, 7])
        assert found.refused


def test_what_many_records_share_is_one_reason_whose_number_is_theirs(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "1,eu,m5,-1\n" * 5000)
    found = account(PRICING, ("pricing/a.csv", path))
    [reason] = found.refusals.values()
    assert (reason.records, reason.whole, found.records) == (5000, False, (0, 5000))
    assert found.objects["pricing/a.csv"].outcome == "refused in part"


@pytest.mark.parametrize("unit", ["day", "hour"])
def test_a_file_is_of_the_day_or_hour_that_the_lake_gives_it(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    dataset = csv_dataset("some", "Some.", "team:data", (Field("a", "a", "int32", "A."),), partition=unit)
    keys = ("some/2026/01/03/07/a.csv", "some/a.csv")
    found = account(dataset, *((key, path) for key in keys))
    days = ["2026-01-03", "2026-01-05"] if unit == "day" else ["2026-01-03T07", "2026-01-05T12"]
    assert [found.objects[key].partition for key in keys] == days


def test_pseudonyms_are_known_again_and_anothers_are_not() -> None:
    first, second = (ThrowawayPseudonyms(secrets.token_bytes(32)) for _ in range(2))
    made = {each.of("subject", "1") for each in (first, second)}
    assert len(made) == 2
    assert first.made < made
    assert first.of("subject", "1") in first.made
