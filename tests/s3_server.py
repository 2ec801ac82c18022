"""A real S3 server for tests: SeaweedFS on free loopback ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import boto3
from botocore.config import Config

from cli.services.process_cleanup import MARK, Owner, start_guard

READER_SECRET = "reader-secret"
_MASTERS: dict[str, str] = {}  # the part that gives out volumes, by the endpoint of its server
KEYS = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret"}


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now, with their gRPC twins 10,000 above."""
    ports: list[int] = []
    while len(ports) < count:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            if port < 55000 and port not in ports:
                try:
                    two.bind(("127.0.0.1", port + 10000))
                except OSError:
                    continue
                ports.append(port)
    return ports


@contextmanager
def s3_server(folder: Path, readers: Mapping[str, Sequence[str]] | None = None) -> Iterator[str]:
    """Start a server on `folder`; its endpoint URL.

    `KEYS` may do everything. Each of `readers`, an access key with the secret `READER_SECRET`, may only list and
    read the buckets that it names.
    """
    weed = Path(sys.executable).with_name("weed")
    s3, master, volume, filer, admin = free_ports(5)
    argv = [str(weed) if weed.exists() else shutil.which("weed") or "weed", "-logtostderr=true", "mini"]
    argv += ["-dir", str(folder), "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={s3}", f"-master.port={master}"]
    argv += [f"-volume.port={volume}", f"-filer.port={filer}", f"-admin.port={admin}", "-s3.port.iceberg=0"]
    argv += ["-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"]
    # A volume a bucket: hundreds of tests make hundreds of them. Left alone, a server allows as many as full ones
    # fit the free disk, and refuses every write after them.
    argv += ["-master.volumeSizeLimitMB=64", "-volume.max=10000"]
    if readers is not None:
        argv.append(f"-s3.config={_identities(folder, readers)}")
    guard = start_guard(Owner(folder, "test"))  # ends the server if this very process is killed
    env = os.environ | KEYS | {MARK: Owner(folder, "test", "s3").mark}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(argv, env=env, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    endpoint = f"http://127.0.0.1:{s3}"
    try:
        wait_for_s3(endpoint)
        _MASTERS[endpoint] = f"http://127.0.0.1:{master}"
        yield endpoint
    finally:
        _MASTERS.pop(endpoint, None)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        guard.communicate()


def master_of(endpoint: str) -> str:
    """The URL of the part that gives out volumes, which is open in tests."""
    return _MASTERS[endpoint]


def make_room(endpoint: str, bucket: str) -> None:
    """Give a new bucket its volume now: it has none until the first write, which then waits 0.2 s."""
    with urlopen(f"{master_of(endpoint)}/vol/grow?collection={bucket}&count=1", timeout=60) as answer:  # noqa: S310
        answer.read()


def _identities(folder: Path, readers: Mapping[str, Sequence[str]]) -> Path:
    allowed = {KEYS["AWS_ACCESS_KEY_ID"]: ["Admin", "Read", "List", "Tagging", "Write"]}
    allowed |= {
        key: [f"{action}:{bucket}" for bucket in buckets for action in ("Read", "List")]
        for key, buckets in readers.items()
    }
    identities = [
        {
            "name": key,
            "credentials": [
                {
                    "accessKey": key,
                    "secretKey": READER_SECRET if key in readers else KEYS["AWS_SECRET_ACCESS_KEY"],
                }
            ],
            "actions": actions,
        }
        for key, actions in allowed.items()
    ]
    file = folder / "identities.json"
    file.write_text(json.dumps({"identities": identities}))
    return file


def wait_for_s3(endpoint: str, seconds: float = 60) -> None:
    """Until a signed request is answered and writes go through."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )
    deadline = time.monotonic() + seconds
    while True:
        try:
            if "ready" not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"1")
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
