"""Fixtures shared by every tier."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from cli.environment import write_env
from resources.alerting.outbox import Outbox
from resources.build import lake_store
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.moto_server import moto_server
from tests.postgres_server import postgres_server
from tests.s3_server import KEYS, make_room, s3_server

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# How long an example takes is a matter of the machine; a hang ends at pytest's own limit. The examples are the same
# each time, or new ones where there is time. All else as it is by default, which under CI is another default.
hypothesis_settings.register_profile(
    "any machine",
    hypothesis_settings(
        deadline=None,
        derandomize=not os.environ.get("VITALAKE_TEST_LONG"),
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    ),
)
hypothesis_settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Side by side, the tests of a file stay in one process, and so do all files that start a whole system.

    Two systems at once want the same ports, and several files share one. (xdist's own groups do nothing with
    pytest 9.2: it keeps the name of a test elsewhere than where xdist adds the group.)
    """
    from xdist.scheduler import LoadFileScheduling

    @cache
    def group(file: str) -> str:
        return "system" if "mark.system" in (config.rootpath / file).read_text() else file

    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = lambda nodeid: group(nodeid.partition("::")[0])
    return scheduler


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real recordings, beside the repository; the test is skipped where there is none."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("VITALAKE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip("real recordings not found: set VITALAKE_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server, one for the whole test session."""
    with s3_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """AWS services of moto, one server for the whole test session."""
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str) -> S3Client:
    """A client of the S3 server; each costs 30 ms to make."""
    made: S3Client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    return made


def new_settings(endpoint: str, client: S3Client, home: Path) -> Settings:
    """Settings of a lake of its own: fresh buckets on the test server, and a home folder that is not there yet."""
    name = uuid.uuid4().hex[:12]
    for bucket in (f"raw-{name}", f"lake-{name}", f"restricted-{name}"):
        client.create_bucket(Bucket=bucket)
        make_room(endpoint, bucket)
    return Settings(
        home=home,
        s3_endpoint=endpoint,
        aws_region="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"]),
        pseudonym_key=SecretStr("a key for tests, long enough"),
        raw_bucket=f"raw-{name}",
        lake_bucket=f"lake-{name}",
        restricted_bucket=f"restricted-{name}",
    )


def make_home(settings: Settings) -> None:
    """Make the home folder, with an `env` that names the buckets."""
    secret = settings.aws_secret_access_key
    settings.home.mkdir()
    write_env(
        settings.home / "env",
        {
            "VITALAKE_S3_ENDPOINT": settings.s3_endpoint or "",
            "VITALAKE_RAW_BUCKET": settings.raw_bucket,
            "VITALAKE_LAKE_BUCKET": settings.lake_bucket,
            "VITALAKE_RESTRICTED_BUCKET": settings.restricted_bucket,
            "AWS_ACCESS_KEY_ID": settings.aws_access_key_id or "",
            "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
        },
    )


@pytest.fixture
def settings(s3_endpoint: str, s3_client: S3Client, tmp_path: Path) -> Settings:
    """Settings of a lake of this test's own."""
    return new_settings(s3_endpoint, s3_client, tmp_path / "home")


@pytest.fixture(scope="module")
def file_settings(s3_endpoint: str, s3_client: S3Client, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a lake that the tests of a file share, its home made: for what is built once and only read."""
    settings = new_settings(s3_endpoint, s3_client, tmp_path_factory.mktemp("lake") / "home")
    make_home(settings)
    return settings


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder whose `env` names the test's own buckets."""
    make_home(settings)
    monkeypatch.setenv("VITALAKE_HOME", str(settings.home))
    return settings.home


@pytest.fixture
def raw(settings: Settings) -> ObjectStore:
    """The raw bucket of this test."""
    return ObjectStore(settings, settings.raw_bucket)


@pytest.fixture
def store(settings: Settings) -> ObjectStore:
    """The lake of this test, both buckets."""
    return lake_store(settings)


@pytest.fixture
def outbox(store: ObjectStore) -> Outbox:
    """The alerts of this test's lake."""
    return Outbox(store)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Slack server of the test's own is asked directly: Slack's client heeds a proxy that is set for others."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server, one for the whole test session: the URL of its database `postgres`.

    Make a database of your own on it with `tests.postgres_server.new_database`.
    """
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres_server())
        except LookupError as missing:
            pytest.skip(str(missing))
        yield url
