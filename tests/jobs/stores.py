"""Stores of jobs for the tests, over both databases."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shizi.database.connect import Database, connect
from shizi.jobs.job import Claim, Job, JobLimits, Order
from shizi.jobs.retention import Retention
from shizi.jobs.store import JobStore
from shizi.jobs.tables import JOBS, TASKS
from shizi.jobs.tasks import TaskStore
from shizi.types import ModelInfo, Page

TENANT = "bank"
MODELS = (ModelInfo("recognize", "small", "1", "0" * 64),)
IMAGE = b"an image, as far as anybody here knows"
PDF = b"%PDF-1.7 as far as anybody here knows"
TABLES = ("jobs", "job_documents", "job_chunks", "job_tasks", "job_pages", "job_events")


class Clocked(Database):
    """A database whose time goes on when the test says so."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine)
        self.time = 1_800_000_000.0

    def now(self, _connection: sa.Connection) -> float:
        """The test's time."""
        return self.time


class Stores:
    """Both sides of one database."""

    def __init__(self, url: str | None, folder: Path, limits: JobLimits) -> None:
        opened = connect(url, folder)
        self.database = Clocked(opened.engine)
        self.sent: list[tuple[str, int]] = []
        self.bound(limits)

    def bound(self, limits: JobLimits) -> None:
        """The same database with other limits."""
        self.limits = limits
        self.jobs = JobStore(self.database, limits, self._notify)
        self.tasks = TaskStore(self.database, limits, self._notify)
        self.retention = Retention(self.database, limits)

    def _notify(self, task_id: str, priority: int) -> None:
        self.sent.append((task_id, priority))

    def later(self, seconds: float) -> None:
        """Lets time go by."""
        self.database.time += seconds

    def order(self, *documents: bytes, tenant: str = TENANT, **values: Any) -> Job:  # noqa: ANN401 (fields of `Order`)
        """A new job, later than the one before."""
        self.later(0.001)
        order = replace(Order(tenant=tenant), **values)
        return self.jobs.create(order, [(f"{number}", io.BytesIO(data)) for number, data in enumerate(documents, 1)])

    def claim(self, worker: str = "worker") -> Claim:
        """The next task, which is there."""
        claim = self.tasks.claim(worker)
        assert claim is not None
        return claim

    def job(self, job: Job) -> Job:
        """As it is now."""
        return self.jobs.get(job.tenant, job.id)

    def kinds(self, job: Job) -> list[str]:
        """What happened, in order."""
        events = self.jobs.events(job.tenant, job.id)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        return [event.kind for event in events]

    def task(self, task_id: str) -> Mapping[str, Any]:
        """A row."""
        with self.database.read() as connection:
            return connection.execute(sa.select(TASKS).where(TASKS.c.id == task_id)).one()._asdict()

    def options(self, job: Job) -> dict[str, Any]:
        """As they stand in the database."""
        with self.database.read() as connection:
            text = connection.execute(sa.select(JOBS.c.options).where(JOBS.c.id == job.id)).scalar_one()
        options: dict[str, Any] = json.loads(text)
        return options

    def rows(self) -> dict[str, int]:
        """How many there are in each table."""
        with self.database.read() as connection:
            return {table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in TABLES}


def page(number: int, text: str = "") -> Page:
    """A page with a text."""
    return Page(number, 100, 200, text=text or f"page {number}")
