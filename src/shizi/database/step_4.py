"""Jobs in great numbers: lists by age, and webhooks that are found without a look at those that were told of."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final = (
    "CREATE INDEX jobs_by_age ON jobs (tenant, id)",
    "ALTER TABLE jobs ADD COLUMN told BOOLEAN NOT NULL DEFAULT FALSE",
    "DROP INDEX jobs_with_webhook",
    "CREATE INDEX jobs_to_tell ON jobs (finished) WHERE webhook IS NOT NULL AND NOT told",
)
