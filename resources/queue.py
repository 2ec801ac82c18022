"""The queue of notifications: messages in, and out again once they are dealt with.

Belongs here: everything that speaks SQS, and what its errors mean. Does not belong here: what a message says
(`vitalake/arrivals/notifications.py`) or when it is dealt with (`sensors/queue.py`).

A message that was received is hidden for a while and comes again unless it is deleted. So whoever dies with
messages in hand loses none; SQS itself delivers some twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from resources.aws import identity
from resources.settings import Settings
from vitalake.errors import PermanentError, TransientError, VitalakeError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import (
        DeleteMessageBatchResultTypeDef,
        GetQueueAttributesResultTypeDef,
        ReceiveMessageResultTypeDef,
    )

T = TypeVar("T")
# As many as SQS gives or takes in one call.
_BATCH = 10
_THREADS = 8
# With a wait all of SQS's servers are asked; without, some of them, who may not have the only message.
_WAIT_S = 1
_DELETE_ROUNDS = 3
_PASSES = ("Throttl", "OverLimit", "RequestTimeout", "InternalError", "InternalFailure", "ServiceUnavailable")


@dataclass(frozen=True)
class QueueMessage:
    """One message: its body, and the receipt by which this delivery of it is deleted."""

    receipt: str
    body: str


@dataclass(frozen=True)
class Depth:
    """About how many messages wait, and how many are hidden because somebody has them in hand."""

    waiting: int
    in_hand: int


class NotificationQueue:
    """The queue at a URL; safe to share between threads."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.url = url
        self._settings = settings

    @cached_property
    def _client(self) -> SQSClient:
        import boto3
        from botocore.config import Config

        settings = self._settings
        # Short, because a tick has 20 s: what fails is there again at the next.
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=3,
            read_timeout=5,
            max_pool_connections=_THREADS,
        )
        client: SQSClient = boto3.client(
            "sqs",
            # Said in any case: boto3 would take AWS_ENDPOINT_URL for it, which is the S3 server of a local system.
            endpoint_url=settings.queue_endpoint or _origin(self.url),
            config=config,
            **identity(settings),
        )
        return client

    def receive(self, limit: int, seconds: float) -> list[QueueMessage]:
        """Up to about `limit` messages (ten at a time), asking for no longer than `seconds`.

        Raises:
            TransientError, PermanentError: the very first call failed. When a later one does, what has been
                received so far is the answer: it would be hidden from everybody otherwise.
        """
        deadline = time.monotonic() + seconds
        first = self._ten(_WAIT_S)
        calls = iter(range((limit - 1) // _BATCH))
        if len(first) < _BATCH:
            return first

        def receive_some(_worker: int) -> list[QueueMessage]:
            found: list[QueueMessage] = []
            while time.monotonic() < deadline and next(calls, None) is not None:
                try:
                    more = self._ten(0)  # where there were ten, there are more
                except VitalakeError:
                    break
                if not more:
                    break
                found += more
            return found

        with ThreadPoolExecutor(_THREADS) as pool:
            return first + list(chain.from_iterable(pool.map(receive_some, range(_THREADS))))

    def delete(self, receipts: Iterable[str], seconds: float) -> int:
        """Delete these deliveries, working no longer than `seconds`; how many could not be, and come again.

        Raises:
            TransientError, PermanentError: a call failed as a whole.
        """
        deadline = time.monotonic() + seconds
        left, lost = list(receipts), 0

        def delete_some(some: Sequence[str]) -> tuple[list[str], int]:
            return self._delete_ten(some) if time.monotonic() < deadline else (list(some), 0)

        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in range(_DELETE_ROUNDS):
                batches = [left[start : start + _BATCH] for start in range(0, len(left), _BATCH)]
                answers = list(pool.map(delete_some, batches))
                left = [receipt for again, _ in answers for receipt in again]
                lost += sum(refused for _, refused in answers)
                if not left:
                    break
        return len(left) + lost

    def depth(self) -> Depth:
        """How full the queue is, roughly: SQS counts by sampling."""

        def ask() -> GetQueueAttributesResultTypeDef:
            return self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])

        found = self._call(ask)["Attributes"]
        return Depth(
            waiting=int(found["ApproximateNumberOfMessages"]),
            in_hand=int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _ten(self, wait_s: int) -> list[QueueMessage]:
        def receive() -> ReceiveMessageResultTypeDef:
            return self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=self._settings.queue_hidden_seconds,
            )

        answer = self._call(receive)
        return [QueueMessage(item["ReceiptHandle"], item["Body"]) for item in answer.get("Messages", [])]

    def _delete_ten(self, receipts: Sequence[str]) -> tuple[list[str], int]:
        """Receipts to try again, and how many were refused for good: their messages have been delivered anew."""

        def delete() -> DeleteMessageBatchResultTypeDef:
            entries = [{"Id": str(number), "ReceiptHandle": text} for number, text in enumerate(receipts)]
            return self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)  # type: ignore[arg-type]

        failed = self._call(delete).get("Failed", [])
        again = [receipts[int(item["Id"])] for item in failed if not item["SenderFault"]]
        return again, len(failed) - len(again)

    def _call(self, request: Callable[[], T]) -> T:
        """Make one request; what goes wrong is a TransientError or PermanentError."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            return request()
        except ClientError as error:
            raise _explained(error.response, self.url) from error
        except NoCredentialsError as error:
            raise PermanentError(f"{self.url}: no AWS credentials; give this machine a role") from error
        except BotoCoreError as error:
            raise TransientError(f"{self.url}: the queue did not answer ({type(error).__name__})") from error


def _explained(answer: object, url: str) -> TransientError | PermanentError:
    """An error of SQS in the project's terms. It says 400 for most, so its code tells which it is."""
    content = answer if isinstance(answer, dict) else {}
    code = str(content.get("Error", {}).get("Code", ""))
    status = int(content.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500 or status == 429 or any(name in code for name in _PASSES):
        return TransientError(f"{url}: the queue did not answer as it should ({code or status})")
    if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
        return PermanentError(f"{url}: there is no such queue; check VITALAKE_QUEUE_URL and AWS_REGION")
    if status in (401, 403):
        rights = "sqs:ReceiveMessage, sqs:DeleteMessage and, if it is encrypted, kms:Decrypt"
        return PermanentError(f"{url}: access denied; the role needs {rights}")
    return PermanentError(
        f"{url}: refused ({code or status}); check VITALAKE_QUEUE_URL, AWS_REGION and the credentials"
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
