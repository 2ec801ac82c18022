"""Every setting in one typed place, read from the environment or from ``<home>/env``.

Belongs here: names, types, defaults and meaning of settings. Does not belong here: anything that uses them.
No other module reads the environment. `python -m resources.settings` prints ``.env.example``.
"""

from __future__ import annotations

import os
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vitalake.errors import PermanentError

_KEYS = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_ADDRESSES = {"s3_endpoint": "VITALAKE_S3_ENDPOINT", "webserver_url": "VITALAKE_WEBSERVER_URL"}


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # of the port
        usable = False
    if not usable:
        raise ValueError("not a URL such as http://127.0.0.1:8333, whose port is at most 65535")
    return url


Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseSettings):
    """Vitalake's settings, each an environment variable; production differs by values only."""

    model_config = SettingsConfigDict(
        env_prefix="VITALAKE_", extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    home: Path = Field(Path(".vitalake"), description="Folder of all local state.")
    s3_endpoint: Address | None = Field(None, description="URL of an S3 server; empty for AWS.")
    aws_region: str = Field("us-east-1", validation_alias="AWS_REGION", description="Region of the buckets.")
    aws_access_key_id: str | None = Field(
        None, validation_alias="AWS_ACCESS_KEY_ID", description="Empty: the machine's role is used."
    )
    aws_secret_access_key: SecretStr | None = Field(
        None, validation_alias="AWS_SECRET_ACCESS_KEY", description="Secret of that key."
    )
    aws_session_token: SecretStr | None = Field(
        None, validation_alias="AWS_SESSION_TOKEN", description="Token of temporary credentials."
    )
    raw_bucket: str = Field("vitalake-raw", description="Where devices upload.")
    lake_bucket: str = Field("vitalake-lake", description="Where Parquet and alerts go.")
    restricted_bucket: str = Field("vitalake-restricted", description="Where tables go that name people.")
    lake_path: Path | None = Field(None, description="The DuckDB catalog; default <home>/lake.duckdb.")
    pseudonym_key: SecretStr | None = Field(
        None, description="Secret that turns subjects' identifiers into pseudonyms; keep it, or they all change."
    )
    first_day: date = Field(
        date(2015, 1, 1), description="First daily partition; raising it leaves rows of earlier days."
    )
    # Dagster's loop comes round every 5 s: a sensor that asks for 5 just misses every other round.
    drops_interval_seconds: int = Field(4, ge=1, description="How often the open days are looked at.")
    sweep_interval_seconds: int = Field(60, ge=5, description="How often everything is looked at.")
    runs_per_tick: int = Field(
        25, ge=1, description="Most runs that one sensor tick requests, and that a sweep keeps waiting."
    )
    queue_url: str | None = Field(None, description="SQS queue of S3's notifications; empty: only polling.")
    queue_endpoint: Address | None = Field(
        None, description="URL of an SQS server; empty: the one in the queue's own URL."
    )
    queue_hidden_seconds: int = Field(
        300, ge=1, le=43200, description="How long a notification that is in hand is hidden from others."
    )
    max_concurrent_runs: int = Field(2, ge=1, description="Most runs at once; each fills a core and 300 MB.")
    processes_per_run: int | None = Field(
        None, ge=1, description="Processes in which one run reads the parts of a large day; empty: one a core."
    )
    webserver_url: Address | None = Field(None, description="Where links in alerts point to.")
    slack_token: SecretStr | None = Field(None, description="Bot token; empty: alerts go to the log.")
    slack_channel: str | None = Field(None, description="Channel for alerts, e.g. #health-data.")
    slack_base_url: str | None = Field(None, description="Another Slack API address, for tests and proxies.")
    postgres_url: SecretStr | None = Field(None, description="Dagster's storage; empty: SQLite under <home>.")

    dynamodb_tables: bool = Field(False, description="Whether views that have such a sink feed DynamoDB tables.")
    dynamodb_endpoint: Address | None = Field(None, description="URL of a DynamoDB server; empty for AWS.")
    dynamodb_prefix: str = Field("vitalake_", description="What the names of those tables begin with.")
    postgres_tables_url: SecretStr | None = Field(
        None, description="PostgreSQL that views with such a sink feed; empty: none is fed."
    )
    postgres_tables_schema: str = Field("vitalake", description="Schema of those tables; they are ours alone.")

    @property
    def catalog_path(self) -> Path:
        """Where the DuckDB catalog is published on this machine."""
        return self.lake_path or self.home / "lake.duckdb"

    @property
    def buckets(self) -> tuple[str, str, str]:
        """The names of all buckets that are ours."""
        return self.raw_bucket, self.lake_bucket, self.restricted_bucket

    @property
    def slack_configured(self) -> bool:
        """Whether alerts can go to Slack at all."""
        return self.slack_token is not None and self.slack_channel is not None


def home_folder() -> Path:
    """The state folder that the environment names: ``$VITALAKE_HOME``, else ``.vitalake``."""
    return Path(os.environ.get("VITALAKE_HOME") or ".vitalake")


def load_settings(home: Path | None = None) -> Settings:
    """Settings of this process; a local system is found through ``<home>/env``.

    The environment overrides that file, but for the keys and addresses of a system on this machine: whoever is
    logged in to AWS in this shell does not send those credentials to it, and who has read another system's file
    into this shell does not ask that one.

    Args:
        home: the state folder; default ``$VITALAKE_HOME``, else ``.vitalake`` below the current folder.

    Raises:
        PermanentError: that file cannot be read.
        pydantic.ValidationError: a value cannot be used.
    """
    folder = home or home_folder()
    file = folder / "env"
    local = env_values(file)
    keys: dict[str, str | None] = {name: local[name] for name in _KEYS if local.get(name)}
    if keys:
        keys["AWS_SESSION_TOKEN"] = None
        keys |= {field: local[name] for field, name in _ADDRESSES.items() if local.get(name)}
    # `home` is a field with a prefixed name, `_env_file` a keyword that pydantic-settings takes apart.
    return Settings(_env_file=file, home=folder, **keys)  # type: ignore[arg-type]


def env_values(file: Path) -> dict[str, str]:
    """The variables that ``<home>/env`` sets; none where there is no such file. Raises PermanentError."""
    from dotenv import dotenv_values

    found = dotenv_values(stream=StringIO(env_text(file)), interpolate=False)
    return {name: value for name, value in found.items() if value is not None}


def env_text(file: Path) -> str:
    """The text of ``<home>/env``, empty where there is no such file. Raises PermanentError: it cannot be read."""
    try:
        return file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8. Save it as UTF-8 text"
    except OSError as error:
        why = f"{error.strerror}. Make it a file that you may read"
    raise PermanentError(f"{file} cannot be read: {why}, or put it back from a backup")


def env_example() -> str:
    """The text of ``.env.example``: each setting with its meaning and default."""
    lines = ["# Every setting of Vitalake. Generated: python -m resources.settings > .env.example", ""]
    for name, info in Settings.model_fields.items():
        variable = str(info.validation_alias or f"VITALAKE_{name.upper()}")
        default = "" if info.default is None else info.default
        lines += [f"# {info.description}", f"{variable}={default}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(env_example(), end="")  # noqa: T201
