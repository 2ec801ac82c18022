"""The folder of unix sockets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.services.socket_folder import socket_folder


def test_it_is_ours_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    with socket_folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (tmp_path / "sockets").resolve() == folder.resolve()
        assert len(str(folder / "code-server")) < 100
        (folder / "code-server").touch()
    assert not folder.exists()
    assert not (tmp_path / "sockets").is_symlink()


def test_a_long_path_of_temporary_files_is_no_place_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with socket_folder(tmp_path) as folder:
        assert len(str(folder / "code-server")) < 100


def test_that_of_a_start_that_was_killed_is_removed_by_the_next(tmp_path: Path) -> None:
    killed = socket_folder(tmp_path)
    left = killed.__enter__()
    (left / "code-server").touch()
    with socket_folder(tmp_path) as folder:
        assert folder != left
        assert not left.exists()


def test_what_a_link_of_somebody_else_leads_to_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    (tmp_path / "sockets").symlink_to(mine)
    with socket_folder(tmp_path) as folder:
        assert folder != mine
    assert (mine / "file").exists()
