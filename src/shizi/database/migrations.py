"""Steps from an empty database to the tables of this version; each runs once, in order, and there is no way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from shizi.database import step_1, step_2, step_3, step_4, step_5, step_6
from shizi.errors import InvalidRequest

# A step that was released is never changed: what comes later is a step of its own.
STEPS: Final[tuple[tuple[str, ...] | Mapping[str, tuple[str, ...]], ...]] = (
    step_1.STATEMENTS,
    step_2.STATEMENTS,
    step_3.STATEMENTS,
    step_4.STATEMENTS,
    step_5.STATEMENTS,
    step_6.STATEMENTS,
)

_LOCK: Final = 0x7368697A69  # any number that nobody else locks in this database
_TYPES: Final = {
    "sqlite": {"bytes": "BLOB", "float": "REAL"},
    "postgresql": {"bytes": "BYTEA", "float": "DOUBLE PRECISION"},
}


def migrate(connection: sa.Connection) -> None:
    """Takes the steps that are missing, all or none; whoever else comes meanwhile waits.

    Raises:
        InvalidRequest: the database has steps that this version does not know.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":  # in SQLite the transaction itself is the lock
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS shizi_version (number INTEGER NOT NULL PRIMARY KEY)")
    done = connection.exec_driver_sql("SELECT coalesce(max(number), 0) FROM shizi_version").scalar_one()
    if done > len(STEPS):
        raise InvalidRequest(
            f"the database is of a newer version of shizi (step {done}; this one knows {len(STEPS)}); install that version"
        )
    for number, step in enumerate(STEPS[done:], done + 1):
        for statement in step if isinstance(step, tuple) else step[dialect]:
            connection.exec_driver_sql(statement.format(**_TYPES[dialect]))
        connection.execute(sa.text("INSERT INTO shizi_version (number) VALUES (:number)"), {"number": number})
