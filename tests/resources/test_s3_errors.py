"""What an S3 server's refusals are called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from obstore import exceptions

from resources.s3_errors import ChangedBytesError, call
from vitalake.errors import TransientError

ANSWER = "Server returned non-2xx status code: 500 Internal Server Error: <Code>InternalError</Code>"


def by_boto3() -> None:
    answer: Any = {"ResponseMetadata": {"HTTPStatusCode": 500}, "Error": {"Code": "InternalError"}}
    raise ClientError(answer, "PutObject")


def by_obstore() -> None:
    raise exceptions.GenericError(ANSWER)


@pytest.mark.parametrize("request_", [by_boto3, by_obstore])
def test_a_server_in_trouble_may_have_a_full_disk(request_: Callable[[], None]) -> None:
    with pytest.raises(TransientError, match=r"lake/key: .* \(500; a server on this machine may have a full disk"):
        call(request_, "lake/key")


@pytest.mark.parametrize("code", ["BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"])
def test_bytes_that_reached_the_store_changed_are_no_fault_of_the_set_up(code: str) -> None:
    answer: Any = {"ResponseMetadata": {"HTTPStatusCode": 400}, "Error": {"Code": code}}
    told = f"Server returned non-2xx status code: 400 Bad Request: <Error><Code>{code}</Code><Key>k</Key></Error>"
    for error in (ClientError(answer, "PutObject"), exceptions.GenericError(told)):
        with pytest.raises(ChangedBytesError, match=rf"lake/key: .* not those that were sent \({code}\)"):
            call(partial(_raise, error), "lake/key")


def _raise(error: Exception) -> None:
    raise error
