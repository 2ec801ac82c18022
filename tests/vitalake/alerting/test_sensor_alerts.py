"""Alerts about sensors: what fails, since when, what it means and what to do; nothing is told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from vitalake.alerting.alerts import Alert, slack_blocks
from vitalake.alerting.sensor_alerts import FailingSensor, sensors_fail, sensors_work
from vitalake.escaping import SECTION_CHARS

DROPS = FailingSensor(
    name="drops",
    is_schedule=False,
    jobs=("ecg_job", "retina_job"),
    episode="17",
    failed_ticks=3,
    last_worked_at=datetime(2026, 11, 20, 10, 0, 5, tzinfo=timezone.utc),
    error_class="PermanentError",
    message="vitalake-raw/ecg/: access denied",
)
DELIVERY = replace(DROPS, name="alert_delivery", jobs=())
HOURLY = replace(DROPS, name="hourly", is_schedule=True, jobs=("freshness",), failed_ticks=1)


def test_a_failing_sensor_is_told_with_cause_meaning_and_what_to_do() -> None:
    alert = sensors_fail([DROPS], "http://ui/", "vitalake")
    assert alert.title == "A sensor fails: drops"
    assert alert.link == "http://ui/locations/vitalake/sensors/drops"
    for part in (
        "objects of ecg, retina are noticed late or not at all meanwhile. Nothing is lost",
        "the next tick is another attempt",
        "vitalake status",
        "drops: 3 ticks in a row failed, last worked 2026-11-20 10:00:05 UTC",
        "PermanentError: vitalake-raw/ecg/: access denied",
    ):
        assert part in alert.body
    assert Alert.from_json(alert.to_json()) == alert


def test_each_kind_of_sensor_says_what_does_not_happen() -> None:
    body = sensors_fail([DELIVERY], None, "vitalake").body
    assert "Alerts come late" in body
    assert "objects" not in body
    body = sensors_fail([replace(DROPS, jobs=("entities_all_days_job",))], None, "vitalake").body
    assert "Tables over all days, and copies, of entities stay as they are meanwhile" in body
    assert "objects" not in body
    alert = sensors_fail([HOURLY], "http://ui", "vitalake")
    assert "No run of freshness begins by itself" in alert.body
    assert "the last tick failed" in alert.body
    assert alert.link == "http://ui/locations/vitalake/schedules/hourly"
    assert sensors_fail([HOURLY], None, "vitalake").link is None


def test_what_is_not_known_is_not_made_up() -> None:
    body = sensors_fail([replace(DROPS, last_worked_at=None, message=None)], None, "vitalake").body
    assert "3 ticks in a row failed — PermanentError: see its ticks" in body
    assert "no error is recorded" in sensors_fail([replace(DROPS, error_class=None)], None, "x").body


def test_one_episode_is_one_piece_of_news_in_any_order() -> None:
    alert = sensors_fail([DROPS, HOURLY], None, "vitalake")
    assert alert.fingerprint == sensors_fail([HOURLY, replace(DROPS, failed_ticks=9)], None, "x").fingerprint
    assert alert.fingerprint != sensors_fail([HOURLY, replace(DROPS, episode="18")], None, "x").fingerprint
    again = sensors_work([("drops", "17"), ("hourly", "17")], "http://ui/")
    assert again.fingerprint == sensors_work([("hourly", "17"), ("drops", "17")], None).fingerprint
    assert len({alert.fingerprint, again.fingerprint, sensors_work([("drops", "17")], None).fingerprint}) == 3
    assert again.title == "2 sensors work again: drops, hourly"
    assert again.link == "http://ui/automation"


def test_many_that_fail_at_once_fit_one_message() -> None:
    many = [replace(DROPS, name=f"sensor{number:03}", message="x\n" * 5000) for number in range(100)]
    alert = sensors_fail(many, "http://ui", "vitalake")
    assert alert.title == "100 sensors fail: sensor000, sensor001, sensor002 and 97 more"
    assert "… and 92 more" in alert.body
    assert len(alert.body) <= SECTION_CHARS
    assert alert.link == "http://ui/automation"
    title, body, _ = slack_blocks(alert)
    assert title["text"]["text"] == alert.title
    assert body["text"]["text"].endswith("… and 92 more")


def test_nothing_is_no_news() -> None:
    with pytest.raises(ValueError, match="nothing fails"):
        sensors_fail([], None, "vitalake")
    with pytest.raises(ValueError, match="nothing works"):
        sensors_work([], None)
