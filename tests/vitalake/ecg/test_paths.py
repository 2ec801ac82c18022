"""What keys say about the recordings under them."""

from __future__ import annotations

from typing import Any

import pytest

from vitalake.ecg.paths import parse_path


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("ecg/MLII/1 NSR/100m (1).mat", ("NSR", "100", 1, None, ())),
        ("17 PR/107m (10).mat", ("PR", "107", 10, None, ())),
        ("device=holter 3/2026/11/20/a.mat", (None, None, None, "holter 3", ())),
        ("ecg/device=7/9 Trigeminy/119m (2).MAT", (None, None, None, "7", ("S14",))),
        ("ecg/1 NSR/copy of 100m (1).mat", (None, None, None, None, ("S14",))),
        ("ecg/NSR/100m (1).mat", (None, None, None, None, ("S14",))),
        ("100m (1).mat", (None, None, None, None, ("S14",))),
        ("ecg/2026/11/20/upload-1.mat", (None, None, None, None, ())),
        ("device=/x.mat", (None, None, None, None, ())),
        ("", (None, None, None, None, ())),
    ],
)
def test_path_metadata(key: str, expected: tuple[Any, ...]) -> None:
    *said, findings = parse_path(key)
    assert (*said, tuple(finding.rule for finding in findings)) == expected
