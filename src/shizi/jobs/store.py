"""The tenants' side of jobs: order, look, fetch, cancel, delete. Blocking and thread-safe."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import Conflict, InvalidRequest, NotFound, ShiziError, taxonomy
from shizi.jobs.documents import cursor, document_bytes, models_from_json, read_pages, timings_from_json
from shizi.jobs.job import (
    FINISHED,
    DocumentStatus,
    Event,
    Job,
    JobLimits,
    JobState,
    Order,
    PageResult,
)
from shizi.jobs.orders import Notify, Orders
from shizi.jobs.progress import HIDDEN, end_tasks, lock_job, not_found
from shizi.jobs.retention import hide
from shizi.jobs.tables import DOCUMENTS, EVENTS, JOBS
from shizi.types import Document, Page

MOST_LISTED: Final = 1000
_PAGES_AT_ONCE: Final = 200
_ERRORS: Final = {error.code: error for error in taxonomy()}


def _nobody(_task_id: str, _priority: int) -> None:
    return


class JobStore:
    """Jobs, each seen by its tenant alone: for everybody else there is none of its id.

    Args:
        database: where they are kept.
        limits: bounds of jobs.
        notify: is told id and priority of each task that becomes ready; `Delivery.send` is one.
    """

    def __init__(self, database: Database, limits: JobLimits, notify: Notify = _nobody) -> None:
        self._database, self.limits = database, limits
        self._orders = Orders(database, limits, notify)

    def create(self, order: Order, documents: Iterable[tuple[str | None, BinaryIO]]) -> Job:
        """Takes in a job; nobody sees it before all of it is there, and nothing of it stays where an error ends this.

        Args:
            order: what is asked for.
            documents: name, or None, and file of each, read from where it stands; the files are not closed.

        Returns:
            The new job, or the one that the same request with the same key made before.

        Raises:
            Conflict: another request came with the key, or the same one is just being received.
            ImageTooLarge: too many documents, or too many bytes.
            RateLimited: the tenant has too many jobs or bytes.
            Overloaded: all tenants together have.
            InvalidRequest: no document.
        """
        return self.get(order.tenant, self._orders.create(order, documents))

    def get(self, tenant: str, job_id: str) -> Job:
        """Raises NotFound where the tenant has no such job."""
        with self._database.read() as connection:
            return self._get(connection, tenant, job_id)

    def list(
        self, tenant: str, *, after: str | None = None, limit: int = 100, state: JobState | None = None
    ) -> Sequence[Job]:
        """The tenant's jobs, the latest first; `after` is the id of the last one that was seen."""
        wanted = sa.select(JOBS).where(JOBS.c.tenant == tenant, JOBS.c.state.not_in(HIDDEN))
        if state is not None:
            wanted = wanted.where(JOBS.c.state == state)
        if after is not None:
            wanted = wanted.where(JOBS.c.id < after)
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(JOBS.c.id.desc()).limit(_limit(limit))).all()
        return [self._job(row) for row in rows]

    def documents(self, tenant: str, job_id: str) -> Sequence[DocumentStatus]:
        """All documents of a job, in the order in which they were sent.

        Raises:
            NotFound: the tenant has no such job.
        """
        with self._database.read() as connection:
            self._get(connection, tenant, job_id)
            rows = connection.execute(
                sa.select(DOCUMENTS)
                .where(DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.job_id == job_id)
                .order_by(DOCUMENTS.c.number)
            ).all()
        return [_document(row) for row in rows]

    def document(self, tenant: str, job_id: str, number: int) -> DocumentStatus:
        """One of the documents.

        Raises:
            NotFound: the tenant has no such job, or the job no such document.
        """
        with self._database.read() as connection:
            self._get(connection, tenant, job_id)
            return _document(self._document(connection, tenant, job_id, number))

    def pages(
        self, tenant: str, job_id: str, *, document: int | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[PageResult]:
        """Pages that are finished, by document and number; `after` is the cursor of the last one that was seen.

        While the job runs, pages come in whatever order they are finished, so one may appear behind a cursor: whoever must not
        miss any waits for the end, or follows `events`.

        Raises:
            NotFound: the tenant has no such job.
        """
        with self._database.read() as connection:
            self._get(connection, tenant, job_id)
            found = read_pages(connection, tenant, job_id, document, after, _limit(limit))
        return [PageResult(number, page, cursor(number, page.number)) for number, page in found]

    def result(self, tenant: str, job_id: str, document: int) -> Document:
        """What was read from a finished document; of one that failed half-way, the pages that were read.

        Raises:
            NotFound: the tenant has no such job, or the job no such document.
            Conflict: the document is not finished yet, or was cancelled.
            ShiziError: what the document failed with, where no page of it was read.
        """
        with self._database.read() as connection:
            self._get(connection, tenant, job_id)
            row = self._document(connection, tenant, job_id, document)
            if row.state not in FINISHED or (row.state == "cancelled" and not row.pages_done):
                raise Conflict(f"document {document} of the job is {row.state}: it has no result" + _wait(row.state))
            if row.state == "failed":
                raise _ERRORS.get(row.error, ShiziError)(row.message or "reading failed; order it again")
            pages: list[Page] = []
            last = 0
            while found := read_pages(connection, tenant, job_id, document, cursor(document, last), _PAGES_AT_ONCE):
                pages += [page for _, page in found]
                last = pages[-1].number
        return Document(tuple(pages), models_from_json(row.models), timings_from_json(row.timings))

    def original(self, tenant: str, job_id: str, document: int) -> Iterable[bytes]:
        """The document itself, piece by piece; nothing where it was not to be kept.

        Raises:
            NotFound: the tenant has no such job, or the job no such document.
        """
        with self._database.read() as connection:
            self._get(connection, tenant, job_id)
            self._document(connection, tenant, job_id, document)
        return document_bytes(self._database, tenant, job_id, document)

    def events(self, tenant: str, job_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        """What happened since the event of that number, in order.

        Raises:
            NotFound: the tenant has no such job.
        """
        with self._database.read() as connection:
            self._get(connection, tenant, job_id)
            rows = connection.execute(
                sa.select(EVENTS)
                .where(EVENTS.c.tenant == tenant, EVENTS.c.job_id == job_id, EVENTS.c.number > after)
                .order_by(EVENTS.c.number)
                .limit(_limit(limit))
            ).all()
        return [Event(row.number, row.kind, json.loads(row.data), row.at) for row in rows]

    def last_events(self, jobs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        """Numbers of the latest events of some jobs, by tenant and id; jobs that are not there are left out."""
        wanted = sa.select(JOBS.c.tenant, JOBS.c.id, JOBS.c.last_event).where(
            JOBS.c.id.in_([job_id for _, job_id in jobs]), JOBS.c.state.not_in(HIDDEN)
        )
        with self._database.read() as connection:
            rows = connection.execute(wanted).all()
        return {(row.tenant, row.id): row.last_event for row in rows if (row.tenant, row.id) in jobs}

    def cancel(self, tenant: str, job_id: str) -> Job:
        """Ends a job now; pages that were read stay, those that are being read are dropped. A finished one stays as it is.

        Raises:
            NotFound: the tenant has no such job.
        """
        with self._database.begin() as connection:
            before = lock_job(connection, tenant, job_id)._mapping
            if before["state"] not in FINISHED:
                end_tasks(connection, tenant, job_id, {"state": "cancelled"}, self._database.now(connection))
            return self._get(connection, tenant, job_id)

    def delete(self, tenant: str, job_id: str) -> None:
        """Takes a job out of everybody's sight, for ever, in whatever state it is; its documents, results and events follow soon.

        Raises:
            NotFound: the tenant has no such job.
        """
        with self._database.begin() as connection:
            lock_job(connection, tenant, job_id)
            hide(connection, tenant, job_id)

    def _get(self, connection: sa.Connection, tenant: str, job_id: str) -> Job:
        row = connection.execute(
            sa.select(JOBS).where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state.not_in(HIDDEN))
        ).first()
        if row is None:
            raise not_found(job_id)
        return self._job(row)

    def _document(self, connection: sa.Connection, tenant: str, job_id: str, document: int) -> sa.Row[Any]:
        row = connection.execute(
            sa.select(DOCUMENTS).where(
                DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.job_id == job_id, DOCUMENTS.c.number == document
            )
        ).first()
        if row is None:
            raise NotFound(f"the job has no document {document}; they are counted from 1")
        return row

    def _job(self, row: sa.Row[Any]) -> Job:
        options = json.loads(row.options)
        options.pop("password", None)
        return Job(
            id=row.id,
            tenant=row.tenant,
            state=row.state,
            priority=row.priority,
            options=options,
            webhook=row.webhook,
            keep_documents=row.keep_documents,
            documents=row.documents,
            bytes=row.bytes,
            pages=row.pages,
            pages_done=row.pages_done,
            last_event=row.last_event,
            created=row.created,
            started=row.started,
            finished=row.finished,
            expires=None if row.finished is None else row.finished + self.limits.retention_s,
        )


def _document(row: sa.Row[Any]) -> DocumentStatus:
    return DocumentStatus(
        number=row.number,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        state=row.state,
        pages=row.pages,
        pages_done=row.pages_done,
        error=row.error,
        message=row.message,
    )


def _limit(limit: int) -> int:
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidRequest(f"limit is {limit}; it must be between 1 and {MOST_LISTED}")
    return limit


def _wait(state: str) -> str:
    return "" if state == "cancelled" else " yet; wait for its end"
