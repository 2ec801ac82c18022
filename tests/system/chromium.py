"""Headless Chromium, for tests of pages and for the pictures of the README.

Belongs here: starting it, so that it reaches nothing but this machine. Does not belong here: any page.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

# Nothing but this machine: without these flags Chromium looks up its maker's hosts at every start.
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_FLAGS += ["--disable-component-update", "--disable-sync"]
# Until something is there, on a machine that is busy with something else; nothing that a test proves.
PATIENCE_MS = 600_000


class NoChromiumError(Exception):
    """There is none on this machine."""


@contextmanager
def chromium(flags: Sequence[str] = ()) -> Iterator[Browser]:
    """A browser. Raises NoChromiumError."""
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        raise NoChromiumError("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=[*_FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def patient_page(browser: Browser, width_px: int = 1500, height_px: int = 1000) -> Page:
    """A page that waits for what is to come."""
    page = browser.new_page(viewport={"width": width_px, "height": height_px})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    return page
