"""Results kept in a Redis, for several servers; while it is slow or gone there are none, and nobody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from shizi.errors import EngineUnavailable, InvalidRequest
from shizi.serving import cache_scripts
from shizi.serving.breaker import Breaker, BreakerOptions
from shizi.serving.cache import OVERHEAD, CacheOptions
from shizi.serving.redis_pool import check_address, redis_pool
from shizi.serving.sealing import Sealer

PREFIX: Final = "{shizi:results}:"
_WHAT: Final = "the storage of results"
_LEAST_SECRET: Final = 16
_STEPS: Final = 1000  # results that make room for one; a Redis does nothing else meanwhile
_FIRST_LOOK_S, _LOOK_S = 0.02, 0.25  # pauses while another server works

_LEFT_ALONE: Final = BreakerOptions(failures=1, open_s=1.0, longest_open_s=15.0, patience_s=0.01, probe_s=1.0)

T = TypeVar("T")
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RedisCacheOptions:
    """Where results are kept together, and what it may cost.

    Attributes:
        url: address (`redis://`, `rediss://`, `redis+unix://`).
        secret: the same on all servers, at least 16 bytes; without it nobody reads what is kept, nor learns whose it is.
        timeout_s: longest wait for an answer.
        lease_s: a server that works a result out is believed to live for so long after its last word.
        breaker: when the Redis is left alone.
    """

    url: str = field(repr=False)  # may hold a password
    secret: bytes = field(repr=False)
    timeout_s: float = 0.25
    lease_s: float = 5.0
    breaker: BreakerOptions = _LEFT_ALONE

    def __post_init__(self) -> None:
        """Refuses what protects nothing or waits for ever."""
        check_address(self.url, _WHAT)
        if len(self.secret) < _LEAST_SECRET:
            raise InvalidRequest(
                f"{_WHAT} needs a secret of at least {_LEAST_SECRET} bytes, the same on all servers (SHIZI_CACHE_SECRET)"
            )
        if not 0 < self.timeout_s <= self.lease_s / 4:
            raise InvalidRequest("timeout_s must be positive, and lease_s at least four times as long")


class RedisBackend:
    """Keeps results in a Redis, sealed, within bounds that all servers share; belongs to one event loop.

    Args:
        options: where.
        bounds: of all results there.

    Raises:
        InvalidRequest: the library is missing, or the address is none.
    """

    def __init__(self, options: RedisCacheOptions, bounds: CacheOptions) -> None:
        pool = redis_pool(options.url, options.timeout_s, _WHAT)
        from redis.asyncio import Redis

        self._options, self._bounds = options, bounds
        self._sealer = Sealer(options.secret)
        self._redis = Redis.from_pool(pool)
        scripts = cache_scripts
        self._get, self._put, self._claim, self._renew, self._release = (
            self._redis.register_script(code)
            for code in (scripts.GET, scripts.PUT, scripts.CLAIM, scripts.RENEW, scripts.RELEASE)
        )
        self.breaker = Breaker(options.breaker)
        self.bytes = 0
        """Of all results of all servers, as the Redis last said."""
        self.evicted = 0
        """Results that made room for those of this server."""
        self.failures = 0
        """Questions to which the Redis gave no answer in time."""

    async def get(self, tenant: str, key: str) -> bytes | None:
        """See `Backend.get`."""
        member = self._member(tenant, key)
        return self._opened(tenant, member, await self._ask(lambda: self._get([PREFIX], [member]), None))

    async def put(self, tenant: str, key: str, result: bytes) -> None:
        """See `Backend.put`."""
        bounds, member = self._bounds, self._member(tenant, key)
        share = int(bounds.tenant_share * bounds.max_bytes)
        size = len(result) + OVERHEAD
        if len(result) > bounds.max_result_bytes or size > share:
            return
        sealed = self._sealer.seal(tenant, member, result)
        numbers = (size, int(1000 * bounds.ttl_s), bounds.max_bytes, share, _STEPS)
        said = await self._ask(lambda: self._put([PREFIX], [member, sealed, *numbers]), None)
        if said is not None:
            self.evicted += int(said[0])
            self.bytes = int(said[1])

    @asynccontextmanager
    async def turn(self, tenant: str, key: str, until: float) -> AsyncIterator[bytes | None]:
        """See `Backend.turn`."""
        member, token = self._member(tenant, key), secrets.token_hex(16)
        said: Any = 0
        pause = _FIRST_LOOK_S
        while True:
            said = await self._ask(lambda: self._claim([PREFIX], [member, token, self._lease]), None)
            if said != 0 or time.monotonic() + pause >= until:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LOOK_S)
        if said != 1:
            yield self._opened(tenant, member, said or None)
            return
        renewing = asyncio.create_task(self._keep(member, token))
        try:
            yield None
        finally:
            renewing.cancel()
            await self._ask(lambda: self._release([PREFIX], [member, token]), None)
            await asyncio.wait([renewing])

    async def close(self) -> None:
        """See `Backend.close`."""
        with contextlib.suppress(*_troubles()):
            await self._redis.aclose(close_connection_pool=True)

    async def _keep(self, member: str, token: str) -> None:
        """Says that this server lives and works."""
        while True:
            await asyncio.sleep(self._options.lease_s / 3)
            await self._ask(lambda: self._renew([PREFIX], [member, token, self._lease]), None)

    async def _ask(self, question: Callable[[], Awaitable[Any]], otherwise: T) -> Any | T:  # noqa: ANN401
        """An answer, or what stands for none: at once while the Redis is left alone, else after `timeout_s` at most."""
        try:
            with self.breaker.attempt(self.breaker.now() + self._options.timeout_s):
                try:
                    async with asyncio.timeout(self._options.timeout_s):
                        return await question()
                except _troubles() as error:
                    raise ConnectionError(type(error).__name__) from None
        except EngineUnavailable:
            return otherwise
        except ConnectionError as error:
            self.failures += 1
            _log.warning("the storage of results fails (%s): this server does without for now", error)
            return otherwise

    def _opened(self, tenant: str, member: str, value: object) -> bytes | None:
        if not isinstance(value, bytes):
            return None
        result = self._sealer.open(tenant, member, value)
        if result is None:
            _log.warning("a result in the storage was sealed with another secret, or changed: it is not used")
        return result

    def _member(self, tenant: str, key: str) -> str:
        return f"{self._sealer.alias(tenant)}:{key}"

    @property
    def _lease(self) -> int:
        return int(1000 * self._options.lease_s)


def _troubles() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    return cast(tuple[type[Exception], ...], (RedisError, OSError))
