"""Dagster's web server behind our guard: `python -m cli.services.webserver --port 3000 -w workspace.yaml`.

Belongs here: starting it. Does not belong here: what the guard lets through (`cli/services/web_guard.py`).
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from urllib.parse import urlsplit


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the instance in `$DAGSTER_HOME` until SIGINT or SIGTERM.

    Asked under another name than one of the loopback interface, it answers to the host of `VITALAKE_WEBSERVER_URL`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m cli.services.webserver", description="Dagster's web UI, guarded."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("-p", "--port", type=int, default=3000, help="port to listen on (default: %(default)s)")
    parser.add_argument("-w", "--workspace", required=True, help="the workspace.yaml that says where the code is")
    parser.add_argument("--path-prefix", default="", help="where a proxy serves it, such as /dagster")
    parser.add_argument("--read-only", action="store_true", help="show everything and change nothing")
    parser.add_argument(
        "--own-user-only", action="store_true", help="refuse the other users of this machine, but for root (Linux)"
    )
    _serve(parser.parse_args(arguments))


def _serve(options: argparse.Namespace) -> None:
    import uvicorn
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.cli import (
        DEFAULT_DB_STATEMENT_TIMEOUT,
        DEFAULT_POOL_MAX_OVERFLOW,
        DEFAULT_POOL_RECYCLE,
    )
    from dagster_webserver.version import __version__

    from cli.services.connection_owner import can_tell, refuses_others
    from cli.services.web_guard import WebGuard
    from resources.settings import load_settings

    public = urlsplit(load_settings().webserver_url or "").hostname
    own_user_only = options.own_user_only and can_tell()
    if options.own_user_only and not own_user_only:
        logging.getLogger(__name__).warning("this system tells no user of a connection: all of them are let in")
    target = WorkspaceFileTarget([options.workspace])
    with (
        DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, target, __version__, options.read_only) as context,
    ):
        instance.optimize_for_webserver(
            DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
        )
        app = create_app_from_workspace_process_context(context, options.path_prefix)
        uvicorn.run(
            WebGuard(app, [public] if public else [], refuses_others if own_user_only else None),
            host=options.host,
            port=options.port,
            log_level="warning",
            # Whoever writes X-Forwarded-For would say whose connection it is.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=3,  # a page keeps its web socket open for ever
        )


if __name__ == "__main__":
    main()
