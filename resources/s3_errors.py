"""What an error of the object store means: gone, lost race, try again, or mend the set-up.

Belongs here: translating the errors of obstore, boto3 and urllib into the project's family. Does not belong here:
the requests themselves (`resources/object_store.py`).
"""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Callable
from typing import TypeVar

from vitalake.errors import PermanentError, TransientError
from vitalake.escaping import printable

T = TypeVar("T")
_BUSY = ("408", "409", "425", "429")  # the 4xx that pass by themselves
# How a store says that a body which reached it has not the checksum that was sent with it, or is not whole. (By
# obstore, in XML.)
_CHANGED = re.compile(r"(BadDigest|XAmzContent(?:SHA256|Checksum)Mismatch|IncompleteBody)")
# "KMS.ThrottlingException" and others come with HTTP 400.
_THROTTLED = re.compile(r"Throttl|SlowDown|RequestLimitExceeded|TooManyRequests")
# What obstore quotes of an answer.
_STATUS = re.compile(r"status code: (\d{3})")
_CODE, _MESSAGE = (re.compile(rf"<{name}>([^<]*)</{name}>") for name in ("Code", "Message"))


class ChangedBytesError(TransientError):
    """Bytes that arrived are not those that were sent."""


class StoreRefusalError(PermanentError):
    """The store answers, and refuses what it was asked for.

    Args:
        message: what happened, where, and what to do if it is the set-up that is wrong.
        status: HTTP status, or the class of obstore's error.
        code: S3's own code, e.g. "AccessDenied"; empty where the answer has none.
        reason: what S3 says of it, in its words.
    """

    def __init__(self, message: str, status: str, code: str, reason: str) -> None:
        super().__init__(message)
        self.status, self.code, self.reason = status, code, reason

    def __reduce__(self) -> tuple[type[StoreRefusalError], tuple[str, str, str, str]]:
        """For another process."""
        return StoreRefusalError, (str(self), self.status, self.code, self.reason)


def call(request: Callable[[], T], where: str) -> T:
    """Make one request; what goes wrong is a TransientError or PermanentError that names `where`.

    What a caller has to tell apart passes through: FileNotFoundError, a refused key, a failed condition.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
    from obstore import exceptions

    where = printable(where)
    try:
        return request()
    except FileNotFoundError:
        raise
    except ClientError as error:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        said = error.response.get("Error", {})
        code, reason = said.get("Code", ""), said.get("Message", "")
        if status == 412 or (status == 404 and code != "NoSuchBucket"):
            raise FileNotFoundError(where) from None
        raise _explain(str(status), code, reason, where) from error
    except NoCredentialsError as error:
        raise PermanentError(f"{where}: no AWS credentials; set them, or give this machine a role") from error
    except BotoCoreError as error:
        raise TransientError(f"{where}: the object store did not answer ({type(error).__name__})") from error
    except urllib.error.HTTPError as error:
        if error.code in (404, 409, 412):
            raise
        raise _explain(str(error.code), "", "", where) from error
    except OSError as error:
        raise TransientError(f"{where}: the object store did not answer ({type(error).__name__})") from error
    except exceptions.BaseError as error:
        name, text = type(error).__name__, str(error)
        if name in ("InvalidPathError", "PreconditionError", "AlreadyExistsError"):
            raise
        code, reason = _first(_CODE, text), _first(_MESSAGE, text)
        raise _explain(_first(_STATUS, text) or name, code, reason, where) from error


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _explain(status: str, code: str, reason: str, where: str) -> TransientError | PermanentError:
    """An error of the store in the project's terms: what happened, where, what to do.

    Args:
        status: of HTTP, or the class of obstore's error.
        code: S3's own code; empty where there is none.
        reason: what S3 says of it.
        where: bucket and key.
    """
    if _CHANGED.fullmatch(code):
        return ChangedBytesError(f"{where}: the bytes that reached the store are not those that were sent ({code})")
    if status in ("404", "412") and code != "NoSuchBucket":  # obstore, when it goes on with a broken answer
        return TransientError(f"{where}: it was replaced or deleted while it was read")
    if status == "404":
        advice = "create it, or set VITALAKE_RAW_BUCKET and VITALAKE_LAKE_BUCKET"
        return PermanentError(f"{where}: the bucket does not exist; {advice}")
    if status in ("401", "403", "PermissionDeniedError", "UnauthenticatedError"):
        key = ", and whether its KMS key may be used (kms:Decrypt)" if "kms" in reason.lower() else ""
        advice = f"check the AWS credentials and the bucket's policy{key}"
        return StoreRefusalError(f"{where}: access denied; {advice}", status, code, reason)
    if status.startswith(("3", "4")) and status not in _BUSY and not _THROTTLED.search(code):
        said = f" ({printable(code)})" if code else ""
        advice = "check AWS_REGION, the endpoint and the credentials"
        return StoreRefusalError(f"{where}: refused with HTTP {status}{said}; {advice}", status, code, reason)
    full = "; a server on this machine may have a full disk: `vitalake status`" if status in ("500", "507") else ""
    return TransientError(f"{where}: the object store did not answer as it should ({status}{full})")
