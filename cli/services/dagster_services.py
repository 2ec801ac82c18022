"""Dagster's three processes: the code server (parent of all runs), the web server and the daemon.

Belongs here: how they are started and when they are ready. Does not belong here: keeping them running
(`cli/services/supervisor.py`), what they run (`definitions.py`).
"""

from __future__ import annotations

import json
import re
import socket
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.services.ports import HOST, Port
from cli.services.service import Service
from vitalake.errors import PermanentError

PORTS = (Port("web interface", 3000),)
_LOCATION = "vitalake"
_MOST_RUNS = re.compile(r"(?m)^( +max_concurrent_runs:).*$")
_POSTGRES = "\nstorage:\n  postgres:\n    postgres_url:\n      env: VITALAKE_POSTGRES_URL\n"
_LOCATIONS = """{workspaceOrError {... on Workspace {locationEntries {
    loadStatus locationOrLoadError {... on PythonError {message}}}}}}"""
_HEARTBEATS = "{instance {daemonHealth {allDaemonStatuses {required lastHeartbeatTime}}}}"


def dagster_services(
    home: Path, ports: Mapping[str, int], sockets: Path, env: Mapping[str, str], module: str
) -> list[Service]:
    """The code server with `module`, web server and daemon, in the order of their start.

    The code server starts runs for whoever can ask it, so it listens on a socket in `sockets`, a folder of our own.
    """
    workspace, logs = home / "workspace.yaml", home / "logs"
    code_socket, web_port = str(sockets / "code-server"), str(ports["web interface"])
    server = {"host": HOST, "socket": code_socket, "location_name": _LOCATION}
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}) + "\n")  # JSON is YAML
    url = f"http://{HOST}:{web_port}"
    code = [sys.executable, "-m", "dagster", "api", "grpc", "--socket", code_socket, "-m", module]
    web = [sys.executable, "-m", "cli.services.webserver", "-p", web_port, "-w", str(workspace), "--own-user-only"]
    daemon = [sys.executable, "-m", "cli.services.daemon", "run", "-w", str(workspace)]
    return [
        Service(
            "code-server",
            [*code, "--location-name", _LOCATION, "--use-python-environment-entry-point"],
            env,
            lambda _: _listens(code_socket),
            logs / "code-server.log",
        ),
        Service("webserver", web, env, lambda _: _loaded(url), logs / "webserver.log", needs=("code-server",)),
        # It may launch runs only after orphaned ones have been told apart from those of a new code server.
        Service(
            "daemon",
            daemon,
            env,
            lambda started: _beats(url, started),
            logs / "daemon.log",
            needs=("code-server", "object-store"),
            follows="code-server",
        ),
    ]


def instance_yaml(env: Mapping[str, str]) -> str:
    """The project's ``dagster.yaml`` with what the environment says otherwise: storage, and how many runs at once.

    Raises:
        PermanentError: `VITALAKE_MAX_CONCURRENT_RUNS` is not a number of runs.
    """
    text = (Path(__file__).resolve().parents[2] / "dagster.yaml").read_text()
    if most := env.get("VITALAKE_MAX_CONCURRENT_RUNS", ""):
        # Written down rather than left to Dagster as `env:`, which fails in every shell that lacks the variable.
        if not re.fullmatch("[1-9][0-9]*", most):
            raise PermanentError(f"VITALAKE_MAX_CONCURRENT_RUNS is {most!r}: set it to a whole number, at least 1")
        text = _MOST_RUNS.sub(rf"\1 {most}", text)
    return text + (_POSTGRES if env.get("VITALAKE_POSTGRES_URL") else "")


def query(url: str, text: str, **variables: Any) -> dict[str, Any]:
    """The answer of Dagster's GraphQL interface; raises OSError when there is none, RuntimeError on a refusal."""
    body = json.dumps({"query": text, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answer = json.load(response)
    if "errors" in answer:
        raise RuntimeError(str(answer["errors"]))
    data: dict[str, Any] = answer["data"]
    return data


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(path)
    return True


def _loaded(url: str) -> bool:
    """Whether the web server answers and shows the code."""
    entries = query(url, _LOCATIONS)["workspaceOrError"]["locationEntries"]
    for entry in entries:
        if "message" in (entry["locationOrLoadError"] or {}):
            raise RuntimeError(entry["locationOrLoadError"]["message"])
    return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)


def _beats(url: str, since: float) -> bool:
    """Whether every daemon has shown itself after `since` (seconds since 1970)."""
    statuses = query(url, _HEARTBEATS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return all((status["lastHeartbeatTime"] or 0) > since for status in statuses if status["required"])
