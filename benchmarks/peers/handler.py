"""A pipeline on functions, as they are usually written: one message, one object, one Parquet file at a time.

Belongs here: the handler, and who feeds it. Does not belong here: what is compared (`benchmarks/throughput.py`).

The design is that of the pipelines this project replaces: S3 notifies a queue, the function gets a message with one
object, reads it with boto3 and `loadmat`, fills and normalises it with pandas, and puts one Parquet object. It
checks nothing. The queue's part (receive, delete) is counted apart: on Lambda it is the service that polls.
"""

from __future__ import annotations

import io
import json
import tempfile
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import scipy.io

from tests.moto_server import moto_server
from tests.s3_server import KEYS
from vitalake.arrivals.objects import ObjectInfo


def handler(event: dict[str, Any], s3: Any, target: str) -> None:
    """What one invocation does."""
    for record in event["Records"]:
        for notified in json.loads(record["body"])["Records"]:
            bucket = notified["s3"]["bucket"]["name"]
            key = urllib.parse.unquote_plus(notified["s3"]["object"]["key"])
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            frame = pd.DataFrame(scipy.io.loadmat(io.BytesIO(body))["val"].T, columns=["MLII"]).ffill()
            frame["MLII"] = (frame["MLII"] - frame["MLII"].min()) / (frame["MLII"].max() - frame["MLII"].min())
            sink = io.BytesIO()
            frame.to_parquet(sink)
            s3.put_object(Bucket=target, Key=f"handled/{key}.parquet", Body=sink.getvalue())


def message(bucket: str, item: ObjectInfo) -> str:
    """S3's notification of one object."""
    key = urllib.parse.quote_plus(item.key, safe="/")
    return json.dumps({"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]})


def handle_all(bucket: str, items: Sequence[ObjectInfo], s3: Any, target: str) -> None:
    """One invocation an object, the client kept between them as in a warm function."""
    for item in items:
        handler({"Records": [{"body": message(bucket, item)}]}, s3, target)


@contextmanager
def notified(bucket: str, items: Sequence[ObjectInfo]) -> Iterator[tuple[Any, str]]:
    """A queue on a server of its own, with a message for each object: its client and its address."""
    with tempfile.TemporaryDirectory() as folder, moto_server(Path(folder)) as endpoint:
        sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        queue_url = sqs.create_queue(QueueName="handler")["QueueUrl"]
        for item in items:
            sqs.send_message(QueueUrl=queue_url, MessageBody=message(bucket, item))
        yield sqs, queue_url


def poll_and_handle(sqs: Any, queue_url: str, s3: Any, target: str) -> int:
    """The same where nobody polls for it: receive one message, handle it, delete it; how many there were."""
    handled = 0
    while found := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=1).get("Messages"):
        for each in found:
            handler({"Records": [{"body": each["Body"]}]}, s3, target)
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=each["ReceiptHandle"])
            handled += 1
    return handled
