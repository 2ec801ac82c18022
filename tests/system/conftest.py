"""One running system for all tests that only look at it or add to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from cli.services.local_system import LocalSystem, local_system
from cli.up import publish_empty
from resources.settings import load_settings

# Nothing but this machine: without these flags Chromium looks up its maker's hosts at every start.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
# Until something is there, on a machine that is busy with something else; nothing that a test proves.
PATIENCE_MS = 600_000


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of headless Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        found = browser.new_page(viewport={"width": 1500, "height": 1000})
        found.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield found
        browser.close()


@pytest.fixture(scope="package")  # not of the session: its daemon would work beside all that follow
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """Object store, code server, web server and daemon, as `vitalake up` starts them."""
    with local_system(tmp_path_factory.mktemp("home"), print) as system:
        publish_empty(load_settings(system.home))
        yield system
