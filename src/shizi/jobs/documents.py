"""What workers need of a job beside its tasks: the bytes of its documents, and a place for the pages."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.export.json import to_json
from shizi.export.json_reading import from_json
from shizi.jobs.job import MIB, Made
from shizi.jobs.tables import CHUNKS, JOBS, PAGES
from shizi.types import Document, ModelInfo, Page

PART: Final = MIB
MOST_PAGE: Final = 256 * MIB  # bytes of one page as JSON
_CURSOR: Final = 1_000_000  # more than a document has pages


def document_bytes(database: Database, tenant: str, job_id: str, document: int) -> Iterator[bytes]:
    """The chunks of a document; each is read in a transaction of its own, so a slow reader holds nothing up."""
    number = 0
    there = sa.exists().where(JOBS.c.id == job_id, JOBS.c.tenant == tenant, JOBS.c.state != "deleted")
    while True:
        with database.read() as connection:
            data = connection.execute(
                sa.select(CHUNKS.c.data).where(
                    CHUNKS.c.tenant == tenant,
                    CHUNKS.c.job_id == job_id,
                    CHUNKS.c.document == document,
                    CHUNKS.c.number == number,
                    there,
                )
            ).scalar_one_or_none()
        if data is None:
            return
        yield bytes(data)
        number += 1


def page_rows(tenant: str, job_id: str, document: int, page: Page) -> list[dict[str, object]]:
    """The rows that hold a page."""
    data = zlib.compress(to_json(Document((page,)), indent=None).encode(), 1)
    return [
        {"job_id": job_id, "document": document, "page": page.number, "part": part, "tenant": tenant}
        | {"data": data[start : start + PART]}
        for part, start in enumerate(range(0, len(data), PART))
    ]


def pages_done(connection: sa.Connection, tenant: str, job_id: str, document: int, first: int, last: int) -> set[int]:
    """Numbers of the pages, from the first to the last, whose results are there."""
    return set(
        connection.execute(
            sa.select(PAGES.c.page).where(
                PAGES.c.tenant == tenant,
                PAGES.c.job_id == job_id,
                PAGES.c.document == document,
                PAGES.c.page.between(first, last),
                PAGES.c.part == 0,
            )
        ).scalars()
    )


def read_pages(
    connection: sa.Connection, tenant: str, job_id: str, document: int | None, after: int, limit: int
) -> list[tuple[int, Page]]:
    """Pages after a cursor, by document and number, each with its document."""
    here = [PAGES.c.tenant == tenant, PAGES.c.job_id == job_id]
    if document is not None:
        here.append(PAGES.c.document == document)
    place = sa.tuple_(PAGES.c.document, PAGES.c.page)
    keys = connection.execute(
        sa.select(PAGES.c.document, PAGES.c.page)
        .where(*here, PAGES.c.part == 0, place > sa.tuple_(*divmod(after, _CURSOR)))
        .order_by(PAGES.c.document, PAGES.c.page)
        .limit(limit)
    ).all()
    if not keys:
        return []
    rows = connection.execute(
        sa.select(PAGES.c.document, PAGES.c.page, PAGES.c.data)
        .where(*here, place >= sa.tuple_(*keys[0]), place <= sa.tuple_(*keys[-1]))
        .order_by(PAGES.c.document, PAGES.c.page, PAGES.c.part)
    )
    parts: dict[tuple[int, int], bytes] = {}
    for row in rows:
        parts[row.document, row.page] = parts.get((row.document, row.page), b"") + bytes(row.data)
    return [(number, _page(data)) for (number, _), data in parts.items()]


def cursor(document: int, page: int) -> int:
    """What `after` takes to go on behind this page."""
    return document * _CURSOR + page


def joined(models: str | None, timings: str | None, made: Made) -> dict[str, str]:
    """What the row of a document holds of its models and times, with those of one more page.

    Models stand in the order in which they read their first page.
    """
    known = models_from_json(models)
    all_of_them = [*known, *(model for model in made.models if model not in known)]
    sums = timings_from_json(timings)
    for stage, milliseconds in made.timings_ms.items():
        sums[stage] = sums.get(stage, 0.0) + milliseconds
    return {
        "models": json.dumps([[model.task, model.name, model.version, model.sha256] for model in all_of_them]),
        "timings": json.dumps(sums),
    }


def timings_from_json(text: str | None) -> dict[str, float]:
    """Milliseconds by stage, as the row of a document holds them."""
    return dict(json.loads(text)) if text else {}


def models_from_json(text: str | None) -> tuple[ModelInfo, ...]:
    """Models, as the row of a document holds them."""
    return tuple(ModelInfo(*fields) for fields in json.loads(text)) if text else ()


def _page(data: bytes) -> Page:
    unpacked = zlib.decompressobj()
    text = unpacked.decompress(data, MOST_PAGE)
    return from_json(text.decode()).pages[0]
