"""The targets of sinks: what each must do, which are configured, and which object delivers to one.

Belongs here: the protocol, and the choice by a sink's declared target. Does not belong here: a target itself, each
in a module beside this one; what a sink declares (`vitalake/lake/sinks.py`).
"""

from __future__ import annotations

from typing import Protocol

from resources.settings import Settings
from resources.sinks.view_rows import ViewRows
from vitalake.errors import PermanentError
from vitalake.lake.sinks import Delivery, Progress, Sink


class Target(Protocol):
    """Somewhere that a view is delivered to."""

    def deliver(self, view: ViewRows, progress: Progress) -> Delivery:
        """Bring it in line with the rows, once."""


def is_configured(sink: Sink, settings: Settings) -> bool:
    """Whether the settings name the sink's target; JSON needs no setting."""
    match sink.target:
        case "dynamodb":
            return settings.dynamodb_tables
        case "postgres":
            return settings.postgres_tables_url is not None
        case "json":
            return True


def target_of(sink: Sink, settings: Settings, *, restricted: bool) -> Target:
    """The object that delivers. Each imports its library when it is wanted.

    Args:
        sink: what is delivered.
        settings: where to.
        restricted: the view names people, so a file goes to the bucket of what names people.

    Raises:
        PermanentError: the settings do not name the target.
    """
    match sink.target:
        case "dynamodb":
            from resources.sinks.dynamodb_requests import DynamoRequests
            from resources.sinks.dynamodb_table import DynamoTable

            return DynamoTable(DynamoRequests(settings, settings.dynamodb_endpoint), settings.dynamodb_prefix)
        case "postgres":
            from resources.sinks.postgres_table import PostgresTable

            if settings.postgres_tables_url is None:
                raise PermanentError(f"{sink.name}: set VITALAKE_POSTGRES_TABLES_URL")
            return PostgresTable(settings.postgres_tables_url.get_secret_value(), settings.postgres_tables_schema)
        case "json":
            from resources.sinks.json_export import JsonExport

            return JsonExport(settings, settings.restricted_bucket if restricted else settings.lake_bucket)
