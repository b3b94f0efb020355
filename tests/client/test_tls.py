"""By which certificates a client knows its server."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shizi.client import ClientOptions
from shizi.errors import EngineUnavailable
from tests.client.hostile import Hostile
from tests.client.test_transport import GOOD

Ask = Callable[..., Any]


def test_a_server_is_known_by_its_authority(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "server.pem"
    file.write_bytes(certificate())
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(file)
    with Hostile([GOOD], tls=server_side) as server:
        with pytest.raises(EngineUnavailable, match="no safe connection"):
            ask(server.url, "read", b"document", key="shizi_secret")
        assert server.requests == []
        known = ClientOptions(tls=ssl.create_default_context(cafile=file))
        assert ask(server.url, "read", b"document", options=known).pages == ()


def certificate() -> bytes:
    """A key and a certificate for 127.0.0.1 that signs itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + made.public_bytes(Encoding.PEM)
