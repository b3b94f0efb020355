"""Results kept in the memory of this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shizi.serving.cache import OVERHEAD, CacheOptions


class MemoryBackend:
    """Keeps results in this process: the least recently used make room.

    Args:
        options: bounds.
        clock: seconds.
    """

    def __init__(self, options: CacheOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        # By tenant and key: the result and until when it holds, the least recently used first.
        self._results: OrderedDict[tuple[str, str], tuple[bytes, float]] = OrderedDict()
        self._tenants: dict[str, OrderedDict[str, None]] = {}
        self._held: dict[str, int] = {}
        self.bytes = 0
        """Of all results, with their bookkeeping."""
        self.evicted = 0
        """Results that made room or were too old."""

    def __len__(self) -> int:
        return len(self._results)

    async def get(self, tenant: str, key: str) -> bytes | None:
        """See `Backend.get`."""
        found = self._results.get((tenant, key))
        if found is None:
            return None
        if found[1] <= self._clock():
            self._evict(tenant, key)
            return None
        self._results.move_to_end((tenant, key))
        self._tenants[tenant].move_to_end(key)
        return found[0]

    async def put(self, tenant: str, key: str, result: bytes) -> None:
        """See `Backend.put`."""
        options = self._options
        size = len(result) + OVERHEAD
        share = options.tenant_share * options.max_bytes
        if len(result) > options.max_result_bytes or size > share:
            return
        if (tenant, key) in self._results:
            self._remove(tenant, key)
        self._results[tenant, key] = (result, self._clock() + options.ttl_s)
        self._tenants.setdefault(tenant, OrderedDict())[key] = None
        self._held[tenant] = self._held.get(tenant, 0) + size
        self.bytes += size
        while self._held[tenant] > share:
            self._evict(tenant, next(iter(self._tenants[tenant])))
        while self.bytes > options.max_bytes:
            self._evict(*next(iter(self._results)))

    @asynccontextmanager
    async def turn(self, tenant: str, key: str, until: float) -> AsyncIterator[bytes | None]:  # noqa: ARG002
        """See `Backend.turn`: nobody else works for this memory."""
        yield None

    async def close(self) -> None:
        """See `Backend.close`."""

    def _evict(self, tenant: str, key: str) -> None:
        self._remove(tenant, key)
        self.evicted += 1

    def _remove(self, tenant: str, key: str) -> None:
        result, _ = self._results.pop((tenant, key))
        size = len(result) + OVERHEAD
        self.bytes -= size
        self._held[tenant] -= size
        del self._tenants[tenant][key]
        if not self._tenants[tenant]:
            del self._tenants[tenant], self._held[tenant]
