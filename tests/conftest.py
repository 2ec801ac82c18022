"""Fixtures shared by every tier."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real recordings, beside the repository; the test is skipped where there is none."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("VITALAKE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip("real recordings not found: set VITALAKE_TEST_DATA to their folder")
    return folder
