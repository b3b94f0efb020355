from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shizi.errors import Conflict, ImageTooLarge, InvalidRequest, NotFound, Overloaded, RateLimited
from shizi.jobs.job import MIB, LeaseLostError, Order, new_id
from shizi.jobs.orders import MOST_OPTIONS
from tests.jobs.stores import IMAGE, PDF, TENANT, Stores, page

KEY = {"idempotency_key": "k1", "request_sha256": "a" * 64}
VERBS: dict[str, Callable[[Stores, str, str], object]] = {
    "get": lambda stores, tenant, job: stores.jobs.get(tenant, job),
    "documents": lambda stores, tenant, job: stores.jobs.documents(tenant, job),
    "pages": lambda stores, tenant, job: stores.jobs.pages(tenant, job),
    "result": lambda stores, tenant, job: stores.jobs.result(tenant, job, 1),
    "original": lambda stores, tenant, job: stores.jobs.original(tenant, job, 1),
    "events": lambda stores, tenant, job: stores.jobs.events(tenant, job),
    "cancel": lambda stores, tenant, job: stores.jobs.cancel(tenant, job),
    "delete": lambda stores, tenant, job: stores.jobs.delete(tenant, job),
}


def finished(stores: Stores, *documents: bytes) -> str:
    """Id of a job that succeeded."""
    job = stores.order(*(documents or (IMAGE,)))
    while (claim := stores.tasks.claim("worker")) is not None:
        stores.tasks.save(claim, page(1))
        stores.tasks.succeed(claim)
    assert stores.job(job).state == "succeeded"
    return job.id


@pytest.mark.parametrize("verb", VERBS)
def test_a_foreign_job_is_not_there(stores: Stores, verb: str) -> None:
    job = finished(stores)
    with pytest.raises(NotFound) as foreign:
        VERBS[verb](stores, "other", job)
    never = new_id()
    with pytest.raises(NotFound) as unknown:
        VERBS[verb](stores, TENANT, never)
    assert str(foreign.value).replace(job, "ID") == str(unknown.value).replace(never, "ID")
    VERBS[verb](stores, TENANT, job)


def test_ids_sort_by_age_and_cannot_be_guessed() -> None:
    ids = [new_id(1000.0 + number) for number in range(100)]
    assert ids == sorted(ids)
    assert len({job[16:] for job in ids}) == 100
    assert all(len(job) == len("job_") + 12 + 32 for job in ids)


def test_a_list_is_ones_own_the_latest_first_and_goes_on(stores: Stores) -> None:
    stores.order(IMAGE, tenant="other")
    jobs = []
    for _ in range(5):
        stores.later(1)
        jobs.append(stores.order(IMAGE))
    stores.jobs.cancel(TENANT, jobs[0].id)
    first = stores.jobs.list(TENANT, limit=3)
    assert [job.id for job in first] == [job.id for job in jobs[:1:-1]]
    assert [job.id for job in stores.jobs.list(TENANT, after=first[-1].id)] == [jobs[1].id, jobs[0].id]
    assert [job.id for job in stores.jobs.list(TENANT, state="cancelled")] == [jobs[0].id]
    for limit in (0, 1001):
        with pytest.raises(InvalidRequest, match="between 1 and 1000"):
            stores.jobs.list(TENANT, limit=limit)


def test_pages_go_on_behind_a_cursor_over_all_documents(stores: Stores) -> None:
    job = stores.order(PDF, PDF)
    while (claim := stores.tasks.claim("worker")) is not None:
        if claim.kind == "split":
            stores.tasks.split(claim, 3)
        else:
            for number in (1, 2, 3):
                stores.tasks.save(claim, page(number))
    seen: list[tuple[int, int]] = []
    after = 0
    while found := stores.jobs.pages(TENANT, job.id, after=after, limit=4):
        seen += [(result.document, result.page.number) for result in found]
        after = found[-1].cursor
    assert seen == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert [result.page.number for result in stores.jobs.pages(TENANT, job.id, document=2)] == [1, 2, 3]


def test_events_go_on_where_one_stopped(stores: Stores) -> None:
    job = finished(stores, IMAGE, IMAGE)
    events = stores.jobs.events(TENANT, job)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert stores.jobs.events(TENANT, job, after=3) == events[3:]
    assert (events[-1].kind, events[-1].data) == ("finished", {"state": "succeeded"})
    assert stores.jobs.get(TENANT, job).last_event == len(events)


def test_events_have_no_gaps_though_many_write_them(stores: Stores) -> None:
    job = stores.order(*[IMAGE] * 8)
    claims = [stores.claim() for _ in range(8)]
    barrier = threading.Barrier(4)

    def work(mine: int) -> None:
        barrier.wait()
        for claim in claims[mine::4]:
            stores.tasks.save(claim, page(1))
            stores.tasks.succeed(claim)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert stores.kinds(job).count("page") == 8
    assert stores.kinds(job)[-1] == "finished"


def test_cancelling_ends_what_waits_and_what_runs(stores: Stores) -> None:
    job = stores.order(IMAGE, IMAGE)
    claim = stores.claim()
    stores.tasks.save(claim, page(1))
    assert stores.jobs.cancel(TENANT, job.id).state == "cancelled"
    with pytest.raises(LeaseLostError):
        stores.tasks.succeed(claim)
    with pytest.raises(LeaseLostError):
        stores.tasks.renew(claim)
    assert stores.tasks.claim("worker") is None
    stores.later(3600)
    assert stores.tasks.expire() == 0
    assert [document.state for document in stores.jobs.documents(TENANT, job.id)] == ["cancelled", "cancelled"]
    assert len(stores.jobs.result(TENANT, job.id, 1).pages) == 1, "what was read stays"
    with pytest.raises(Conflict, match="is cancelled: it has no result"):
        stores.jobs.result(TENANT, job.id, 2)
    assert stores.jobs.cancel(TENANT, job.id).last_event == stores.job(job).last_event, "twice is once"
    assert stores.jobs.cancel(TENANT, finished(stores)).state == "succeeded", "what is finished stays as it is"


def test_deleting_leaves_nothing_whatever_runs(stores: Stores) -> None:
    job = stores.order(PDF, IMAGE)
    stores.tasks.split(stores.claim(), 20)
    claim = stores.claim()
    stores.tasks.save(claim, page(1))
    begun = stores.rows()
    stores.jobs.delete(TENANT, job.id)
    with pytest.raises(NotFound):
        stores.jobs.get(TENANT, job.id)
    assert stores.rows() == {**begun, "job_tasks": 0}, (
        "a request does not wait for the removal of what may be gigabytes"
    )
    assert stores.tasks.claim("worker") is None
    for say in (stores.tasks.renew, lambda claim: stores.tasks.save(claim, page(2))):
        with pytest.raises(LeaseLostError):
            say(claim)
    assert list(stores.tasks.document(claim)) == [], "nor does a worker get any more of it"
    with pytest.raises(NotFound):
        stores.jobs.delete(TENANT, job.id)
    assert stores.retention.bury() == 1
    assert set(stores.rows().values()) == {0}
    assert stores.retention.bury() == 0


def test_the_same_request_twice_is_one_job(stores: Stores) -> None:
    first = stores.order(IMAGE, **KEY)
    assert stores.order(IMAGE, **KEY).id == first.id
    assert stores.order(IMAGE, tenant="other", **KEY).id != first.id
    assert stores.order(IMAGE).id != first.id
    with pytest.raises(Conflict, match="another request came with this Idempotency-Key"):
        stores.order(IMAGE, idempotency_key="k1", request_sha256="b" * 64)
    assert len(stores.jobs.list(TENANT)) == 2


def test_the_same_request_at_the_same_time_is_one_job(stores: Stores) -> None:
    barrier = threading.Barrier(4)

    def send(_: int) -> str | None:
        barrier.wait()
        try:
            return stores.order(IMAGE, **KEY).id
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as threads:
        ids = {job for job in threads.map(send, range(4)) if job}
    assert len(ids) == 1
    assert stores.rows()["jobs"] == 1


def test_a_key_is_free_again_when_its_job_is_gone_or_its_documents_broke_off(stores: Stores) -> None:
    first = stores.order(IMAGE, **KEY)
    stores.jobs.delete(TENANT, first.id)
    second = stores.order(IMAGE, **KEY)
    assert second.id != first.id
    stores.jobs.delete(TENANT, second.id)

    class Dying(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise SystemExit

    order = replace(Order(tenant=TENANT), idempotency_key="k1", request_sha256="a" * 64)
    forget = pytest.MonkeyPatch()
    forget.setattr("shizi.jobs.orders.forget", lambda *_: None)  # as if the server had been killed
    with pytest.raises(SystemExit):
        stores.jobs.create(order, [(None, Dying())])
    forget.undo()
    with pytest.raises(Conflict, match="just being received"):
        stores.order(IMAGE, **KEY)
    stores.later(stores.limits.receive_s + 1)
    assert stores.order(IMAGE, **KEY).state == "queued"
    stores.retention.bury()
    assert stores.rows()["jobs"] == 1


def test_nothing_stays_of_an_order_that_fails(stores: Stores) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 (which one does not matter)
        stores.jobs.create(Order(tenant=TENANT), [(None, io.BytesIO(IMAGE)), (None, Broken())])
    with pytest.raises(InvalidRequest, match="no document"):
        stores.jobs.create(Order(tenant=TENANT), [])
    assert set(stores.rows().values()) == {0}


def test_nobody_sees_or_works_on_a_job_before_all_of_it_is_there(stores: Stores) -> None:
    class Looking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert list(stores.jobs.list(TENANT)) == []
            assert stores.tasks.claim("worker") is None
            return super().read(size)

    stores.jobs.create(Order(tenant=TENANT), [(None, Looking(IMAGE)), (None, Looking(IMAGE))])
    assert len(stores.jobs.list(TENANT)) == 1


def test_every_bound_names_itself(stores: Stores) -> None:
    stores.bound(replace(stores.limits, max_files=2, max_bytes=2 * MIB, max_job_bytes=3 * MIB))
    with pytest.raises(ImageTooLarge, match="max_files"):
        stores.order(IMAGE, IMAGE, IMAGE)
    with pytest.raises(ImageTooLarge, match="max_bytes"):
        stores.order(bytes(2 * MIB + 1))
    with pytest.raises(ImageTooLarge, match="max_job_bytes"):
        stores.order(bytes(2 * MIB), bytes(2 * MIB))
    stores.bound(replace(stores.limits, tenant_bytes=MIB, total_bytes=100 * MIB))
    with pytest.raises(RateLimited, match="tenant_bytes") as limited:
        stores.order(bytes(2 * MIB))
    assert limited.value.retry_after
    stores.bound(replace(stores.limits, tenant_bytes=100 * MIB, total_bytes=MIB))
    with pytest.raises(Overloaded, match="total_bytes"):
        stores.order(bytes(2 * MIB))
    stores.bound(replace(stores.limits, total_bytes=100 * MIB, tenant_jobs=2))
    assert set(stores.rows().values()) == {0}, "nothing stays of what was refused"
    stores.order(IMAGE)
    stores.order(IMAGE)
    with pytest.raises(RateLimited, match="tenant_jobs"):
        stores.order(IMAGE)
    stores.order(IMAGE, tenant="other")
    with pytest.raises(InvalidRequest, match="priority"):
        stores.order(IMAGE, priority=10)
    with pytest.raises(InvalidRequest, match=str(MOST_OPTIONS)):
        stores.order(IMAGE, tenant="third", options={"pages": list(range(10_000))})


def test_documents_of_nothing_take_room_as_well(stores: Stores) -> None:
    stores.bound(replace(stores.limits, tenant_bytes=MIB))
    for _ in range(5):
        stores.jobs.cancel(TENANT, stores.order(*[b""] * 100).id)
    with pytest.raises(RateLimited, match="tenant_bytes"):
        stores.order(*[b""] * 100)
    assert stores.rows()["job_documents"] == 500, "though none of these jobs is unfinished"
    stores.order(IMAGE, tenant="other")


def test_a_thousand_files_are_one_job(stores: Stores) -> None:
    job = stores.order(*[IMAGE] * 1000)
    assert (job.documents, stores.rows()["job_tasks"]) == (1000, 1000)
    with pytest.raises(ImageTooLarge, match="more than 1000 documents"):
        stores.order(*[IMAGE] * 1001)
    assert stores.jobs.cancel(TENANT, job.id).state == "cancelled"
    assert stores.job(job).last_event == 1 + 1000 + 1, "queued, each document, finished"


def test_a_password_is_shown_to_nobody_and_gone_at_the_end(stores: Stores) -> None:
    job = stores.order(IMAGE, options={"password": "geheim", "languages": ["en"]})
    assert job.options == stores.job(job).options == {"languages": ["en"]}
    claim = stores.claim()
    assert claim.options["password"] == "geheim"
    stores.tasks.end(claim, "refused", "ENCRYPTED_DOCUMENT", "wrong")
    assert "password" not in stores.options(job)


def test_documents_are_kept_only_where_they_are_to_be(stores: Stores) -> None:
    kept, dropped = stores.order(IMAGE), stores.order(IMAGE, keep_documents=False)
    while (claim := stores.tasks.claim("worker")) is not None:
        stores.tasks.save(claim, page(1))
        stores.tasks.succeed(claim)
    assert b"".join(stores.jobs.original(TENANT, kept.id, 1)) == IMAGE
    assert b"".join(stores.jobs.original(TENANT, dropped.id, 1)) == b""
    assert stores.jobs.result(TENANT, dropped.id, 1).text == "page 1"
