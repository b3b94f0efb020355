"""Who holds which task: gives tasks away, each to one worker for a short time, and takes back those that nobody renews."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import NotFound
from shizi.jobs.documents import pages_done
from shizi.jobs.job import Claim, JobLimits, after
from shizi.jobs.orders import Notify
from shizi.jobs.progress import lock_job, settle_document, settle_job
from shizi.jobs.tables import DOCUMENTS, JOBS, TASKS, TENANTS

_TRIES: Final = 8
_TENANTS_AT_ONCE: Final = 64  # that are looked through where others take tasks at the same moment
_EXPIRED_AT_ONCE: Final = 100
_LOST: Final = ("ENGINE_UNAVAILABLE", "the worker that read it died, or was cut off")


class Leases:
    """See `TaskStore`, which is made of this."""

    def __init__(self, database: Database, limits: JobLimits, notify: Notify) -> None:
        self._database, self._limits, self._notify = database, limits, notify

    def claim(self, worker: str) -> Claim | None:
        """The task whose turn it is, leased to a worker; None where there is nothing to do.

        It is that of the tenant for whom the fewest pages were read, and of its tasks the one with the highest priority, then the
        oldest. Of workers that ask at the same moment each takes another one, and waits for none of the others. The attempt is
        counted before anybody can work on it.
        """
        for _ in range(_TRIES):
            if self._database.is_sqlite and not self._waiting():
                return None  # without keeping others from writing
            with self._database.begin() as connection:
                claim = self._take(connection, worker)
                if claim is None:
                    return None
                if self._database.is_sqlite:  # nobody else writes meanwhile
                    return claim if self._begin(connection, claim) else None
            with self._database.begin() as connection:
                if self._begin(connection, claim):
                    return claim
        return None

    def _waiting(self) -> bool:
        with self._database.read() as connection:
            ready = sa.select(TASKS.c.id).where(*_ready(self._database.now(connection))).limit(1)
            return connection.execute(ready).first() is not None

    def _take(self, connection: sa.Connection, worker: str) -> Claim | None:
        """Marks a task as the worker's; what others see of its job does not change yet.

        Its row is locked before that of its tenant, which is against the order of all others: they never wait for a task that is
        queued while they hold a tenant.
        """
        if not self._database.is_sqlite:
            # What the machine's death could undo here is on the disk before anybody works on the task: see `_begin`.
            connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))
        now = self._database.now(connection)
        found = self._next(connection, now)
        if found is None:
            return None
        task = connection.execute(
            sa.update(TASKS)
            .where(TASKS.c.id == found.id, TASKS.c.tenant == found.tenant)
            .values(
                state="running",
                attempts=TASKS.c.attempts + 1,
                token=TASKS.c.token + 1,
                worker=worker,
                lease=now + self._limits.lease_s,
            )
            .returning(*TASKS.c)
        ).one()
        claim = self._claim(connection, task)
        pages = max(1, len(claim.pages or ()))  # a turn of many pages costs as many turns of one
        connection.execute(
            sa.update(TENANTS).where(TENANTS.c.tenant == claim.tenant).values(served=TENANTS.c.served + pages)
        )
        return claim

    def _next(self, connection: sa.Connection, now: float) -> sa.Row[str, str] | None:
        """The task whose turn it is, locked; those that others are just taking are left out."""
        ready = _ready(now)
        tenants = connection.execute(
            sa.select(TENANTS.c.tenant)
            .where(sa.exists().where(TASKS.c.tenant == TENANTS.c.tenant, *ready))
            .order_by(TENANTS.c.served, TENANTS.c.tenant)
            .limit(_TENANTS_AT_ONCE)
        ).scalars()
        for tenant in tenants.all():
            found = connection.execute(
                sa.select(TASKS.c.id, TASKS.c.tenant)
                .where(TASKS.c.tenant == tenant, *ready)
                .order_by(TASKS.c.rank, TASKS.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if found is not None:
                return found
        return None

    def _begin(self, connection: sa.Connection, claim: Claim) -> bool:
        """Says that the job is under way; False where it was cancelled or deleted since the task was taken."""
        try:
            lock_job(connection, claim.tenant, claim.job_id)
        except NotFound:
            return False
        mine = sa.select(TASKS.c.id).where(
            TASKS.c.id == claim.task_id,
            TASKS.c.tenant == claim.tenant,
            TASKS.c.token == claim.token,
            TASKS.c.state == "running",
        )
        if connection.execute(mine).first() is None:
            return False
        now = self._database.now(connection)
        settle_document(connection, claim.tenant, claim.job_id, claim.document, now)
        settle_job(connection, claim.tenant, claim.job_id, now)
        # Also where nothing has changed, so that this, and with it what was written before, is waited for.
        connection.execute(
            sa.update(TASKS)
            .where(TASKS.c.id == claim.task_id, TASKS.c.tenant == claim.tenant)
            .values(lease=now + self._limits.lease_s)
        )
        return True

    def _claim(self, connection: sa.Connection, task: sa.Row[Any]) -> Claim:
        job = connection.execute(
            sa.select(JOBS.c.options, JOBS.c.priority).where(JOBS.c.tenant == task.tenant, JOBS.c.id == task.job_id)
        ).one()
        document = connection.execute(
            sa.select(DOCUMENTS.c.size, DOCUMENTS.c.sha256).where(
                DOCUMENTS.c.tenant == task.tenant,
                DOCUMENTS.c.job_id == task.job_id,
                DOCUMENTS.c.number == task.document,
            )
        ).one()
        options = json.loads(job.options)
        pages = None
        if task.first_page is not None:
            wanted = _wanted(options, task.first_page, task.last_page)
            done = pages_done(connection, task.tenant, task.job_id, task.document, task.first_page, task.last_page)
            pages = tuple(page for page in wanted if page not in done)
        return Claim(
            task_id=task.id,
            job_id=task.job_id,
            tenant=task.tenant,
            document=task.document,
            kind=task.kind,
            pages=pages,
            options=options,
            priority=job.priority,
            size=document.size,
            sha256=document.sha256,
            token=task.token,
            attempts=task.attempts,
            crashes=task.crashes,
            alone=task.crashes >= self._limits.most_crashes - 1,
        )

    def expire(self) -> int:
        """Takes tasks from workers that did not renew their lease; each counts as an attempt that crashed.

        Returns:
            How many.
        """
        with self._database.read() as connection:
            now = self._database.now(connection)
            rows = connection.execute(
                sa.select(TASKS)
                .where(TASKS.c.state == "running", TASKS.c.lease < now)
                .order_by(TASKS.c.lease)
                .limit(_EXPIRED_AT_ONCE)
            ).all()
        return sum(self._expire(row) for row in rows)

    def _expire(self, row: sa.Row[Any]) -> bool:
        change = after("crashed", row.attempts, row.crashes, self._limits)
        error, message = _LOST
        with self._database.begin() as connection:
            try:
                lock_job(connection, row.tenant, row.job_id)
            except NotFound:
                return False
            now = self._database.now(connection)
            taken = connection.execute(
                sa.update(TASKS)
                .where(
                    TASKS.c.id == row.id,
                    TASKS.c.tenant == row.tenant,
                    TASKS.c.token == row.token,
                    TASKS.c.state == "running",
                    TASKS.c.lease < now,
                )
                .values(**over(change.state, change.crashes), ready=0.0, error=error, message=message)
            )
            if taken.rowcount != 1:
                return False  # it was renewed, or another reconciler was here first
            settle_document(connection, row.tenant, row.job_id, row.document, now)
            settle_job(connection, row.tenant, row.job_id, now)
        if change.state == "queued":
            self._notify(row.id, 9 - row.rank)
        return True


def over(state: str, crashes: int) -> dict[str, object]:
    """What becomes of the row of a task that nobody holds any more."""
    return {"state": state, "crashes": crashes, "worker": None, "lease": None}


def _ready(now: float) -> tuple[sa.ColumnElement[bool], ...]:
    return TASKS.c.state == "queued", TASKS.c.ready <= now


def _wanted(options: Mapping[str, object], first: int, last: int) -> list[int]:
    chosen = options.get("pages")
    numbers = set(chosen) if isinstance(chosen, list) else None
    return [page for page in range(first, last + 1) if numbers is None or page in numbers]
