"""A day whose keys and values are hostile, looked at in a browser: nothing leaves for the address in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from dagster import AssetCheckEvaluation, AssetKey, AssetMaterialization, AssetRecordsFilter, DagsterInstance
from playwright.sync_api import Dialog, Page, Request, expect

from cli.runs import last_runs
from cli.services.local_system import LocalSystem
from pipeline_assets import dagster_metadata
from resources.settings import load_settings
from tests.hostile_lake import put_hostile
from tests.hostile_texts import BAIT, HOSTILE
from tests.system.waiting import wait_until_built
from vitalake.datasets.ecg import ECG
from vitalake.lake.dataset import Count
from vitalake.lake.freshness import freshness
from vitalake.lake.reconcile import Report

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(900)]
DAY = "2026-02-03"  # a day of its own: other tests look at today
TABLE = "ecg_recordings"


# The texts by which something would leave, or appear.
BAITED = {name: text for name, text in HOSTILE.items() if BAIT in text or "evil.com" in text or "<script" in text}


@pytest.fixture(scope="module")
def hostile(running: LocalSystem) -> tuple[str, float]:
    """A day built by the sensors, and events of what a race would make: name of a check, and the events' time."""
    settings = load_settings(running.home)
    put_hostile(settings, day=DAY)
    wait_until_built(settings)
    check = freshness(ECG.processed_within)
    with DagsterInstance.from_config(str(running.home / "dagster")) as instance:
        metadata = dagster_metadata.materialization(Report(vanished=list(BAITED.values())), TABLE)
        metadata |= dagster_metadata.newly_quarantined(Counter({("S02", text): 1 for text in BAITED.values()}))
        instance.report_runless_asset_event(AssetMaterialization(TABLE, partition=DAY, metadata=metadata))
        [told] = instance.fetch_materializations(AssetRecordsFilter(AssetKey(TABLE)), limit=1).records
        for text in BAITED.values():
            result = dagster_metadata.check_result(check, TABLE, Count(1, 1, {text: text}), text)
            instance.report_runless_asset_event(
                AssetCheckEvaluation(
                    AssetKey(TABLE), check.name, False, result.metadata, severity=result.severity,
                    description=result.description,
                )
            )  # fmt: skip
    return check.name, told.timestamp


@pytest.fixture
def watched(page: Page) -> Iterator[list[str]]:
    """What a page did that it was told by data."""
    seen: list[str] = []

    def requested(request: Request) -> None:
        if "marker" in request.url or "evil.com" in request.url:
            seen.append(request.url)

    def asked(dialog: Dialog) -> None:
        seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("request", requested)
    page.on("dialog", asked)
    yield seen
    page.remove_listener("request", requested)
    page.remove_listener("dialog", asked)


def obeyed(page: Page) -> list[str]:
    """Elements that the data made."""
    script = """() => [...document.querySelectorAll('a[href], img[src], script[src], iframe')]
        .map(each => each.href || each.src || each.tagName)
        .filter(each => /marker|evil\\.com/.test(each))"""
    found: list[str] = page.evaluate(script)
    return found


def look_into(page: Page) -> int:
    """Open every value that is behind a button; in how many there was something hostile to read."""
    seen = 0
    buttons = page.get_by_text(re.compile(r"^\[Show (JSON|Markdown)\]$|^View metadata$"))
    for number in range(buttons.count()):
        buttons.nth(number).click()
        dialog = page.get_by_role("dialog").first
        expect(dialog).to_be_visible()
        seen += BAIT in dialog.inner_text()
        assert not obeyed(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    return seen


def test_no_page_obeys_what_keys_and_messages_say(
    running: LocalSystem, page: Page, watched: list[str], hostile: tuple[str, float]
) -> None:
    url, (check, at) = running.webserver_url, hostile
    page.goto(f"{url}/assets/{TABLE}?view=events&asOf={at * 1000:.0f}")
    for name in ("vanished", "newly quarantined"):  # short values are rendered in place
        expect(page.get_by_role("row").filter(has_text=name).filter(has_text=BAIT).first).to_be_visible()
    assert not obeyed(page)
    look_into(page)
    page.goto(f"{url}/assets/{TABLE}?view=overview")
    expect(page.get_by_text("partition_row_count").first).to_be_visible()
    assert not obeyed(page)
    page.goto(f"{url}/assets/{TABLE}?view=checks&checkDetail={quote(check)}")
    expect(page.get_by_text(re.compile(re.escape(BAIT))).first).to_be_visible()  # in a description
    assert not obeyed(page)
    page.get_by_text("Execution history", exact=True).first.click()
    expect(page.get_by_text(re.compile(re.escape(BAIT))).nth(3)).to_be_visible()
    assert not obeyed(page)
    for table in ("ecg_quarantine", "pricing_quarantine"):
        page.goto(f"{url}/assets/{table}?view=events&partition={DAY}")
        expect(page.get_by_text("partition_row_count").first).to_be_visible()
        look_into(page)
        assert not obeyed(page)
    told = 0
    for run in runs_of(url):
        page.goto(f"{url}/runs/{run}")
        expect(page.get_by_text(re.compile("Finished execution of run")).first).to_be_visible()
        assert not obeyed(page), run
        page.get_by_placeholder("Filter…").fill("quarantined")  # of a long log, only what is in sight is there
        expect(page.get_by_text(re.compile("Finished execution of run"))).to_have_count(0)
        told += page.get_by_text(re.compile(r"quarantined: \d+ x")).count()
        assert not obeyed(page), run
    assert told, "no log told of what was refused: this test sees nothing"
    assert watched == []


def runs_of(url: str) -> list[str]:
    """Ids of the runs that built the day."""
    return [run["run_id"] for job in ("ecg_job", "pricing_job") for run in last_runs(url, 5, job, DAY)]
