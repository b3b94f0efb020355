"""Keys that check signatures of tokens; each is bound to one algorithm, so that no token can choose another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK
from jwt.algorithms import get_default_algorithms
from jwt.exceptions import PyJWTError

from shizi.errors import InvalidRequest

ASYMMETRIC: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
SYMMETRIC: Final[Mapping[str, int]] = {
    "HS256": hashlib.sha256().digest_size,
    "HS384": hashlib.sha384().digest_size,
    "HS512": hashlib.sha512().digest_size,
}
ALGORITHMS: Final = (*ASYMMETRIC, *SYMMETRIC)

LONGEST_KID: Final = 256


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """What checks the signatures of one signer."""

    kid: str
    algorithm: str
    key: Any = field(repr=False)  # a public key of `cryptography`, or the bytes of a shared secret


class KeySource(Protocol):
    """Where keys are looked up by their `kid`."""

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of this name; None where there is none."""

    async def close(self) -> None:
        """Give back what the source holds."""


class StaticKeys:
    """Keys that were configured and never change."""

    def __init__(self, *keys: VerificationKey) -> None:
        self._keys = {key.kid: key for key in keys}
        if len(self._keys) != len(keys):
            raise InvalidRequest("two keys for tokens have the same `kid`; give each its own")

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of exactly this name; a `kid` is never a path, a pattern or part of a query."""
        return self._keys.get(kid)

    async def close(self) -> None:
        """Nothing is held."""


def valid_kid(kid: object) -> bool:
    """True for 1 to 256 visible ASCII characters."""
    return isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID and all("!" <= character <= "~" for character in kid)


def public_key(kid: str, algorithm: str, pem: bytes) -> VerificationKey:
    """A key from a PEM file with a public key.

    Raises:
        InvalidRequest: it is none, a private one, too small (RSA: below 2048 bits), or of another kind than the algorithm's.
    """
    _check(kid, algorithm, ASYMMETRIC)
    if b"PRIVATE KEY" in pem:
        raise InvalidRequest(f"the key {kid!r} is a private one; the server must only have the public half of it")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidRequest(f"the key {kid!r} is no public key in PEM form") from None
    return _bound(VerificationKey(kid, algorithm, key))


def shared_secret(kid: str, algorithm: str, secret: bytes) -> VerificationKey:
    """A key from a secret that the issuer of the tokens has as well.

    Raises:
        InvalidRequest: it is shorter than the hash (RFC 7518, 3.2), or looks like a public key, which is no secret.
    """
    _check(kid, algorithm, tuple(SYMMETRIC))
    if len(secret) < SYMMETRIC[algorithm]:
        raise InvalidRequest(
            f"the secret {kid!r} has {len(secret)} bytes; {algorithm} needs {SYMMETRIC[algorithm]} or more, from a random source"
        )
    return _bound(VerificationKey(kid, algorithm, secret))


def published_key(jwk: object) -> VerificationKey | None:
    """A key from a member of a JWK set (RFC 7517); None where it cannot check tokens here.

    Left out are symmetric and private keys (a published secret is none), keys for encryption, without `kid`, of an unknown
    or unsafe kind, too small, or with a point that is not on its curve.
    """
    if not isinstance(jwk, dict) or not valid_kid(jwk.get("kid")) or "d" in jwk or jwk.get("kty") == "oct":
        return None
    if jwk.get("use", "sig") != "sig" or not _may_verify(jwk.get("key_ops")):
        return None
    if "alg" in jwk and jwk["alg"] not in ASYMMETRIC:
        return None
    try:
        made = PyJWK(jwk)  # without `alg`: RS256 for RSA keys, else the one of the curve (ES256K is not allowed)
        if made.algorithm_name not in ASYMMETRIC:
            return None
        return _bound(VerificationKey(jwk["kid"], made.algorithm_name, made.key))
    except (PyJWTError, InvalidRequest, ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _may_verify(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _check(kid: str, algorithm: str, allowed: tuple[str, ...]) -> None:
    if not valid_kid(kid):
        raise InvalidRequest(f"a `kid` has 1 to {LONGEST_KID} visible ASCII characters; {kid[:40]!r} is none")
    if algorithm not in allowed:
        raise InvalidRequest(
            f"the key {kid!r} cannot be used with {algorithm[:20]!r}; allowed are {', '.join(allowed)}"
        )


def _bound(key: VerificationKey) -> VerificationKey:
    """The key, when it fits its algorithm in kind, curve and length."""
    algorithm = get_default_algorithms()[key.algorithm]
    try:
        short = algorithm.check_key_length(algorithm.prepare_key(key.key))
    except (PyJWTError, ValueError, TypeError):
        raise InvalidRequest(f"the key {key.kid!r} is not of the kind that {key.algorithm} needs") from None
    if short:
        raise InvalidRequest(f"the key {key.kid!r} is too short for {key.algorithm}; RSA keys need 2048 bits or more")
    return key
