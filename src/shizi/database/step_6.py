"""Sums of jobs, tasks and messages, so that neither an order nor whoever watches looks at all of them.

Every change adds a row that says by how much; what there is is the sum of all rows, and now and then many are made into one. So
nobody who changes a job waits for somebody who changes another one. Triggers add them: in the transaction of the change, whatever
program and version makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_COLUMNS: Final = "tenant, kind, state, number, bytes, held, attempts"


@dataclass(frozen=True, slots=True)
class _Counted:
    """A table whose rows are counted.

    Attributes:
        table: its name.
        kind: of its sums.
        tenant, bytes, held, attempts: of a sum, from the row R.
        watched: columns without whose change nothing is added.
    """

    table: str
    kind: str
    tenant: str
    bytes: str
    held: str
    attempts: str
    watched: Sequence[str]

    def values(self, row: str, sign: str) -> str:
        """What a row is counted as, in the order of the columns."""
        numbers = (f"{sign}({value})" for value in ("1", self.bytes, self.held, self.attempts))
        return ", ".join((self.tenant, f"'{self.kind}'", "R.state", *numbers)).replace("R.", f"{row}.")


_HELD: Final = "R.bytes + 2048 * (R.documents + 1) + 256 * R.pages + length(R.options)"
_TABLES: Final = (
    _Counted("jobs", "job", "R.tenant", "R.bytes", _HELD, "0", ("state", "bytes", "documents", "pages", "options")),
    _Counted("job_tasks", "task", "''", "0", "0", "R.attempts", ("state", "attempts")),
    _Counted("webhook_messages", "message", "''", "0", "0", "0", ("state",)),
)
_MADE: Final = (
    """CREATE TABLE job_sums (
        tenant TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        number BIGINT NOT NULL,
        bytes BIGINT NOT NULL,
        held BIGINT NOT NULL,
        attempts BIGINT NOT NULL
    )""",
    "CREATE INDEX job_sums_of_tenant ON job_sums (tenant)",
    "CREATE INDEX jobs_waiting ON jobs (created) WHERE state = 'queued'",
)


def _insert(counted: _Counted, row: str, sign: str) -> str:
    return f"INSERT INTO job_sums ({_COLUMNS}) VALUES ({counted.values(row, sign)});"  # noqa: S608 (constants)


def _filled(counted: _Counted) -> str:
    """What there is already; where triggers exist, nobody else writes meanwhile."""
    values = counted.values(counted.table, "")
    return f"INSERT INTO job_sums ({_COLUMNS}) SELECT {values} FROM {counted.table}"  # noqa: S608 (constants)


def _of_sqlite(counted: _Counted) -> tuple[str, ...]:
    name, table = f"job_sums_{counted.kind}", counted.table
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in counted.watched)
    old, new = _insert(counted, "OLD", "-"), _insert(counted, "NEW", "")
    return (
        f"CREATE TRIGGER {name}_new AFTER INSERT ON {table} BEGIN {new} END",
        f"CREATE TRIGGER {name}_changed AFTER UPDATE ON {table} WHEN {changed} BEGIN {old} {new} END",
        f"CREATE TRIGGER {name}_gone AFTER DELETE ON {table} BEGIN {old} END",
        _filled(counted),
    )


def _of_postgresql(counted: _Counted) -> tuple[str, ...]:
    name, table = f"job_sums_{counted.kind}", counted.table
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in counted.watched)
    old, new = _insert(counted, "OLD", "-"), _insert(counted, "NEW", "")
    return (
        f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP <> 'INSERT' THEN {old} END IF;
            IF TG_OP <> 'DELETE' THEN {new} END IF;
            RETURN NULL;
        END $$""",
        f"CREATE TRIGGER {name}_new AFTER INSERT OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        f"CREATE TRIGGER {name}_changed AFTER UPDATE ON {table} FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {name}()",
        _filled(counted),
    )


STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": (*_MADE, *(statement for counted in _TABLES for statement in _of_sqlite(counted))),
    "postgresql": (*_MADE, *(statement for counted in _TABLES for statement in _of_postgresql(counted))),
}
