"""The pictures of the README, taken of a running system with the demo data: `make screenshots`.

Belongs here: which pages, and waiting until they show what they are to show. Does not belong here: tests of pages
(`test_browser.py`).
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect
from rich.console import Console

from cli.demo.feed import feed, wait_until_built
from cli.services.local_system import local_system
from cli.up import publish_empty
from resources.settings import load_settings
from tests.system.chromium import NoChromiumError, chromium, patient_page
from vitalake.datasets.ecg import ECG

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main() -> int:
    """Start a system in a folder of its own, have the demo built, take the pictures, stop."""
    console = Console()
    IMAGES.mkdir(parents=True, exist_ok=True)
    try:
        with (
            chromium() as browser,
            tempfile.TemporaryDirectory() as home,
            local_system(Path(home), console.print) as system,
        ):
            settings = load_settings(system.home)
            publish_empty(settings)
            feed(settings, console, None, ECG)
            wait_until_built(settings, console, system.supervisor.wait)
            page = patient_page(browser, 1400, 1000)
            open_asset_graph(page, system.webserver_url)
            page.screenshot(path=IMAGES / "asset-graph.png")
            _recordings(page, system.webserver_url)
    except NoChromiumError as error:
        console.print(str(error))
        return 1
    return 0


def open_asset_graph(page: Page, url: str) -> None:
    """The graph of ECG, until it shows its tables and what their checks found, which comes after them."""
    page.goto(f"{url}/locations/vitalake/asset-groups/ecg/lineage")
    for asset in ("raw_ecg", "ecg_recordings", "ecg_signals", "ecg_quarantine", "ecg_features"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d.* Passed$")).first).to_be_visible()


def _recordings(page: Page, url: str) -> None:
    page.goto(f"{url}/assets/ecg_signals?view=events")
    page.get_by_text("Show Markdown").first.click()
    image = page.locator("img[src^='data:image/png']").first
    expect(image).to_be_visible()
    image.scroll_into_view_if_needed()
    page.screenshot(path=IMAGES / "recordings.png")


if __name__ == "__main__":
    sys.exit(main())
