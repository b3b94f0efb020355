"""How many jobs, tasks and messages there are, over all tenants; for whoever watches the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.jobs.job import JOB_STATES

_TASK_STATES: Final = ("queued", "running", "succeeded", "failed", "quarantined", "cancelled")
_MESSAGE_STATES: Final = ("waiting", "delivered", "failed")

_JOBS: Final = sa.text(
    "SELECT state, count(*) AS number, sum(bytes) AS bytes FROM jobs WHERE state NOT IN ('receiving', 'deleted') GROUP BY state"
)
_TASKS: Final = sa.text("SELECT state, count(*) AS number, sum(attempts) AS attempts FROM job_tasks GROUP BY state")
_MESSAGES: Final = sa.text("SELECT state, count(*) AS number FROM webhook_messages GROUP BY state")
_OLDEST: Final = sa.text("SELECT min(created) FROM jobs WHERE state = 'queued'")


@dataclass(frozen=True, slots=True)
class Census:
    """What there is.

    Attributes:
        jobs: by state.
        tasks: by state.
        messages: of webhooks, by state.
        attempts: at the tasks that there are.
        bytes: of documents and results that are kept.
        oldest_s: seconds for which the oldest job waits that nobody has begun; 0 where there is none.
    """

    jobs: Mapping[str, int]
    tasks: Mapping[str, int]
    messages: Mapping[str, int]
    attempts: int
    bytes: int
    oldest_s: float


def take_census(database: Database) -> Census:
    """Counts.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    with database.read() as connection:
        now = database.now(connection)
        jobs = connection.execute(_JOBS).all()
        tasks = connection.execute(_TASKS).all()
        messages = {row.state: row.number for row in connection.execute(_MESSAGES)}
        oldest = connection.execute(_OLDEST).scalar_one()
    by_state = {row.state: row.number for row in jobs}
    of_tasks = {row.state: row.number for row in tasks}
    return Census(
        {state: by_state.get(state, 0) for state in JOB_STATES},
        {state: of_tasks.get(state, 0) for state in _TASK_STATES},
        {state: messages.get(state, 0) for state in _MESSAGE_STATES},
        sum(int(row.attempts or 0) for row in tasks),
        sum(int(row.bytes or 0) for row in jobs),
        0.0 if oldest is None else max(0.0, now - oldest),
    )
