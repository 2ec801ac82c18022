"""What a device declares: which keys it is for, what is taken of it, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from tests.vitalake.ecg.beating import RATE_HZ, lead_of
from tests.vitalake.ecg.matlab_files import strip, v4_file, v5_file
from tests.vitalake.ecg.readers.edf_files import Made, make_edf
from tests.vitalake.ecg.reading import read_objects, tables_of
from vitalake.datasets.ecg import DEVICES
from vitalake.ecg.devices import UNDECLARED, Device
from vitalake.ecg.structure import SourceConfig
from vitalake.ecg.tables import RECORDINGS, SIGNALS

HEART = lead_of(np.arange(0.4, 20, 0.85), 20)
ALIVECOR = Device("*/alivecor/*", sampling_rate_hz=300.0, gain_adu_per_mv=1000.0, lead_names=("I",))
HOLTER = Device("*/device=holter-*/*", sampling_rate_hz=250.0, decimal_sign=",", time_zone="Europe/Berlin")
CONFIG = SourceConfig((ALIVECOR, HOLTER))


def rows(key: str, data: bytes, config: SourceConfig = CONFIG) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    parsed = read_objects({key: data}, config)
    assert parsed.refusals == ()
    tables = tables_of(parsed)
    (recording,) = tables[RECORDINGS.name].to_pylist()
    return recording, tables[SIGNALS.name].to_pylist()


def test_the_first_device_that_fits_a_key_counts() -> None:
    assert CONFIG.device("ecg/2026-11-20/alivecor/a.mat") is ALIVECOR
    assert CONFIG.device("ecg/date=2026-11-20/device=holter-07/a.mat") is HOLTER
    assert CONFIG.device("ecg/date=2026-11-20/device=patch-1/a.mat") is UNDECLARED


def test_what_a_device_declares_is_taken_and_named_and_costs_nothing() -> None:
    recording, (signal,) = rows("ecg/alivecor/a.mat", v4_file(HEART.samples[None]))
    assert recording["assumed"] == ["sampling_rate_hz", "lead_names", "gain", "zero"]
    assert (recording["warnings"], recording["sampling_rate_hz"]) == ([], 300)
    assert (signal["lead_name"], signal["unit"], signal["gain_adu_per_unit"]) == ("I", "mV", 1000)
    assert recording["verdict"] == "acceptable"


def test_what_the_file_says_goes_first() -> None:
    recording, _ = rows("ecg/alivecor/a.mat", v5_file(val=HEART.samples[None], fs=RATE_HZ))
    assert recording["sampling_rate_hz"] == RATE_HZ
    assert "sampling_rate_hz" not in recording["assumed"]


def test_what_nobody_declares_is_warned_of_and_marginal_at_best() -> None:
    recording, (signal,) = rows("ecg/other/a.mat", v4_file(HEART.samples[None]))
    assert recording["assumed"] == ["sampling_rate_hz"]
    assert recording["warnings"] == ["S07", "S09"]
    assert "360 Hz are assumed" in " ".join(recording["warning_texts"])
    for row in (recording, signal):
        assert (row["verdict"], "S07" in row["reasons"]) == ("marginal", True)
        assert row["rules_verdict"] == "marginal"
    assert (signal["lead_name"], signal["unit"]) == ("lead_1", "adu")


def test_a_bad_lead_of_an_assumed_rate_is_no_better_for_it() -> None:
    recording, _ = rows("ecg/other/a.mat", v4_file(np.full((1, 5000), 7, np.int16)))
    assert recording["verdict"] == "unacceptable"
    assert {"Q17", "S07"} <= set(recording["reasons"])


def test_a_wfdb_header_without_a_rate() -> None:
    signals = HEART.samples.astype("<i2").tobytes()
    for key, expected in (("ecg/a/", ("marginal", ["S07"], 250)), ("ecg/alivecor/", ("acceptable", [], 300))):
        files = {f"{key}r.hea": b"r 1\nr.dat 16 1000/mV 16 0 0 0 0 II\n", f"{key}r.dat": signals}
        (recording,) = tables_of(read_objects(files, CONFIG))[RECORDINGS.name].to_pylist()
        found = (recording["verdict"], [rule for rule in recording["warnings"] if rule == "S07"])
        assert (*found, recording["sampling_rate_hz"]) == expected
        assert recording["assumed"] == ["sampling_rate_hz"]


def test_a_text_without_a_rate_has_that_of_its_device_or_is_refused() -> None:
    text = "\n".join(["II", *map(str, HEART.samples.tolist())]).encode()
    recording, _ = rows("ecg/alivecor/a.txt", text)
    assert (recording["sampling_rate_hz"], recording["assumed"]) == (300, ["sampling_rate_hz", "gain", "zero"])
    (refusal,) = read_objects({"ecg/a.txt": text}, CONFIG).refusals
    assert refusal.rule == "S07"


def test_a_declared_decimal_sign_is_not_guessed() -> None:
    text = "\n".join(["II", *(f"{value:.3f}".replace(".", ",") for value in HEART.values())]).encode()
    _, signals = rows("ecg/device=holter-1/a.csv", text)
    assert len(signals) == 1
    np.testing.assert_allclose(signals[0]["samples_real"], HEART.values(), atol=5e-4)


def test_a_clock_stands_in_the_zone_of_its_device() -> None:
    heart = np.clip(HEART.samples, -2000, 2000).reshape(20, -1)
    data = make_edf(Made(heart, physical=("-2", "2")), date="02.07.24", time="10.00.00")
    here, _ = rows("ecg/device=holter-1/a.edf", data)
    assert here["started_at"] == datetime(2024, 7, 2, 8, tzinfo=timezone.utc)
    assert here["assumed"] == ["started_at"]
    there, _ = rows("ecg/a.edf", data)
    assert there["started_at"] == datetime(2024, 7, 2, 10, tzinfo=timezone.utc)
    assert there["assumed"] == []


@pytest.mark.parametrize(("zone", "hour"), [("", 8), ("Z", 10), ("+05:00", 5)])
def test_dates_in_a_text_stand_in_the_zone_that_they_name_or_in_that_of_the_device(zone: str, hour: int) -> None:
    start = datetime(2024, 7, 2, 10)
    lines = (
        f"{(start + timedelta(seconds=at / 250)).isoformat(timespec='milliseconds')}{zone};{value:.3f}"
        for at, value in enumerate(HEART.values()[:2500])
    )
    text = "\n".join(["time;II (mV)", *lines]).encode()
    config = SourceConfig((Device("*/berlin/*", time_zone="Europe/Berlin"),))
    here, _ = rows("ecg/berlin/a.csv", text, config)
    assert here["started_at"] == datetime(2024, 7, 2, hour, tzinfo=timezone.utc)


def test_another_number_of_leads_is_another_device() -> None:
    recording, signals = rows("ecg/alivecor/a.mat", v4_file(np.stack([HEART.samples] * 2)))
    assert recording["assumed"] == ["sampling_rate_hz"]
    assert {row["unit"] for row in signals} == {"adu"}


@pytest.mark.parametrize(
    ("key", "declared"),
    [
        ("ecg/date=2026-11-20/1 NSR/100m (0).mat", True),
        ("ecg/date=2026-11-20/13 Fusion/208m (12).mat", True),
        ("ecg/date=2026-11-20/device=demo-holter-01/00.mat", True),
        ("ecg/date=2026-11-20/device=holter-01/00.mat", False),
        ("ecg/date=2026-11-20/A00001.mat", False),
    ],
)
def test_the_fragments_and_the_demo_are_declared_and_nothing_else(key: str, declared: bool) -> None:
    recording, _ = rows(key, v4_file(strip()), SourceConfig(DEVICES))
    assert (recording["warnings"] == []) is declared
    assert ("gain" in recording["assumed"]) is declared


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling_rate_hz": 0.0},
        {"sampling_rate_hz": float("nan")},
        {"gain_adu_per_mv": -1.0},
        {"time_zone": "Nowhere/City"},
        {"time_zone": "../etc/passwd"},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"device '\*'"):
        Device("*", **wrong)


@pytest.mark.parametrize("local", [datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)])
def test_an_hour_that_clocks_skip_or_show_twice_is_no_instant(local: datetime) -> None:
    berlin = Device("*", time_zone="Europe/Berlin")
    assert berlin.in_utc(local) is None
    assert berlin.in_utc(local + timedelta(days=1)) is not None
    lines = (f"{(local + timedelta(seconds=at / 250)).isoformat()};{v:.3f}" for at, v in enumerate(HEART.values()))
    recording, _ = rows("ecg/a.csv", "\n".join(["time;II (mV)", *lines]).encode(), SourceConfig((berlin,)))
    assert recording["started_at"] is None
    assert "S15" in recording["warnings"]


def test_a_column_of_text_in_a_unit_that_nobody_knows_is_another_signal() -> None:
    lines = (f"{at / 250},{v:.3f},{100 * v:.1f}" for at, v in enumerate(HEART.values()))
    _, signals = rows("ecg/a.csv", "\n".join(["time (s),II,foo", "s,mV,widgets", *lines]).encode())
    assert [row["signal_kind"] for row in signals] == ["ecg", "other"]
