"""How many jobs, tasks and messages there are, over all tenants; for whoever watches the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.jobs.job import JOB_STATES
from shizi.jobs.progress import HIDDEN

_TASK_STATES: Final = ("queued", "running", "succeeded", "failed", "quarantined", "cancelled")
_MESSAGE_STATES: Final = ("waiting", "delivered", "failed")

_SUMS: Final = sa.text(
    "SELECT kind, state, sum(number) AS number, sum(bytes) AS bytes, sum(attempts) AS attempts FROM job_sums GROUP BY kind, state"
)
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
        sums = {(row.kind, row.state): row for row in connection.execute(_SUMS)}
        oldest = connection.execute(_OLDEST).scalar_one()

    def counts(kind: str, states: Sequence[str]) -> dict[str, int]:
        return {state: int(sums[kind, state].number) if (kind, state) in sums else 0 for state in states}

    return Census(
        counts("job", JOB_STATES),
        counts("task", _TASK_STATES),
        counts("message", _MESSAGE_STATES),
        sum(int(row.attempts) for row in sums.values()),
        sum(int(row.bytes) for (kind, state), row in sums.items() if kind == "job" and state not in HIDDEN),
        0.0 if oldest is None else max(0.0, now - oldest),
    )
