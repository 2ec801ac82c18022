"""The store's promises, on a real S3 server: nothing unseen, conditional writes, errors that say what to do."""

from __future__ import annotations

import hashlib
import itertools
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from resources import object_content, object_store
from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings
from vitalake.arrivals.objects import ObjectInfo
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.parts import ConflictError

pytestmark = pytest.mark.store

NASTY = [
    "a b.mat",
    "p+q.mat",
    "100%.mat",
    "p%20q",
    "ÅÄÖ é.mat",
    "quote'\"s.mat",
    "(1) [x] {y}.mat",
    "tab\tkey",
    "a\nb",
    "red\x1b[31m.mat",
    "\x01",
    "fold\x07er/a",
    "\ufffd",
]


@pytest.mark.parametrize("key", NASTY)
def test_a_key_that_s3_allows_is_listed_and_read(raw: ObjectStore, key: str) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=f"ecg/{key}", Body=b"content")
    (item,) = raw.objects("ecg/")
    assert item.key == f"ecg/{key}"
    assert [found.key for found in raw.folders(item.key.rpartition("/")[0] + "/")[1]] == [item.key]
    assert raw.get(item.key, item.version) == b"content"
    assert list(raw.get_many([item])) == [(item, b"content")]


def test_reading_insists_on_the_listed_version(raw: ObjectStore) -> None:
    first = raw.put("ecg/a", b"first", expected=None)
    raw.put("ecg/a", b"second", expected=first)
    with pytest.raises(FileNotFoundError):
        raw.get("ecg/a", first)
    (item,) = raw.objects("ecg/")
    gone = ObjectInfo("ecg/gone", "x", 1, item.uploaded_at)
    assert [data for _, data in raw.get_many([item, gone])] == [b"second", None]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> int:
    """Streams come in pieces of this many bytes."""
    monkeypatch.setattr(object_content, "_PIECE", 1000)
    return 1000


@pytest.mark.parametrize("key", ["ecg/a", "ecg/tab\tkey"], ids=["plain", "refused by obstore"])
@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 2000, 4321])
def test_a_stream_is_the_whole_object(raw: ObjectStore, small_pieces: int, key: str, size: int) -> None:
    content = random.Random(size).randbytes(size)
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=content)
    [item] = raw.objects("ecg/")
    pieces = list(raw.stream(item) or ())
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= small_pieces


def test_a_stream_of_something_else_is_none(raw: ObjectStore) -> None:
    version = raw.put("ecg/a", b"first", expected=None)
    [item] = raw.objects("ecg/")
    version = raw.put("ecg/a", b"second", expected=version)
    assert raw.stream(item) is None
    raw.delete("ecg/a", expected=version)
    assert raw.stream(item) is None


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("key", ["ecg/a", "ecg/tab\tkey"], ids=["plain", "refused by obstore"])
@pytest.mark.parametrize("gone", [False, True], ids=["replaced", "deleted"])
def test_an_object_that_changes_while_it_is_read_is_no_half_object(raw: ObjectStore, key: str, gone: bool) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key=key, Body=bytes(5000))
    [item] = raw.objects("ecg/")
    pieces = raw.stream(item)
    assert pieces is not None
    assert next(pieces) == bytes(1000)
    if gone:
        raw._client.delete_object(Bucket=raw.bucket, Key=key)
    else:
        raw._client.put_object(Bucket=raw.bucket, Key=key, Body=bytes(5001))
    with pytest.raises(TransientError, match="replaced or deleted while it was read"):
        list(pieces)


def test_an_answer_that_stops_halfway_is_asked_for_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "_PAUSE", timedelta(seconds=2))
    asked: list[str] = []
    over = threading.Event()
    version = f'"{hashlib.md5(bytes(1000), usedforsecurity=False).hexdigest()}"'

    class Half(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            asked.append(self.headers.get("Range", "all"))
            first = len(asked) == 1
            self.send_response(200 if first else 206)
            self.send_header("Content-Length", "1000" if first else "500")
            if not first:
                self.send_header("Content-Range", "bytes 500-999/1000")
            self.send_header("ETag", version)
            self.send_header("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
            self.end_headers()
            self.wfile.write(bytes(500))
            if first:
                over.wait(60)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{server.server_port}"})
        assert ObjectStore(here, "raw").get("ecg/a", version) == bytes(1000)
        over.set()
        server.shutdown()
    assert asked == ["all", "bytes=500-999"]


def test_a_reader_may_take_its_time(raw: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request that lasts as long as its reader needs would end with the time for a request."""
    content = bytes(6 * object_content._PIECE)
    raw.put("ecg/a", content, expected=None)
    monkeypatch.setattr(object_store, "_TIMEOUT", timedelta(seconds=4))
    no_second_time = {**object_store._RETRIES, "retry_timeout": timedelta(seconds=3)}  # as 20 s are to 15 minutes
    monkeypatch.setattr(object_store, "_RETRIES", no_second_time)
    [item] = raw.objects("ecg/")
    read = 0
    for piece in ObjectStore(raw._settings, raw.bucket).stream(item) or ():
        read += len(piece)
        time.sleep(1)
    assert read == len(content)


def test_a_listing_that_takes_too_long_says_so(store: ObjectStore) -> None:
    with pytest.raises(SlowListingError):
        store.folders("t/", within_s=1e-9)


def test_of_many_writers_exactly_one_wins(store: ObjectStore) -> None:
    seen = store.put("t/part", b"0", expected=None)

    def write(number: int) -> bool:
        try:
            store.put("t/part", b"%d" % number, expected=seen)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(1, 9))) == 1
    with pytest.raises(ConflictError):
        store.put("t/part", b"create", expected=None)


def test_delete_spares_what_somebody_else_wrote(store: ObjectStore) -> None:
    first = store.put("t/part", b"first", expected=None)
    second = store.put("t/part", b"second", expected=first)
    with pytest.raises(ConflictError):
        store.delete("t/part", expected=first)
    assert store.get("t/part") == b"second"
    store.delete("t/part", expected=second)
    assert store.objects("t/") == []


def test_tail_and_folders(store: ObjectStore) -> None:
    store.put("t/date=2026-01-01/x", b"0123456789", expected=None)
    store.put("t/y", b"1", expected=None)
    assert store.tail("t/date=2026-01-01/x", 4) == b"6789"
    assert store.tail("t/date=2026-01-01/x", 100) == b"0123456789"
    folders, items = store.folders("t/")
    assert (folders, [item.key for item in items]) == (["t/date=2026-01-01/"], ["t/y"])


def test_a_missing_bucket_is_permanent_and_never_an_empty_listing(settings: Settings) -> None:
    missing = ObjectStore(settings, "no-such-bucket")
    for request in (lambda: missing.objects("ecg/"), lambda: missing.folders("ecg/")):
        with pytest.raises(PermanentError, match="does not exist"):
            request()


def test_nothing_is_put_into_a_missing_bucket_and_that_is_no_lost_race(settings: Settings, moto: str) -> None:
    """On moto, as on AWS: SeaweedFS makes the bucket."""
    missing = ObjectStore(settings.model_copy(update={"s3_endpoint": moto}), "no-such-bucket")
    for expected in (None, '"of before it was deleted"'):
        with pytest.raises(PermanentError, match=r"no-such-bucket.* does not exist; create it"):
            missing.put("alerts/pending/x.json", b"{}", expected=expected)


def test_wrong_keys_are_permanent(settings: Settings) -> None:
    wrong = ObjectStore(settings.model_copy(update={"aws_access_key_id": "nobody"}), settings.raw_bucket)
    with pytest.raises(PermanentError, match="access denied"):
        wrong.objects("ecg/")
    with pytest.raises(PermanentError, match="access denied"):
        wrong.put("ecg/x", b"", expected=None)


def test_a_silent_server_is_transient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.object_store._RETRIES", {"max_retries": 1})
    deaf = ObjectStore(settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:1"}), settings.raw_bucket)
    with pytest.raises(TransientError):
        deaf.objects("ecg/")


def test_a_folder_that_obstore_refuses_is_looked_into(raw: ObjectStore) -> None:
    raw._client.put_object(Bucket=raw.bucket, Key="ecg/odd\tfolder/x.mat", Body=b"content")
    folders, items = raw.folders("ecg/")
    assert (folders, items) == (["ecg/odd\tfolder/"], [])
    assert [item.key for item in raw.objects(folders[0])] == ["ecg/odd\tfolder/x.mat"]


def test_a_long_listing_with_a_key_that_obstore_refuses_says_so_too(
    raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.object_store._PAGE", 1)
    for name in ("tab\tkey", "b", "c"):
        raw._client.put_object(Bucket=raw.bucket, Key=f"ecg/{name}", Body=b"content")
    assert len(raw.folders("ecg/", within_s=3600)[1]) == 3
    late = itertools.count(step=3601)
    monkeypatch.setattr("resources.object_store.monotonic", lambda: next(late))
    with pytest.raises(SlowListingError):
        raw.folders("ecg/", within_s=3600)


def test_a_session_of_the_shell_is_not_mixed_with_configured_keys(
    raw: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-somebody-logged-in-to-aws")
    raw.put("ecg/x", b"1", expected=None)
    assert [item.key for item in raw.objects("ecg/")] == ["ecg/x"]


def test_without_keys_the_machine_s_own_are_used_and_not_written_down(
    settings: Settings, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources.catalog import connect, publish
    from vitalake.datasets.declared import DATASETS

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", str(settings.aws_access_key_id))
    assert settings.aws_secret_access_key is not None
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", settings.aws_secret_access_key.get_secret_value())
    role = settings.model_copy(update={"aws_access_key_id": None, "aws_secret_access_key": None})
    assert publish(role, store, DATASETS)
    with connect(role) as connection:
        assert connection.execute("SELECT count(*) FROM ecg_recordings").fetchone() == (0,)
    assert str(settings.aws_access_key_id) not in (role.home / "init.sql").read_text()


FIRST_USE = """
import sys, threading
from contextlib import suppress
from resources.object_store import ObjectStore, SlowListingError
from resources.settings import Settings

store = ObjectStore(Settings(s3_endpoint="http://127.0.0.1:9"), "raw")
together = threading.Barrier(8)

def use(number):
    together.wait()
    if number % 2:
        store._opened({"max_retries": 0})
    else:
        with suppress(SlowListingError):
            store.folders("ecg/", 0.0)

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=use, args=[number]) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_use_it_first_and_at_once_do_not_meet_half_of_obstore() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", FIRST_USE], check=True, capture_output=True, text=True)
        assert done.stderr == ""
