"""When the local S3 server counts as ready."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from cli.services.socket_folder import socket_folder
from cli.services.store_service import PORTS, store_service
from tests.s3_server import KEYS, free_ports

SECONDS = 60


@contextmanager
def running(argv: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(argv, env=os.environ | KEYS, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    with socket_folder(tmp_path) as folder:
        yield folder


def holds(what: Callable[[], object]) -> bool:
    try:
        return bool(what())
    except (EndpointConnectionError, ClientError):
        return False


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds(what):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_server_that_lists_but_has_no_contents_yet_is_not_ready(tmp_path: Path, sockets: Path) -> None:
    ports = dict(zip([port.name for port in PORTS], free_ports(len(PORTS)), strict=True))
    endpoint, master = f"http://127.0.0.1:{ports['S3']}", f"127.0.0.1:{ports['S3 master']}"
    env = KEYS | {"AWS_ENDPOINT_URL": endpoint, "VITALAKE_RAW_BUCKET": "raw", "VITALAKE_LAKE_BUCKET": "lake"}
    service = store_service(tmp_path, ports, sockets, env | {"VITALAKE_RESTRICTED_BUCKET": "restricted"})
    weed, local = service.argv[0], ["-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    lists = [weed, "server", f"-dir={tmp_path}", "-filer", "-s3", "-volume=false", *local]
    lists += [f"-{part}.port={ports[f'S3 {part}']}" for part in ("master", "filer")]
    lists += [f"-s3.port={ports['S3']}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    contents = [weed, "volume", f"-dir={tmp_path}", f"-port={ports['S3 volume']}", f"-master={master}", *local]
    session = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    client = session.client("s3", endpoint_url=endpoint)
    with ExitStack() as stack:
        stack.enter_context(running(lists, tmp_path / "lists.log"))
        until(lambda: "Buckets" in client.list_buckets())
        with pytest.raises((ClientError, ReadTimeoutError)):
            service.ready(0)
        stack.enter_context(running(contents, tmp_path / "contents.log"))
        until(lambda: service.ready(0))


def test_more_buckets_than_full_volumes_fit_the_disk(tmp_path: Path, sockets: Path) -> None:
    ports = dict(zip([port.name for port in PORTS], free_ports(len(PORTS)), strict=True))
    endpoint = f"http://127.0.0.1:{ports['S3']}"
    env = KEYS | {"AWS_ENDPOINT_URL": endpoint, "VITALAKE_RAW_BUCKET": "raw", "VITALAKE_LAKE_BUCKET": "lake"}
    service = store_service(tmp_path, ports, sockets, env | {"VITALAKE_RESTRICTED_BUCKET": "restricted"})
    largest_gb = 30  # what the server allows a volume to become: this disk holds few of them, as a full one of 1 GB
    argv = [*service.argv, f"-master.volumeSizeLimitMB={largest_gb * 1000}"]
    session = boto3.Session(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    client = session.client("s3", endpoint_url=endpoint)
    with running(argv, tmp_path / "log"):
        until(lambda: service.ready(0))
        for number in range(shutil.disk_usage(tmp_path).free // (largest_gb * 10**9) + 3):
            client.create_bucket(Bucket=f"bucket-{number}")
            client.put_object(Bucket=f"bucket-{number}", Key="key", Body=b"contents")
