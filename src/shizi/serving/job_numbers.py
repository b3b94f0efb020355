"""What there is of jobs, as metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from shizi.database.connect import Database
from shizi.errors import StorageUnavailable
from shizi.jobs.census import Census, take_census
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.webhook_delivery import Deliveries
from shizi.serving.jobs import Jobs
from shizi.serving.numbers import Number

_FRESH_S: Final = 5.0  # however often somebody looks


class WorkerNumbers:
    """What this process works off.

    Args:
        worker: of this process.
    """

    def __init__(self, worker: EmbeddedWorker) -> None:
        self._worker = worker

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        worker = self._worker.worker
        if worker is not None:
            yield "job_slots", "Tasks of jobs that this process works on at a time.", {}, worker.slots
            yield "job_tasks_held", "Tasks of jobs that it works on now.", {}, worker.held

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        worker, reconciler = self._worker.worker, self._worker.reconciler
        yield "job_leases_expired", "Tasks taken from workers that fell silent.", {}, reconciler.expired
        yield "jobs_removed", "Jobs whose time was over.", {}, reconciler.removed
        if worker is not None:
            for ending, count in dict(worker.ended).items():
                yield "job_task_attempts", "Attempts of this process that ended, by how.", {"ending": ending}, count
            yield "job_pages", "Pages of jobs that this process read and saved.", {}, worker.pages
            yield "job_page_seconds", "Seconds that these took, each until it was saved.", {}, worker.page_seconds


class JobNumbers:
    """Jobs in the database, and what this server does with them.

    Args:
        database: is counted when the metrics are asked for; in a thread, as they are.
        jobs: of this server.
        worker: of this server.
        deliveries: of webhooks; None where there are none.
        clock: `time.monotonic`.
    """

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        worker: EmbeddedWorker,
        deliveries: Deliveries | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._jobs, self._deliveries = database, jobs, deliveries
        self._working = WorkerNumbers(worker)
        self._clock = clock
        self._taken: tuple[float, Census] | None = None

    def gauges(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield "job_listeners", "Streams of events that are open.", {}, self._jobs.listeners
        yield "job_uploads", "Orders that are being received.", {}, self._jobs.receiving_now
        yield from self._working.gauges()
        census = self._census()
        yield "jobs_database_up", "Whether the database of jobs answers.", {}, census is not None
        if census is None:
            return
        for state, count in census.jobs.items():
            yield "jobs", "Jobs, by state.", {"state": state}, count
        for state, count in census.tasks.items():
            yield "job_tasks", "Tasks of the jobs that are kept, by state.", {"state": state}, count
        for state, count in census.messages.items():
            yield "webhook_messages", "Messages of webhooks, by state.", {"state": state}, count
        yield "job_attempts", "Attempts at the tasks of the jobs that are kept.", {}, census.attempts
        yield "job_bytes", "Bytes of documents and results of jobs.", {}, census.bytes
        yield "job_oldest_seconds", "Seconds for which the oldest job waits that nobody has begun.", {}, census.oldest_s

    def counters(self) -> Iterator[Number]:
        """See `Numbers`."""
        yield from self._working.counters()
        if self._deliveries is not None:
            for outcome, count in dict(self._deliveries.outcomes).items():
                yield "webhook_attempts", "Attempts to deliver a webhook.", {"outcome": outcome}, count

    def _census(self) -> Census | None:
        now = self._clock()
        if self._taken is None or now - self._taken[0] > _FRESH_S:
            try:
                self._taken = (now, take_census(self._database))
            except StorageUnavailable:
                return None
        return self._taken[1]
