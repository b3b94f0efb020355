"""Takes in a job: its documents piece by piece in short transactions, and then all at once for everybody to see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import Conflict, ImageTooLarge, InvalidRequest, Overloaded, RateLimited
from shizi.imaging.decode import is_pdf
from shizi.jobs.job import MIB, UNFINISHED, JobLimits, Order, TaskKind, new_id
from shizi.jobs.progress import add_event, lock_tenant
from shizi.jobs.retention import forget
from shizi.jobs.sums import held
from shizi.jobs.tables import CHUNKS, DOCUMENTS, JOBS, TASKS, TENANTS

CHUNK: Final = MIB
MOST_OPTIONS: Final = 16 * 1024  # bytes of the options as JSON
_AT_ONCE: Final = 8  # chunks of one transaction: what a crash loses, and how long others wait for it
_HEAD: Final = 2048  # bytes that say whether it is a PDF
_LATER_S: Final = 60.0
_TRIES: Final = 3
_UNCHECKED: Final = 64 * MIB  # of one order, by which the sums of all jobs may be out

Notify = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """A document whose bytes are in the database."""

    name: str | None
    size: int
    sha256: str
    kind: TaskKind


@dataclass(slots=True)
class _Incoming:
    """An order that is being received; `unchecked` bytes of it may be written before the sums are looked at again."""

    tenant: str
    job_id: str
    unchecked: int = 0


class Orders:
    """Where jobs come in; blocking and thread-safe."""

    def __init__(self, database: Database, limits: JobLimits, notify: Notify) -> None:
        self._database, self._limits, self._notify = database, limits, notify

    def create(self, order: Order, documents: Iterable[tuple[str | None, BinaryIO]]) -> str:
        """The job's id; see `JobStore.create`."""
        known, job_id = self._reserve(order)
        if known:
            return job_id
        try:
            incoming = _Incoming(order.tenant, job_id)
            taken = []
            for number, (name, file) in enumerate(documents, 1):
                if number > self._limits.max_files:
                    raise ImageTooLarge(
                        f"the job has more than {self._limits.max_files} documents, the limit (max_files): order several jobs"
                    )
                taken.append(self._take(incoming, number, name, file))
            if not taken:
                raise InvalidRequest("the job has no document; send one or more")
            tasks = self._publish(order, job_id, taken)
        except BaseException:
            forget(self._database, order.tenant, job_id)
            raise
        for task in tasks:
            self._notify(task, order.priority)
        return job_id

    def _reserve(self, order: Order) -> tuple[bool, str]:
        """Whether the job is there already, and its id; else its place is held until its documents are there."""
        options = _options(order)
        for _ in range(_TRIES):
            with self._database.begin() as connection:
                lock_tenant(connection, order.tenant)
                now = self._database.now(connection)
                again, stale = self._look(connection, order, now)
                if again is not None and not stale:
                    return True, again
                if again is None:
                    return False, self._hold_place(connection, order, options, now)
            forget(self._database, order.tenant, again)
        raise Conflict(
            "requests with this Idempotency-Key come and break off again and again: send one, and wait for it"
        )

    def _hold_place(self, connection: sa.Connection, order: Order, options: str, now: float) -> str:
        self._check_count(connection, order.tenant)
        job_id = new_id(now)
        kept = {"id": job_id, "tenant": order.tenant, "state": "receiving", "priority": order.priority}
        kept |= {"options": options, "webhook": order.webhook, "keep_documents": order.keep_documents}
        kept |= {"idempotency_key": order.idempotency_key, "request_sha256": order.request_sha256}
        counts = dict.fromkeys(("documents", "bytes", "pages", "pages_done", "last_event"), 0)
        connection.execute(sa.insert(JOBS).values(**kept, **counts, created=now, touched=now))
        return job_id

    def _look(self, connection: sa.Connection, order: Order, now: float) -> tuple[str | None, bool]:
        """Id of the job that came with the same key, and whether its documents broke off."""
        if order.idempotency_key is None:
            return None, False
        row = connection.execute(
            sa.select(JOBS).where(JOBS.c.tenant == order.tenant, JOBS.c.idempotency_key == order.idempotency_key)
        ).first()
        if row is None:
            return None, False
        if row.request_sha256 != order.request_sha256:
            raise Conflict("another request came with this Idempotency-Key: send a new key with a new request")
        if row.state == "receiving" and now - row.touched < self._limits.receive_s:
            raise Conflict("the request with this Idempotency-Key is just being received: wait, and ask again")
        return row.id, row.state == "receiving"

    def _check_count(self, connection: sa.Connection, tenant: str) -> None:
        count = connection.execute(
            sa.select(sa.func.count())
            .select_from(JOBS)
            .where(JOBS.c.tenant == tenant, JOBS.c.state.in_((*UNFINISHED, "receiving")))
        ).scalar_one()
        if count >= self._limits.tenant_jobs:
            raise RateLimited(
                f"{count} jobs are not finished yet, and {self._limits.tenant_jobs} is the limit (tenant_jobs): wait for "
                "some, or cancel some",
                _LATER_S,
            )

    def _take(self, incoming: _Incoming, number: int, name: str | None, file: BinaryIO) -> Taken:
        """Copies one document into the database."""
        digest = hashlib.sha256()
        size, count = 0, 0
        kind: TaskKind = "read"
        while chunks := [chunk for _ in range(_AT_ONCE) if (chunk := file.read(CHUNK))]:
            if count == 0 and is_pdf(chunks[0][:_HEAD]):
                kind = "split"
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
            if size > self._limits.max_bytes:
                raise ImageTooLarge(
                    f"document {number} has more than {self._limits.max_bytes / MIB:.1f} MiB, the limit (max_bytes): split it"
                )
            self._write(incoming, number, count, chunks)
            count += len(chunks)
        return Taken(name, size, digest.hexdigest(), kind)

    def _write(self, incoming: _Incoming, document: int, first: int, chunks: list[bytes]) -> None:
        tenant, job_id, size = incoming.tenant, incoming.job_id, sum(map(len, chunks))
        with self._database.begin() as connection:
            total = connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state == "receiving")
                .values(bytes=JOBS.c.bytes + size, touched=self._database.now(connection))
                .returning(JOBS.c.bytes)
            ).scalar_one_or_none()
            if total is None:
                raise Conflict("the documents came too slowly, and the job was dropped: send it again")
            self._check_job_bytes(total)
            incoming.unchecked -= size
            if incoming.unchecked < 0:
                self._check_bytes(connection, tenant)
                incoming.unchecked = _UNCHECKED
            rows = [
                {"job_id": job_id, "document": document, "number": first + index, "tenant": tenant, "data": chunk}
                for index, chunk in enumerate(chunks)
            ]
            connection.execute(sa.insert(CHUNKS), rows)

    def _check_job_bytes(self, size: int) -> None:
        limits = self._limits
        if size > limits.max_job_bytes:
            raise ImageTooLarge(
                f"the job's documents have more than {limits.max_job_bytes / MIB:.0f} MiB, the limit (max_job_bytes): order "
                "several jobs"
            )

    def _check_bytes(self, connection: sa.Connection, tenant: str) -> None:
        limits = self._limits
        if held(connection, tenant) > limits.tenant_bytes:
            raise RateLimited(
                f"more than {limits.tenant_bytes / MIB:.0f} MiB would be kept, the limit (tenant_bytes): delete jobs that "
                "are not needed any more",
                _LATER_S,
            )
        if held(connection) > limits.total_bytes:
            raise Overloaded(
                f"jobs of all tenants would take more than {limits.total_bytes / MIB:.0f} MiB, the limit (total_bytes): "
                "try again later",
                _LATER_S,
            )

    def _publish(self, order: Order, job_id: str, taken: list[Taken]) -> list[str]:
        """From now on the job is there; the ids of its tasks."""
        tenant = order.tenant
        rows = [
            {"job_id": job_id, "number": number, "tenant": tenant, "name": document.name, "size": document.size}
            | {"sha256": document.sha256, "state": "queued", "pages_done": 0}
            for number, document in enumerate(taken, 1)
        ]
        tasks = [
            new_task(order.tenant, job_id, number, document.kind, order.priority)
            for number, document in enumerate(taken, 1)
        ]
        with self._database.begin() as connection:
            lock_tenant(connection, tenant)
            published = connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state == "receiving")
                .values(state="queued", documents=len(taken))
            )
            if published.rowcount != 1:
                raise Conflict("the documents came too slowly, and the job was dropped: send it again")
            self._check_bytes(connection, tenant)  # many documents of nothing take room as well
            connection.execute(sa.insert(DOCUMENTS), rows)
            connection.execute(sa.insert(TASKS), tasks)
            add_event(connection, tenant, job_id, "queued", {}, self._database.now(connection))
            _take_place(connection, tenant)
        return [str(task["id"]) for task in tasks]


def new_task(
    tenant: str, job_id: str, document: int, kind: TaskKind, priority: int, pages: tuple[int, int] | None = None
) -> dict[str, object]:
    """The row of a task that waits; pages are its first and last, None for the whole document.

    Its id sorts by the age of the job, then by document and page, and is the same however often it is made.
    """
    first, last = pages or (None, None)
    return {
        "id": f"{job_id.replace('job_', 'task_', 1)}.{document:04d}.{first or 0:06d}",
        "job_id": job_id,
        "document": document,
        "tenant": tenant,
        "kind": kind,
        "first_page": first,
        "last_page": last,
        "state": "queued",
        "rank": 9 - priority,
        "ready": 0.0,
        "attempts": 0,
        "crashes": 0,
        "token": 0,
    }


def _take_place(connection: sa.Connection, tenant: str) -> None:
    """A tenant who had nothing to do gets no credit for it: its turn comes as if it had waited like everybody else.

    Where nobody waits it begins beside whoever was served most, or that one would wait for all that a newcomer orders.
    """
    waiting = sa.exists().where(TASKS.c.tenant == TENANTS.c.tenant, TASKS.c.state == "queued")
    others = sa.select(sa.func.min(TENANTS.c.served)).where(TENANTS.c.tenant != tenant, waiting)
    most = sa.select(sa.func.max(TENANTS.c.served)).scalar_subquery()
    least = connection.execute(sa.select(sa.func.coalesce(others.scalar_subquery(), most))).scalar_one()
    connection.execute(
        sa.update(TENANTS).where(TENANTS.c.tenant == tenant, TENANTS.c.served < least).values(served=least)
    )


def _options(order: Order) -> str:
    text = json.dumps(dict(order.options), ensure_ascii=False, allow_nan=False)
    if len(text.encode()) > MOST_OPTIONS:
        raise InvalidRequest(
            f"the options take more than {MOST_OPTIONS} bytes: name fewer pages, or order several jobs"
        )
    return text
