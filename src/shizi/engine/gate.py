"""Who is read next: so many pages at a time, a bounded number behind them, in turns that are fair to tenants and lanes."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from typing import Final

from shizi.batching.claim import LANES, Claim, Lane
from shizi.batching.queue import BatchLimits, BatchQueue, Item
from shizi.errors import DeadlineExceeded, Overloaded

_WEIGHT = 0.2  # of the last page in the mean
# A turn is one page, however large; a round's share is the bytes of a small picture.
_TURNS: Final = BatchLimits(items=1, quantum=2**19)


class Gate:
    """Lets pages in; belongs to one event loop.

    Turns go round as in `BatchQueue`, paid in bytes, between lanes, between tenants, and between the pages of a tenant. Where there
    are several places, bulk pages leave one of them to others, who so never wait for the end of a bulk page. A page that asks for
    it is read alone, before those that wait.

    Args:
        places: pages that are inside at a time.
        most_waiting: that wait outside.
        most_bytes: of all inside and outside.
    """

    def __init__(self, places: int, most_waiting: int, most_bytes: int) -> None:
        self._places: dict[Lane, int] = {"interactive": places, "bulk": max(places - 1, 1)}
        self._inside = dict.fromkeys(LANES, 0)
        self._most_waiting = most_waiting
        self._most_bytes = most_bytes
        self._bytes = 0
        self._queue: BatchQueue[asyncio.Future[None]] = BatchQueue(_TURNS)
        self._loners: deque[tuple[Claim, asyncio.Future[None]]] = deque()
        self._is_one_alone = False
        self._mean_s = 1.0

    @property
    def inside(self) -> int:
        """Pages that are being read."""
        return sum(self._inside.values())

    @property
    def waiting(self) -> int:
        """Pages that wait for their turn."""
        return len(self._queue) + len(self._loners)

    async def enter(self, claim: Claim, size: int, *, alone: bool = False) -> None:
        """Returns when it is this page's turn; `leave` must follow.

        Args:
            claim: on whose behalf; after its deadline the page is never read.
            size: bytes that the page holds.
            alone: enters when nobody is inside, and nobody enters before it leaves.

        Raises:
            Overloaded: too many wait, or what waits is too large.
            DeadlineExceeded: the deadline passed.
        """
        self._refuse(claim.lane, size)
        self._bytes += size
        try:
            await self._turn(claim, size, alone)
        except BaseException:
            self._bytes -= size
            raise

    def leave(self, claim: Claim, size: int, seconds: float) -> None:
        """A page of this size is done, in so many seconds."""
        self._bytes -= size
        self._mean_s += _WEIGHT * (seconds - self._mean_s)
        self._out(claim)

    def _out(self, claim: Claim) -> None:
        self._inside[claim.lane] -= 1
        self._is_one_alone = False  # whoever leaves while one is alone is that one
        self._give()

    def _free(self, lane: Lane) -> bool:
        if self._is_one_alone or self._loners:
            return False
        places = self._places[lane]
        return self.inside < self._places["interactive"] and (lane != "bulk" or self._inside[lane] < places)

    def _refuse(self, lane: Lane, size: int) -> None:
        waiting = self.waiting
        after = max(self._mean_s * (waiting + 1) / self._places[lane], 0.1)
        if not self._free(lane) and waiting >= self._most_waiting:
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

    async def _turn(self, claim: Claim, size: int, alone: bool) -> None:
        if claim.deadline <= time.monotonic():
            raise _late()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if alone:
            self._loners.append((claim, future))
        else:
            self._queue.add([Item(claim, None, max(size, 1), future)])
        self._give()
        if future.done():
            return
        left = None if claim.deadline == math.inf else claim.deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                await future
        except BaseException as error:
            self._give_up(claim, future)
            if isinstance(error, TimeoutError):
                raise _late() from None
            raise

    def _give_up(self, claim: Claim, future: asyncio.Future[None]) -> None:
        if future.done() and not future.cancelled():
            self._out(claim)  # its turn had come just then: the next one's
            return
        future.cancel()
        self._queue.drop(claim)
        if (claim, future) in self._loners:
            self._loners.remove((claim, future))
            self._give()

    def _give(self) -> None:
        """Lets in who is next, as far as there are places."""
        while self._loners and not self.inside:
            claim, future = self._loners.popleft()
            if future.done():
                continue  # it was cancelled, and has not noticed yet
            self._inside[claim.lane] += 1
            self._is_one_alone = True
            future.set_result(None)
        now = time.monotonic()
        while open_to := [lane for lane in LANES if self._free(lane)]:
            turn = self._queue.next_batch(now, lanes=open_to)
            if not turn.items:
                return  # what was dropped has timers of its own
            for item in turn.items:
                if item.content.done():
                    continue  # the same
                self._inside[item.claim.lane] += 1
                item.content.set_result(None)


def _late() -> DeadlineExceeded:
    return DeadlineExceeded(
        "the time allowed for this page passed before its turn came; allow more, or try again later"
    )
