"""A database, and workers on it, for tests."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shizi.database.connect import Database
from shizi.jobs.delivery import Delivery, InProcess
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.fake import FakeReader
from shizi.jobs.job import Job, JobLimits, Order
from shizi.jobs.reconciler import ReconcilerOptions
from shizi.jobs.store import JobStore
from shizi.jobs.worker import WorkerOptions

TENANT = "bank"
LIMITS = JobLimits(lease_s=1.2, renew_s=0.3, put_back_s=0.05, page_timeout_s=30.0)
OPTIONS = WorkerOptions(poll_s=0.05, grace_s=0.5)
SOON_S = 20.0


class Place:
    """A database, and workers on it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.delivery: Delivery = InProcess()
        self.jobs = JobStore(database, LIMITS, self.delivery.send)

    def order(self, *documents: bytes, tenant: str = TENANT) -> Job:
        return self.jobs.create(Order(tenant=tenant), [(None, io.BytesIO(data)) for data in documents])

    @asynccontextmanager
    async def worker(
        self, reader: FakeReader, limits: JobLimits = LIMITS, options: WorkerOptions = OPTIONS
    ) -> AsyncIterator[EmbeddedWorker]:
        looks = ReconcilerOptions(every_s=0.2)
        async with EmbeddedWorker(self.database, limits, self.delivery, reader, options, looks) as worker:
            yield worker

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Somebody looks after leases, and reads nothing."""
        looks = ReconcilerOptions(every_s=0.2)
        async with EmbeddedWorker(self.database, LIMITS, InProcess(), None, OPTIONS, looks):
            yield

    def job(self, job: Job) -> Job:
        return self.jobs.get(job.tenant, job.id)

    async def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + SOON_S
        while not await asyncio.to_thread(holds):
            assert time.monotonic() < end, "it did not come true in time"
            await asyncio.sleep(0.05)

    async def finished(self, *jobs: Job) -> None:
        await self.until(lambda: all(self.job(job).is_finished for job in jobs))

    def texts(self, job: Job, number: int = 1) -> list[str]:
        return [result.page.text for result in self.jobs.pages(job.tenant, job.id, document=number, limit=1000)]

    def kinds(self, job: Job) -> list[str]:
        return [event.kind for event in self.jobs.events(job.tenant, job.id)]


def run(work: Awaitable[None]) -> None:
    async def main() -> None:
        await work

    asyncio.run(main())
