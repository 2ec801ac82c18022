"""Certificates of the local S3 server: its parts talk to each other by mutual TLS, and to nobody else.

Belongs here: making them, and the variables by which the server finds them. Does not belong here: how the server is
started (`cli/services/store_service.py`).

S3's keys guard the S3 port alone. Behind it the server listens on nine more ports, for its own parts, and answers
whoever asks there: reads, deletes and reconfigures. With these certificates each of those ports ends a connection
that does not present one. The authority that signs them is forgotten at once, so no others can be made.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from ipaddress import ip_address
from pathlib import Path

from cli.services.ports import HOST

# https://github.com/seaweedfs/seaweedfs/wiki/Security-Configuration; `weed scaffold -config=security`
_GRPC_PARTS = ("MASTER", "VOLUME", "FILER", "S3", "ADMIN", "WORKER", "CLIENT")
_HTTPS_PARTS = ("MASTER", "VOLUME", "FILER", "ADMIN", "CLIENT")
_FILES = ("ca", "cert", "key")
# They are made anew at every start, and a clock that is wrong must not stop the server.
_FROM, _UNTIL = datetime(2000, 1, 1, tzinfo=timezone.utc), datetime(9999, 12, 31, tzinfo=timezone.utc)


def make_certificates(folder: Path) -> dict[str, str]:
    """Write a new authority's certificate, and one that it signed, with its key; the variables that name them.

    Args:
        folder: made if it is missing; nobody else may look into it.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=authority,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=_FROM,
            not_valid_after=_UNTIL,
        )

    authority = named("one start of one S3 server")
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = (
        certificate(authority, signer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(signer, hashes.SHA256())
    )
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    own = (
        certificate(named("S3 server"), key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=True)
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, data in zip(_FILES, (ca.public_bytes(pem), own.public_bytes(pem), secret), strict=True):
        path = folder / f"{name}.pem"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    return _variables(folder)


def _variables(folder: Path) -> dict[str, str]:
    """What `security.toml` would say, as the server reads it from its environment."""
    variables = {"WEED_GRPC_CA": "ca", "WEED_HTTPS_CLIENT_ENABLED": "true"}
    for part in _GRPC_PARTS:
        variables |= {f"WEED_GRPC_{part}_CERT": "cert", f"WEED_GRPC_{part}_KEY": "key"}
    for part in _HTTPS_PARTS:
        variables |= {f"WEED_HTTPS_{part}_{name.upper()}": name for name in _FILES}
    return {name: str(folder / f"{value}.pem") if value in _FILES else value for name, value in variables.items()}
