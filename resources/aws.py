"""boto3's clients, with the region and the keys of the settings.

Belongs here: who we are to AWS. Does not belong here: what is asked of a service, or how patiently.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from resources.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


_ONE_AT_A_TIME = threading.Lock()


def identity(settings: Settings) -> dict[str, Any]:
    """Arguments of `boto3.client`: region and keys; without keys in the settings boto3 finds the machine's role."""
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    return {
        "region_name": settings.aws_region,
        "aws_access_key_id": settings.aws_access_key_id,
        "aws_secret_access_key": secret.get_secret_value() if secret else None,
        "aws_session_token": token.get_secret_value() if token else None,
    }


def s3_client(settings: Settings) -> S3Client:
    """S3, or the server that stands for it: for what obstore does not do."""
    import boto3
    from botocore.config import Config

    config = Config(
        request_checksum_calculation="when_supported",  # whatever the shell or ~/.aws/config says
        response_checksum_validation="when_required",  # `resources/content_check.py` does, and knows more of them
        max_pool_connections=16,
    )
    with _ONE_AT_A_TIME:  # clients may be shared between threads, and not made by several
        client: S3Client = boto3.client(
            "s3", endpoint_url=settings.s3_endpoint, config=config, **identity(settings)
        )
    return client
