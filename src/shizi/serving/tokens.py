"""Tokens (JWT, RFC 7519, as RFC 8725 advises): strictly read, checked with a key that alone decides the algorithm."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    MissingRequiredClaimError,
    PyJWTError,
)

from shizi.errors import InvalidRequest, Unauthenticated
from shizi.serving.caller import SCOPES, Caller, valid_subject, valid_tenant
from shizi.serving.signing import ALGORITHMS, ASYMMETRIC, KeySource, VerificationKey, valid_kid
from shizi.serving.strictjson import strict_json

LONGEST_LEEWAY_S: Final = 300
_REQUIRED: Final = ["iss", "aud", "sub", "exp", "nbf"]
_TIMES: Final = ("exp", "nbf", "iat")
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # exactly three parts, none empty
_TYPES: Final = ("jwt", "at+jwt", "application/at+jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """What a token must be.

    Attributes:
        issuer: its `iss`, exactly.
        audiences: one of them must be its `aud`, or among them.
        algorithms: those that keys may have; a token's own `alg` chooses nothing. Shared secrets (`HS…`) must be named here.
        tenant_claim: the claim that names the tenant.
        scope_claim: the claim with the scopes, separated by spaces; those that are not shizi's are passed over.
        leeway_s: seconds by which clocks may differ; 300 at most.
        max_bytes: longest token.
        max_lifetime_s: longest time from `nbf` to `exp`.
    """

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...] = ASYMMETRIC
    tenant_claim: str = "tenant"
    scope_claim: str = "scope"
    leeway_s: int = 30
    max_bytes: int = 8192
    max_lifetime_s: int = 366 * 24 * 3600

    def __post_init__(self) -> None:
        if not self.issuer or not self.audiences or not all(self.audiences):
            raise InvalidRequest("tokens need an issuer and an audience that they are made for; name both")
        unknown = [name for name in self.algorithms if name not in ALGORITHMS]
        if unknown or not self.algorithms:
            raise InvalidRequest(f"the algorithms of tokens must be some of {', '.join(ALGORITHMS)}")
        if not 0 <= self.leeway_s <= LONGEST_LEEWAY_S:
            raise InvalidRequest(f"the leeway of tokens is {self.leeway_s} s; allowed are 0 to {LONGEST_LEEWAY_S} s")
        if self.max_bytes < 1 or self.max_lifetime_s < 1:
            raise InvalidRequest("the longest token and its longest lifetime must be 1 or more")


class TokenVerifier:
    """Turns tokens into callers."""

    def __init__(self, options: TokenOptions, keys: KeySource) -> None:
        self._options = options
        self._keys = keys
        self._jwt = _StrictJWT(options={"require": _REQUIRED, "enforce_minimum_key_length": True})

    async def verify(self, token: str) -> Caller:
        """Who the issuer says this is.

        Raises:
            Unauthenticated: the token does not hold; the message says why, and quotes nothing of it.
            EngineUnavailable: the keys could not be fetched.
        """
        algorithm, kid = self._header(token)
        key = await self._keys.find(kid)
        if key is None:
            _refuse("the issuer has no key of its `kid`")
        if key.algorithm != algorithm or key.algorithm not in self._options.algorithms:
            _refuse("its key is not for its algorithm")
        return self._caller(self._claims(token, key))

    async def close(self) -> None:
        """Give back what the source of the keys holds."""
        await self._keys.close()

    def _header(self, token: str) -> tuple[str, str]:
        """Algorithm and `kid`; everything else in a header (`jku`, `x5u`, `jwk`, `x5c` …) is never looked at."""
        if len(token) > self._options.max_bytes:
            _refuse(f"it has {len(token)} bytes, and {self._options.max_bytes} are allowed")
        parts = _COMPACT.fullmatch(token)
        if parts is None:
            _refuse("it has not the three parts of a signed token")
        header = _header_of(parts[1])
        if "crit" in header or "b64" in header or "zip" in header or "enc" in header:
            _refuse("it needs an extension (`crit`, `b64`, `zip`, `enc`); none is supported")
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            _refuse("its `typ` is not JWT")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._options.algorithms:
            _refuse(f"its algorithm is not one of {', '.join(self._options.algorithms)}")
        if not isinstance(kid, str) or not valid_kid(kid):
            _refuse("it has no valid `kid`")
        return algorithm, kid

    def _claims(self, token: str, key: VerificationKey) -> dict[str, Any]:
        options = self._options
        try:
            claims = self._jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=options.audiences,
                issuer=options.issuer,
                leeway=options.leeway_s,
            )
        except PyJWTError as error:
            _refuse(_reason(error))
        except (ValueError, TypeError, OverflowError):
            _refuse("it is damaged")
        for name in _TIMES:
            # The library takes "1e3" and true for numbers; the standard does not.
            if name in claims and (isinstance(claims[name], bool) or not isinstance(claims[name], int | float)):
                _refuse(f"its `{name}` is no number")
        if not 0 < claims["exp"] - claims["nbf"] <= options.max_lifetime_s:
            _refuse(f"it holds for longer than {options.max_lifetime_s} s, or ends before it begins")
        return claims

    def _caller(self, claims: dict[str, Any]) -> Caller:
        tenant, subject = claims.get(self._options.tenant_claim), claims["sub"]
        if not isinstance(tenant, str) or not valid_tenant(tenant):
            _refuse(f"its claim `{self._options.tenant_claim}` names no valid tenant")
        if not valid_subject(subject):
            _refuse("its `sub` is not 1 to 256 printable characters")
        scope = claims.get(self._options.scope_claim, "")
        if not isinstance(scope, str):
            _refuse(f"its claim `{self._options.scope_claim}` is no text")
        return Caller(tenant, f"token:{subject}", frozenset(scope.split(" ")) & frozenset(SCOPES), anonymous=False)


class _StrictJWT(jwt.PyJWT):
    """PyJWT, with claims that come twice refused instead of the last one taken."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        claims = strict_json(decoded["payload"])
        if not isinstance(claims, dict):
            raise ValueError("no object")
        return claims


def _header_of(part: str) -> dict[str, Any]:
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        header = strict_json(text)
    except ValueError:
        _refuse("its header is damaged")
    if not isinstance(header, dict):
        _refuse("its header is damaged")
    return header


def _reason(error: PyJWTError) -> str:
    """In words of ours: those of the library may quote the token."""
    match error:
        case ExpiredSignatureError():
            return "it has expired"
        case ImmatureSignatureError():
            return "it is not valid yet"
        case InvalidAudienceError():
            return "it was made for another audience (`aud`)"
        case InvalidIssuerError():
            return "it is from another issuer (`iss`)"
        case MissingRequiredClaimError():
            return f"one of the claims {', '.join(_REQUIRED)} is missing"
        case _:
            return "its signature or a claim is wrong"


def _refuse(why: str) -> NoReturn:
    raise Unauthenticated(f"the token is not accepted: {why}") from None
