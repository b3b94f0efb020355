"""Who is read next: so many pages at a time, a bounded number behind them, the earliest deadline first."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time

from shizi.errors import DeadlineExceeded, Overloaded

_WEIGHT = 0.2  # of the last page in the mean


class Gate:
    """Lets pages in; belongs to one event loop.

    Args:
        places: pages that are inside at a time.
        most_waiting: that wait outside.
        most_bytes: of all inside and outside.
    """

    def __init__(self, places: int, most_waiting: int, most_bytes: int) -> None:
        self._places = places
        self._free = places
        self._most_waiting = most_waiting
        self._most_bytes = most_bytes
        self._bytes = 0
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._mean_s = 1.0

    @property
    def inside(self) -> int:
        """Pages that are being read."""
        return self._places - self._free

    @property
    def waiting(self) -> int:
        """Pages that wait for their turn."""
        return sum(not future.done() for _, _, future in self._waiting)

    async def enter(self, deadline: float, size: int) -> None:
        """Returns when it is this page's turn; `leave` must follow.

        Args:
            deadline: on the clock of `time.monotonic`; passed, the page is never read.
            size: bytes that the page holds.

        Raises:
            Overloaded: too many wait, or what waits is too large.
            DeadlineExceeded: the deadline passed.
        """
        self._refuse(size)
        self._bytes += size
        try:
            await self._turn(deadline)
        except BaseException:
            self._bytes -= size
            raise

    def leave(self, size: int, seconds: float) -> None:
        """A page of this size is done, in so many seconds."""
        self._bytes -= size
        self._mean_s += _WEIGHT * (seconds - self._mean_s)
        self._give()

    def _refuse(self, size: int) -> None:
        waiting = self.waiting
        after = max(self._mean_s * (waiting + 1) / self._places, 0.1)
        if not self._free and waiting >= self._most_waiting:
            raise Overloaded(
                f"{waiting} requests wait at this engine, the limit (max_waiting) is {self._most_waiting}; try again later",
                after,
            )
        if self._bytes and self._bytes + size > self._most_bytes:
            raise Overloaded(
                f"the pages at this engine have {self._bytes + size} bytes with this one, the limit (max_waiting_bytes) is "
                f"{self._most_bytes}; try again later",
                after,
            )

    async def _turn(self, deadline: float) -> None:
        if deadline <= time.monotonic():
            raise _late()
        if self._free:
            self._free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (deadline, next(self._order), future))
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await future
        except BaseException as error:
            if future.done() and not future.cancelled():
                self._give()  # its turn had come just then: the next one's
            future.cancel()
            self._forget()
            if isinstance(error, TimeoutError):
                raise _late() from None
            raise

    def _give(self) -> None:
        """Lets the next one in, or keeps the place free."""
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                return
        self._free += 1

    def _forget(self) -> None:
        """Drops those that gave up: the earliest deadlines may stay long behind a slow page."""
        self._waiting = [item for item in self._waiting if not item[2].done()]
        heapq.heapify(self._waiting)


def _late() -> DeadlineExceeded:
    return DeadlineExceeded(
        "the time allowed for this page passed before its turn came; allow more, or try again later"
    )
