"""A worker as one process: its database, engines and sandbox, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shizi.errors import InvalidRequest
from shizi.imaging.limits import Limits
from shizi.jobs.delivery import Delivery, InProcess
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.job import JobLimits
from shizi.jobs.worker import WorkerOptions
from shizi.serving.engines.start import EnginesOptions, replacing_on_signal, running
from shizi.serving.job_reader import reading_jobs
from shizi.serving.logs import make_log, quiet_library_logs
from shizi.serving.storage import StorageOptions, opened


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
    """

    limits: Limits
    jobs: JobLimits
    engines: EnginesOptions
    storage: StorageOptions = field(default_factory=StorageOptions)
    redis_url: str | None = field(default=None, repr=False)
    worker: WorkerOptions = field(default_factory=WorkerOptions)


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
        InvalidRequest: the database or the Redis has no right address.
        StorageUnavailable: the database cannot be reached.
        ShiziError: the engine cannot be started.
    """
    log = make_log()
    quiet_library_logs(log)
    asyncio.run(_work(options, say))


async def _work(options: WorkOptions, say: Callable[[str], None]) -> None:
    delivery = open_delivery(options.redis_url)
    stopped = asyncio.Event()
    async with (
        opened(options.storage) as database,
        running(options.engines) as (engines, starting),
    ):
        starting.add_done_callback(lambda future: stopped.set() if _failed(future) else None)
        with (
            reading_jobs(engines, options.limits, options.worker.slots) as reader,
            _told(stopped),
            replacing_on_signal(engines),
        ):
            async with EmbeddedWorker(database, options.jobs, delivery, reader, options.worker) as worker:
                say(f"shizi worker: {options.worker.slots} tasks at a time, as {options.worker.name}")
                ending = [asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(worker.ended())]
                await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
                for part in ending:
                    part.cancel()
        if starting.done():
            starting.result()


def _failed(future: asyncio.Future[None]) -> bool:
    return not future.cancelled() and future.exception() is not None


@contextlib.contextmanager
def _told(stopped: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT stop the worker."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
