"""`vitalake backfill`: the plan against a real bucket, everything else against a whole running system."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli.backfill import plan_range
from cli.demo.recordings import broken
from cli.runs import last_runs
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.cli.conftest import DAYS, Vitalake, build, recording, today
from vitalake.arrivals.calendar import Partition
from vitalake.datasets.ecg import ECG
from vitalake.errors import PermanentError
from vitalake.lake.computed.declaration import ComputedTable
from vitalake.lake.computed.resolved import with_computed
from vitalake.lake.tables import Column

SPAN = ("--from", "2026-01-01", "--to", "2026-01-31")


def test_the_plan_names_days_with_objects_days_to_empty_and_what_waits(
    vitalake: Vitalake, lake: Settings, raw: ObjectStore
) -> None:
    for item in raw.objects(f"ecg/date={DAYS[1]}/"):
        raw.delete(item.key, expected=item.version)
    raw.put("ecg/date=2026-01-20/1.mat", recording(), expected=None)
    answer = vitalake("backfill", "ecg", *SPAN, "--dry-run")
    assert answer.code == 0, answer.err
    assert f"{DAYS[0]}  4 objects" in answer.out
    assert f"{DAYS[1]}  no objects any more" in answer.out
    assert "2026-01-20  1 object\n" in answer.out
    assert "3 days to build, 5 objects; 28 days with nothing" in answer.out
    build(lake, DAYS[1])
    assert DAYS[1] not in vitalake("backfill", "ecg", *SPAN, "--dry-run").out


@pytest.mark.usefixtures("home")
def test_days_that_have_not_come_wait(settings: Settings, raw: ObjectStore) -> None:
    tomorrow, later = today() + timedelta(days=1), today() + timedelta(days=2)
    for day in (tomorrow, later):
        raw.put(f"ecg/date={day}/1.mat", recording(), expected=None)
    plan = plan_range(settings, ECG, Partition(today()), Partition(later))
    assert (plan.partitions, plan.waiting, plan.nothing) == ([Partition(tomorrow)], 1, 1)


@pytest.mark.usefixtures("home")
def test_nothing_to_build_starts_nothing(vitalake: Vitalake) -> None:
    answer = vitalake("backfill", "ecg", *SPAN, "--yes")
    assert answer.code == 0
    assert "There is nothing to build." in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ecgs", *SPAN), "unknown dataset"),
        (("ecg", "--from", "2026-01-02", "--to", "2026-01-01"), "is after"),
        (("ecg", "--from", "yesterday", "--to", "2026-01-01"), "YYYY-MM-DD"),
        (("ecg", "--from", "2026-01-02T05", "--to", "2026-01-03"), "ecg is built by the day; write 2026-01-02"),
        (("ecg", "--from", "2026-01-01"), "--from and --to, or --outdated"),
        (("ecg", "--from", "1999-01-01", "--to", "1999-01-02"), "first day of the lake"),
    ],
)
@pytest.mark.usefixtures("home")
def test_wrong_words_are_usage_errors(vitalake: Vitalake, words: tuple[str, ...], said: str) -> None:
    answer = vitalake("backfill", *words)
    assert answer.code == 2
    assert said in " ".join(answer.err.replace("│", " ").split())


def test_only_days_of_an_older_declaration_or_code(
    vitalake: Vitalake, lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One day is built again by what is other code here: by another pseudonym key, which tables depend on too."""
    monkeypatch.setenv("VITALAKE_PSEUDONYM_KEY", "a key for tests, long enough")
    answer = vitalake("backfill", "ecg", "--outdated", "--dry-run")
    assert (answer.code, answer.out) == (0, "0 of 2 partitions of ecg are of an older declaration or code\n")
    monkeypatch.setenv("VITALAKE_PSEUDONYM_KEY", "another key for tests, long enough")
    answer = vitalake("backfill", "ecg", "--outdated", "--dry-run")
    assert "2 of 2 partitions of ecg" in answer.out
    assert "2 days to build, 7 objects" in answer.out
    build(load_settings(lake.home), DAYS[1])
    answer = vitalake("backfill", "ecg", "--outdated", "--dry-run")
    assert "1 of 2 partitions of ecg" in answer.out
    assert f"{DAYS[0]}  4 objects" in answer.out
    assert DAYS[1] not in answer.out
    answer = vitalake("backfill", "ecg", "--outdated", "--from", DAYS[1], "--to", "2026-01-31", "--dry-run")
    assert "There is nothing to build." in answer.out
    said = vitalake("status").out
    assert "1 of 2 partitions are of an older declaration or code" in said
    assert "vitalake backfill ecg --outdated" in said
    versions = json.loads(vitalake("status", "--format", "json").out)["datasets"]["ecg"]["versions"]
    assert versions == {"total": 2, "outdated": [DAYS[0]]}


@pytest.mark.usefixtures("lake")
def test_tables_that_are_computed_from_others_are_said_not_to_be_looked_at(
    vitalake: Vitalake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(name: str, *, whole: bool) -> ComputedTable:
        key = Column("recording_id", "string", "Which.", nullable=False)
        sql = "SELECT DISTINCT recording_id FROM ecg_features"
        sources = {"ecg_features": ["recording_id"]}
        return ComputedTable(name, ".", "team:data", (key,), ("recording_id",), sources, sql=sql, whole=whole)

    monkeypatch.setenv("VITALAKE_PSEUDONYM_KEY", "a key for tests, long enough")
    [with_tables] = with_computed([ECG], [computed("by_day", whole=False), computed("of_all", whole=True)])
    monkeypatch.setattr("cli.backfill.dataset_named", lambda _: with_tables)
    answer = vitalake("backfill", "ecg", "--outdated", "--dry-run")
    assert answer.code == 0, answer.err
    said = " ".join(answer.out.split())
    assert "computed from it are not looked at: by_day. After a change of these, build their days with" in said


@pytest.mark.usefixtures("home")
def test_it_asks_first_and_needs_a_web_server(vitalake: Vitalake, raw: ObjectStore) -> None:
    raw.put(f"ecg/date={DAYS[0]}/1.mat", recording(), expected=None)
    answer = vitalake("backfill", "ecg", *SPAN)
    assert (answer.code, "pass --yes" in answer.err) == (2, True)
    answer = vitalake("backfill", "ecg", *SPAN, "--yes")
    assert (answer.code, "VITALAKE_WEBSERVER_URL" in answer.err) == (2, True)


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute on an idle machine
def test_a_running_system_builds_days_again(
    vitalake: Vitalake, system_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upload, backfill, status and retry, one after the other as a person would."""
    monkeypatch.setenv("VITALAKE_HOME", str(system_home))
    (tmp_path / "good.mat").write_bytes(recording())
    (tmp_path / "text.mat").write_bytes(broken("text"))
    for day in DAYS:
        assert vitalake("upload", str(tmp_path), "--dataset", "ecg", "--date", day).code == 0

    done = vitalake("backfill", "ecg", *SPAN, "--yes")
    assert done.code == 0, done.out + done.err
    assert "2 of 2 days built, 0 failed" in done.out
    settings = load_settings(system_home)
    runs = last_runs(settings.webserver_url or "", 20, "ecg_job", DAYS[0])
    assert {run["partition"] for run in runs} == {DAYS[0]}

    health = json.loads(vitalake("status", "--format", "json").out)
    assert [name for name, service in health["services"].items() if not service["works"]] == []
    assert health["datasets"]["ecg"]["lake"]["unprocessed"] == 0
    assert "last runs" in vitalake("status").out
    assert "/runs/" in vitalake("quarantine", "show", f"{DAYS[0]}/text.mat").out

    again = vitalake("quarantine", "retry", f"{DAYS[0]}/text.mat", "--yes")
    assert again.code == 0, again.out + again.err
    assert "1 of 1 are still in quarantine." in again.out
    later = vitalake("backfill", "ecg", *SPAN, "--yes", "--no-wait")
    assert (later.code, "/runs/b/" in later.out) == (0, True)


@pytest.mark.system
@pytest.mark.timeout(900)  # a minute, whatever the machine: it waits for the run to be repeated
def test_a_backfill_that_fails_names_the_run(
    vitalake: Vitalake, system_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than half of the day is unreadable: a check blocks, and the run fails."""
    monkeypatch.setenv("VITALAKE_HOME", str(system_home))
    settings = load_settings(system_home)
    ObjectStore(settings, settings.raw_bucket).put("ecg/date=2026-02-01/text.mat", broken("text"), expected=None)
    answer = vitalake("backfill", "ecg", "--from", "2026-02-01", "--to", "2026-02-01", "--yes")
    assert answer.code == 1, answer.out + answer.err
    assert "0 of 1 days built, 1 failed" in answer.out
    assert "2026-02-01  failure" in answer.out
    assert "/runs/" in answer.out


@pytest.mark.system
def test_what_dagster_refuses_is_said(system_home: Path) -> None:
    from cli.runs import launch

    url = load_settings(system_home).webserver_url or ""
    with pytest.raises(PermanentError, match="2098-01-01"):
        launch(url, ECG, [Partition(date(2098, 1, 1))])
