"""A worker and a reconciler on an event loop that is there already: in `shizi worker`, and in a server without workers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from shizi.database.connect import Database
from shizi.jobs.delivery import Delivery
from shizi.jobs.job import JobLimits
from shizi.jobs.reading import PageReader
from shizi.jobs.reconciler import Reconciler, ReconcilerOptions
from shizi.jobs.retention import Retention
from shizi.jobs.tasks import TaskStore
from shizi.jobs.worker import Worker, WorkerOptions


class EmbeddedWorker:
    """Works jobs off inside of its context; at the end of it nothing is held any more.

    Args:
        database: where jobs are; closed by whoever opened it, afterwards.
        limits: of jobs.
        delivery: what says that there is work; this listens to it.
        reader: what reads; None only looks after leases and retention, where others do the work.
        options: of the worker.
        looks: how often the reconciler looks.
    """

    def __init__(
        self,
        database: Database,
        limits: JobLimits,
        delivery: Delivery,
        reader: PageReader | None,
        options: WorkerOptions | None = None,
        looks: ReconcilerOptions | None = None,
    ) -> None:
        tasks = TaskStore(database, limits, delivery.send)
        self._delivery = delivery
        self.reconciler = Reconciler(tasks, Retention(database, limits), delivery, looks)
        self.worker = None if reader is None else Worker(tasks, reader, delivery, options or WorkerOptions())
        self._stack = contextlib.AsyncExitStack()
        self._working: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins."""
        async with contextlib.AsyncExitStack() as stack:
            looking = asyncio.create_task(self.reconciler.run())
            stack.push_async_callback(_end, looking)
            if self.worker is None:
                stack.push_async_exit(self._delivery)  # which is only spoken to
            else:
                await stack.enter_async_context(self._delivery)
                self._working = asyncio.create_task(self.worker.run())
                stack.push_async_callback(_end, self._working)
            self._stack = stack.pop_all()
        return self

    def stop(self) -> None:
        """Takes no further task; what is being read may end within the worker's `grace_s`."""
        if self.worker is not None:
            self.worker.stop()

    async def ended(self) -> None:
        """Returns when the worker has stopped; raises what it failed with."""
        if self._working is not None:
            await asyncio.shield(self._working)

    async def __aexit__(self, *_: object) -> None:
        """Stops, and waits for the end: at most `grace_s`, and what the database takes."""
        self.stop()
        try:
            await self.ended()
        finally:
            await self._stack.aclose()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
