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
_CHANGED = re.compile(r"(?:^|<Code>)(BadDigest|XAmzContent(?:SHA256|Checksum)Mismatch|IncompleteBody)(?:$|<)")


class ChangedBytesError(TransientError):
    """Bytes that arrived are not those that were sent."""


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
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchKey" or status == 412:
            raise FileNotFoundError(where) from None
        raise _explain(str(status), code, where) from error
    except NoCredentialsError as error:
        raise PermanentError(f"{where}: no AWS credentials; set them, or give this machine a role") from error
    except BotoCoreError as error:
        raise TransientError(f"{where}: the object store did not answer ({type(error).__name__})") from error
    except urllib.error.HTTPError as error:
        if error.code in (404, 409, 412):
            raise
        raise _explain(str(error.code), "", where) from error
    except OSError as error:
        raise TransientError(f"{where}: the object store did not answer ({type(error).__name__})") from error
    except exceptions.BaseError as error:
        name, text = type(error).__name__, str(error)
        if name in ("InvalidPathError", "PreconditionError", "AlreadyExistsError"):
            raise
        raise _explain(name, text, where) from error


def _explain(name: str, text: str, where: str) -> TransientError | PermanentError:
    """An error of the store in the project's terms: what happened, where, what to do.

    Args:
        name: HTTP status, or the class of obstore's error.
        text: S3's error code, or obstore's message, which holds both status and code.
        where: bucket and key.
    """
    if changed := _CHANGED.search(text):
        return ChangedBytesError(
            f"{where}: the bytes that reached the store are not those that were sent ({changed[1]})"
        )
    found = re.search(r"status code: (\d{3})", text)
    status = found[1] if found else name
    if status in ("404", "412") and "NoSuchBucket" not in text:  # obstore, when it goes on with a broken answer
        return TransientError(f"{where}: it was replaced or deleted while it was read")
    if status == "404":
        advice = "create it, or set VITALAKE_RAW_BUCKET and VITALAKE_LAKE_BUCKET"
        return PermanentError(f"{where}: the bucket does not exist; {advice}")
    if status in ("401", "403", "PermissionDeniedError", "UnauthenticatedError"):
        return PermanentError(f"{where}: access denied; check the AWS credentials and the bucket's policy")
    if status.startswith(("3", "4")) and status not in _BUSY:
        return PermanentError(
            f"{where}: refused with HTTP {status}; check AWS_REGION, the endpoint and the credentials"
        )
    full = "; a server on this machine may have a full disk: `vitalake status`" if status in ("500", "507") else ""
    return TransientError(f"{where}: the object store did not answer as it should ({status}{full})")
