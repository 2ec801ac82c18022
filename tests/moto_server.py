"""AWS services that have no real server to run here: moto's, in a process of its own on a free loopback port.

One request at a time: moto keeps its queues without locks, and of two deletions at once one comes undone. Its queue
also counts itself for every message that it gives out, which at 10,000 messages takes seconds a call; those counts
are left out, what they decide is not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.services.process_cleanup import MARK, Owner, start_guard
from tests.s3_server import KEYS, free_ports

_START_S = 60


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """Start a server that keeps everything in memory and its log in `folder`; its URL, for every service.

    Raises:
        RuntimeError: it does not start; says why.
    """
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    guard = start_guard(Owner(folder, "test"))  # ends the server if this very process is killed
    env = os.environ | KEYS | {MARK: Owner(folder, "test", "moto").mark}
    argv = [sys.executable, "-m", "tests.moto_server", str(port)]
    root = Path(__file__).resolve().parents[1]
    with (folder / "moto.txt").open("wb") as log:
        process = subprocess.Popen(argv, env=env, stdout=log, stderr=log, start_new_session=True, cwd=root)
    try:
        _wait(endpoint, process, folder / "moto.txt")
        yield endpoint
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        guard.communicate()


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            with urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=5):  # noqa: S310
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"moto did not start: {log.read_text()[-500:]}") from None
            time.sleep(0.1)


def _serve(port: int) -> None:
    """Be the server."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from moto.sqs import models
    from moto.sqs.exceptions import ReceiptHandleIsInvalid
    from werkzeug.serving import make_server

    def retained(backend: Any, queue_name: str, message: Any) -> bool:
        """`SQSBackend.is_message_valid_based_on_retention_period`, without asking for every other attribute."""
        period: float = backend.get_queue(queue_name).message_retention_period
        return bool(time.time() < period + message.sent_timestamp / 1000)

    def delete(queue: Any, receipt: str) -> None:
        """`Queue.delete_message`, without copying the queue."""
        if receipt in queue.deleted_messages:
            return
        for position, message in enumerate(queue._messages):
            if message.had_receipt_handle(receipt):
                queue.pending_messages.discard(message)
                queue.deleted_messages.update(message.all_receipt_handles)
                del queue._messages[position]
                return
        raise ReceiptHandleIsInvalid

    def waiting(queue: Any) -> list[Any]:
        """`Queue.messages`, with one look at the clock."""
        now = time.time() * 1000
        return [each for each in queue._messages if each.visible_at < now and each.delayed_until <= now]

    patched: Any = models
    patched.SQSBackend.is_message_valid_based_on_retention_period = retained
    patched.Queue.delete_message = delete
    patched.Queue.messages = property(waiting)
    patched.unix_time = time.time
    patched.unix_time_millis = lambda: time.time() * 1000
    app = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", port, app, threaded=False, request_handler=MotoRequestHandler).serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
