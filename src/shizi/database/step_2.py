"""Webhooks: the secrets of tenants, and what is to be told of jobs that have ended."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final = (
    """CREATE TABLE webhook_secrets (
        tenant TEXT NOT NULL PRIMARY KEY,
        secret TEXT NOT NULL,
        previous TEXT,
        previous_until {float},
        created {float} NOT NULL
    )""",
    # One for a job at most: whoever finds that a job has ended makes it, and whoever comes second finds it made.
    """CREATE TABLE webhook_messages (
        job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
        tenant TEXT NOT NULL,
        url TEXT NOT NULL,
        body TEXT NOT NULL,
        state TEXT NOT NULL,
        at {float} NOT NULL,
        ready {float} NOT NULL,
        attempts INTEGER NOT NULL,
        token INTEGER NOT NULL,
        lease {float},
        status INTEGER,
        fault TEXT
    )""",
    "CREATE INDEX webhook_messages_waiting ON webhook_messages (state, ready)",
    "CREATE INDEX jobs_with_webhook ON jobs (finished) WHERE webhook IS NOT NULL",
)
