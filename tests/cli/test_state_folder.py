"""The state folder: nobody else takes the place of what is in it, and it is closed whatever it was before."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

import pytest

from cli.services.local_system import local_system
from cli.state_folder import closed_to_others, open_folder
from tests.cli.conftest import Vitalake
from vitalake.errors import PermanentError

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can give files to others")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def give_away(path: Path) -> None:
    os.chown(path, NOBODY, -1, follow_symlinks=False)


def refused(home: Path, why: str) -> None:
    """Neither opened nor started, and nothing is made or changed there."""
    before = {item: item.lstat() for item in (home, *home.iterdir())}
    with pytest.raises(PermanentError, match=rf"no place for health data: {why}.*--home"):
        open_folder(home)
    with pytest.raises(PermanentError, match="no place for health data"), local_system(home, print):
        pytest.fail("it started")
    after = {item: item.lstat() for item in (home, *home.iterdir())}
    assert {item: (each.st_mode, each.st_mtime) for item, each in after.items()} == {
        item: (each.st_mode, each.st_mtime) for item, each in before.items()
    }


@pytest.mark.parametrize("umask", [0o022, 0])
def test_what_is_made_is_closed_with_every_folder_on_the_way(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with closed_to_others():
            home = open_folder(tmp_path / "a" / "b")
            (home / "file").touch()
        (tmp_path / "later").touch()
    finally:
        os.umask(before)
    assert [mode(each) for each in (home, home.parent, home / "file")] == [0o700, 0o700, 0o600]
    assert mode(tmp_path / "later") == 0o666 & ~umask


@pytest.mark.parametrize("as_it_was", [0o700, 0o750, 0o755, 0o2755, 0o1777, 0o1770])
def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path, as_it_was: int) -> None:
    tmp_path.chmod(as_it_was)
    open_folder(tmp_path)
    assert mode(tmp_path) == as_it_was


def test_what_an_earlier_start_left_open_is_closed_and_nothing_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere").chmod(0o755)
    (tmp_path / "dagster").symlink_to(tmp_path / "elsewhere")
    for name in ("s3", "logs", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    (tmp_path / "lock").touch()
    (tmp_path / "lock").chmod(0o644)  # who may open it may also hold it
    open_folder(tmp_path)
    names = ("s3", "logs", "lock", "mine", "elsewhere")
    assert [mode(tmp_path / name) for name in names] == [0o700, 0o700, 0o600, 0o755, 0o755]


@needs_root
@pytest.mark.parametrize("open_to", [0o777, 0o770, 0o702, 0o2775])
def test_a_folder_in_which_others_may_rename_is_refused_and_left_alone(tmp_path: Path, open_to: int) -> None:
    home = tmp_path / "shared"
    home.mkdir()
    os.chown(home, -1, NOBODY)
    home.chmod(open_to)
    refused(home, rf"others may rename what is in .*shared \(mode {open_to:o}; `chmod go-w` ends that\)")
    assert mode(home) == open_to


@pytest.mark.parametrize("open_to", [0o770, 0o775])
def test_a_group_of_our_own_is_nobody_else(tmp_path: Path, open_to: int) -> None:
    user = pwd.getpwuid(os.geteuid())
    group = grp.getgrgid(user.pw_gid)
    if group.gr_name != user.pw_name or group.gr_mem:
        pytest.skip("this user has no group of its own")
    tmp_path.chmod(open_to)
    open_folder(tmp_path)
    assert mode(tmp_path) == open_to


@needs_root
@pytest.mark.parametrize("name", ["env", "s3", "lock", "logs", "dagster", "init.sql", "sockets", "tls"])
@pytest.mark.parametrize("kind", ["link", "broken link", "folder", "file"])
def test_what_others_have_put_there_is_refused_and_not_followed(tmp_path: Path, name: str, kind: str) -> None:
    home, target = tmp_path / "home", tmp_path / "target"
    home.mkdir()
    target.mkdir()
    planted = home / name
    if "link" in kind:
        planted.symlink_to(target if kind == "link" else tmp_path / "nowhere")
    elif kind == "folder":
        planted.mkdir()
    else:
        planted.touch()
    give_away(planted)
    refused(home, f"{planted} belongs to another user")
    assert list(target.iterdir()) == []
    assert not (tmp_path / "nowhere").exists()


@needs_root
def test_a_folder_of_another_user_or_a_link_of_theirs_is_refused(tmp_path: Path) -> None:
    theirs, link, mine = tmp_path / "theirs", tmp_path / "link", tmp_path / "mine"
    theirs.mkdir()
    give_away(theirs)
    refused(theirs, f"{theirs} belongs to another user")
    mine.mkdir()
    link.symlink_to(mine)
    assert open_folder(link) == mine
    give_away(link)
    for home in (link, link / "below"):
        with pytest.raises(PermanentError, match=f"{link} is a link of another user"):
            open_folder(home)


@needs_root
def test_settings_that_another_user_has_put_there_are_not_read(vitalake: Vitalake, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("export VITALAKE_S3_ENDPOINT='http://127.0.0.1:1'\n")
    give_away(tmp_path / "env")
    for command in (("sql", "SELECT 1"), ("status",), ("upload", str(tmp_path), "--dataset", "ecg")):
        answer = vitalake(*command, "--home", str(tmp_path))
        assert answer.code == 2, command
        assert "belongs to another user" in answer.err
