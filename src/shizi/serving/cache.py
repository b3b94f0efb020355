"""Results that were worked out before, for the tenant that they were worked out for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from shizi.errors import DeadlineExceeded, EngineUnavailable, InvalidRequest
from shizi.types import ModelInfo

Outcome = Literal["hit", "miss", "shared", "bypass"]
Plain = str | int | float | bool | None | tuple["Plain", ...]

OVERHEAD: Final = 512
"""Bytes of the bookkeeping beside each result."""


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Bounds of a cache.

    Attributes:
        max_bytes: of all results together; 0 keeps none.
        max_result_bytes: a larger result is not kept.
        tenant_share: part of `max_bytes` that the results of one tenant may fill; its own oldest ones make room then.
        ttl_s: seconds for which a result is given out.
    """

    max_bytes: int = 256 * 2**20
    max_result_bytes: int = 16 * 2**20
    tenant_share: float = 0.5
    ttl_s: float = 3600.0

    def __post_init__(self) -> None:
        """Refuses bounds that are none."""
        if self.max_bytes < 0 or self.max_result_bytes < 0 or not 0 < self.ttl_s < float("inf"):
            raise InvalidRequest("max_bytes and max_result_bytes must not be negative, ttl_s positive and finite")
        if not 0 < self.tenant_share <= 1:
            raise InvalidRequest(f"tenant_share is {self.tenant_share}; it must be above 0 and at most 1")


class Keys:
    """Makes the keys of results.

    A key says nothing of the document to whoever has not the secret, and no two tenants have the same for the same document.

    Args:
        secret: of this installation, at least 16 bytes; the tenants' own secrets are derived from it.
        models: that make the results.
        version: of the code.

    Raises:
        InvalidRequest: the secret is too short.
    """

    def __init__(self, secret: bytes, models: tuple[ModelInfo, ...], version: str) -> None:
        if len(secret) < 16:
            raise InvalidRequest("the secret of the result cache has fewer than 16 bytes; give a longer one")
        self._secret = secret
        self._made_by = [version, sorted((model.task, model.sha256) for model in models)]

    def key(self, tenant: str, content: bytes, options: Mapping[str, Plain]) -> str:
        """The key of a result.

        Args:
            tenant: as the server knows it, never as a client says.
            content: SHA-256 of the document's bytes, worked out here.
            options: all of them, the defaults too, in their canonical form: what means the same must look the same.

        Raises:
            InvalidRequest: the content is no digest.
        """
        if len(content) != hashlib.sha256().digest_size:
            raise InvalidRequest(f"the digest of a document has {len(content)} bytes; it must be SHA-256")
        own = hmac.digest(self._secret, b"tenant\0" + tenant.encode(), "sha256")
        what = json.dumps(
            [content.hex(), options, self._made_by], sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return hmac.digest(own, what.encode(), "sha256").hex()


class Backend(Protocol):
    """Where results are kept. Losing one costs time, nothing else; so whatever goes wrong inside is a result that is not there."""

    async def get(self, tenant: str, key: str) -> bytes | None:
        """The result; None where it is not kept (any more)."""
        ...

    async def put(self, tenant: str, key: str, result: bytes) -> None:
        """Keeps a result as far as the bounds allow."""
        ...

    def turn(self, tenant: str, key: str, until: float) -> AbstractAsyncContextManager[bytes | None]:
        """Waits while another server works the result out, until then (`time.monotonic`) at most; others wait inside it.

        Returns:
            What the other one kept meanwhile; None where it is to be worked out here.
        """
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...


@dataclass(slots=True)
class _Flight:
    """A result that is being worked out, and how many wait for it."""

    task: asyncio.Task[tuple[bytes, bool]]
    deadline: float
    waiting: int = 0


class ResultCache:
    """Gives out results that are there, and works each of the others out once; belongs to one event loop.

    Equal requests that come at the same time share one computation. It goes on while anybody waits for it, whoever asked first;
    what it raises is raised to all of them, and not kept.

    Args:
        backend: where results are kept.
        secret: of `Keys`; the same for all servers that share a backend. None for one of its own.
        clock: of deadlines; `time.monotonic`.
    """

    def __init__(
        self, backend: Backend, secret: bytes | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.secret = secret or secrets.token_bytes(32)
        self._backend = backend
        self._clock = clock
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._tasks: set[asyncio.Task[tuple[bytes, bool]]] = set()
        self.outcomes: dict[Outcome, int] = {"hit": 0, "miss": 0, "shared": 0, "bypass": 0}
        """Requests by what came of them: kept before, worked out, shared with another one, not to be kept."""

    async def get(
        self, tenant: str, key: str, deadline: float, compute: Callable[[], Awaitable[bytes]], *, store: bool = True
    ) -> tuple[bytes, Outcome]:
        """The result of a request.

        Args:
            tenant: whose result it is.
            key: see `Keys`.
            deadline: of this request.
            compute: works it out, within this request's deadline. It may go on when this request has gone, as long as another
                one waits for it: what it needs (the document's file above all) must be its own.
            store: False for a request that wants nothing kept (`Cache-Control: no-store`): it neither reads nor fills the cache.

        Raises:
            DeadlineExceeded: the deadline passed.
            ShiziError: what the computation raised.
        """
        if not store:
            self.outcomes["bypass"] += 1
            return await compute(), "bypass"
        kept = await self._backend.get(tenant, key)
        if kept is not None:
            self.outcomes["hit"] += 1
            return kept, "hit"
        joined = (tenant, key) in self._flights
        outcome: Outcome = "shared" if joined else "miss"
        try:
            result, elsewhere = await self._fly(tenant, key, deadline, compute)
            outcome = "shared" if joined or elsewhere else "miss"
            return result, outcome
        finally:
            self.outcomes[outcome] += 1

    async def _fly(
        self, tenant: str, key: str, deadline: float, compute: Callable[[], Awaitable[bytes]]
    ) -> tuple[bytes, bool]:
        """What is being worked out, here or elsewhere; begins where nobody does."""
        while True:
            flight = self._flights.get((tenant, key))
            if flight is None:
                flight = self._flights[tenant, key] = self._begin(tenant, key, deadline, compute)
            try:
                return await self._wait((tenant, key), flight, deadline)
            except DeadlineExceeded:
                # The computation had no more time than whoever began it; one who has more begins another.
                if flight.deadline >= deadline or self._clock() >= deadline:
                    raise

    async def close(self) -> None:
        """Ends what is being worked out."""
        self._flights.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._backend.close()

    def _begin(self, tenant: str, key: str, deadline: float, compute: Callable[[], Awaitable[bytes]]) -> _Flight:
        """A computation of its own, which no request's end cancels by itself."""
        flight = _Flight(asyncio.ensure_future(self._work_out(tenant, key, deadline, compute)), deadline)

        def landed(task: asyncio.Task[tuple[bytes, bool]]) -> None:
            self._tasks.discard(task)
            self._forget((tenant, key), flight)
            if not task.cancelled():
                task.exception()  # whoever waits has it; where nobody does, it is no news

        self._tasks.add(flight.task)
        flight.task.add_done_callback(landed)
        return flight

    async def _work_out(
        self, tenant: str, key: str, deadline: float, compute: Callable[[], Awaitable[bytes]]
    ) -> tuple[bytes, bool]:
        """The result, and whether another server made it. Half of the time is kept for making it here after all."""
        now = self._clock()
        async with self._backend.turn(tenant, key, now + (deadline - now) / 2) as kept:
            if kept is not None:
                return kept, True
            result = await compute()
            await self._backend.put(tenant, key, result)
            return result, False

    async def _wait(self, name: tuple[str, str], flight: _Flight, deadline: float) -> tuple[bytes, bool]:
        """Waits with the others; the last one to leave ends the computation."""
        flight.waiting += 1
        try:
            done, _ = await asyncio.wait([flight.task], timeout=max(0.0, deadline - self._clock()))
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._forget(name, flight)
                flight.task.cancel()
        if not done:
            raise DeadlineExceeded("the time allowed for this document has passed; allow more, or try again later")
        if flight.task.cancelled():
            raise EngineUnavailable("the server is being stopped; ask another one, or try again later", 1.0)
        return flight.task.result()

    def _forget(self, name: tuple[str, str], flight: _Flight) -> None:
        """Nobody else joins this computation."""
        if self._flights.get(name) is flight:
            del self._flights[name]
