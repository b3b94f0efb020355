"""Runs of a model side by side, those of one shape in a row."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

R = TypeVar("R")


class Turns:
    """Hands numbered pieces of work to several takers, so that each of them meets few changes of shape.

    A runtime prepares itself whenever the shape of its input changes; in OpenVINO that takes as long as reading a short word. So
    each taker goes on with the shape it had, then takes the first shape that nobody has begun, and at the end helps the one who
    has most left.

    Args:
        shapes: of the piece of each number, those that take longest first.
    """

    def __init__(self, shapes: Iterable[Hashable]) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[int]] = {}
        for number, shape in enumerate(shapes):
            self._waiting.setdefault(shape, deque()).append(number)
        self._begun: set[Hashable] = set()

    def next(self, shape: Hashable | None) -> tuple[Hashable, int] | None:
        """A piece for a taker whose last one had this shape, after its own shape; None when all are taken."""
        with self._lock:
            chosen = shape if shape in self._waiting else self._choose()
            if chosen is None:
                return None
            self._begun.add(chosen)
            pieces = self._waiting[chosen]
            number = pieces.popleft()
            if not pieces:
                del self._waiting[chosen]
            return chosen, number

    def stop(self) -> None:
        """Hands out nothing more."""
        with self._lock:
            self._waiting.clear()

    def _choose(self) -> Hashable | None:
        fresh = (shape for shape in self._waiting if shape not in self._begun)
        return next(fresh, max(self._waiting, key=lambda shape: len(self._waiting[shape]), default=None))


class Streams:
    """Threads that run a model side by side, for any number of callers.

    Args:
        count: threads.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, "shizi-recognize")

    def run(self, work: Callable[[int], R], shapes: Sequence[Hashable]) -> list[R]:
        """Does numbered pieces of work and returns what comes of them, in order.

        Every piece queues anew, so that a long page and a short one that are read at a time get as many turns.

        Args:
            work: does the piece of a number; what it raises is raised here.
            shapes: of the piece of each number, those that take longest first.
        """
        turns = Turns(shapes)
        done: dict[int, R] = {}
        chains: list[Future[None]] = [Future() for _ in range(min(self.count, len(shapes)))]

        def step(chain: Future[None], last: Hashable | None) -> None:
            try:
                turn = turns.next(last)
                if turn is None:
                    chain.set_result(None)
                    return
                shape, number = turn
                done[number] = work(number)
                self._pool.submit(step, chain, shape)
            except BaseException as error:
                turns.stop()
                chain.set_exception(error)

        try:
            for chain in chains:
                self._pool.submit(step, chain, None)
            for chain in chains:
                chain.result()
        finally:
            turns.stop()
        return [done[number] for number in range(len(shapes))]

    def close(self) -> None:
        """Ends the threads; nothing can be run any more."""
        self._pool.shutdown()
