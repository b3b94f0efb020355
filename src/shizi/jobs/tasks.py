"""What workers do with tasks: take one, renew its lease, commit its pages, end it. Blocking and thread-safe.

Everything that a worker says of a task is taken only from whoever holds its latest token while it is running: of two workers that
both think that they hold it, one is heard.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import ImageTooLarge, NotFound
from shizi.imaging.limits import Limits, select_pages
from shizi.jobs.documents import document_bytes, joined, page_rows, pages_done
from shizi.jobs.job import Claim, Ending, JobLimits, LeaseLostError, Made, TaskState, after
from shizi.jobs.leases import Leases, over
from shizi.jobs.orders import Notify, new_task
from shizi.jobs.progress import add_event, lock_job, settle_document, settle_job
from shizi.jobs.tables import DOCUMENTS, JOBS, PAGES, TASKS
from shizi.types import Page

MOST_MESSAGE: Final = 1000  # characters
_NOBODY: Final = Made()


class TaskStore:
    """The workers' side of the tables.

    Args:
        database: where they are.
        limits: of jobs.
        notify: is told id and priority of each task that becomes ready.
    """

    def __init__(self, database: Database, limits: JobLimits, notify: Notify) -> None:
        self._database, self.limits, self._notify = database, limits, notify
        self._leases = Leases(database, limits, notify)

    def claim(self, worker: str) -> Claim | None:
        """See `Leases.claim`."""
        return self._leases.claim(worker)

    def expire(self) -> int:
        """See `Leases.expire`."""
        return self._leases.expire()

    def renew(self, claim: Claim) -> None:
        """Takes the lease anew.

        Raises:
            LeaseLostError: the task is somebody else's now.
        """
        with self._database.begin() as connection:
            self._held(connection, claim, {"lease": self._database.now(connection) + self.limits.lease_s})

    def save(self, claim: Claim, page: Page, made: Made = _NOBODY) -> None:
        """Makes a page's result visible, once for ever; the lease is taken anew. A page that is there already stays.

        Args:
            claim: of the task.
            page: that was read.
            made: by what; the document names all models of all its pages.

        Raises:
            LeaseLostError: the task is somebody else's now; nothing was changed.
        """
        rows = page_rows(claim.tenant, claim.job_id, claim.document, page)
        size = sum(len(data) for row in rows if isinstance(data := row["data"], bytes))
        with self._holding(claim) as (connection, now):
            place = (claim.tenant, claim.job_id, claim.document)
            known = bool(pages_done(connection, *place, page.number, page.number))
            # Who has saved a page since did not die of what it is reading now; who only comes as far as the last attempt may have.
            better = {} if known else {"crashes": 0}
            self._held(connection, claim, {"lease": now + self.limits.lease_s, **better})
            if known:
                return
            connection.execute(sa.insert(PAGES), rows)
            here = _document(claim)
            before = connection.execute(sa.select(DOCUMENTS.c.models, DOCUMENTS.c.timings).where(*here)).one()
            connection.execute(
                sa.update(DOCUMENTS)
                .where(*here)
                .values(pages_done=DOCUMENTS.c.pages_done + 1, **joined(before.models, before.timings, made))
            )
            connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.tenant == claim.tenant, JOBS.c.id == claim.job_id)
                .values(pages_done=JOBS.c.pages_done + 1, bytes=JOBS.c.bytes + size)
            )
            data = {"document": claim.document, "page": page.number}
            add_event(connection, claim.tenant, claim.job_id, "page", data, now)

    def succeed(self, claim: Claim) -> None:
        """Ends a task that has read everything.

        Raises:
            LeaseLostError: the task is somebody else's now; nothing was changed.
        """
        with self._holding(claim) as (connection, now):
            self._held(connection, claim, over("succeeded", claim.crashes))
            if claim.pages is None:
                here = _document(claim)
                count = connection.execute(sa.select(DOCUMENTS.c.pages_done).where(*here)).scalar_one()
                connection.execute(sa.update(DOCUMENTS).where(*here).values(pages=count))
                _count_pages(connection, claim, count)
            self._settle(connection, claim, now)

    def split(self, claim: Claim, count: int) -> None:
        """Ends a split task: the document has so many pages, and each run of them becomes a task.

        Raises:
            LeaseLostError: the task is somebody else's now; nothing was changed.
            ImageTooLarge, InvalidRequest: more pages than a job may have, or one that the document does not have; nothing was
                changed.
        """
        numbers = self._chosen(claim, count)
        step = self.limits.pages_per_task
        runs = [(run[0], run[-1]) for start in range(0, len(numbers), step) if (run := numbers[start : start + step])]
        tasks = [new_task(claim.tenant, claim.job_id, claim.document, "read", claim.priority, run) for run in runs]
        with self._holding(claim) as (connection, now):
            job = (JOBS.c.tenant == claim.tenant, JOBS.c.id == claim.job_id)
            before = connection.execute(sa.select(JOBS.c.pages).where(*job)).scalar_one()
            if before + len(numbers) > self.limits.max_pages:
                raise ImageTooLarge(
                    f"with the {len(numbers)} pages of document {claim.document} the job has {before + len(numbers)}, the limit "
                    f"(max_pages) is {self.limits.max_pages}: choose some with pages, or order several jobs"
                )
            self._held(connection, claim, over("succeeded", claim.crashes))
            connection.execute(sa.insert(TASKS), tasks)
            connection.execute(sa.update(DOCUMENTS).where(*_document(claim)).values(pages=len(numbers)))
            _count_pages(connection, claim, len(numbers))
            self._settle(connection, claim, now)
        for task in tasks:
            self._notify(str(task["id"]), claim.priority)

    def _chosen(self, claim: Claim, count: int) -> list[int]:
        bounds = Limits(max_pages=self.limits.max_pages)
        pages = claim.options.get("pages")
        return select_pages(count, pages if isinstance(pages, list) else None, bounds)

    def end(self, claim: Claim, ending: Ending, error: str | None = None, message: str | None = None) -> TaskState:
        """Ends an attempt that did not succeed; what that means for the task is decided by `job.after`.

        Returns:
            What became of the task.

        Raises:
            LeaseLostError: the task is somebody else's now; nothing was changed.
        """
        with self._holding(claim) as (connection, now):
            row = sa.select(TASKS.c.crashes).where(TASKS.c.id == claim.task_id, TASKS.c.tenant == claim.tenant)
            crashes = connection.execute(row).scalar_one_or_none()
            change = after(ending, claim.attempts, crashes or 0, self.limits)
            values = over(change.state, change.crashes) | {"ready": now + change.delay_s if change.delay_s else 0.0}
            if error is not None:
                values |= {"error": error, "message": (message or "").replace("\0", " ")[:MOST_MESSAGE]}
            self._held(connection, claim, values)
            self._settle(connection, claim, now)
        if change.state == "queued" and not change.delay_s:
            self._notify(claim.task_id, claim.priority)
        return change.state

    def document(self, claim: Claim) -> Iterator[bytes]:
        """The bytes of the document, piece by piece."""
        return document_bytes(self._database, claim.tenant, claim.job_id, claim.document)

    def waiting(self, most: int) -> int:
        """Tasks that are ready and not begun, counted up to `most`: there may be a million."""
        with self._database.read() as connection:
            now = self._database.now(connection)
            ready = sa.select(TASKS.c.id).where(TASKS.c.state == "queued", TASKS.c.ready <= now).limit(most)
            return len(connection.execute(ready).all())

    @contextlib.contextmanager
    def _holding(self, claim: Claim) -> Iterator[tuple[sa.Connection, float]]:
        """A transaction that holds the job's row, and the time."""
        with self._database.begin() as connection:
            try:
                lock_job(connection, claim.tenant, claim.job_id)
            except NotFound:
                raise LeaseLostError(claim.task_id) from None
            yield connection, self._database.now(connection)

    def _held(self, connection: sa.Connection, claim: Claim, values: Mapping[str, object]) -> None:
        """Changes a task if, and only if, it is still the claim's."""
        changed = connection.execute(
            sa.update(TASKS)
            .where(
                TASKS.c.id == claim.task_id,
                TASKS.c.tenant == claim.tenant,
                TASKS.c.token == claim.token,
                TASKS.c.state == "running",
            )
            .values(**values)
        )
        if changed.rowcount != 1:
            raise LeaseLostError(claim.task_id)

    def _settle(self, connection: sa.Connection, claim: Claim, now: float) -> None:
        settle_document(connection, claim.tenant, claim.job_id, claim.document, now)
        settle_job(connection, claim.tenant, claim.job_id, now)


def _document(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        DOCUMENTS.c.tenant == claim.tenant,
        DOCUMENTS.c.job_id == claim.job_id,
        DOCUMENTS.c.number == claim.document,
    )


def _count_pages(connection: sa.Connection, claim: Claim, count: int) -> None:
    connection.execute(
        sa.update(JOBS)
        .where(JOBS.c.tenant == claim.tenant, JOBS.c.id == claim.job_id)
        .values(pages=JOBS.c.pages + count)
    )
