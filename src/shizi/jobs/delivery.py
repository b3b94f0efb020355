"""Tells workers that there is something to do.

A message says *that* there is work, never *which*: whoever hears it asks the database, where turns, priorities and leases are. So a
message that is lost costs at most the seconds until a worker looks by itself, one that comes twice costs one look, and the order in
which messages come means nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Protocol, Self


class Delivery(Protocol):
    """A way on which messages go."""

    def send(self, task_id: str, priority: int) -> None:
        """Says that a task is ready; from any thread, at once, and never with an error: the database knows it anyway."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Returns when a message came, or after the time."""
        ...

    async def __aenter__(self) -> Self:
        """Begins to listen."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Stops listening."""
        ...


class InProcess:
    """Messages inside of one process; others that share its database look by themselves now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._missed = False

    def send(self, task_id: str, priority: int) -> None:  # noqa: ARG002 (the signature of every way)
        """Wakes everybody who waits; if there is nobody, whoever waits next does not."""
        with self._lock:
            self._missed = not self._waiting
            for loop, event in self._waiting:
                with contextlib.suppress(RuntimeError):  # its loop is closed
                    loop.call_soon_threadsafe(event.set)

    async def wait(self, timeout_s: float) -> None:
        """Returns when a message came, or after the time."""
        event = asyncio.Event()
        me = (asyncio.get_running_loop(), event)
        with self._lock:
            if self._missed:
                self._missed = False
                return
            self._waiting.add(me)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(me)

    async def __aenter__(self) -> Self:
        """There is nothing to begin."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to stop."""
