"""Removes jobs: at once from everybody's sight, their bytes then piece by piece, so that nobody waits for long."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import NotFound
from shizi.jobs.job import FINISHED, UNFINISHED, JobLimits
from shizi.jobs.progress import end_tasks, lock_job
from shizi.jobs.sums import fold
from shizi.jobs.tables import CHUNKS, DOCUMENTS, EVENTS, JOBS, PAGES, TASKS

_CHUNKS_AT_ONCE: Final = 32
_PAGES_AT_ONCE: Final = 500
JOBS_AT_ONCE: Final = 50
_FREE_AT_ONCE: Final = 256  # pages of the file that are given back to the system
_TOO_OLD: Final = ("TIMEOUT", "the job was not finished within the time that jobs are given; order it again")

log = logging.getLogger(__name__)


def hide(connection: sa.Connection, tenant: str, job_id: str) -> bool:
    """Takes a job out of sight, and its tasks out of the workers' hands; False where it is gone already."""
    hidden = connection.execute(
        sa.update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state != "deleted")
        .values(state="deleted", idempotency_key=None, options="{}", webhook=None)
    )
    connection.execute(sa.delete(TASKS).where(TASKS.c.job_id == job_id, TASKS.c.tenant == tenant))
    return hidden.rowcount == 1


def forget(database: Database, tenant: str, job_id: str) -> None:
    """Removes a job in whatever state; harmless when repeated, and when somebody else does it as well."""
    with database.begin() as connection:
        hide(connection, tenant, job_id)
    while _some(database, tenant, job_id):
        pass
    with database.begin() as connection:
        for table in (EVENTS, DOCUMENTS):
            connection.execute(sa.delete(table).where(table.c.job_id == job_id, table.c.tenant == tenant))
        connection.execute(
            sa.delete(JOBS).where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state == "deleted")
        )
        if database.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA incremental_vacuum({_FREE_AT_ONCE})")


def _some(database: Database, tenant: str, job_id: str) -> bool:
    """Removes some bytes; False where there are none left."""
    with database.begin() as connection:
        for table, most in ((CHUNKS, _CHUNKS_AT_ONCE), (PAGES, _PAGES_AT_ONCE)):
            here = (table.c.job_id == job_id, table.c.tenant == tenant)
            keys = [column for column in table.c if column.name in ("document", "number", "page", "part")]
            rows = connection.execute(sa.select(*keys).where(*here).limit(most)).all()
            if rows:
                connection.execute(sa.delete(table).where(*here, sa.tuple_(*keys).in_([tuple(row) for row in rows])))
                return True
    return False


class Retention:
    """What time does to jobs; any number of processes may do it at once."""

    def __init__(self, database: Database, limits: JobLimits) -> None:
        self._database, self._limits = database, limits

    def sweep(self) -> int:
        """Gives up jobs that never end, and removes those that are over, broke off, or were half removed.

        Returns:
            How many were removed; where it is `JOBS_AT_ONCE`, there may be more.
        """
        for tenant, job_id in self._endless():
            with contextlib.suppress(NotFound):  # it was deleted meanwhile
                self._give_up(tenant, job_id)
        gone = self._over()
        for tenant, job_id in gone:
            forget(self._database, tenant, job_id)
        return len(gone)

    def bury(self) -> int:
        """Removes what tenants have deleted, and what was half removed.

        Returns:
            How many jobs; where it is `JOBS_AT_ONCE`, there may be more.
        """
        deleted = sa.select(JOBS.c.tenant, JOBS.c.id).where(JOBS.c.state == "deleted").limit(JOBS_AT_ONCE)
        with self._database.read() as connection:
            gone = [(row.tenant, row.id) for row in connection.execute(deleted)]
        for tenant, job_id in gone:
            forget(self._database, tenant, job_id)
        return len(gone)

    def fold(self) -> None:
        """Keeps the sums of jobs short."""
        fold(self._database)

    def _over(self) -> list[tuple[str, str]]:
        limits = self._limits
        with self._database.read() as connection:
            now = self._database.now(connection)
            finished = JOBS.c.state.in_(FINISHED) & (JOBS.c.finished < now - limits.retention_s)
            # One who still sends gets a Conflict with the next piece.
            broken = (JOBS.c.state == "receiving") & (JOBS.c.touched < now - limits.receive_s)
            rows = connection.execute(
                sa.select(JOBS.c.tenant, JOBS.c.id)
                .where(finished | broken | (JOBS.c.state == "deleted"))
                .order_by(JOBS.c.id)
                .limit(JOBS_AT_ONCE)
            ).all()
        return [(row.tenant, row.id) for row in rows]

    def _endless(self) -> list[tuple[str, str]]:
        with self._database.read() as connection:
            begun = self._database.now(connection) - self._limits.longest_s
            rows = connection.execute(
                sa.select(JOBS.c.tenant, JOBS.c.id)
                .where(JOBS.c.state.in_(UNFINISHED), JOBS.c.created < begun)
                .limit(JOBS_AT_ONCE)
            ).all()
        return [(row.tenant, row.id) for row in rows]

    def _give_up(self, tenant: str, job_id: str) -> None:
        error, message = _TOO_OLD
        with self._database.begin() as connection:
            lock_job(connection, tenant, job_id)
            ended = {"state": "failed", "error": error, "message": message}
            end_tasks(connection, tenant, job_id, ended, self._database.now(connection))
        log.warning("the job %s was given up: it is older than %g s", job_id, self._limits.longest_s)
