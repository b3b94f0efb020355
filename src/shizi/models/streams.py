"""Runs of a model side by side: whose piece is next is decided by shares, and pieces of one shape run in a row."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from shizi.batching.claim import Claim
from shizi.batching.queue import BatchLimits, BatchQueue, Item

R = TypeVar("R")

# A piece is a batch already, of lines of one request (docs/decisions/serving.md).
_LIMITS = BatchLimits(items=1)
# Seconds for which a piece gives way at most, whoever else comes.
_MOST_HELD_S = 0.05


@dataclass(slots=True, eq=False)
class _Call:
    """One call of `Streams.run`; what changes is guarded by the lock of the streams.

    Attributes:
        work: does the piece of a number and keeps what comes of it.
        waiting: pieces that nobody has begun.
        running: pieces that are being worked on.
        error: why the call fails; its first one.
        over: set when nothing of the call waits or runs any more.
    """

    work: Callable[[int], None]
    waiting: int
    running: int = 0
    error: BaseException | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def settle(self, error: BaseException | None) -> None:
        """Notes an error, and lets the caller go on where nothing is left to be done."""
        self.error = self.error or error
        if not self.waiting and not self.running:
            self.over.set()


_Piece = Item[tuple[_Call, int]]


class Streams:
    """Threads that run a model side by side, for any number of callers.

    A runtime prepares itself whenever the shape of its input changes; in OpenVINO that takes as long as reading a short word. So
    each thread goes on with the shape it had, as far as the shares of those who wait allow.

    Args:
        count: threads.
        clock: of the deadlines of claims.
    """

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, "shizi-recognize")
        self._clock = clock
        self._lock = threading.Lock()
        self._released = threading.Condition(self._lock)
        self._holders: set[Claim] = set()
        self._queue: BatchQueue[tuple[_Call, int]] = BatchQueue(_LIMITS)
        self._closed = False
        self._last = threading.local()

    def run(
        self,
        work: Callable[[int], R],
        shapes: Sequence[Hashable],
        *,
        costs: Sequence[int] | None = None,
        claim: Claim | None = None,
    ) -> list[R]:
        """Does numbered pieces of work and returns what comes of them, in order.

        When it returns or raises, no thread works on any of the pieces any more.

        Args:
            work: does the piece of a number; what it raises is raised here.
            shapes: of the piece of each number, those that take longest first.
            costs: padded pixels of each piece, by which shares are counted; default: each as a short line.
            claim: of the request; default: one of its own, without a deadline.

        Raises:
            DeadlineExceeded: the claim's deadline passed, or it was abandoned, before all pieces were begun.
        """
        claim = claim or Claim()
        claim.check(self._clock())
        if not shapes:
            return []
        done: dict[int, R] = {}

        def keep(number: int) -> None:
            done[number] = work(number)

        call = _Call(keep, len(shapes))
        pieces = zip(shapes, costs or [_LIMITS.quantum] * len(shapes), range(len(shapes)), strict=True)
        with self._lock:
            if self._closed:
                raise RuntimeError("nothing can be run on these streams after shutdown")
            self._queue.add(Item(claim, shape, cost, (call, number)) for shape, cost, number in pieces)
            self._let_go(claim)
            for _ in range(min(len(shapes), self.count)):
                self._pool.submit(self._work)
        try:
            self._wait(call, claim)
        except BaseException as error:
            # An interrupt, for one: what was asked for must not be worked on after the caller has gone.
            self._drop(claim, error)
            call.over.wait()
            raise
        if call.error is not None:
            raise call.error
        return [done[number] for number in range(len(shapes))]

    @property
    def waiting(self) -> int:
        """Pieces that nobody has begun."""
        with self._lock:
            return len(self._queue)

    @contextmanager
    def hold(self, claim: Claim) -> Iterator[None]:
        """Begins no piece until this request has pieces of its own, or the `with` statement ends.

        For a request whose first work is short and uses all processors: beside pieces it would take several times as long, and it
        would wait for the end of a piece begun just before it asks for its own. What runs goes on, and no piece gives way for
        more than 50 ms.
        """
        with self._lock:
            self._holders.add(claim)
        try:
            yield
        finally:
            with self._lock:
                self._let_go(claim)

    def close(self) -> None:
        """Ends the threads; calls that run fail, and nothing can be run any more."""
        with self._lock:
            self._closed = True
            while items := self._queue.next_batch(-math.inf).items:
                _refuse(items, RuntimeError("these streams were closed: nothing is run after shutdown"))
        self._pool.shutdown()

    def _wait(self, call: _Call, claim: Claim) -> None:
        """Waits for the end of a call; from its deadline on nothing more of it is begun."""
        left = None if claim.deadline == math.inf else max(0.0, claim.deadline - self._clock())
        if not call.over.wait(left):
            self._drop(claim, claim.late(self._clock()))
            call.over.wait()

    def _work(self) -> None:
        """Does pieces, one after the other, until none waits."""
        while items := self._next():
            for item in items:
                self._last.shape = item.bucket
                self._do(item)

    def _next(self) -> tuple[_Piece, ...]:
        """The piece whose turn it is, if any waits."""
        with self._lock:
            self._released.wait_for(lambda: not self._holders, _MOST_HELD_S)
            turn = self._queue.next_batch(self._clock(), getattr(self._last, "shape", None))
            for item in turn.dropped:
                _refuse([item], item.claim.late(self._clock()))
            for item in turn.items:
                item.content[0].waiting -= 1
                item.content[0].running += 1
            return turn.items

    def _do(self, item: _Piece) -> None:
        call, number = item.content
        try:
            call.work(number)
            error = None
        except BaseException as raised:
            error = raised
        if error is not None:
            self._drop(item.claim, error)
        with self._lock:
            call.running -= 1
            call.settle(error)

    def _let_go(self, claim: Claim) -> None:
        """Pieces no longer give way to this request; the lock must be held."""
        self._holders.discard(claim)
        self._released.notify_all()

    def _drop(self, claim: Claim, error: BaseException) -> None:
        """Begins nothing more of a request."""
        with self._lock:
            _refuse(self._queue.drop(claim), error)


def _refuse(items: Iterable[_Piece], error: BaseException) -> None:
    """Lets the calls that wait for these pieces fail; the lock must be held."""
    for item in items:
        call = item.content[0]
        call.waiting -= 1
        call.settle(error)
