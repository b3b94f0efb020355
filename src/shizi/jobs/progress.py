"""What several statements share: whose turn it is to lock what, numbered events, and states that follow from others' states.

Rows are locked in this order everywhere: tenant, job, tasks. SQLite has one writer at a time, so it locks nothing else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from shizi.errors import NotFound
from shizi.jobs.job import FINISHED, TASK_FINISHED, document_state, job_state
from shizi.jobs.tables import CHUNKS, DOCUMENTS, EVENTS, JOBS, TASKS, TENANTS

# States of rows that nobody sees: a job whose documents still come, and one that is being removed.
HIDDEN = ("receiving", "deleted")


def not_found(job_id: str) -> NotFound:
    """The same words whether a job never was, is gone, or is another tenant's."""
    return NotFound(f"there is no job {job_id[:80]!r}: it was never there, or it has been deleted")


def lock_tenant(connection: sa.Connection, tenant: str) -> None:
    """Makes the tenant's row where there is none, and holds it to the end of the transaction.

    Whoever was away begins where the one is that waits longest: time without work is no credit.
    """
    held = sa.select(TENANTS.c.tenant).where(TENANTS.c.tenant == tenant).with_for_update()
    if connection.execute(held).first() is not None:
        return
    connection.execute(
        sa.text("INSERT INTO job_tenants (tenant, served) VALUES (:tenant, 0) ON CONFLICT DO NOTHING"),
        {"tenant": tenant},
    )
    connection.execute(held)


def lock_job(connection: sa.Connection, tenant: str, job_id: str) -> sa.Row[tuple[object, ...]]:
    """The job's row, held to the end of the transaction.

    Raises:
        NotFound: there is none for this tenant.
    """
    row = connection.execute(
        sa.select(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state.not_in(HIDDEN))
        .with_for_update()
    ).first()
    if row is None:
        raise not_found(job_id)
    return row


def add_event(
    connection: sa.Connection, tenant: str, job_id: str, kind: str, data: Mapping[str, object], now: float
) -> None:
    """The job's next event; its row is held, so numbers have no gaps and appear in order."""
    add_events(connection, tenant, job_id, kind, [data], now)


def add_events(
    connection: sa.Connection, tenant: str, job_id: str, kind: str, each: Sequence[Mapping[str, object]], now: float
) -> None:
    """The job's next events, all of one kind."""
    if not each:
        return
    last = connection.execute(
        sa.update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.tenant == tenant)
        .values(last_event=JOBS.c.last_event + len(each))
        .returning(JOBS.c.last_event)
    ).scalar_one()
    first = last - len(each) + 1
    connection.execute(
        sa.insert(EVENTS),
        [
            {
                "job_id": job_id,
                "number": number,
                "tenant": tenant,
                "kind": kind,
                "data": json.dumps(dict(data)),
                "at": now,
            }
            for number, data in enumerate(each, first)
        ],
    )


def end_tasks(connection: sa.Connection, tenant: str, job_id: str, values: Mapping[str, object], now: float) -> None:
    """Ends everything of a job that has not ended; workers that hold any of it lose it."""
    ended = connection.execute(
        sa.update(TASKS)
        .where(TASKS.c.tenant == tenant, TASKS.c.job_id == job_id, TASKS.c.state.not_in(TASK_FINISHED))
        .values(token=TASKS.c.token + 1, worker=None, lease=None, **values)
        .returning(TASKS.c.document)
    ).scalars()
    _settle_documents(connection, tenant, job_id, sorted(set(ended)), now)
    settle_job(connection, tenant, job_id, now)


def settle_document(connection: sa.Connection, tenant: str, job_id: str, document: int, now: float) -> None:
    """Brings the state of a document in line with its tasks."""
    _settle_documents(connection, tenant, job_id, [document], now)


def _settle_documents(
    connection: sa.Connection, tenant: str, job_id: str, documents: Sequence[int], now: float
) -> None:
    """The same for many, in as many statements as for one: all others wait for whoever writes to SQLite."""
    tasks: defaultdict[int, list[sa.Row[int, str, str | None, str | None]]] = defaultdict(list)
    for task in connection.execute(
        sa.select(TASKS.c.document, TASKS.c.state, TASKS.c.error, TASKS.c.message)
        .where(TASKS.c.tenant == tenant, TASKS.c.job_id == job_id, TASKS.c.document.in_(documents))
        .order_by(TASKS.c.id)
    ):
        tasks[task.document].append(task)
    here = (DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.job_id == job_id)
    changed, ended = [], []
    for before in connection.execute(
        sa.select(DOCUMENTS.c.number, DOCUMENTS.c.state, DOCUMENTS.c.pages_done)
        .where(*here, DOCUMENTS.c.number.in_(documents))
        .order_by(DOCUMENTS.c.number)
    ):
        state = document_state([task.state for task in tasks[before.number]], before.pages_done)
        if state == before.state:
            continue
        failed = (task for task in tasks[before.number] if task.state in ("failed", "quarantined"))
        first = next(failed, None) if state in FINISHED else None
        error, message = (first.error, first.message) if first is not None else (None, None)
        changed.append({"which": before.number, "new_state": state, "new_error": error, "new_message": message})
        if state in FINISHED:
            ended.append({"document": before.number, "state": state, "pages": before.pages_done, "error": error})
    if changed:
        new: dict[str, sa.BindParameter[object]] = {
            name: sa.bindparam(f"new_{name}") for name in ("state", "error", "message")
        }
        connection.execute(
            sa.update(DOCUMENTS).where(*here, DOCUMENTS.c.number == sa.bindparam("which")).values(**new), changed
        )
    add_events(connection, tenant, job_id, "document", ended, now)


def settle_job(connection: sa.Connection, tenant: str, job_id: str, now: float) -> None:
    """Brings the state of a job in line with its documents."""
    here = (JOBS.c.tenant == tenant, JOBS.c.id == job_id)
    states = connection.execute(
        sa.select(DOCUMENTS.c.state)
        .where(DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.job_id == job_id)
        .group_by(DOCUMENTS.c.state)
    ).scalars()
    before = connection.execute(
        sa.select(JOBS.c.state, JOBS.c.started, JOBS.c.options, JOBS.c.keep_documents).where(*here)
    ).one()
    state = job_state(list(states))
    if before.started is not None and state == "queued":
        state = "running"  # what was begun and put back is under way all the same
    if state == before.state:
        return
    values: dict[str, object] = {"state": state}
    if state in FINISHED:
        options = json.loads(before.options)
        options.pop("password", None)  # nobody needs it any more
        values |= {"finished": now, "options": json.dumps(options)}
        if not before.keep_documents:
            connection.execute(sa.delete(CHUNKS).where(CHUNKS.c.tenant == tenant, CHUNKS.c.job_id == job_id))
    if state == "running":
        values["started"] = now
    connection.execute(sa.update(JOBS).where(*here).values(**values))
    kind, data = ("finished", {"state": state}) if state in FINISHED else (state, {})
    add_event(connection, tenant, job_id, kind, data, now)
