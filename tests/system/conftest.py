"""One running system for all tests that only look at it or add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.local import LocalSystem, local_system
from cli.up import publish_empty
from resources.settings import load_settings


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """Object store, code server, web server and daemon, as `vitalake up` starts them."""
    with local_system(tmp_path_factory.mktemp("home"), print) as system:
        publish_empty(load_settings(system.home))
        yield system
