"""States that follow from others' states, for one document and for many."""

from __future__ import annotations

import sqlalchemy as sa

from tests.jobs.stores import IMAGE, TENANT, Stores


def statements_to_cancel(stores: Stores, documents: int) -> int:
    job = stores.order(*[IMAGE] * documents)
    seen: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sa.event.listen(stores.database.engine, "before_cursor_execute", look)
    stores.jobs.cancel(TENANT, job.id)
    sa.event.remove(stores.database.engine, "before_cursor_execute", look)
    return len(seen)


def test_ending_many_documents_takes_no_more_statements_than_ending_one(stores: Stores) -> None:
    """Whoever writes to SQLite keeps all others waiting."""
    assert statements_to_cancel(stores, 40) == statements_to_cancel(stores, 1)


def test_each_document_that_ends_is_an_event_in_its_order(stores: Stores) -> None:
    job = stores.order(*[IMAGE] * 12)
    stores.jobs.cancel(TENANT, job.id)
    events = stores.jobs.events(TENANT, job.id)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    ended = [event.data["document"] for event in events if event.kind == "document"]
    assert ended == list(range(1, 13))
    assert events[-1].kind == "finished"
    assert {document.state for document in stores.jobs.documents(TENANT, job.id)} == {"cancelled"}
