"""How long each stage took, of all pages of a document."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final = ("ALTER TABLE job_documents ADD COLUMN timings TEXT",)
