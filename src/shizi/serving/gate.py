"""Who may come in: the caller of a request, what it may do, and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from shizi.errors import RateLimited
from shizi.serving.addresses import Address, ClientAddress
from shizi.serving.auth import Authenticator
from shizi.serving.caller import Caller, require
from shizi.serving.ratelimit import Cost, RateLimiter
from shizi.serving.trace import trace_of

_MEGA: Final = 1e6
_ONE: Final = Cost(requests=1)


@dataclass(frozen=True, slots=True)
class Gate:
    """Every request that costs anything passes it before its body is taken."""

    authenticator: Authenticator
    limiter: RateLimiter
    addresses: ClientAddress

    async def caller(self, request: Request, scope: str) -> Caller:
        """Who sent the request, after one request was counted against its quota.

        Raises:
            Unauthenticated: nobody that is known.
            Forbidden: somebody who may not do this.
            RateLimited: too often.
        """
        caller = await self.authenticator.authenticate(request.headers)
        trace_of(request.scope).tenant = caller.tenant
        require(caller, scope)
        await self._count(request, caller, _ONE)
        return caller

    async def known(self, request: Request) -> None:
        """Nobody need sign in, but credentials that come must hold.

        Raises:
            Unauthenticated: they do not.
        """
        if any(name in request.headers for name in ("authorization", "x-api-key")):
            await self.authenticator.authenticate(request.headers)

    def pixels(self, request: Request, caller: Caller) -> Callable[[int], Awaitable[None]]:
        """Counts the pixels of a page of that request against the caller's quota; raises RateLimited."""

        async def count(pixels: int) -> None:
            await self._count(request, caller, Cost(requests=0, megapixels=pixels / _MEGA))

        return count

    async def _count(self, request: Request, caller: Caller, cost: Cost) -> None:
        address = self.address(request)
        headers = trace_of(request.scope).headers
        try:
            headers.update((await self.limiter.check(caller, address, cost)).headers())
        except RateLimited:
            headers.update((await self.limiter.state(caller, address)).headers())
            raise

    def address(self, request: Request) -> Address:
        """Where a request came from, as far as the proxies before this server are believed."""
        return self.addresses.of(request.client.host if request.client else "", request.headers)
