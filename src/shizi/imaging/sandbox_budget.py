"""A number that many threads share, first come first served: workers, bytes of pixels, bytes of decoding."""

from __future__ import annotations

import threading
import time
from collections import deque


class ClosedError(Exception):
    """Nobody will be served any more."""


class Budget:
    """At most `limit` is taken at once; who asks first is served first, also before smaller wishes that would fit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0
        self._closed = False
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def used(self) -> int:
        """What is taken now."""
        with self._changed:
            return self._used

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._changed:
            return len(self._queue)

    def take(self, amount: int, deadline: float) -> None:
        """Waits until it is there.

        Raises:
            TimeoutError: not before the deadline, in time.monotonic(); at once where it never can be.
            ClosedError: `close` was called.
        """
        if amount > self.limit:
            raise TimeoutError
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while not self._closed and (self._queue[0] is not ticket or self._used + amount > self.limit):
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise TimeoutError
                    self._changed.wait(left)
                if self._closed:
                    raise ClosedError
                self._used += amount
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def give(self, amount: int) -> None:
        """Back what was taken."""
        with self._changed:
            self._used -= amount
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the waiting of all."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
