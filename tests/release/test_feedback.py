"""Corrections in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from shizi.database.connect import Database
from shizi.errors import Conflict, Forbidden, NotFound, UnsupportedFormat
from shizi.release.correction import KeptCorrection, is_id
from shizi.release.feedback import FeedbackStore
from tests.release.stores import BOX, HASH, OTHER_HASH, correction, png

MakeStore = Callable[..., FeedbackStore]


def counts(database: Database, tenant: str) -> tuple[int, int]:
    """What the bounds are checked against."""
    with database.read() as connection:
        query = sa.text("SELECT kept, bytes FROM correction_tenants WHERE tenant = :tenant")
        row = connection.execute(query, {"tenant": tenant}).one()
    return int(row[0]), int(row[1])


def real_bytes(database: Database, tenant: str) -> int:
    with database.read() as connection:
        query = sa.text("SELECT coalesce(sum(size), 0) FROM corrections WHERE tenant = :tenant")
        return int(connection.execute(query, {"tenant": tenant}).scalar_one())


def test_what_is_kept_comes_back_as_it_was_said(store: MakeStore) -> None:
    feedback = store()
    kept, new = feedback.add("a", "key:1", correction())
    assert new
    assert is_id(kept.id)
    assert feedback.get("a", kept.id) == kept
    assert (kept.polygon, kept.correction, kept.editor, kept.crop_bytes) == (BOX, "Total 120.00 元", "key:1", None)
    assert kept.created.utcoffset() == timedelta()
    assert abs(datetime.now(UTC) - kept.created) < timedelta(minutes=1)


def test_the_same_is_kept_once_and_another_editors_beside_it(store: MakeStore, database: Database) -> None:
    feedback = store()
    first, _ = feedback.add("a", "key:1", correction())
    again, new = feedback.add("a", "key:1", correction())
    assert (again, new) == (first, False)
    for tenant, editor, said in (
        ("a", "key:2", correction()),
        ("b", "key:1", correction()),
        ("a", "key:1", correction(line=4)),
    ):
        assert feedback.add(tenant, editor, said)[1]
    assert counts(database, "a")[0] == 3


def test_pages_of_a_list_hold_everything_once_in_order(store: MakeStore) -> None:
    feedback = store()
    made = [feedback.add("a", "key:1", correction(line=line))[0] for line in range(1, 8)]
    feedback.add("b", "key:9", correction())
    found: list[KeptCorrection] = []
    while page := feedback.list("a", after=found[-1].id if found else "", limit=3):
        found += page
    assert sorted(entry.line for entry in found) == list(range(1, 8))
    assert [entry.id for entry in found] == sorted(entry.id for entry in made)
    assert feedback.list("a", document=OTHER_HASH) == []
    assert len(feedback.list("a", document=HASH)) == 7


def test_nothing_of_another_tenant_is_there(store: MakeStore) -> None:
    feedback = store(crops={"*"})
    kept, _ = feedback.add("a", "key:1", correction(), png())
    for ask in (feedback.get, feedback.crop, feedback.delete):
        with pytest.raises(NotFound, match="no correction of this id"):
            ask("b", kept.id)
    with pytest.raises(NotFound):
        feedback.delete_document("b", HASH)
    assert feedback.delete_all("b") == 0
    assert feedback.list("b") == []
    assert feedback.get("a", kept.id) == kept


@pytest.mark.parametrize("wrong", ["", "fb_", "fb_" + "0" * 44, "x\0y", "fb_" + "g" * 44, "é" * 47, "' OR 1=1 --"])
def test_an_id_that_nobody_has_is_not_found(store: MakeStore, wrong: str) -> None:
    feedback = store()
    for ask in (feedback.get, feedback.crop, feedback.delete):
        with pytest.raises(NotFound):
            ask("a", wrong)


def test_a_crop_is_kept_where_it_is_allowed_and_refused_elsewhere(store: MakeStore) -> None:
    feedback = store(crops={"a"})
    kept, _ = feedback.add("a", "key:1", correction(), png(comment="SECRET"))
    crop = feedback.crop("a", kept.id)
    assert crop == png()
    assert kept.crop_bytes == len(crop)
    with pytest.raises(Forbidden, match="feedback_crops"):
        feedback.add("b", "key:1", correction(), png())
    assert feedback.list("b") == []
    with pytest.raises(UnsupportedFormat):
        feedback.add("a", "key:1", correction(line=9), b"GIF89a")
    plain, _ = feedback.add("a", "key:1", correction(line=8))
    with pytest.raises(NotFound, match="without a crop"):
        feedback.crop("a", plain.id)


def test_bounds_hold_and_what_is_deleted_makes_room(store: MakeStore, database: Database) -> None:
    feedback = store(rows=3, crops={"*"})
    kept = [feedback.add("a", "key:1", correction(line=line))[0] for line in (1, 2, 3)]
    with pytest.raises(Conflict, match="feedback_rows"):
        feedback.add("a", "key:1", correction(line=4))
    assert feedback.add("a", "key:1", correction(line=3)) == (kept[2], False)  # known already: it takes no room
    feedback.add("b", "key:1", correction(line=4))  # another tenant's bound is its own
    feedback.delete("a", kept[0].id)
    feedback.add("a", "key:1", correction(line=4))
    size = counts(database, "a")[1]
    assert size == real_bytes(database, "a") > 0
    small = store(bytes=size + 50, crops={"*"})
    small.delete("a", kept[1].id)
    with pytest.raises(Conflict, match="feedback_bytes"):
        small.add("a", "key:1", correction(line=5), png(600, 200))
    assert counts(database, "a") == (2, real_bytes(database, "a"))


def test_deleting_of_one_a_document_and_all_counts_exactly(store: MakeStore, database: Database) -> None:
    feedback = store()
    first = feedback.add("a", "key:1", correction(line=1))[0]
    for line, document in ((2, HASH), (3, HASH), (4, OTHER_HASH), (5, OTHER_HASH)):
        feedback.add("a", "key:1", correction(line=line, document=document))
    feedback.delete("a", first.id)
    with pytest.raises(NotFound):
        feedback.delete("a", first.id)
    assert feedback.delete_document("a", HASH) == 2
    with pytest.raises(NotFound):
        feedback.delete_document("a", HASH)
    assert counts(database, "a") == (2, real_bytes(database, "a"))
    assert feedback.delete_all("a") == 2
    assert counts(database, "a") == (0, 0)
    assert feedback.list("a") == []


def test_bounds_hold_when_many_come_at_once(store: MakeStore, database: Database) -> None:
    feedback = store(rows=10)
    refused: list[Exception] = []
    wrong: list[Exception] = []

    def send(first: int) -> None:
        for line in range(first, first + 6):
            try:
                feedback.add("a", "key:1", correction(line=line))
            except Conflict as error:
                refused.append(error)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=send, args=(1 + 6 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(refused)) == ([], 14)
    assert counts(database, "a") == (10, real_bytes(database, "a"))
    assert len(feedback.list("a")) == 10


def test_the_same_sent_at_once_is_kept_once(store: MakeStore) -> None:
    feedback = store()
    made: list[tuple[KeptCorrection, bool]] = []
    threads = [threading.Thread(target=lambda: made.append(feedback.add("a", "key:1", correction()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({kept.id for kept, _ in made}) == 1
    assert [new for _, new in made].count(True) == 1
