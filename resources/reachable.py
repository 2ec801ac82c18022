"""Whether a server listens at all, asked before a client of it begins to wait and retry.

Belongs here: this probe. Does not belong here: what is said where nobody listens (`cli/reachable.py`,
`resources/notebook.py`).
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

_PATIENCE_S = 2.0


def answers(url: str) -> bool:
    """Whether somebody listens at the URL's address."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False
