"""The certificates of the local S3 server."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from cli.services.store_certificates import make_certificates


def test_they_are_ours_alone_and_new_at_each_start(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    variables = make_certificates(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"ca.pem", "cert.pem", "key.pem"}
    assert {Path(value).parent for name, value in variables.items() if name != "WEED_HTTPS_CLIENT_ENABLED"} == {
        folder
    }
    assert make_certificates(folder) == variables
    for path in folder.iterdir():
        assert path.read_bytes() != before[path.name]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_certificate_is_of_this_authority_and_serves_both_ends(tmp_path: Path) -> None:
    make_certificates(tmp_path / "one")
    make_certificates(tmp_path / "other")
    for folder, known in (("one", True), ("other", False)):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.verify_mode = ssl.CERT_REQUIRED
        client = ssl.create_default_context(cafile=str(tmp_path / "one" / "ca.pem"))
        server.load_verify_locations(tmp_path / "one" / "ca.pem")
        server.load_cert_chain(tmp_path / "one" / "cert.pem", tmp_path / "one" / "key.pem")
        client.load_cert_chain(tmp_path / folder / "cert.pem", tmp_path / folder / "key.pem")
        assert shakes_hands(server, client) is known


def shakes_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = 0
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting += 1
        except ssl.SSLError:
            return False
    return waiting <= 2
