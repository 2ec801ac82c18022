"""Pseudonyms: the same person is the same stranger in every table, and nobody can count back.

Belongs here: how an identifier becomes a pseudonym. Does not belong here: where the key is kept (`resources/`), or
which identifiers a format carries (its reader).

HMAC-SHA-256 with a managed key: a plain hash of a nine-digit record number is found by trying all of them in
minutes. The domain keeps equal numbers of different kinds apart; the version in front tells which scheme was used.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from vitalake.errors import PermanentError

VERSION = "p1"
MIN_KEY_BYTES = 16


@dataclass(frozen=True)
class Pseudonyms:
    """Makes pseudonyms with one secret key.

    Raises:
        PermanentError: the key has fewer than 16 bytes.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < MIN_KEY_BYTES:
            raise PermanentError(
                f"the key for pseudonyms has {len(self.key)} bytes, expected at least {MIN_KEY_BYTES}: "
                "set VITALAKE_PSEUDONYM_KEY to a secret, e.g. from `openssl rand -hex 32`, and keep it"
            )

    def of(self, domain: str, identifier: str) -> str:
        """``p1_`` and 24 hex digits; the same for the same domain, identifier and key."""
        return f"{VERSION}_{self._mac(domain, identifier)[:24]}"

    @property
    def key_id(self) -> str:
        """Eight hex digits that change with the key and tell nothing about it."""
        return self._mac("key id", "")[:8]

    def _mac(self, domain: str, identifier: str) -> str:
        message = f"vitalake {VERSION}\0{domain}\0{identifier}".encode(errors="surrogatepass")
        return hmac.digest(self.key, message, "sha256").hex()
