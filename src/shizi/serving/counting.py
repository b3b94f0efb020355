"""Where requests are counted: a Redis for several servers while it answers, the memory of this one otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from limits import RateLimitItem
from limits.aio.storage import SlidingWindowCounterSupport, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from shizi.serving.redis_pool import redis_pool
from shizi.serving.windows import BoundedWindows

WINDOW_S: Final = 60
_ROUNDING_S: Final = 1e-6  # what clocks in floating point may be wrong by
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """Two counts of a sliding window: what was hit in the last whole minute weighs less the further this one has come.

    Attributes:
        previous: hits in the last window.
        previous_left: seconds until they no longer weigh.
        current: hits in this window.
        current_left: seconds until *they* no longer weigh, that is, up to two windows.
    """

    previous: int
    previous_left: float
    current: int
    current_left: float

    @property
    def left(self) -> float:
        """Seconds until this window ends."""
        return self.previous_left if self.previous else min(max(0.0, self.current_left - WINDOW_S), WINDOW_S)

    def room(self, limit: int) -> int:
        """What may be hit until this window ends."""
        return max(0, limit - math.floor(self.previous * self.previous_left / WINDOW_S + self.current))

    def seconds_until(self, limit: int, count: int) -> int:
        """Whole seconds after which `count` (at most `limit`) more fit, if nothing else comes; 0 for now."""
        if count <= self.room(limit):
            return 0
        below = limit - count + 1  # the weight must fall below this
        if self.current < below:
            exactly = self.left - (below - self.current) * WINDOW_S / self.previous
        else:
            exactly = self.left + WINDOW_S - below * WINDOW_S / self.current
        return math.floor(exactly + _ROUNDING_S) + 1


class Counting:
    """Counts in a shared storage, and in the memory that is given where there is none or it fails."""

    def __init__(self, shared: Storage | None, timeout_s: float, retry_s: float, clock: Callable[[], float]) -> None:
        """With a storage that is shared, or None.

        Args:
            shared: where several servers count together.
            timeout_s: longest wait for it.
            retry_s: how long it is left alone after a failure.
            clock: seconds.
        """
        self._shared = shared
        self._timeout_s = timeout_s
        self._retry_s = retry_s
        self._clock = clock
        self._alone_until = float("-inf")
        self.failures = 0
        """How often the shared storage did not answer in time."""

    @property
    def alone(self) -> bool:
        """True while the shared storage does not answer."""
        return self._shared is not None and self._clock() < self._alone_until

    async def window(self, item: RateLimitItem, name: str, memory: BoundedWindows) -> Window:
        """The counts of this name."""
        key = item.key_for(name)
        if self._shared is not None and not self.alone:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return Window(
                        *await cast(SlidingWindowCounterSupport, self._shared).get_sliding_window(key, WINDOW_S)
                    )
            except (StorageError, OSError) as error:
                self._leave(error)
        return Window(*await memory.get_sliding_window(key, WINDOW_S))

    async def hit(self, item: RateLimitItem, name: str, count: int, memory: BoundedWindows) -> bool:
        """Count, unless it would be more than the limit."""
        if self._shared is not None and not self.alone:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await SlidingWindowCounterRateLimiter(self._shared).hit(item, name, cost=count)
            except (StorageError, OSError) as error:
                self._leave(error)
        return await SlidingWindowCounterRateLimiter(memory).hit(item, name, cost=count)

    def _leave(self, error: Exception) -> None:
        self.failures += 1
        _log.warning("the storage of rate limits fails (%s): this server counts alone for now", type(error).__name__)
        self._alone_until = self._clock() + self._retry_s


class SharedStorage:
    """A Redis that counts for several servers; connects when it is first used.

    Args:
        url: its address.
        timeout_s: longest wait for it.

    Raises:
        InvalidRequest: the library for it is missing, or the address is none; the message never quotes it (passwords).
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._pool = redis_pool(url, timeout_s, "the storage of rate limits")
        options: dict[str, Any] = {"implementation": "redispy", "connection_pool": self._pool}
        self.storage = cast(Storage, storage_from_string(f"async+{url}", wrap_exceptions=True, **options))

    async def close(self) -> None:
        """Ends its connections."""
        with contextlib.suppress(OSError):
            await self._pool.disconnect()
