"""Everything of jobs that runs in a server: the way in, work where nobody else does it, leases, webhooks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from shizi.database.connect import Database
from shizi.imaging.limits import Limits
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.job import JobLimits
from shizi.jobs.store import JobStore
from shizi.jobs.webhook_delivery import Deliveries, DeliveryOptions
from shizi.jobs.webhook_sender import Sender
from shizi.jobs.webhook_store import WebhookStore
from shizi.jobs.worker import WorkerOptions
from shizi.serving.engines.pool import Engines
from shizi.serving.job_numbers import JobNumbers
from shizi.serving.job_reader import reading_jobs
from shizi.serving.jobs import Jobs, JobsOptions
from shizi.serving.work import open_delivery

_SENDER_THREADS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSetup:
    """The options of every part.

    Attributes:
        limits: of jobs; workers elsewhere have the same.
        http: bounds of the way in and out.
        worker: of the server's own; without a Redis it works jobs off itself.
        redis_url: tells workers elsewhere of new work, and leaves the work to them.
        webhooks: how they are delivered.
    """

    limits: JobLimits = field(default_factory=JobLimits)
    http: JobsOptions = field(default_factory=JobsOptions)
    worker: WorkerOptions = field(default_factory=WorkerOptions)
    redis_url: str | None = field(default=None, repr=False)
    webhooks: DeliveryOptions = field(default_factory=DeliveryOptions)


@dataclass(frozen=True, slots=True)
class JobParts:
    """What runs.

    Attributes:
        jobs: for the routes.
        worker: ends when it is told to stop; see `EmbeddedWorker.ended`.
        numbers: for the metrics.
    """

    jobs: Jobs
    worker: EmbeddedWorker
    numbers: JobNumbers


@contextlib.asynccontextmanager
async def running_jobs(
    setup: JobsSetup, database: Database, engines: Engines, limits: Limits
) -> AsyncIterator[JobParts]:
    """All of it; at the end of the context no lease is held any more.

    Args:
        setup: options.
        database: where jobs are.
        engines: what reads.
        limits: of each document.

    Raises:
        InvalidRequest: the Redis has no right address.
    """
    delivery = open_delivery(setup.redis_url)
    webhooks = WebhookStore(database)
    async with contextlib.AsyncExitStack() as stack:
        jobs = Jobs(JobStore(database, setup.limits, delivery.send), webhooks, setup.http)
        stack.callback(jobs.close)
        reader = None
        if setup.redis_url is None:
            reader = stack.enter_context(reading_jobs(engines, limits, setup.worker.slots))
        deliveries = await stack.enter_async_context(_delivering(setup, webhooks))
        worker = EmbeddedWorker(database, setup.limits, delivery, reader, setup.worker)
        await stack.enter_async_context(worker)
        yield JobParts(jobs, worker, JobNumbers(database, jobs, worker, deliveries))


@contextlib.asynccontextmanager
async def _delivering(setup: JobsSetup, store: WebhookStore) -> AsyncIterator[Deliveries | None]:
    """Delivers in the background; None where the operator wants none."""
    targets = setup.http.targets
    if targets is None:
        yield None
        return
    sender = Sender(targets)
    threads = ThreadPoolExecutor(_SENDER_THREADS, "shizi-webhooks")
    deliveries = Deliveries(store, sender, setup.webhooks, threads)
    delivering = asyncio.create_task(deliveries.run())
    try:
        yield deliveries
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        await asyncio.to_thread(threads.shutdown)
