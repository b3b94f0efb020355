"""From the headers of a request to the caller: API keys, tokens, or nobody where strangers are welcome."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal

from shizi.errors import InvalidRequest, Unauthenticated
from shizi.serving.caller import FEEDBACK, JOBS, OCR, Caller, anonymous_caller, known_scopes
from shizi.serving.foreign_pages import check_page
from shizi.serving.keyring import KeyRing
from shizi.serving.keys import PREFIX, KeyStore
from shizi.serving.tokens import TokenVerifier

CHALLENGE: Final = 'Bearer realm="shizi"'  # value of WWW-Authenticate, which every answer 401 must have (RFC 9110)

_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1; no space or comma, so two of them are none
_LONGEST: Final = 16_384

Anonymous = Literal["loopback", "always", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthOptions:
    """Who may call without signing in.

    Attributes:
        anonymous: `loopback`: only where the server listens to this machine alone; `always` opens it to everybody who can
            reach it; `never`.
        anonymous_scopes: what callers that did not sign in may do.
    """

    anonymous: Anonymous = "loopback"
    anonymous_scopes: frozenset[str] = frozenset({OCR, JOBS, FEEDBACK})

    def __post_init__(self) -> None:
        if self.anonymous not in ("loopback", "always", "never"):
            raise InvalidRequest("`anonymous` must be loopback, always or never")
        known_scopes(self.anonymous_scopes)


class Authenticator:
    """Finds out who calls; belongs to one event loop."""

    def __init__(
        self,
        keys: KeyRing | None,
        tokens: TokenVerifier | None,
        strangers: frozenset[str] | None,
        *,
        local_names: bool = False,
    ) -> None:
        """Either kind of credential may be absent, and is then refused.

        Args:
            strangers: the scopes of callers without credentials; None where there may be none.
            local_names: these call by names of this machine only.
        """
        self._keys = keys
        self._tokens = tokens
        self._anonymous = None if strangers is None else anonymous_caller(strangers)
        self._local_names = local_names

    async def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Who sent a request with these headers.

        Credentials that do not hold are refused, also where none are needed. A mapping whose `items()` lists a header once
        for each time it came (as those of Starlette do) shows credentials that came twice.

        Raises:
            Unauthenticated: no credentials, several, or such as do not hold.
            Forbidden: none, from a page of another site.
            EngineUnavailable: what they are checked with cannot be had now.
        """
        bearer = [value for name, value in headers.items() if name.lower() == "authorization"]
        plain = [value for name, value in headers.items() if name.lower() == "x-api-key"]
        if len(bearer) + len(plain) > 1:
            raise Unauthenticated("several keys or tokens came with the request; send one, once")
        if not bearer and not plain:
            return self._stranger(headers)
        credential = _credential(bearer[0]) if bearer else plain[0].strip(" ")
        if len(credential) > _LONGEST or _CREDENTIAL.fullmatch(credential) is None:
            raise Unauthenticated("the key or token is damaged: it is empty, too long, or has characters that none has")
        if plain or credential.startswith(PREFIX):
            return await self._by_key(credential)
        return await self._by_token(credential)

    async def close(self) -> None:
        """Note which keys were used; end fetches of keys for tokens."""
        if self._keys is not None:
            await self._keys.close()
        if self._tokens is not None:
            await self._tokens.close()

    def _stranger(self, headers: Mapping[str, str]) -> Caller:
        if self._anonymous is None:
            raise Unauthenticated(
                "no key or token came with the request; send `Authorization: Bearer …`, or a key as `X-API-Key: …`"
            )
        check_page(headers, local_names=self._local_names)
        return self._anonymous

    async def _by_key(self, key: str) -> Caller:
        if self._keys is None:
            raise Unauthenticated("this server takes no API keys")
        return await self._keys.verify(key)

    async def _by_token(self, token: str) -> Caller:
        if self._tokens is None:
            raise Unauthenticated("the credential is no API key (`shizi_…`), and this server takes no tokens")
        return await self._tokens.verify(token)


def authenticator(
    options: AuthOptions, *, loopback_only: bool, keys: Path | None, tokens: TokenVerifier | None
) -> Authenticator:
    """The authenticator of a server; reads the file of keys once, so that a wrong one is known before the first request.

    Raises:
        InvalidRequest: the file of keys cannot be used, or nobody at all could sign in.
    """
    welcome = options.anonymous == "always" or (options.anonymous == "loopback" and loopback_only)
    if keys is None and tokens is None and not welcome:
        raise InvalidRequest(
            "nobody could use this server: it has neither API keys nor tokens, and strangers are not welcome; name a file of "
            "keys (`shizi auth create-key` makes one), configure tokens, listen to 127.0.0.1 only, or allow strangers explicitly"
        )
    ring = None
    if keys is not None:
        store = KeyStore(keys)
        store.changes()
        ring = KeyRing(store)
    strangers = options.anonymous_scopes if welcome else None
    return Authenticator(ring, tokens, strangers, local_names=options.anonymous != "always")


def is_loopback(host: str) -> bool:
    """True where only this machine can reach what listens at this host (an IP address, `localhost`, `unix:…`)."""
    if host == "localhost" or host.startswith(("unix:", "/")):
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool(address.is_loopback or (mapped is not None and mapped.is_loopback))


def _credential(header: str) -> str:
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("the scheme of the Authorization header is not Bearer; send `Authorization: Bearer …`")
    return credential.strip(" ")
