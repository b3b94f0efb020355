"""Jobs. Times are seconds since 1970 by the database's clock; what is in braces is named differently by the two databases."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final = (
    """CREATE TABLE job_tenants (
        tenant TEXT NOT NULL PRIMARY KEY,
        served BIGINT NOT NULL
    )""",
    "CREATE INDEX job_tenants_turn ON job_tenants (served, tenant)",
    """CREATE TABLE jobs (
        id TEXT NOT NULL PRIMARY KEY,
        tenant TEXT NOT NULL,
        state TEXT NOT NULL,
        priority INTEGER NOT NULL,
        options TEXT NOT NULL,
        webhook TEXT,
        keep_documents BOOLEAN NOT NULL,
        idempotency_key TEXT,
        request_sha256 TEXT,
        documents INTEGER NOT NULL,
        bytes BIGINT NOT NULL,
        pages INTEGER NOT NULL,
        pages_done INTEGER NOT NULL,
        last_event INTEGER NOT NULL,
        created {float} NOT NULL,
        touched {float} NOT NULL,
        started {float},
        finished {float},
        UNIQUE (tenant, idempotency_key)
    )""",
    "CREATE INDEX jobs_of_tenant ON jobs (tenant, state, id)",
    "CREATE INDEX jobs_finished ON jobs (state, finished)",
    """CREATE TABLE job_documents (
        job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        name TEXT,
        size BIGINT NOT NULL,
        sha256 TEXT NOT NULL,
        state TEXT NOT NULL,
        pages INTEGER,
        pages_done INTEGER NOT NULL,
        models TEXT,
        error TEXT,
        message TEXT,
        PRIMARY KEY (job_id, number)
    )""",
    """CREATE TABLE job_chunks (
        job_id TEXT NOT NULL,
        document INTEGER NOT NULL,
        number INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        data {bytes} NOT NULL,
        PRIMARY KEY (job_id, document, number),
        FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )""",
    """CREATE TABLE job_tasks (
        id TEXT NOT NULL PRIMARY KEY,
        job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        document INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        kind TEXT NOT NULL,
        first_page INTEGER,
        last_page INTEGER,
        state TEXT NOT NULL,
        rank INTEGER NOT NULL,
        ready {float} NOT NULL,
        attempts INTEGER NOT NULL,
        crashes INTEGER NOT NULL,
        token INTEGER NOT NULL,
        worker TEXT,
        lease {float},
        error TEXT,
        message TEXT
    )""",
    "CREATE INDEX job_tasks_waiting ON job_tasks (tenant, state, rank, id)",
    "CREATE INDEX job_tasks_leased ON job_tasks (state, lease)",
    "CREATE INDEX job_tasks_of_job ON job_tasks (job_id, document)",
    """CREATE TABLE job_pages (
        job_id TEXT NOT NULL,
        document INTEGER NOT NULL,
        page INTEGER NOT NULL,
        part INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        data {bytes} NOT NULL,
        PRIMARY KEY (job_id, document, page, part),
        FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )""",
    """CREATE TABLE job_events (
        job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        at {float} NOT NULL,
        PRIMARY KEY (job_id, number)
    )""",
)
