"""Files that are called after people, uploaded under keys that name nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.upload.files import files_below
from cli.upload.pseudonymous_keys import pseudonymous
from resources.object_store import ObjectStore
from tests.canary import NAME, WORD, traces
from tests.cli.conftest import Vitalake
from vitalake.errors import PermanentError
from vitalake.pseudonyms import Pseudonyms

DAY = "2026-01-05"
PREFIX = f"ecg/date={DAY}/"
KEY = Pseudonyms(b"a key for tests, long enough")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings of one person, two of them of one name, and one with her name behind its dot."""
    top = tmp_path / "recordings"
    for name in (f"{WORD}.MAT", f"{NAME}/{WORD}.mat", f"{NAME}/1.edf", f"1.{NAME}"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(name.encode())
    return top


def keys(folder: Path, pseudonyms: Pseudonyms = KEY) -> dict[str, str]:
    found = pseudonymous(files_below([folder], PREFIX), PREFIX, pseudonyms)
    return {str(source.content): source.key for source in found}


def test_each_file_has_a_key_of_its_own_that_names_nobody_and_is_the_same_again(folder: Path) -> None:
    found = keys(folder)
    assert len(set(found.values())) == 4
    assert not any(traces(key) for key in found.values())
    assert {key[len(PREFIX) :].partition(".")[0][:3] for key in found.values()} == {"p1_"}
    assert sorted(Path(key).suffix for key in found.values()) == ["", ".edf", ".mat", ".mat"]
    assert keys(folder) == found
    assert not set(keys(folder, Pseudonyms(b"another key for tests")).values()) & set(found.values())


@pytest.mark.parametrize("name", ["100.hea", "100.DAT", "100.atr", "100.qrs"])
def test_files_that_a_header_knows_by_name_keep_theirs(folder: Path, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(PermanentError, match="WFDB"):
        keys(folder)


@pytest.fixture
def key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - it is set over those of the home
    monkeypatch.setenv("VITALAKE_PSEUDONYM_KEY", "a key for tests, long enough")


@pytest.mark.store
@pytest.mark.usefixtures("key")
def test_the_command_says_which_is_which_and_again_replaces_what_is_there(
    vitalake: Vitalake, raw: ObjectStore, folder: Path
) -> None:
    command = ("upload", str(folder), "--dataset", "ecg", "--date", DAY, "--pseudonymous-names")
    answer = vitalake(*command)
    assert answer.code == 0, answer.err
    stored = {item.key: raw.get(item.key) for item in raw.objects("ecg/")}
    assert len(stored) == 4
    assert not any(traces(key) for key in stored)
    for key, data in stored.items():
        said = next(line for line in answer.out.splitlines() if key.removeprefix(PREFIX) in line.split())
        assert said.endswith(data.decode())
    (folder / f"{WORD}.MAT").write_bytes(b"corrected")
    assert "1 uploaded, 3 skipped" in vitalake(*command).out
    assert {item.key for item in raw.objects("ecg/")} == stored.keys()


@pytest.mark.store
@pytest.mark.usefixtures("key")
def test_nothing_is_uploaded_where_one_of_the_files_has_to_keep_its_name(
    vitalake: Vitalake, raw: ObjectStore, folder: Path
) -> None:
    (folder / "100.hea").touch()
    answer = vitalake("upload", str(folder), "--dataset", "ecg", "--pseudonymous-names")
    assert (answer.code, "WFDB" in answer.err) == (2, True)
    assert not raw.objects("ecg/")


def test_the_help_says_that_keys_are_published(vitalake: Vitalake) -> None:
    assert "Keys are published" in " ".join(vitalake("upload", "--help").out.split())
