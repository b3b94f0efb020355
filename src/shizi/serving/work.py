"""A worker as one process: its database, engines and sandbox, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from structlog.typing import FilteringBoundLogger

from shizi.errors import InvalidRequest
from shizi.imaging.limits import Limits
from shizi.jobs.delivery import Delivery, InProcess
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.job import JobLimits
from shizi.jobs.worker import WorkerOptions
from shizi.serving.engines.numbers import EngineNumbers
from shizi.serving.engines.start import EnginesOptions, replacing_on_signal, running
from shizi.serving.job_numbers import WorkerNumbers
from shizi.serving.job_reader import reading_jobs
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import make_log, quiet_library_logs
from shizi.serving.metrics import Metrics
from shizi.serving.numbers import SandboxNumbers
from shizi.serving.options import ServerOptions
from shizi.serving.server import answering, bind, place
from shizi.serving.storage import StorageOptions, opened
from shizi.serving.worker_site import DatabaseProbe, WorkerParts, worker_app
from shizi.tracing import start_tracing


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """The options of every part.

    Attributes:
        limits: of each document.
        jobs: of jobs; the same as the servers'.
        engines: what reads.
        storage: the database that the servers use.
        redis_url: what tells of new work; None where the worker only looks by itself.
        worker: how much at a time.
        version: of shizi.
        internal_host: where the worker says how it is.
        internal_port: of it; 0 for any that is free, None for nowhere.
    """

    limits: Limits
    jobs: JobLimits
    engines: EnginesOptions
    storage: StorageOptions = field(default_factory=StorageOptions)
    redis_url: str | None = field(default=None, repr=False)
    worker: WorkerOptions = field(default_factory=WorkerOptions)
    version: str = ""
    internal_host: str = "127.0.0.1"
    internal_port: int | None = None


# Few ask, and what they ask for is small: an end need not wait for them.
_SITE: Final = ServerOptions(max_connections=32, drain_s=1.0, backlog=32)


def open_delivery(redis_url: str | None) -> Delivery:
    """By Redis where there is one.

    Raises:
        InvalidRequest: the address is none, or the libraries are missing.
    """
    if redis_url is None:
        return InProcess()
    try:
        from shizi.jobs.broker import Broker
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"a Redis needs more libraries ({error.name} is missing): pip install 'shizi[serve,cluster]'"
        ) from None
    try:
        return Broker(redis_url)
    except ValueError:
        raise InvalidRequest("the address of the Redis is none; write redis://:password@host:6379/0") from None


def work(options: WorkOptions, say: Callable[[str], None]) -> None:
    """Works jobs off until SIGTERM or SIGINT; then all leases are given back.

    Raises:
        InvalidRequest: the database or the Redis has no right address, or the internal address cannot be listened on.
        StorageUnavailable: the database cannot be reached.
        ShiziError: the engine cannot be started.
    """
    asyncio.run(_work(options, say))


async def _work(options: WorkOptions, say: Callable[[str], None]) -> None:
    log = make_log()
    quiet_library_logs(log)
    end_tracing = start_tracing("shizi-worker", options.version, os.environ)
    try:
        await _worked(options, log, say)
    finally:
        await asyncio.to_thread(end_tracing)


async def _worked(options: WorkOptions, log: FilteringBoundLogger, say: Callable[[str], None]) -> None:
    delivery = open_delivery(options.redis_url)
    metrics, lifecycle = Metrics(options.version), Lifecycle()
    stopped = asyncio.Event()
    lifecycle.when_draining(stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        sock = None
        if options.internal_port is not None:
            sock = stack.enter_context(bind(options.internal_host, options.internal_port, _SITE.backlog))
        database = await stack.enter_async_context(opened(options.storage))
        engines, starting = await stack.enter_async_context(running(options.engines))
        starting.add_done_callback(lambda future: stopped.set() if _failed(future) else None)
        if sock is not None:  # before the rest, and after it: whoever looks after the worker sees it come and go
            parts = WorkerParts(engines, DatabaseProbe(database), lifecycle, metrics, log)
            await stack.enter_async_context(answering(worker_app(parts), sock, _SITE))
        slots = options.worker.slots
        reader = stack.enter_context(reading_jobs(engines, options.limits, slots, metrics.count))
        stack.enter_context(_told(lifecycle))
        stack.enter_context(replacing_on_signal(engines))
        worker = EmbeddedWorker(database, options.jobs, delivery, reader, options.worker)
        for numbers in (WorkerNumbers(worker), EngineNumbers(engines), SandboxNumbers(reader.sandbox)):
            metrics.add(numbers)
        async with worker:
            said = f"shizi worker: {slots} tasks at a time, as {options.worker.name}"
            say(said if sock is None else f"{said} (metrics: http://{place(sock)})")
            ending = [asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(worker.ended())]
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            for part in ending:
                part.cancel()
        if starting.done():
            starting.result()


def _failed(future: asyncio.Future[None]) -> bool:
    return not future.cancelled() and future.exception() is not None


@contextlib.contextmanager
def _told(lifecycle: Lifecycle) -> Iterator[None]:
    """SIGTERM and SIGINT stop the worker."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lifecycle.drain)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
