"""What an S3 server's refusals are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from obstore import exceptions

from resources.s3_errors import call
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
