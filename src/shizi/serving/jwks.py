"""The published keys of an issuer of tokens (JWK set, RFC 7517), from a file or an https address, kept and renewed."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from shizi.errors import EngineUnavailable, InvalidRequest
from shizi.serving.signing import VerificationKey, published_key
from shizi.serving.strictjson import strict_json

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JwksOptions:
    """Where the keys are, and how often and how patiently they are fetched.

    Attributes:
        source: an https address, or a path; plain http only to this machine.
        ca_file: certificates to trust instead of the system's, in PEM form.
        refresh_s: age at which the keys are fetched anew while the old ones still serve.
        refetch_s: least time between two fetches, however many tokens name unknown keys.
        stale_s: age from which the keys are not used any more when no new ones can be had.
        timeout_s: longest time for one fetch, from the name's look-up to the last byte.
        max_bytes: largest set.
        max_keys: most keys of a set.
    """

    source: str
    ca_file: Path | None = None
    refresh_s: float = 300
    refetch_s: float = 30
    stale_s: float = 24 * 3600
    timeout_s: float = 5
    max_bytes: int = 262_144
    max_keys: int = 100

    def __post_init__(self) -> None:
        if min(self.refresh_s, self.stale_s, self.timeout_s, self.max_bytes, self.max_keys) <= 0 or self.refetch_s < 1:
            raise InvalidRequest("the limits of a JWK set must be above 0, and `refetch_s` 1 or more")
        address = self.address
        if address is None:
            return
        if address.scheme == "http" and not _is_this_machine(address.hostname or ""):
            raise InvalidRequest("a JWK set is only fetched by https (by http from this machine); change the address")
        if not address.hostname or address.username is not None or address.password is not None:
            raise InvalidRequest("the address of a JWK set needs a host, and may hold no user name or password")

    @property
    def address(self) -> SplitResult | None:
        """The parts of the address; None for a path."""
        parts = urlsplit(self.source)
        return parts if parts.scheme in ("http", "https") else None


class Jwks:
    """A source of keys that renews itself; belongs to one event loop."""

    def __init__(self, options: JwksOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._keys: Mapping[str, VerificationKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetch: asyncio.Task[None] | None = None
        self.fetches = 0
        self.failures = 0

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of this name; None when even a set that was fetched just now has none.

        Raises:
            EngineUnavailable: there is no set that is fresh enough to trust, and none can be had.
        """
        if self._age() > self._options.stale_s or kid not in self._keys:
            await self._renew()
        elif self._age() > self._options.refresh_s:
            self._begin()  # whoever has a known key does not wait for the new set
        if self._age() > self._options.stale_s:
            raise EngineUnavailable(
                "the keys that check tokens cannot be fetched from their issuer; try again, or sign in with an API key",
                retry_after=self._options.refetch_s,
            )
        return self._keys.get(kid)

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.gather(self._fetch, return_exceptions=True)
            self._fetch = None

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    async def _renew(self) -> None:
        fetch = self._begin()
        if fetch is not None:
            await asyncio.shield(fetch)  # one caller that goes away must not end it for the others

    def _begin(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one where the bound on their rate allows it."""
        if self._fetch is not None and not self._fetch.done():
            return self._fetch
        now = self._clock()
        if self._tried is not None and now - self._tried < self._options.refetch_s:
            return None
        self._tried = now
        self._fetch = asyncio.create_task(self._replace())
        return self._fetch

    async def _replace(self) -> None:
        """Fetch, and take the new set; where that fails, the old one stays for as long as it may."""
        self.fetches += 1
        try:
            async with asyncio.timeout(self._options.timeout_s):
                text = await self._text()
            self._keys = read_set(text, self._options.max_keys)
            self._fetched = self._clock()
        except (OSError, ValueError, TimeoutError, httpx.HTTPError) as error:
            self.failures += 1
            _log.warning("the JWK set could not be renewed (%s)", type(error).__name__)

    async def _text(self) -> bytes:
        if self._options.address is None:
            return await asyncio.to_thread(_read, Path(self._options.source), self._options.max_bytes)
        return await self._download()

    async def _download(self) -> bytes:
        ca_file = None if self._options.ca_file is None else str(self._options.ca_file)
        trusted = await asyncio.to_thread(ssl.create_default_context, cafile=ca_file)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(verify=trusted, follow_redirects=False, timeout=self._options.timeout_s) as client,
            client.stream("GET", self._options.source, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK or "content-encoding" in response.headers:
                raise ValueError("no plain answer 200")
            text = bytearray()
            async for chunk in response.aiter_raw():
                text += chunk
                if len(text) > self._options.max_bytes:
                    raise ValueError("too large")
        return bytes(text)


def read_set(text: bytes, max_keys: int) -> Mapping[str, VerificationKey]:
    """The usable keys of a JWK set by `kid`; a `kid` that comes twice names none of its keys.

    Raises:
        ValueError: it is no JWK set, too large, or without a key that could check a token.
    """
    whole = strict_json(text)
    members = whole.get("keys") if isinstance(whole, dict) else None
    if not isinstance(members, list) or len(members) > max_keys:
        raise ValueError("no JWK set, or too many keys")
    usable = [key for key in map(published_key, members) if key is not None]
    times = Counter(key.kid for key in usable)
    if not times:
        raise ValueError("no usable key")
    return {key.kid: key for key in usable if times[key.kid] == 1}


def _read(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        text = file.read(max_bytes + 1)
    if len(text) > max_bytes:
        raise ValueError("too large")
    return text


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
