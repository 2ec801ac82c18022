"""`lake.duckdb`: views over the Parquet in the bucket, in a file that any DuckDB client opens.

Belongs here: DuckDB with S3, publishing the catalog, asking it. Does not belong here: what the views say
(`vitalake/serving/catalog.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import SecretStr

from resources.object_store import ObjectStore
from resources.published_views import MADE_OF, made_of, views_as_published
from resources.settings import Settings
from vitalake.arrivals.calendar import Granularity, Partition
from vitalake.arrivals.fingerprints import digest
from vitalake.errors import PermanentError, TransientError
from vitalake.lake.dataset import Dataset
from vitalake.lake.parquet import SEED_PARTITION
from vitalake.lake.parts import Store
from vitalake.lake.tables import Table
from vitalake.lake.versions.changed_declaration import DeclarationRefusedError
from vitalake.serving.catalog import QUARANTINE, quote, seed, statements, views

if TYPE_CHECKING:
    import duckdb

_PUBLISH = (
    "start the system (vitalake up) or, where it runs elsewhere, "
    "`python -m dagster asset materialize --select lake -m definitions`"
)


def init_sql(settings: Settings) -> str:
    """What a DuckDB client runs before it asks: load httpfs, and know the bucket's address and keys.

    The keys are those of the settings: a client that has them may do what they may, however it opened the catalog.
    The extension is the signed one that PyPI ships; nothing is downloaded.
    """
    import duckdb_extension_httpfs

    [extension] = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    secret = ["TYPE s3", f"REGION {quote(settings.aws_region)}"]
    if settings.s3_endpoint:
        scheme, _, address = settings.s3_endpoint.partition("://")
        use_ssl = "true" if scheme == "https" else "false"
        secret += [f"ENDPOINT {quote(address)}", "URL_STYLE 'path'", f"USE_SSL {use_ssl}"]
    if settings.aws_access_key_id and settings.aws_secret_access_key:
        secret += [f"KEY_ID {quote(settings.aws_access_key_id)}"]
        secret += [f"SECRET {quote(settings.aws_secret_access_key.get_secret_value())}"]
    if settings.aws_session_token:
        secret += [f"SESSION_TOKEN {quote(settings.aws_session_token.get_secret_value())}"]
    return "\n".join(
        [
            f"LOAD {quote(str(extension))};",
            f"CREATE OR REPLACE SECRET vitalake ({', '.join(secret)});",
            "SET TimeZone = 'UTC';",
            # Footers stay unpacked, each for as long as the listing shows its ETag (docs/adr/0008).
            "SET parquet_metadata_cache = true;",
            "",
        ]
    )


def _ready(settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection of our own read the bucket, with the machine's role where no keys are set.

    The role's keys are temporary, so they go into this connection and never into ``init.sql``.
    """
    connection.execute(init_sql(settings))
    if settings.aws_access_key_id is None:
        import boto3

        found = boto3.Session().get_credentials()
        if found is None:
            raise PermanentError("no AWS credentials: set AWS_ACCESS_KEY_ID, or give this machine a role")
        keys = found.get_frozen_credentials()
        role = settings.model_copy(
            update={
                "aws_access_key_id": keys.access_key,
                "aws_secret_access_key": SecretStr(str(keys.secret_key)),
                "aws_session_token": SecretStr(keys.token) if keys.token else None,
            }
        )
        connection.execute(init_sql(role))


def publish(settings: Settings, lake: Store, datasets: Sequence[Dataset]) -> bool:
    """Write the catalog to a new file and rename it over the old one; False when it already says this.

    A reader that has the old file open keeps it; nobody sees a half-written one, nobody is locked out. Every view
    has its columns from the first moment, whatever is stored. The file itself says what it was made of, so that one
    that is broken, or that other code has put there, is written anew.

    A dataset whose older parts cannot be read as it is declared now is read on as it was published last: nothing
    else is written of it either.

    Raises:
        PermanentError: a dataset is refused, or DuckDB does not take a view (everything else is published), or
            nothing can be written there.
        TransientError: the store or the disk did not take it; the old catalog stays.
    """
    import duckdb

    path = settings.catalog_path
    unreadable = {dataset.name: lines for dataset in datasets if (lines := _seeded(lake, dataset))}
    ddl = _definition(settings, datasets)
    wanted = " ".join((_digest(ddl, datasets), *unreadable))
    refused: dict[str, str] = {}
    written = False
    try:
        with _new(path.with_name("init.sql")) as file:
            file.touch(0o600, exist_ok=False)  # it holds keys
            file.write_text(init_sql(settings))
        if made_of(path) != wanted:
            if unreadable:
                ddl |= views_as_published(path, [each for each in datasets if each.name in unreadable])
                ddl[QUARANTINE] = ddl[QUARANTINE][:1]  # what is said of its columns may be said of newer ones
            with _new(path) as file:
                with duckdb.connect(str(file)) as connection:  # DuckDB syncs the file when it closes it
                    _ready(settings, connection)
                    refused = dict(_refused(connection, ddl))
                    if not refused:  # else the next time it is tried again
                        connection.execute(f"CREATE MACRO {MADE_OF}() AS {quote(wanted)}")
                # What a killed program left to be written into the old file, DuckDB would write into the new one.
                path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            written = True
    except duckdb.IOException as error:  # the store, or the disk
        raise TransientError(f"the catalog {path} was not written: {str(error).splitlines()[0]}") from error
    except OSError as error:
        raise PermanentError(
            f"the catalog {path} cannot be written: {error.strerror or error}. Make its folder writable, free some "
            "space, or choose another place with VITALAKE_LAKE_PATH"
        ) from error
    wrong = [
        f"dataset {name!r}, of which SQL has what was published before: {why}" for name, why in unreadable.items()
    ]
    wrong += [f"view {name!r}: {why}" for name, why in refused.items()]
    if wrong:
        raise PermanentError(f"correct these, everything else is published: {'; '.join(wrong)}")
    return written


def is_published(settings: Settings, datasets: Sequence[Dataset]) -> bool:
    """Whether the catalog says all this already, by the files on this machine alone: the store is not asked.

    Also where it has some datasets as they were before, since that was said when it was published.
    """
    init = settings.catalog_path.with_name("init.sql")
    try:
        if init.read_text() != init_sql(settings):
            return False
    except OSError:
        return False
    says = made_of(settings.catalog_path) or ""
    return says.partition(" ")[0] == _digest(_definition(settings, datasets), datasets)


def _seeded(lake: Store, dataset: Dataset) -> str:
    """See that each table has a part to take the columns from; why older parts of some cannot be read, if so."""
    refused = []
    for table in dataset.every_table:
        try:
            seed(lake, table, dataset.partition)
        except DeclarationRefusedError as error:
            refused.append(str(error))
    return "\n".join(refused)


def _definition(settings: Settings, datasets: Sequence[Dataset]) -> dict[str, list[str]]:
    """View → the statements that make it."""
    return {
        view.name: statements(view) for view in views(datasets, settings.lake_bucket, settings.restricted_bucket)
    }


def _digest(ddl: Mapping[str, list[str]], datasets: Sequence[Dataset]) -> str:
    """What a catalog is made of, in short: its statements, and the columns, which views take from files."""
    columns = (str(table.columns) for dataset in datasets for table in dataset.every_table)
    return digest(*(line for lines in ddl.values() for line in lines), *columns)


def _refused(connection: duckdb.DuckDBPyConnection, ddl: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Carry out the statements of each view: the names of those that cannot be, with what DuckDB says."""
    import duckdb

    for name, lines in ddl.items():
        try:
            for line in lines:
                connection.execute(line)
        except (duckdb.ProgrammingError, duckdb.DataError) as error:  # not when the store does not answer
            yield name, str(error).splitlines()[0]


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection that cannot change the catalog, ready to ask.

    It could still write to the buckets, and to files: what a person gives it goes through `cli/sql/readonly.py`.

    Raises:
        PermanentError: nothing has been published yet, or the file is no catalog.
        TransientError: another client has the catalog open for writing.
    """
    import duckdb

    path = settings.catalog_path
    if not path.exists():
        raise PermanentError(f"{path} is not there yet: {_PUBLISH}")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        if "Could not set lock" in said:
            raise TransientError(
                f"{path} cannot be opened: another program has it open for writing, which locks everybody else "
                "out. Close that program, or open the file read-only there (duckdb -readonly)"
            ) from error
        raise PermanentError(
            f"{path} is no catalog that can be read ({said}). To write it anew, {_PUBLISH}"
        ) from error
    _ready(settings, connection)
    return connection


def stored_partitions(lake: ObjectStore, table: Table, unit: Granularity) -> set[Partition]:
    """The days or hours of which a table has parts, by the names of its folders.

    Of hours by those of its parts: a request brings a thousand of them, and the parts of an hour are few.
    """
    if unit == "day":
        keys = lake.folders(f"{table.name}/")[0]
    else:
        keys = [item.key for item in lake.objects(f"{table.name}/")]
    found = {each for each in map(Partition.of_folder, keys) if each}
    return {each for each in found if str(each.day) != SEED_PARTITION and (each.hour is None) == (unit == "day")}


@contextmanager
def _new(path: Path) -> Iterator[Path]:
    """Where to write what takes the place of `path` when the block ends: a folder of its own, gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        new = Path(folder, path.name)
        yield new
        new.replace(path)
