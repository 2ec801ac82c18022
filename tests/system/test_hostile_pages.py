"""A day whose keys and values are hostile, looked at in a browser: nothing leaves for the address in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from cli.local import LocalSystem
from cli.runs import last_runs
from resources.object_store import ObjectStore
from resources.settings import Settings, load_settings
from tests.hostile_lake import put_hostile, s3
from tests.hostile_texts import BAIT
from tests.system.waiting import wait_until_built

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(900)]
DAY = "2026-02-03"  # a day of its own: other tests look at today


@pytest.fixture(scope="module")
def built(running: LocalSystem) -> Settings:
    """The hostile day, built twice by the sensors: with everything, then without some of it."""
    settings = load_settings(running.home)
    put_hostile(settings, day=DAY)
    wait_until_built(settings)
    for item in ObjectStore(settings, settings.raw_bucket).objects(f"ecg/date={DAY}/")[:30]:
        s3(settings).delete_object(Bucket=settings.raw_bucket, Key=item.key)
    wait_until_built(settings)
    return settings


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


@pytest.mark.usefixtures("built")
def test_no_page_of_a_hostile_day_obeys_it(
    running: LocalSystem,
    page: Page,
    watched: list[str],
) -> None:
    url = running.webserver_url
    seen = 0
    for table in ("raw_ecg", "ecg_recordings", "ecg_signals", "ecg_quarantine", "pricing_quarantine"):
        for view in ("events", "overview"):
            page.goto(f"{url}/assets/{table}?view={view}&partition={DAY}")
            expect(page.get_by_text("Loading…")).to_have_count(0)
            expect(page.get_by_text("partition_row_count").first).to_be_visible()
            for words in ("[Show JSON]", "[Show Markdown]"):
                for number in range(page.get_by_text(words).count()):
                    page.get_by_text(words).nth(number).click()
                    dialog = page.get_by_role("dialog").or_(page.locator(".bp5-dialog, .bp4-dialog")).first
                    expect(dialog).to_be_visible()
                    seen += BAIT in dialog.inner_text()
                    assert not obeyed(page)
                    page.keyboard.press("Escape")
                    expect(page.locator(".bp5-dialog, .bp4-dialog")).to_have_count(0)
            seen += BAIT in page.inner_text("body")
            assert not obeyed(page), table
    for check in ("quarantined", "duplicates", "readable"):
        page.goto(f"{url}/assets/ecg_recordings?view=checks&checkDetail={quote(check)}")
        page.get_by_text(check, exact=True).first.click()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        seen += BAIT in page.inner_text("body")
        assert not obeyed(page), check
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
    assert seen, "nothing hostile was shown: this test sees nothing"


def runs_of(url: str) -> list[str]:
    """Ids of the runs that built the day."""
    return [run["run_id"] for job in ("ecg_job", "pricing_job") for run in last_runs(url, 5, job, DAY)]
