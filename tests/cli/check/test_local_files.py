"""Files of this machine as objects."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cli.check.local_files import LocalFiles, listed
from vitalake.errors import PermanentError

NOON = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)


def test_files_have_their_bytes_and_those_that_no_upload_takes_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (b"good", b"\xff", b"a\nb", b"denied")
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    sources = [(f"x/{os.fsdecode(name)}", tmp_path / os.fsdecode(name)) for name in names]
    opened = Path.open

    def refusing(path: Path, *args: Any) -> Any:
        if path.name == "denied":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args)

    monkeypatch.setattr(Path, "open", refusing)
    found = listed([*sources, ("x/gone", tmp_path / "gone"), ("x/folder", tmp_path)], NOON)
    assert [item.key for item in found.items] == ["x/good"]
    assert {path.name: reason.split(";")[0].split(" (")[0] for path, reason in found.failed} == {
        "\udcff": "its name is not valid UTF-8",
        "a\nb": "its name cannot be part of a key",
        "denied": "Permission denied",
        "gone": "No such file or directory",
        tmp_path.name: "not a regular file",
    }
    seen: list[int] = []
    [(item, data)] = LocalFiles(found.files, seen.append).get_many(found.items)
    assert (item.uploaded_at, item.size_bytes, data, seen) == (NOON, 4, b"good", [4])


def test_a_file_that_changes_or_goes_while_it_is_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"one")
    found = listed([("x/a.csv", file)], NOON)
    file.write_bytes(b"other")
    with pytest.raises(PermanentError, match=r"a.csv changed while it was read"):
        list(LocalFiles(found.files, lambda _: None).stream(found.items[0]))
    file.unlink()
    with pytest.raises(PermanentError, match=r"cannot read .*a.csv: No such file"):
        list(LocalFiles(found.files, lambda _: None).stream(found.items[0]))
