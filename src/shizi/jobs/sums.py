"""How many jobs, tasks and messages there are and what they take, from sums that every change keeps right: see `database.step_6`."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.jobs.tables import SUMS

_LOCK: Final = 0x7368697A73  # any number that nobody else locks in this database
_WORTH_IT: Final = 200  # rows that go away
_NUMBERS: Final = ("number", "bytes", "held", "attempts")


def held(connection: sa.Connection, tenant: str | None = None) -> int:
    """Bytes that jobs take, of a tenant or of all: documents, results, and the rows that name them."""
    wanted = sa.select(sa.func.coalesce(sa.func.sum(SUMS.c.held), 0)).where(SUMS.c.kind == "job")
    if tenant is not None:
        wanted = wanted.where(SUMS.c.tenant == tenant)
    return int(connection.execute(wanted).scalar_one())


def fold(database: Database, worth_it: int = _WORTH_IT) -> int:
    """Makes one row of all that say the same; any number of processes may, and one does.

    Args:
        database: where they are.
        worth_it: rows that must go away; else nothing is done.

    Returns:
        Rows that went away.
    """
    groups = sa.select(SUMS.c.tenant, SUMS.c.kind, SUMS.c.state).distinct().subquery()
    with database.read() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(SUMS)).scalar_one()
        if rows < worth_it + connection.execute(sa.select(sa.func.count()).select_from(groups)).scalar_one():
            return 0
    with database.begin() as connection:
        if not database.is_sqlite:
            mine = connection.execute(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not mine.scalar_one():
                return 0
        sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(_NUMBERS))
        gone = connection.execute(sa.delete(SUMS).returning(*SUMS.c)).all()
        for row in gone:
            so_far = sums[row.tenant, row.kind, row.state]
            for place, name in enumerate(_NUMBERS):
                so_far[place] += getattr(row, name)
        kept = [
            {"tenant": tenant, "kind": kind, "state": state, **dict(zip(_NUMBERS, numbers, strict=True))}
            for (tenant, kind, state), numbers in sums.items()
            if any(numbers)
        ]
        if kept:
            connection.execute(sa.insert(SUMS), kept)
    return len(gone) - len(kept)
