"""Requests to DynamoDB: make a table or verify it, scan it, write to it, and what its errors mean.

Belongs here: everything that speaks DynamoDB. Does not belong here: what an item looks like
(`resources/sinks/dynamodb_items.py`), or which are written (`resources/sinks/dynamodb_table.py`).

boto3's own `batch_writer` sends what was left undone again at once and for ever; here each repetition waits longer,
by chance, and ends.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from resources.aws import identity
from resources.settings import Settings
from resources.sinks.dynamodb_items import DIGEST, Item, Key, Request
from vitalake.errors import PermanentError, TransientError, VitalakeError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
_THREADS = 4
_ACTIVE_WITHIN_S = 180
_IDLE_TRIES = 10
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0
_PASSES = ("Throttl", "LimitExceeded", "ThroughputExceeded", "InternalServerError", "ResourceInUse", "Unavailable")
_RIGHTS = "dynamodb:DescribeTable, CreateTable, Scan and BatchWriteItem"


class DynamoRequests:
    """DynamoDB of an account and region, or at another address; safe to share between threads."""

    def __init__(self, settings: Settings, endpoint: str | None = None) -> None:
        self._settings = settings
        self._endpoint = endpoint

    @cached_property
    def client(self) -> DynamoDBClient:
        """boto3's client, which retries single requests for some seconds."""
        import boto3
        from botocore.config import Config

        settings = self._settings
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 6},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=_THREADS,
            # AWS_ENDPOINT_URL is the S3 server of a local system.
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]
        )
        client: DynamoDBClient = boto3.client(
            "dynamodb",
            endpoint_url=self._endpoint,
            config=config,
            **identity(settings),
        )
        return client

    def ensure(self, table: str, key: Key) -> None:
        """Make the table if there is none, encrypted and with point-in-time recovery; wait until it is active.

        Raises:
            PermanentError: the table that is there has another key.
        """
        found = self._described(table)
        if found is None:
            self._create(table, key)
        deadline = time.monotonic() + _ACTIVE_WITHIN_S
        while found is None or found["TableStatus"] not in ("ACTIVE", "UPDATING"):
            if time.monotonic() > deadline:
                raise TransientError(f"{table}: the table is not active yet")
            time.sleep(0.5)
            found = self._described(table)
        types = {item["AttributeName"]: item["AttributeType"] for item in found["AttributeDefinitions"]}
        there = tuple((item["AttributeName"], types[item["AttributeName"]]) for item in found["KeySchema"])
        if there != key.columns:
            raise PermanentError(
                f"{table}: the table's key is {_shown(there)}, the sink's is {_shown(key.columns)}. Delete the "
                "table, the next delivery makes it anew; or set another VITALAKE_DYNAMODB_PREFIX"
            )
        self._keep_recoverable(table)

    def scan(self, table: str, key: Key) -> Iterator[list[tuple[str, str, str | None]]]:
        """The keys, as texts, and digests of all items, some pages at a time; segments are read side by side."""
        names = {f"#k{number}": column for number, (column, _) in enumerate(key.columns)} | {"#d": DIGEST}
        starts: dict[int, Any] = dict.fromkeys(range(_THREADS))

        def page(segment: int) -> Any:
            more = {"ExclusiveStartKey": starts[segment]} if starts[segment] else {}
            return self._call(
                lambda: self.client.scan(
                    TableName=table,
                    ConsistentRead=True,  # else what was written a moment ago may look missing
                    ProjectionExpression=", ".join(names),
                    ExpressionAttributeNames=names,
                    Segment=segment,
                    TotalSegments=_THREADS,
                    **more,
                ),
                table,
            )

        with ThreadPoolExecutor(_THREADS) as pool:
            while starts:
                found: list[Item] = []
                for segment, answer in zip(list(starts), list(pool.map(page, starts)), strict=True):
                    found += answer["Items"]
                    starts[segment] = answer.get("LastEvaluatedKey")
                    if not starts[segment]:
                        del starts[segment]
                yield [(*key.read(item), item.get(DIGEST, {}).get("S")) for item in found]

    def write(self, table: str, batches: Iterable[list[Request]], wrote: Callable[[int], None]) -> None:
        """Carry out all batches, several side by side; `wrote` hears how many requests are done so far.

        Raises:
            TransientError: DynamoDB left requests undone, however long we waited.
        """
        done, waiting = 0, iter(batches)
        with ThreadPoolExecutor(_THREADS) as pool:
            while group := list(islice(waiting, _THREADS * 4)):
                for count in pool.map(partial(self._write_batch, table), group):
                    done += count
                wrote(done)

    def _write_batch(self, table: str, batch: list[Request]) -> int:
        left: Any = batch
        idle = 0
        while left:
            answer = self._call(partial(self.client.batch_write_item, RequestItems={table: left}), table)
            again: Any = answer.get("UnprocessedItems", {}).get(table, [])
            idle = idle + 1 if len(again) == len(left) else 0
            left = again
            if idle >= _IDLE_TRIES:
                raise TransientError(f"{table}: DynamoDB left {len(left)} writes undone, {idle} times in a row")
            if left:
                time.sleep(random.uniform(0, min(_FIRST_PAUSE_S * 2**idle, _LONGEST_PAUSE_S)))  # noqa: S311
        return len(batch)

    def _described(self, table: str) -> Any:
        from botocore.exceptions import ClientError

        def ask() -> Any:
            try:
                return self.client.describe_table(TableName=table)["Table"]
            except ClientError as error:
                if _code(error) == "ResourceNotFoundException":
                    return None
                raise

        return self._call(ask, table)

    def _create(self, table: str, key: Key) -> None:
        from botocore.exceptions import ClientError

        roles: tuple[Any, ...] = ("HASH", "RANGE")
        named: Any = [{"AttributeName": column, "AttributeType": type_} for column, type_ in key.columns]
        schema: Any = [
            {"AttributeName": column, "KeyType": role}
            for (column, _), role in zip(key.columns, roles, strict=False)
        ]

        def create() -> None:
            try:
                self.client.create_table(
                    TableName=table,
                    KeySchema=schema,
                    AttributeDefinitions=named,
                    BillingMode="PAY_PER_REQUEST",
                    SSESpecification={"Enabled": True, "SSEType": "KMS"},
                )
            except ClientError as error:
                if _code(error) != "ResourceInUseException":  # somebody else makes it at this moment
                    raise

        self._call(create, table)

    def _keep_recoverable(self, table: str) -> None:
        """Turn on point-in-time recovery. A server without it, or a role without the right, stops no delivery."""
        try:
            found = self._call(lambda: self.client.describe_continuous_backups(TableName=table), table)
            now = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
            if now.get("PointInTimeRecoveryStatus") != "ENABLED":
                wanted: Any = {"PointInTimeRecoveryEnabled": True}
                update = partial(self.client.update_continuous_backups, PointInTimeRecoverySpecification=wanted)
                self._call(partial(update, TableName=table), table)
        except VitalakeError as error:
            logging.getLogger(__name__).warning("%s has no point-in-time recovery: %s", table, error)

    def _call(self, request: Callable[[], T], table: str) -> T:
        """Make one request; what goes wrong is a TransientError or PermanentError, without values of rows."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            return request()
        except ClientError as error:
            raise _explained(error, table) from None
        except NoCredentialsError:
            raise PermanentError(f"{table}: no AWS credentials; set them, or give this machine a role") from None
        except BotoCoreError as error:
            raise TransientError(f"{table}: DynamoDB did not answer ({type(error).__name__})") from None


def _explained(error: Any, table: str) -> TransientError | PermanentError:
    code, status = _code(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500 or status == 429 or any(name in code for name in _PASSES):
        return TransientError(f"{table}: DynamoDB did not answer as it should ({code or status})")
    if code == "ResourceNotFoundException":
        return TransientError(f"{table}: the table was deleted during the delivery")
    if status in (401, 403) or code in ("AccessDeniedException", "UnrecognizedClientException"):
        return PermanentError(f"{table}: access denied ({code}); the role needs {_RIGHTS}")
    return PermanentError(f"{table}: refused ({code or status}); check AWS_REGION and VITALAKE_DYNAMODB_ENDPOINT")


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _shown(key: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{column} ({type_})" for column, type_ in key)
