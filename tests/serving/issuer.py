"""An issuer of tokens that also knows how to make wrong ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://id.example.org/"
AUDIENCE = "shizi"
SECRET = b"0123456789abcdef0123456789abcdef-and-more"

Sign = Callable[[bytes], bytes]


@cache
def rsa_key(name: str = "own", size: int = 2048) -> rsa.RSAPrivateKey:  # noqa: ARG001 (another name, another key)
    return rsa.generate_private_key(65537, size)


@cache
def ec_key(name: str = "own") -> ec.EllipticCurvePrivateKey:  # noqa: ARG001
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str, **more: object) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        made: dict[str, Any] = dict(RSAAlgorithm.to_jwk(public, as_dict=True))
    else:
        made = dict(ECAlgorithm.to_jwk(public, as_dict=True))
    return made | {"kid": kid} | more


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def rs256(key: rsa.RSAPrivateKey) -> Sign:
    return lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def es256(key: ec.EllipticCurvePrivateKey) -> Sign:
    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def hs256(secret: bytes) -> Sign:
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


def claims(**changes: object) -> dict[str, Any]:
    """Claims that hold, with changes; None takes a claim away."""
    now = int(time.time())
    whole: dict[str, object] = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "reader-7", "tenant": "bank", "scope": "ocr jobs",
        "iat": now, "nbf": now - 5, "exp": now + 6 * 3600,
    }  # fmt: skip
    return {name: value for name, value in (whole | changes).items() if value is not None}


def header(**changes: object) -> dict[str, Any]:
    whole: dict[str, object] = {"alg": "RS256", "kid": "rsa", "typ": "JWT"}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def compact(head: dict[str, Any] | bytes, body: dict[str, Any] | bytes, sign: Sign) -> str:
    """The three parts of a token, signed as they stand."""
    message = ".".join(b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (head, body))
    return f"{message}.{b64(sign(message.encode()))}"


def token(head: dict[str, Any] | None = None, body: dict[str, Any] | None = None, sign: Sign | None = None) -> str:
    """A good token, but for what is given."""
    return compact(header() if head is None else head, claims() if body is None else body, sign or rs256(rsa_key()))
