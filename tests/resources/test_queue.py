"""The queue, against moto's SQS: what is received is hidden, comes again, or is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from resources.queue import Depth, NotificationQueue
from resources.settings import Settings
from tests.moto_server import moto_server
from tests.s3_server import KEYS
from vitalake.errors import PermanentError, TransientError

pytestmark = pytest.mark.store


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def queue(endpoint: str, tmp_path: Path) -> NotificationQueue:
    settings = Settings(
        home=tmp_path,
        aws_region="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=SecretStr(KEYS["AWS_SECRET_ACCESS_KEY"]),
        queue_endpoint=endpoint,
        queue_hidden_seconds=600,  # longer than any test takes
    )
    name = f"q{time.time_ns()}"
    url = NotificationQueue(settings, "")._client.create_queue(QueueName=name)["QueueUrl"]
    return NotificationQueue(settings, url)


def send(queue: NotificationQueue, *bodies: str) -> None:
    for start in range(0, len(bodies), 10):
        entries: Any = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])]
        queue._client.send_message_batch(QueueUrl=queue.url, Entries=entries)


def test_many_are_received_each_once_and_deleted(queue: NotificationQueue) -> None:
    bodies = {str(number) for number in range(95)}
    send(queue, *bodies)
    some = queue.receive(40, 10)
    assert len(some) == 40
    rest = queue.receive(1000, 10)
    assert {message.body for message in some + rest} == bodies
    assert len(rest) == 55
    assert queue.depth() == Depth(waiting=0, in_hand=95)
    assert queue.delete([message.receipt for message in some + rest], 10) == 0
    assert (queue.depth(), queue.receive(10, 10)) == (Depth(0, 0), [])


def test_what_is_not_deleted_comes_again(queue: NotificationQueue) -> None:
    brief = NotificationQueue(queue._settings.model_copy(update={"queue_hidden_seconds": 1}), queue.url)
    send(queue, "a", "b")
    first = {message.body: message.receipt for message in queue.receive(10, 10)}
    assert set(first) == {"a", "b"}
    assert queue.receive(10, 10) == []  # they are hidden
    queue.delete(first.values(), 10)
    send(queue, "c", "d")
    second = {message.body: message.receipt for message in brief.receive(10, 10)}
    assert set(second) == {"c", "d"}
    brief.delete([second["c"]], 10)
    while not (again := queue.receive(10, 10)):  # each call waits for a second
        pass
    assert [message.body for message in again] == ["d"]


def test_a_receipt_that_is_none_is_counted_and_stops_no_other(queue: NotificationQueue) -> None:
    send(queue, *"abc")
    receipts = [message.receipt for message in queue.receive(10, 10)]
    assert queue.delete([receipts[0], "no receipt", *receipts[1:]], 10) == 1
    assert queue.depth() == Depth(0, 0)
    assert queue.delete([], 10) == 0


def test_what_there_is_no_time_to_delete_comes_again(queue: NotificationQueue) -> None:
    send(queue, *"abc")
    assert queue.delete([message.receipt for message in queue.receive(10, 10)], -1) == 3
    assert queue.depth().in_hand == 3


def test_partial_failures_are_tried_again(queue: NotificationQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQS may refuse single entries of a batch for reasons of its own; moto never does."""
    send(queue, *"abcde")
    receipts = [message.receipt for message in queue.receive(10, 10)]
    client, asked = queue._client, []

    class Moody:
        def delete_message_batch(self, **request: Any) -> Any:
            entries = request["Entries"]
            asked.append(len(entries))
            refused = entries[: len(entries) // 2]
            answer = client.delete_message_batch(QueueUrl=queue.url, Entries=entries[len(refused) :])
            failed = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in refused]
            return {**answer, "Failed": failed}

    monkeypatch.setitem(queue.__dict__, "_client", Moody())
    assert queue.delete(receipts, 10) == 0
    assert asked == [5, 2, 1]
    assert NotificationQueue(queue._settings, queue.url).depth() == Depth(0, 0)


def test_errors_say_what_to_do(queue: NotificationQueue) -> None:
    missing = NotificationQueue(queue._settings, f"{queue.url}-not")
    for request in (lambda: missing.receive(10, 1), lambda: missing.delete(["x"], 1), missing.depth):
        with pytest.raises(PermanentError, match="no such queue; check VITALAKE_QUEUE_URL"):
            request()
    silent = queue._settings.model_copy(update={"queue_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(TransientError, match="did not answer"):
        NotificationQueue(silent, queue.url).receive(10, 1)


def test_the_server_is_that_of_the_queue_whatever_the_shell_says(
    queue: NotificationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local system tells its shells and services AWS_ENDPOINT_URL, which is its S3 server."""
    send(queue, "hello")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    there = NotificationQueue(queue._settings.model_copy(update={"queue_endpoint": None}), queue.url)
    assert [message.body for message in there.receive(10, 5)] == ["hello"]
