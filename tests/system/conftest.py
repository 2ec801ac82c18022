"""One running system for all tests that only look at it or add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from cli.services.local_system import LocalSystem, local_system
from cli.up import publish_empty
from resources.settings import load_settings
from tests.system.chromium import NoChromiumError, chromium, patient_page


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of headless Chromium."""
    try:
        with chromium() as browser:
            yield patient_page(browser)
    except NoChromiumError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="package")  # not of the session: its daemon would work beside all that follow
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """Object store, code server, web server and daemon, as `vitalake up` starts them."""
    with local_system(tmp_path_factory.mktemp("home"), print) as system:
        publish_empty(load_settings(system.home))
        yield system
