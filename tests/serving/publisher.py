"""A server on this machine that publishes keys for tokens, well or badly."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.serving.issuer import ec_key


def key_set(*members: dict[str, Any]) -> bytes:
    return json.dumps({"keys": list(members)}).encode()


@dataclass
class Publisher:
    """A server that says what it is told to."""

    body: bytes = b""
    head: str = "HTTP/1.1 200 OK"
    more: str = ""
    drip_s: float = 0
    requests: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        length = f"Content-Length: {len(self.body)}\r\n"
        writer.write(f"{self.head}\r\n{length}{self.more}Connection: close\r\n\r\n".encode())
        try:
            if self.drip_s:
                for place in range(len(self.body)):
                    writer.write(self.body[place : place + 1])
                    await writer.drain()
                    await asyncio.sleep(self.drip_s)
            writer.write(self.body)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(publisher: Publisher, tls: ssl.SSLContext | None = None) -> AsyncIterator[Publisher]:
    server = await asyncio.start_server(publisher.answer, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    publisher.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/jwks.json"
    try:
        yield publisher
    finally:
        server.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server with a certificate of its own authority, and the file to trust it by."""
    key, name = ec_key("tls"), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    both = folder / "server.pem"
    both.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    authority = folder / "authority.pem"
    authority.write_bytes(made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, authority
