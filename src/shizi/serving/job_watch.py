"""One look at the database for all who listen, however many they are and to however many jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping

from shizi.errors import StorageUnavailable

Key = tuple[str, str]
"""Tenant and id of a job."""

log = logging.getLogger(__name__)


class Watched:
    """What one listener knows of its job."""

    def __init__(self) -> None:
        self._latest = 0.0
        self._looked = asyncio.Event()

    def tell(self, latest: float) -> None:
        """The number of the job's latest event."""
        self._latest = latest
        self._looked.set()

    async def newer(self, after: int, timeout_s: float) -> bool:
        """Whether there is anything after an event, or the job is gone; False where there is nothing after the time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._latest <= after:
                    self._looked.clear()
                    await self._looked.wait()
        return self._latest > after


class Watch:
    """Belongs to one event loop; looks while somebody listens.

    Args:
        look: number of the latest event of each of some jobs; those that are not there are left out.
        every_s: seconds between two looks.
    """

    def __init__(self, look: Callable[[Collection[Key]], Awaitable[Mapping[Key, int]]], every_s: float) -> None:
        self._look, self._every_s = look, every_s
        self._listening: dict[Watched, Key] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def on(self, tenant: str, job_id: str) -> Iterator[Watched]:
        """A listener to a job, inside of the context."""
        watched = Watched()
        self._listening[watched] = (tenant, job_id)
        if self._looking is None:
            self._looking = asyncio.create_task(self._again())
        try:
            yield watched
        finally:
            del self._listening[watched]
            if not self._listening:
                self.close()

    def close(self) -> None:
        """Looks no more."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _again(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                found = await self._look(set(self._listening.values()))
            except StorageUnavailable:
                found = {}  # each finds out for itself that there is no database
            except Exception:
                log.exception("a look at the events of jobs failed")
                continue
            for watched, key in self._listening.items():
                watched.tell(found.get(key, math.inf))
