"""What is to be told of jobs that have ended, kept in the database until it is delivered or given up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.jobs.webhook_signature import new_secret

PREVIOUS_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is this process's to deliver until the lease ends.

    Attributes:
        id: the same for every attempt.
        tenant: whose job it is.
        job_id: of the job.
        url: where to.
        body: the bytes to send and to sign.
        attempts: with the one that begins now.
        age_s: seconds since the job ended.
        token: shows that nobody else has taken it meanwhile.
        secrets: to sign with; none where the tenant has none any more.
    """

    id: str
    tenant: str
    job_id: str
    url: str
    body: bytes
    attempts: int
    age_s: float
    token: int
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """How far the message about a job has come.

    Attributes:
        state: waiting, delivered or failed.
        attempts: begun.
        status: of the last answer.
        fault: of the last attempt; None where it was well.
    """

    state: str
    attempts: int
    status: int | None
    fault: str | None


class WebhookStore:
    """Blocking, thread-safe; several processes may work on the same messages.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def rotate(self, tenant: str) -> tuple[str, float | None]:
        """A new secret of a tenant, and until when (seconds since 1970) the old one signs beside it; None where there was none."""
        secret = new_secret()
        with self._database.begin() as connection:
            now = self._database.now(connection)
            known = connection.execute(_KNOWN, {"tenant": tenant}).first()
            if known is None:
                connection.execute(_FIRST_SECRET, {"tenant": tenant, "secret": secret, "now": now})
                return secret, None
            values = {"tenant": tenant, "secret": secret, "now": now, "until": now + PREVIOUS_S}
            connection.execute(_NEXT_SECRET, values)
            return secret, now + PREVIOUS_S

    def has_secret(self, tenant: str) -> bool:
        """Whether the tenant's receivers can know who sends."""
        with self._database.read() as connection:
            return connection.execute(_KNOWN, {"tenant": tenant}).first() is not None

    def told(self, tenant: str, job_id: str) -> Told | None:
        """How far the message of a job has come; None where there is none (yet)."""
        with self._database.read() as connection:
            row = connection.execute(_TOLD, {"tenant": tenant, "job_id": job_id}).first()
        return None if row is None else Told(row.state, row.attempts, row.status, row.fault)

    def gather(self, limit: int = 100) -> int:
        """Makes the messages of jobs that have ended since; how many there were."""
        with self._database.read() as connection:
            ended = connection.execute(_ENDED, {"limit": limit}).all()
        if not ended:
            return 0
        with self._database.begin() as connection:
            for job in ended:
                here = {"tenant": job.tenant, "job_id": job.id}
                if connection.execute(_TELL, here).rowcount != 1:
                    continue  # somebody else has made it, or the job was deleted
                counts = connection.execute(_COUNTS, here).all()
                body = _body(job, {row.state: row.documents for row in counts})
                values = {"job_id": job.id, "tenant": job.tenant, "url": job.webhook, "at": job.finished, "body": body}
                connection.execute(_MESSAGE, values)
        return len(ended)

    def claim(self, limit: int, each: int, busy: Mapping[str, int], lease_s: float) -> Sequence[Message]:
        """Takes messages whose time has come; the attempt is counted before it is made.

        Args:
            limit: most of them.
            each: most of one tenant that are under way at a time, so that one dead receiver keeps nobody else waiting.
            busy: how many are under way here, by tenant.
            lease_s: seconds after which they may be taken by somebody else.
        """
        held = dict(busy)
        full = [tenant for tenant, count in held.items() if count >= each] or [""]
        claimed: list[Message] = []
        with self._database.read() as connection:
            now = self._database.now(connection)
            if connection.execute(_DUE, {"now": now, "full": full, "limit": 1}).first() is None:
                return ()  # a transaction that may write would keep others from writing, once a second
        with self._database.begin() as connection:
            now = self._database.now(connection)
            for row in connection.execute(_DUE, {"now": now, "full": full, "limit": 4 * limit}).all():
                if len(claimed) == limit or held.get(row.tenant, 0) >= each:
                    continue
                taken = connection.execute(
                    _TAKE, {"job_id": row.job_id, "token": row.token, "lease": now + lease_s, "tenant": row.tenant}
                )
                if taken.rowcount == 1:
                    held[row.tenant] = held.get(row.tenant, 0) + 1
                    claimed.append(_message(row, now, _secrets(connection, row.tenant, now)))
        return claimed

    def settle(
        self, message: Message, state: str, status: int | None, fault: str | None, wait_s: float | None = None
    ) -> bool:
        """Writes down what came of an attempt.

        Args:
            message: as it was claimed.
            state: waiting, delivered or failed.
            status: of the answer.
            fault: what went wrong.
            wait_s: seconds to the next attempt, where it waits.

        Returns:
            False where somebody else has it meanwhile, or its job is gone.
        """
        with self._database.begin() as connection:
            ready = self._database.now(connection) + (wait_s or 0.0)
            values = {"state": state, "status": status, "fault": fault, "ready": ready}
            owner = {"job_id": message.job_id, "tenant": message.tenant, "token": message.token}
            return connection.execute(_SETTLE, values | owner).rowcount == 1


def _body(job: sa.Row[Any], documents: Mapping[str, int]) -> str:
    """Thin: what a receiver may know who has nothing but the address; names and text are asked for with a key."""
    ended = datetime.fromtimestamp(job.finished, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"id": job.id, "state": job.state, "documents": dict(documents), "pages": job.pages_done}
    return json.dumps({"type": "job.finished", "timestamp": ended, "data": data}, separators=(",", ":"))


def _message(row: sa.Row[Any], now: float, secrets: tuple[str, ...]) -> Message:
    return Message(
        f"msg_{row.job_id}",
        row.tenant,
        row.job_id,
        row.url,
        row.body.encode(),
        row.attempts + 1,
        max(0.0, now - row.at),
        row.token + 1,
        secrets,
    )


def _secrets(connection: sa.Connection, tenant: str, now: float) -> tuple[str, ...]:
    row = connection.execute(_KNOWN, {"tenant": tenant}).first()
    if row is None:
        return ()
    if row.previous is not None and row.previous_until > now:
        return (row.secret, row.previous)
    return (row.secret,)


_KNOWN: Final = sa.text("SELECT secret, previous, previous_until FROM webhook_secrets WHERE tenant = :tenant")
_FIRST_SECRET: Final = sa.text("INSERT INTO webhook_secrets (tenant, secret, created) VALUES (:tenant, :secret, :now)")
_NEXT_SECRET: Final = sa.text(
    "UPDATE webhook_secrets SET previous = secret, previous_until = :until, secret = :secret, created = :now "
    "WHERE tenant = :tenant"
)
_TOLD: Final = sa.text(
    "SELECT state, attempts, status, fault FROM webhook_messages WHERE tenant = :tenant AND job_id = :job_id"
)
# Of all tenants: this is the server's own work, and each row says whose it is.
_ENDED: Final = sa.text(
    "SELECT id, tenant, state, webhook, finished, pages_done FROM jobs WHERE webhook IS NOT NULL AND NOT told "
    "AND finished IS NOT NULL ORDER BY finished LIMIT :limit"
)
_TELL: Final = sa.text(
    "UPDATE jobs SET told = TRUE WHERE id = :job_id AND tenant = :tenant AND webhook IS NOT NULL AND NOT told"
)
_COUNTS: Final = sa.text(
    "SELECT state, count(*) AS documents FROM job_documents WHERE tenant = :tenant AND job_id = :job_id "
    "GROUP BY state ORDER BY state"
)
# From the jobs, so that one that was deleted meanwhile leaves nothing behind.
_MESSAGE: Final = sa.text(
    "INSERT INTO webhook_messages (job_id, tenant, url, body, state, at, ready, attempts, token) "
    "SELECT id, tenant, :url, :body, 'waiting', :at, :at, 0, 0 FROM jobs WHERE id = :job_id AND tenant = :tenant "
    "ON CONFLICT (job_id) DO NOTHING"
)
_DUE: Final = sa.text(
    "SELECT job_id, tenant, url, body, at, attempts, token FROM webhook_messages WHERE state = 'waiting' AND ready <= :now "
    "AND (lease IS NULL OR lease <= :now) AND tenant NOT IN :full ORDER BY ready LIMIT :limit"
).bindparams(sa.bindparam("full", expanding=True))
_TAKE: Final = sa.text(
    "UPDATE webhook_messages SET attempts = attempts + 1, token = token + 1, lease = :lease "
    "WHERE job_id = :job_id AND tenant = :tenant AND token = :token AND state = 'waiting'"
)
_SETTLE: Final = sa.text(
    "UPDATE webhook_messages SET state = :state, status = :status, fault = :fault, ready = :ready, lease = NULL "
    "WHERE job_id = :job_id AND tenant = :tenant AND token = :token AND state = 'waiting'"
)
