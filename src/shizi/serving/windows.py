"""Sliding windows of counts in memory that is bounded whoever calls: a storage for the library `limits`."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from limits.aio.storage import SlidingWindowCounterSupport, Storage

_OVERFLOW = 256


@dataclass(slots=True)
class _Counts:
    """Hits in the window of this number, and in the one before it."""

    window: int = 0
    current: int = 0
    previous: int = 0


class BoundedWindows(Storage, SlidingWindowCounterSupport):
    """At most `max_keys` callers, each with two numbers; every step takes constant time.

    The storage in memory that comes with the library looks at all keys for every hit and has no bound. Here, keys whose
    windows have passed make room for new ones. While all are in use, new callers share 256 counters, chosen by a hash
    that is secret to the process: callers known before lose nothing, and strangers cannot be counted twice as little.
    Belongs to one event loop: nothing here waits, so a check and its count are one step.
    """

    STORAGE_SCHEME = None  # made by hand, never from an address

    def __init__(self, max_keys: int, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._max_keys = max_keys
        self._clock = clock
        self._counts: OrderedDict[str, tuple[_Counts, int]] = OrderedDict()
        self._shared: dict[str, tuple[_Counts, int]] = {}

    def __len__(self) -> int:
        return len(self._counts) + len(self._shared)

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Memory does not fail."""
        return ()

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount`, unless that would be more than `limit` within `expiry` seconds."""
        counts = self._of(key, expiry, make=True)
        weighted = counts.previous * (1 - self._position(expiry)) + counts.current
        if math.floor(weighted) + amount > limit:
            return False
        counts.current += amount
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Previous count, seconds until it no longer weighs, current count, seconds until that no longer weighs."""
        counts = self._of(key, expiry, make=False)
        left = (1 - self._position(expiry)) * expiry
        return counts.previous, left if counts.previous else 0.0, counts.current, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002
        """Forget the counts of a key."""
        await self.clear(key)

    async def clear(self, key: str) -> None:
        """Forget the counts of a key."""
        self._counts.pop(key, None)
        self._shared.pop(_shared_name(key), None)

    async def reset(self) -> int | None:
        """Forget all; returns how many keys there were."""
        known = len(self)
        self._counts.clear()
        self._shared.clear()
        return known

    async def check(self) -> bool:
        """Memory is always there."""
        return True

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count without a limit; the count of the current window."""
        counts = self._of(key, expiry, make=True)
        counts.current += amount
        return counts.current

    async def get(self, key: str) -> int:
        """The count of the current window; 0 where there is none."""
        held = self._counts.get(key)
        return 0 if held is None else self._of(key, held[1], make=False).current

    async def get_expiry(self, key: str) -> float:
        """When the current window ends, in seconds since 1970."""
        now = self._clock()
        held = self._counts.get(key)
        return now if held is None else (now // held[1] + 1) * held[1]

    def _position(self, expiry: int) -> float:
        """How far the current window has passed, from 0 to 1."""
        return (self._clock() / expiry) % 1

    def _of(self, key: str, expiry: int, *, make: bool) -> _Counts:
        """The counts of a key, moved to the current window; not kept when there are none and `make` is False."""
        window = int(self._clock() // expiry)
        held = self._counts.get(key)
        if held is None and not make:
            held = self._shared.get(_shared_name(key)) if self._is_full() else None
        elif held is None:
            held = self._made(key, expiry)
        elif make:
            self._counts.move_to_end(key)
        counts = _Counts(window) if held is None else held[0]
        if counts.window != window:
            counts.previous = counts.current if counts.window == window - 1 else 0
            counts.window, counts.current = window, 0
        return counts

    def _made(self, key: str, expiry: int) -> tuple[_Counts, int]:
        fresh = (_Counts(int(self._clock() // expiry)), expiry)
        self._make_room()
        if self._is_full():
            return self._shared.setdefault(_shared_name(key), fresh)
        self._counts[key] = fresh
        return fresh

    def _make_room(self) -> None:
        """Forget the two that were used longest ago, where they no longer weigh; two for each new one catches up."""
        for _ in range(2):
            if not self._counts:
                return
            key, (counts, expiry) = next(iter(self._counts.items()))
            if counts.window >= int(self._clock() // expiry) - 1:
                return
            del self._counts[key]

    def _is_full(self) -> bool:
        return len(self._counts) >= self._max_keys


def _shared_name(key: str) -> str:
    """One of 256 names; the hash of texts differs from process to process."""
    return f"shared/{hash(key) % _OVERFLOW}"
