"""Many files through one engine: a bounded number at once, results in the order of the inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

J = TypeVar("J")
R = TypeVar("R")


def in_order(work: Callable[[J], R], jobs: Iterable[J], threads: int) -> Generator[R, None, None]:
    """Yield `work(job)` for every job, in order, with at most `threads` at work and `2 * threads` begun or waiting.

    When the consumer stops early (an error, Ctrl-C), jobs that have not begun never do, and those at work
    are not waited for.
    """
    executor = ThreadPoolExecutor(threads, thread_name_prefix="read")
    window: deque[Future[R]] = deque()
    try:
        for job in jobs:
            window.append(executor.submit(work, job))
            if len(window) >= 2 * threads:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
