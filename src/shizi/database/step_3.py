"""Corrections: what people say that lines should have been read as."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final = (
    # One row for a tenant, locked by whoever adds or deletes: so the bounds hold exactly, whatever comes at once.
    """CREATE TABLE correction_tenants (
        tenant TEXT NOT NULL PRIMARY KEY,
        kept BIGINT NOT NULL,
        bytes BIGINT NOT NULL
    )""",
    """CREATE TABLE corrections (
        id TEXT NOT NULL PRIMARY KEY,
        tenant TEXT NOT NULL,
        document TEXT NOT NULL,
        page INTEGER NOT NULL,
        line INTEGER NOT NULL,
        polygon TEXT NOT NULL,
        original TEXT NOT NULL,
        correction TEXT NOT NULL,
        model TEXT NOT NULL,
        model_version TEXT NOT NULL,
        editor TEXT NOT NULL,
        created {float} NOT NULL,
        sha256 TEXT NOT NULL,
        size BIGINT NOT NULL,
        crop_size INTEGER,
        crop {bytes},
        UNIQUE (tenant, sha256)
    )""",
    "CREATE INDEX corrections_of_tenant ON corrections (tenant, id)",
    "CREATE INDEX corrections_of_document ON corrections (tenant, document, id)",
)
