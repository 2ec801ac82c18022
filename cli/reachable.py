"""Whether the system answers, and what to say when it does not.

Belongs here: what is said before a command begins, and questions to Dagster with their errors put into words. Does
not belong here: starting anything (`cli/services/local_system.py`), what is asked (`cli/runs.py`,
`cli/status/command.py`).
"""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from resources.reachable import answers
from vitalake.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from resources.settings import Settings

START = "start it with: vitalake up"


def require_store(settings: Settings) -> None:
    """Raise at once, rather than after a minute of retries, when the S3 server is not running."""
    if settings.s3_endpoint is None and settings.aws_access_key_id is None and not (settings.home / "env").exists():
        raise PermanentError(
            f"no system is known: {settings.home / 'env'} is not there and no VITALAKE_S3_ENDPOINT is set\n"
            f"Name its folder with --home, or {START}"
        )
    if settings.s3_endpoint and not answers(settings.s3_endpoint):
        raise PermanentError(f"no S3 server answers at {settings.s3_endpoint}; {START}")


def require_dagster(settings: Settings) -> str:
    """The web server's address; raises when there is none or nobody answers there."""
    if not settings.webserver_url:
        raise PermanentError(
            f"no web server is known: VITALAKE_WEBSERVER_URL is set neither here nor in {settings.home / 'env'}\n"
            f"Name its folder with --home, or {START}"
        )
    if not answers(settings.webserver_url):
        raise PermanentError(f"Dagster's web server does not answer at {settings.webserver_url}; {START}")
    return settings.webserver_url.rstrip("/")


def ask(url: str, text: str, **variables: Any) -> dict[str, Any]:
    """The answer of Dagster's GraphQL interface. Raises TransientError, PermanentError."""
    from cli.services.dagster_services import query

    try:
        return query(url, text, **variables)
    except (OSError, ValueError, HTTPException) as error:
        raise TransientError(f"Dagster's web server at {url} did not answer as it should ({error})") from error
    except RuntimeError as error:
        raise PermanentError(f"Dagster at {url} refused the question: {error}") from error
