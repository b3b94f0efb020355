"""The tables of jobs, as queries name them; `shizi.database` makes them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()


def _table(name: str, /, **columns: type[sa.types.TypeEngine[Any]]) -> sa.Table:
    return sa.Table(name, METADATA, *(sa.Column(key, kind) for key, kind in columns.items()))


TENANTS: Final = _table("job_tenants", tenant=sa.Text, served=sa.BigInteger)

JOBS: Final = _table(
    "jobs",
    id=sa.Text,
    tenant=sa.Text,
    state=sa.Text,
    priority=sa.Integer,
    options=sa.Text,
    webhook=sa.Text,
    keep_documents=sa.Boolean,
    idempotency_key=sa.Text,
    request_sha256=sa.Text,
    documents=sa.Integer,
    bytes=sa.BigInteger,
    pages=sa.Integer,
    pages_done=sa.Integer,
    last_event=sa.Integer,
    created=sa.Double,
    touched=sa.Double,
    started=sa.Double,
    finished=sa.Double,
    told=sa.Boolean,
)

DOCUMENTS: Final = _table(
    "job_documents",
    job_id=sa.Text,
    number=sa.Integer,
    tenant=sa.Text,
    name=sa.Text,
    size=sa.BigInteger,
    sha256=sa.Text,
    state=sa.Text,
    pages=sa.Integer,
    pages_done=sa.Integer,
    models=sa.Text,
    timings=sa.Text,
    error=sa.Text,
    message=sa.Text,
)

CHUNKS: Final = _table(
    "job_chunks", job_id=sa.Text, document=sa.Integer, number=sa.Integer, tenant=sa.Text, data=sa.LargeBinary
)

TASKS: Final = _table(
    "job_tasks",
    id=sa.Text,
    job_id=sa.Text,
    document=sa.Integer,
    tenant=sa.Text,
    kind=sa.Text,
    first_page=sa.Integer,
    last_page=sa.Integer,
    state=sa.Text,
    rank=sa.Integer,
    ready=sa.Double,
    attempts=sa.Integer,
    crashes=sa.Integer,
    token=sa.Integer,
    worker=sa.Text,
    lease=sa.Double,
    error=sa.Text,
    message=sa.Text,
)

PAGES: Final = _table(
    "job_pages",
    job_id=sa.Text,
    document=sa.Integer,
    page=sa.Integer,
    part=sa.Integer,
    tenant=sa.Text,
    data=sa.LargeBinary,
)

SUMS: Final = _table(
    "job_sums",
    tenant=sa.Text,
    kind=sa.Text,
    state=sa.Text,
    number=sa.BigInteger,
    bytes=sa.BigInteger,
    held=sa.BigInteger,
    attempts=sa.BigInteger,
)

EVENTS: Final = _table(
    "job_events", job_id=sa.Text, number=sa.Integer, tenant=sa.Text, kind=sa.Text, data=sa.Text, at=sa.Double
)
