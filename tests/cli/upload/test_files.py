"""`vitalake upload` against a real S3 server."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import zlib
from base64 import b64encode
from io import StringIO
from pathlib import Path

import pytest

from cli.console import PlainConsole
from cli.upload.files import UploadSource, files_below, upload_all
from cli.upload.large_files import LargeFiles, StoppedError
from resources.aws import s3_client
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.changing_proxy import changing_proxy, flipped
from tests.cli.conftest import Vitalake, today
from vitalake.arrivals.objects import ObjectInfo
from vitalake.arrivals.partitions import PartLimits
from vitalake.entities.envelope import Envelope
from vitalake.entities.mapping import system_mappings
from vitalake.entities.metadata import source_system
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.parts import ConflictError

DAY = "2026-01-05"
# What a background shell starts ignores SIGINT, and so would its children.
INTERRUPTIBLE = "import signal, sys; signal.signal(2, signal.default_int_handler); from cli.main import main"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings, one of them in a folder whose name is hard on keys, and hidden files."""
    top = tmp_path / "recordings"
    for name in ("1.mat", "ward 3/ünï cö#%d?&+=/2.mat", ".DS_Store", ".git/index"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(name.encode())
    return top


def contents(raw: ObjectStore) -> dict[str, bytes]:
    return {item.key: raw.get(item.key) for item in raw.objects("ecg/")}


@pytest.mark.usefixtures("home")
def test_a_folder_keeps_its_structure_below_dataset_day_and_device(
    vitalake: Vitalake, raw: ObjectStore, folder: Path
) -> None:
    answer = vitalake("upload", str(folder), "--dataset", "ecg", "--date", DAY, "--device", "h1")
    assert answer.code == 0, answer.err
    assert "2 uploaded, 0 skipped" in answer.out
    names = ("1.mat", "ward 3/ünï cö#%d?&+=/2.mat")
    assert contents(raw) == {f"ecg/date={DAY}/device=h1/{name}": name.encode() for name in names}


@pytest.mark.usefixtures("home")
def test_the_day_is_today_in_utc_and_is_said(vitalake: Vitalake, raw: ObjectStore, folder: Path) -> None:
    answer = vitalake("upload", str(folder / "1.mat"), "--dataset", "ecg")
    assert f"ecg/date={today()}/" in answer.out
    assert list(contents(raw)) == [f"ecg/date={today()}/1.mat"]


@pytest.mark.usefixtures("home")
def test_what_is_there_is_skipped_and_what_changed_is_replaced(
    vitalake: Vitalake, raw: ObjectStore, folder: Path
) -> None:
    command = ("upload", str(folder), "--dataset", "ecg", "--date", DAY)
    vitalake(*command)
    before = {item.key: item.uploaded_at for item in raw.objects("ecg/")}
    (folder / "1.mat").write_bytes(b"corrected")
    time.sleep(1.1)  # S3 tells times in whole seconds
    answer = vitalake(*command)
    assert "1 uploaded, 1 skipped" in answer.out
    assert contents(raw)[f"ecg/date={DAY}/1.mat"] == b"corrected"
    untouched = next(item for item in raw.objects("ecg/") if item.key.endswith("2.mat"))
    assert untouched.uploaded_at == before[untouched.key]


@pytest.mark.usefixtures("home")
def test_files_that_cannot_be_sent_are_named_and_the_others_are_sent(
    vitalake: Vitalake, raw: ObjectStore, folder: Path
) -> None:
    (folder / "gone.mat").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.mat")
    (folder / "control\x01.mat").write_bytes(b"x")
    Path(os.fsdecode(bytes(folder) + b"/latin\xe9.mat")).write_bytes(b"x")
    with (folder / "huge.mat").open("wb") as file:
        file.truncate(PartLimits.object_bytes + 1)
    answer = vitalake("upload", str(folder), "--dataset", "ecg", "--date", DAY)
    assert answer.code == 1
    assert "2 uploaded, 0 skipped (already there), 5 failed" in answer.out
    for reason in (
        "No such file",
        "not a regular file",
        "cannot be part of a key",
        "not valid UTF-8",
        "67,108,865",
    ):
        assert reason in answer.err
    assert f"vitalake upload {folder} --dataset ecg --date {DAY}" in answer.err
    assert len(contents(raw)) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--dataset", "ecgs"), "unknown dataset 'ecgs'; known: ecg"),
        (("--dataset", "ecg", "--date", "2026-02-30"), "YYYY-MM-DD"),
        (("--dataset", "ecg", "--date", "1999-01-01"), "first day of the lake"),
        (("--dataset", "ecg", "--device", "a/b"), "no slash"),
        (("--dataset", "ecg", "--device", ".."), "no slash"),
        (("--dataset", "pricing", "--source", "crm"), "pricing takes no notice of it"),
        (("--dataset", "entities", "--source", "sap"), "known: crm, erp, legacy"),
    ],
)
@pytest.mark.usefixtures("home")
def test_wrong_options_are_usage_errors_and_send_nothing(
    vitalake: Vitalake, raw: ObjectStore, folder: Path, options: tuple[str, ...], words: str
) -> None:
    answer = vitalake("upload", str(folder), *options)
    assert answer.code == 2
    assert words in " ".join(answer.err.replace("│", " ").split())
    assert not [item for dataset in ("ecg/", "pricing/", "entities/") for item in raw.objects(dataset)]


@pytest.mark.usefixtures("home")
def test_an_export_is_laid_under_the_system_that_it_is_from(
    vitalake: Vitalake, raw: ObjectStore, folder: Path
) -> None:
    export = folder / "customers.json"
    export.write_text("[]")
    answer = vitalake("upload", str(export), "--dataset", "entities", "--date", DAY, "--source", "CRM")
    assert answer.code == 0, answer.err
    [item] = raw.objects("entities/")
    assert item.key == f"entities/date={DAY}/source=CRM/customers.json"
    assert source_system(Envelope(memoryview(b"[]"), {}), item.key, system_mappings()) == "crm", "and read as meant"


@pytest.mark.usefixtures("home")
def test_a_large_file_goes_in_pieces_and_stays_when_it_is_there(
    vitalake: Vitalake, raw: ObjectStore, tmp_path: Path
) -> None:
    large = tmp_path / "prices.csv"
    line = b"1,north-1,c7.large,0.085\n"
    large.write_bytes(b"ID,Region,InstanceType,Price (USD/h)\n" + line * (65 * 2**20 // len(line)))
    command = ("upload", str(large), "--dataset", "pricing", "--date", DAY)
    assert "1 uploaded, 0 skipped" in vitalake(*command).out
    [item] = raw.objects("pricing/")
    assert item.version.strip('"').endswith("-5")
    assert hashlib.sha256(raw.get(item.key)).digest() == hashlib.sha256(large.read_bytes()).digest()
    assert "0 uploaded, 1 skipped" in vitalake(*command).out
    with large.open("ab") as file:
        file.write(line)
    assert "1 uploaded, 0 skipped" in vitalake(*command).out
    [item] = raw.objects("pricing/")
    assert item.size_bytes == large.stat().st_size


def test_pieces_of_a_file_that_somebody_else_wrote_meanwhile_are_given_up(
    settings: Settings, raw: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"ours")
    raw.put("pricing/f", b"theirs", expected=None)
    for expected in (None, '"another"'):
        with pytest.raises(ConflictError):
            LargeFiles(settings).put("pricing/f", tmp_path / "f", expected=expected)
    assert raw.get("pricing/f") == b"theirs"


@pytest.mark.parametrize("there", ["s3_endpoint", "moto"], ids=["a store that verifies", "a store that does not"])
def test_a_piece_that_arrives_changed_is_sent_again_or_nothing_is_left(
    settings: Settings,
    request: pytest.FixtureRequest,
    there: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.upload.large_files.PIECE_BYTES", 5 * 2**20)
    content = os.urandom(11 * 2**20)
    (tmp_path / "f").write_bytes(content)
    with changing_proxy(request.getfixturevalue(there)) as proxy:
        near = settings.model_copy(update={"s3_endpoint": proxy.url})
        raw = ObjectStore(near, settings.raw_bucket)
        if there == "moto":
            raw._client.create_bucket(Bucket=raw.bucket)
        proxy.requests, proxy.times, proxy.only = flipped, 1, "partNumber=2"
        LargeFiles(near).put("pricing/once", tmp_path / "f", expected=None)
        assert proxy.times == 0, "it did change one"
        proxy.times = None
        with pytest.raises(TransientError, match="piece 2 arrive changed"):
            LargeFiles(near).put("pricing/always", tmp_path / "f", expected=None)
        proxy.requests = None
        [item] = raw.objects("pricing/")
        assert raw.get(item.key) == content
        assert not raw._client.list_multipart_uploads(Bucket=raw.bucket).get("Uploads")
        head = raw._client.head_object(Bucket=raw.bucket, Key=item.key, ChecksumMode="ENABLED")
        assert head["ChecksumType"] == "FULL_OBJECT"
        assert head["ChecksumCRC32"] == b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


@pytest.mark.usefixtures("home")
def test_a_missing_path_is_a_usage_error(vitalake: Vitalake) -> None:
    answer = vitalake("upload", "/nowhere/at/all", "--dataset", "ecg")
    assert answer.code == 2
    assert "does not exist" in answer.err


@pytest.mark.usefixtures("home")
def test_an_empty_folder_is_nothing_to_upload(vitalake: Vitalake, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = vitalake("upload", str(tmp_path / "empty"), "--dataset", "ecg")
    assert answer.code == 0
    assert "Nothing to upload" in answer.out


def test_without_a_system_it_says_how_to_start_one(
    vitalake: Vitalake, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Asked at all, it would be asked again for a minute.
    monkeypatch.setattr(ObjectStore, "objects", lambda *_: pytest.fail("the store was asked"))
    elsewhere = str(tmp_path / "elsewhere")
    unknown = vitalake("upload", str(folder), "--dataset", "ecg", "--home", elsewhere)
    monkeypatch.setenv("VITALAKE_S3_ENDPOINT", "http://127.0.0.1:1")
    refused = vitalake("upload", str(folder), "--dataset", "ecg", "--home", elsewhere)
    assert "no S3 server answers" in refused.err
    for answer in (unknown, refused):
        assert answer.code == 2
        assert "vitalake up" in answer.err


def test_two_files_never_become_one_object(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.mat").write_bytes(name.encode())
    with pytest.raises(PermanentError, match=r"would both become p/1\.mat"):
        files_below([tmp_path / "a", tmp_path / "b"], "p/")
    assert files_below([tmp_path / "a", tmp_path / "a" / "1.mat"], "p/") == [
        UploadSource("p/1.mat", tmp_path / "a" / "1.mat")
    ]


def test_a_racing_upload_loses_nothing(
    settings: Settings, raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our listing and our put somebody else writes the same key."""
    key, listing = "ecg/date=2026-01-05/1.mat", ObjectStore.objects

    def list_then_lose(store: ObjectStore, prefix: str) -> list[ObjectInfo]:
        found = listing(store, prefix)
        raw.put(key, b"theirs", expected=None)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "objects", list_then_lose)
        sent = upload_all(settings, [UploadSource(key, b"ours")], PlainConsole(file=StringIO()))
    assert (sent.uploaded, raw.get(key)) == (1, b"ours")


def test_a_large_file_is_given_up_between_two_pieces_and_leaves_none(
    settings: Settings, raw: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.upload.large_files.PIECE_BYTES", 5 * 2**20)
    (tmp_path / "f").write_bytes(bytes(20 * 2**20))
    looks = iter([False, False, True])
    with pytest.raises(StoppedError):
        LargeFiles(settings, lambda: next(looks)).put("pricing/f", tmp_path / "f", expected=None)
    assert not s3_client(settings).list_multipart_uploads(Bucket=settings.raw_bucket).get("Uploads")
    assert not raw.objects("pricing/")


@pytest.mark.usefixtures("home")
def test_an_interrupted_upload_goes_on_where_it_stopped(
    vitalake: Vitalake, raw: ObjectStore, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(3000):
        (many / f"{number}.mat").write_bytes(str(number).encode())
    command = ["upload", str(many), "--dataset", "ecg", "--date", DAY, "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", f"{INTERRUPTIBLE}; sys.argv[1:] = {command!r}; main()"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    while not raw.objects("ecg/") and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    there = len(raw.objects("ecg/"))
    assert process.returncode == 130
    assert f"go on with:\n  vitalake {' '.join(command)}" in said
    assert "Traceback" not in said
    assert 0 < there < 3000
    answer = vitalake(*command[:-2])
    assert f"{3000 - there:,} uploaded, {there:,} skipped" in answer.out
