"""What the sums of jobs say, and what is right, by a look at every row."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database

Sums = dict[tuple[str, str, str], tuple[int, ...]]

_SAID: Final = """
    SELECT tenant, kind, state, sum(number), sum(bytes), sum(held), sum(attempts) FROM job_sums GROUP BY tenant, kind, state"""
_RIGHT: Final = """
    SELECT tenant, 'job', state, count(*), sum(bytes),
        sum(bytes + 2048 * (documents + 1) + 256 * pages + length(options)), 0 FROM jobs GROUP BY tenant, state
    UNION ALL SELECT '', 'task', state, count(*), 0, 0, sum(attempts) FROM job_tasks GROUP BY state
    UNION ALL SELECT '', 'message', state, count(*), 0, 0, 0 FROM webhook_messages GROUP BY state"""


def sums(database: Database) -> Sums:
    """By tenant, kind and state, without those that are nothing."""
    return _found(database, _SAID)


def counted(database: Database) -> Sums:
    """The same by counting."""
    return _found(database, _RIGHT)


def _found(database: Database, query: str) -> Sums:
    with database.read() as connection:
        rows = connection.execute(sa.text(query)).all()
    found = {(row[0], row[1], row[2]): tuple(int(value) for value in row[3:]) for row in rows}
    return {key: numbers for key, numbers in found.items() if any(numbers)}
