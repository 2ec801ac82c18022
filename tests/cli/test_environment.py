"""`<home>/env`: the same for a shell, for the settings and after the next start."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cli.environment import local_keys, process_env, read_env, write_env
from cli.services.local_system import local_system
from resources.settings import load_settings
from vitalake.errors import PermanentError


def test_a_shell_and_the_settings_read_the_same(tmp_path: Path) -> None:
    values = {"VITALAKE_S3_ENDPOINT": 'http://x/a  b"`# =&;|é', "VITALAKE_RAW_BUCKET": ""}
    write_env(tmp_path / "env", values)
    script = '. "$0"; printf "%s\\n%s" "$VITALAKE_S3_ENDPOINT" "$VITALAKE_RAW_BUCKET"'
    shell = subprocess.run(["sh", "-c", script, str(tmp_path / "env")], capture_output=True, text=True, check=True)
    assert shell.stdout.split("\n") == list(values.values())
    assert read_env(tmp_path / "env") == values


def test_the_settings_find_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VITALAKE_S3_ENDPOINT", raising=False)
    write_env(tmp_path / "env", {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:8333"})
    assert load_settings(tmp_path).s3_endpoint == "http://127.0.0.1:8333"


def test_a_shell_that_knows_another_system_asks_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALAKE_S3_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("VITALAKE_WEBSERVER_URL", "http://127.0.0.1:2")
    here = {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:3", "VITALAKE_WEBSERVER_URL": "http://127.0.0.1:4"}
    write_env(tmp_path / "env", here | local_keys({}))
    found = load_settings(tmp_path)
    assert [found.s3_endpoint, found.webserver_url] == list(here.values())
    elsewhere = load_settings(tmp_path / "none")
    assert (elsewhere.s3_endpoint, elsewhere.webserver_url) == ("http://127.0.0.1:1", "http://127.0.0.1:2")


def test_lines_of_a_person_stay_and_only_the_owner_may_read(tmp_path: Path) -> None:
    env = tmp_path / "env"
    env.write_text("# mine\nexport VITALAKE_SLACK_TOKEN='abc'\nVITALAKE_HOME=/old\n")
    env.chmod(0o644)
    for _ in range(2):
        write_env(env, {"VITALAKE_HOME": "/new"})
    assert env.read_text() == "export VITALAKE_HOME='/new'\n# mine\nexport VITALAKE_SLACK_TOKEN='abc'\n"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600


@pytest.mark.parametrize("value", ["/it's", "/${HOME}", "/a\\b", "/a\nb"])
def test_a_value_that_readers_would_not_agree_on_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(PermanentError, match="VITALAKE_HOME"):
        write_env(tmp_path / "env", {"VITALAKE_HOME": value})
    assert not (tmp_path / "env").exists()


def test_keys_are_made_once_and_random(tmp_path: Path) -> None:
    keys = local_keys({})
    write_env(tmp_path / "env", keys)
    assert local_keys(read_env(tmp_path / "env")) == keys != local_keys({})


@pytest.mark.parametrize(
    "left", [None, "", "export VITALAKE_SLACK_CHANNEL='#mine'\n"], ids=["gone", "empty", "no key"]
)
def test_a_home_with_data_and_no_key_is_not_given_another_one(tmp_path: Path, left: str | None) -> None:
    """With another key every subject of the data would get another pseudonym."""
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "vol.dat").touch()
    if left is not None:
        (tmp_path / "env").write_text(left)
    with (
        pytest.raises(PermanentError, match=rf"VITALAKE_PSEUDONYM_KEY.*{tmp_path / 'env'}.*backup.*delete"),
        local_system(tmp_path, print),
    ):
        pytest.fail("it started")
    assert read_env(tmp_path / "env").get("VITALAKE_PSEUDONYM_KEY") is None
    (tmp_path / "env").write_text("export VITALAKE_PSEUDONYM_KEY='from the backup'\n")
    write_env(tmp_path / "env", local_keys(read_env(tmp_path / "env")))
    assert read_env(tmp_path / "env")["VITALAKE_PSEUDONYM_KEY"] == "from the backup"


def test_a_first_start_that_breaks_anywhere_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))  # beside which there is no S3 server
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "env.new").mkdir()  # in the way of `env`
    with pytest.raises(PermanentError, match="cannot use"), local_system(tmp_path, print):
        pytest.fail("it started")
    assert not (tmp_path / "s3").exists()
    (tmp_path / "env.new").rmdir()
    (tmp_path / "s3").mkdir()  # nothing is in it
    for _ in range(2):
        with pytest.raises(PermanentError, match="weed"), local_system(tmp_path, print):
            pytest.fail("it started")
        keys = local_keys(read_env(tmp_path / "env"))
    assert local_keys(read_env(tmp_path / "env")) == keys


def test_services_do_not_see_the_aws_login_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the person")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the person")
    monkeypatch.setenv("VITALAKE_SLACK_CHANNEL", "#own")
    env = process_env({"VITALAKE_SLACK_CHANNEL": "#file", "VITALAKE_X": "1"}, {"AWS_ACCESS_KEY_ID": "local"})
    assert "AWS_SESSION_TOKEN" not in env
    assert env["AWS_ACCESS_KEY_ID"] == "local"
    assert (env["VITALAKE_SLACK_CHANNEL"], env["VITALAKE_X"]) == ("#own", "1")
