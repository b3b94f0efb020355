from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from shizi.errors import Conflict, CorruptDocument, ImageTooLarge, InvalidRequest
from shizi.jobs.job import LeaseLostError, Made
from shizi.jobs.leases import Leases
from shizi.types import ModelInfo
from tests.jobs.stores import IMAGE, MODELS, PDF, Stores, page


def test_an_image_is_one_task_whose_pages_are_seen_while_it_runs(stores: Stores) -> None:
    job = stores.order(IMAGE)
    claim = stores.claim()
    assert (claim.kind, claim.pages, claim.token, claim.attempts) == ("read", None, 1, 1)
    assert stores.job(job).state == "running"
    stores.tasks.save(claim, page(1, "Rechnung 発票"), Made(MODELS, {"recognize": 12.5}))
    seen = stores.jobs.pages(job.tenant, job.id)
    assert [(result.document, result.page.text) for result in seen] == [(1, "Rechnung 発票")]
    with pytest.raises(Conflict, match="wait for its end"):
        stores.jobs.result(job.tenant, job.id, 1)
    stores.tasks.succeed(claim)
    result = stores.jobs.result(job.tenant, job.id, 1)
    assert (result.text, result.models, result.timings_ms) == ("Rechnung 発票", MODELS, {"recognize": 12.5})
    done = stores.job(job)
    assert (done.state, done.pages, done.pages_done) == ("succeeded", 1, 1)
    assert stores.kinds(job) == ["queued", "running", "page", "document", "finished"]


def test_a_document_names_all_models_that_read_any_of_its_pages_and_sums_their_times(stores: Stores) -> None:
    job = stores.order(PDF)
    stores.tasks.split(stores.claim(), 20)
    first, second = stores.claim(), stores.claim()
    detector, old, new = (
        ModelInfo(task, task, "1", digit * 64) for task, digit in (("detect", "0"), ("rec", "1"), ("rec", "2"))
    )
    for claim, models in ((first, (detector, old)), (second, (detector, new))):
        for number in claim.pages or ():
            stores.tasks.save(claim, page(number), Made(models, {"detect": 2.0, "recognize": number}))
    stores.tasks.save(second, page(20), Made((MODELS[0],), {"detect": 1000.0}))  # it is there already
    stores.tasks.succeed(second)
    stores.later(stores.limits.lease_s + 1)
    assert stores.tasks.expire() == 1, "the first worker died after its last page, before it could say so"
    again = stores.claim()
    assert again.pages == ()
    stores.tasks.succeed(again)
    result = stores.jobs.result(job.tenant, job.id, 1)
    assert result.models == (detector, old, new)
    assert result.timings_ms == {"detect": 40.0, "recognize": 210.0}


def test_a_pdf_is_counted_first_and_then_read_in_runs_of_pages(stores: Stores) -> None:
    job = stores.order(PDF)
    split = stores.claim()
    assert split.kind == "split"
    stores.tasks.split(split, 40)
    assert stores.job(job).pages == 40
    claims = [stores.claim() for _ in range(3)]
    assert [(claim.pages or ())[:: len(claim.pages or ()) - 1] for claim in claims] == [(1, 16), (17, 32), (33, 40)]
    assert stores.tasks.claim("worker") is None
    for claim in reversed(claims):
        for number in claim.pages or ():
            stores.tasks.save(claim, page(number))
        stores.tasks.succeed(claim)
    result = stores.jobs.result(job.tenant, job.id, 1)
    assert [read.number for read in result.pages] == list(range(1, 41)), "in order, whoever read them when"
    assert stores.job(job).state == "succeeded"


def test_chosen_pages_alone_are_read(stores: Stores) -> None:
    job = stores.order(PDF, options={"pages": [30, 2, 3]})
    stores.tasks.split(stores.claim(), 40)
    claim = stores.claim()
    assert claim.pages == (2, 3, 30)
    assert stores.job(job).pages == 3


def test_a_page_that_the_document_does_not_have_is_refused(stores: Stores) -> None:
    stores.order(PDF, options={"pages": [41]})
    with pytest.raises(InvalidRequest, match="there is no page 41"):
        stores.tasks.split(stores.claim(), 40)


def test_more_pages_than_a_job_may_have_are_refused(stores: Stores) -> None:
    stores.order(PDF, PDF)
    stores.tasks.split(stores.claim(), 6000)
    while (claim := stores.claim()).kind != "split":
        pass
    with pytest.raises(ImageTooLarge, match=r"12000, the limit \(max_pages\) is 10000"):
        stores.tasks.split(claim, 6000)


def test_five_thousand_pages_become_tasks_of_sixteen(stores: Stores) -> None:
    job = stores.order(PDF)
    stores.tasks.split(stores.claim(), 5000)
    assert stores.rows()["job_tasks"] == 1 + 313
    assert stores.job(job).pages == 5000
    assert len(stores.sent) == 1 + 313


def test_the_highest_priority_of_a_tenant_goes_first_then_the_oldest(stores: Stores) -> None:
    jobs = [stores.order(IMAGE, priority=priority) for priority in (3, 5, 5, 9)]
    taken = [stores.claim().job_id for _ in jobs]
    assert taken == [jobs[3].id, jobs[1].id, jobs[2].id, jobs[0].id]


def test_tenants_take_turns_however_much_one_orders(stores: Stores) -> None:
    for _ in range(4):
        stores.order(IMAGE, tenant="large", priority=9)
    first = stores.claim()
    stores.order(IMAGE, IMAGE, tenant="small", priority=0)
    taken = [stores.claim().tenant for _ in range(5)]
    assert first.tenant == "large"
    assert sorted(taken[:4]) == ["large", "large", "small", "small"]
    assert taken[4] == "large"


def test_who_was_away_has_no_credit(stores: Stores) -> None:
    stores.order(*[IMAGE] * 8, tenant="busy")
    for _ in range(5):
        stores.claim()
    stores.order(*[IMAGE] * 3, tenant="new")
    taken = [stores.claim().tenant for _ in range(4)]
    assert sorted(taken) == ["busy", "busy", "new", "new"], "not three times new"


def test_who_was_served_before_does_not_wait_for_all_that_a_newcomer_orders(stores: Stores) -> None:
    stores.order(*[IMAGE] * 8, tenant="old")
    for _ in range(8):
        stores.tasks.succeed(stores.claim())
    stores.order(*[IMAGE] * 8, tenant="new")
    stores.order(IMAGE, tenant="old")
    assert "old" in [stores.claim().tenant for _ in range(2)]


def test_a_turn_of_many_pages_counts_as_many_turns(stores: Stores) -> None:
    stores.order(PDF, tenant="pages")
    stores.order(*[IMAGE] * 20, tenant="pictures")
    while (claim := stores.claim()).kind != "split":
        stores.tasks.succeed(claim)
    stores.tasks.split(claim, 48)
    taken = [stores.claim().tenant for _ in range(18)]
    assert taken.count("pages") <= 2, "of 16 pages each"


def test_of_two_workers_that_want_one_task_one_gets_it(stores: Stores) -> None:
    stores.order(*[IMAGE] * 12)
    barrier = threading.Barrier(4)

    def take(worker: str) -> list[str]:
        barrier.wait()
        taken = []
        while (claim := stores.tasks.claim(worker)) is not None:
            taken.append(claim.task_id)
        return taken

    with ThreadPoolExecutor(4) as threads:
        taken = [task for tasks in threads.map(take, "abcd") for task in tasks]
    assert len(taken) == len(set(taken)) == 12


def test_of_two_workers_that_both_think_they_hold_a_task_one_is_heard(stores: Stores) -> None:
    job = stores.order(IMAGE)
    first = stores.claim("first")
    stores.later(stores.limits.lease_s + 1)
    assert stores.tasks.expire() == 1
    second = stores.claim("second")
    assert (second.token, second.attempts, second.crashes) == (2, 2, 1)
    for say in (
        lambda claim: stores.tasks.save(claim, page(1, "first")),
        lambda claim: stores.tasks.succeed(claim),
        lambda claim: stores.tasks.end(claim, "refused", "CORRUPT_DOCUMENT", "no"),
        stores.tasks.renew,
    ):
        with pytest.raises(LeaseLostError):
            say(first)
    stores.tasks.save(second, page(1, "second"))
    stores.tasks.succeed(second)
    with pytest.raises(LeaseLostError):
        stores.tasks.succeed(second)
    assert [result.page.text for result in stores.jobs.pages(job.tenant, job.id)] == ["second"]
    assert stores.kinds(job).count("page") == stores.kinds(job).count("finished") == 1


def test_a_token_of_another_task_opens_nothing(stores: Stores) -> None:
    stores.order(IMAGE)
    mine = stores.claim()
    stores.order(IMAGE, tenant="other")
    theirs = stores.claim()
    with pytest.raises(LeaseLostError):
        stores.tasks.renew(replace(theirs, tenant=mine.tenant))
    with pytest.raises(LeaseLostError):
        stores.tasks.save(replace(mine, task_id=theirs.task_id), page(1))


def test_a_lease_that_is_renewed_does_not_run_out(stores: Stores) -> None:
    stores.order(IMAGE)
    claim = stores.claim()
    for _ in range(5):
        stores.later(stores.limits.lease_s - 1)
        stores.tasks.renew(claim)
    assert stores.tasks.expire() == 0
    stores.later(stores.limits.lease_s - 1)
    stores.tasks.save(claim, page(1))
    stores.later(stores.limits.lease_s - 1)
    assert stores.tasks.expire() == 0, "a page that is saved renews it as well"


def test_a_lease_that_is_renewed_while_somebody_looks_for_lost_ones_holds(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.order(IMAGE)
    claim = stores.claim()
    stores.later(stores.limits.lease_s + 1)
    expire = Leases._expire

    def renewed_meanwhile(self: Leases, row: Any) -> bool:  # noqa: ANN401
        stores.tasks.renew(claim)
        return expire(self, row)

    monkeypatch.setattr(Leases, "_expire", renewed_meanwhile)
    assert stores.tasks.expire() == 0
    stores.tasks.save(claim, page(1))
    stores.tasks.succeed(claim)


def test_what_another_attempt_saved_is_not_read_again(stores: Stores) -> None:
    job = stores.order(PDF)
    stores.tasks.split(stores.claim(), 5)
    claim = stores.claim()
    stores.tasks.save(claim, page(1))
    stores.tasks.save(claim, page(2))
    stores.later(stores.limits.lease_s + 1)
    stores.tasks.expire()
    again = stores.claim()
    assert again.pages == (3, 4, 5)
    stores.tasks.save(again, page(2, "another text"))
    assert [result.page.text for result in stores.jobs.pages(job.tenant, job.id)] == ["page 1", "page 2"]


def test_three_crashes_quarantine_a_task_and_its_neighbours_go_on(stores: Stores) -> None:
    job = stores.order(PDF)
    stores.tasks.split(stores.claim(), 40)
    for attempt in (1, 2, 3):
        claim = stores.claim()
        assert claim.pages == tuple(range(1, 17))
        assert (claim.attempts, claim.crashes, claim.alone) == (attempt, attempt - 1, attempt == 3)
        stores.later(stores.limits.lease_s + 1)
        assert stores.tasks.expire() == 1
    assert stores.task(claim.task_id)["state"] == "quarantined"
    for _ in range(2):
        claim = stores.claim()
        for number in claim.pages or ():
            stores.tasks.save(claim, page(number))
        stores.tasks.succeed(claim)
    assert stores.job(job).state == "partial"
    (document,) = stores.jobs.documents(job.tenant, job.id)
    assert (document.state, document.pages_done, document.error) == ("partial", 24, "ENGINE_UNAVAILABLE")
    assert len(stores.jobs.result(job.tenant, job.id, 1).pages) == 24


def test_deaths_are_counted_from_the_last_page_that_was_saved(stores: Stores) -> None:
    stores.order(PDF)
    stores.tasks.split(stores.claim(), 8)
    for number in range(1, 9):
        claim = stores.claim()
        assert claim.crashes <= 1, "a worker that dies again and again convicts nobody who gets on"
        stores.tasks.save(claim, page(number))
        if number % 2:
            stores.tasks.end(claim, "crashed", "ENGINE_UNAVAILABLE", "it died")
        else:
            stores.later(stores.limits.lease_s + 1)
            assert stores.tasks.expire() == 1
    stores.tasks.succeed(stores.claim())


@pytest.mark.parametrize("by", ["the sandbox", "the worker"])
def test_a_picture_whose_second_page_kills_is_given_up_though_its_first_is_read_each_time(
    stores: Stores, by: str
) -> None:
    job = stores.order(IMAGE)  # a TIFF of several pages is one task, and begins anew
    for _ in range(stores.limits.most_crashes):
        claim = stores.claim()
        stores.tasks.save(claim, page(1))
        if by == "the sandbox":
            stores.tasks.end(claim, "crashed", "CORRUPT_DOCUMENT", "it died\0of it")
        else:
            stores.later(stores.limits.lease_s + 1)
            assert stores.tasks.expire() == 1
    assert stores.tasks.claim("worker") is None
    assert stores.job(job).state == "partial"


def test_the_documents_own_fault_is_said_at_once_and_raised_with_its_code(stores: Stores) -> None:
    job = stores.order(IMAGE)
    stores.tasks.end(stores.claim(), "refused", "CORRUPT_DOCUMENT", "the image is damaged")
    assert stores.job(job).state == "failed"
    assert stores.tasks.claim("worker") is None
    with pytest.raises(CorruptDocument, match="the image is damaged"):
        stores.jobs.result(job.tenant, job.id, 1)


def test_put_back_is_no_crash_and_waits_longer_each_time(stores: Stores) -> None:
    job = stores.order(IMAGE)
    for delay in (5, 10, 20, 40, 60, 60):
        claim = stores.claim()
        assert claim.crashes == 0
        stores.tasks.end(claim, "put back", "OVERLOADED", "full")
        assert stores.job(job).state == "running"
        stores.later(delay - 1)
        assert stores.tasks.claim("worker") is None
        stores.later(1)
    assert stores.claim().attempts == 7


def test_released_tasks_are_there_at_once(stores: Stores) -> None:
    stores.order(IMAGE)
    stores.sent.clear()
    claim = stores.claim()
    stores.tasks.end(claim, "released")
    again = stores.claim("other")
    assert (again.task_id, again.crashes) == (claim.task_id, 0)
    assert stores.sent == [(claim.task_id, 5)]


def test_two_that_look_for_lost_leases_find_each_once(stores: Stores) -> None:
    stores.order(*[IMAGE] * 10)
    for _ in range(10):
        stores.claim()
    stores.later(stores.limits.lease_s + 1)
    with ThreadPoolExecutor(3) as threads:
        found = sum(threads.map(lambda _: stores.tasks.expire(), range(3)))
    assert found == 10
    assert all(stores.claim().crashes == 1 for _ in range(10))


def test_the_document_comes_back_as_it_was_sent(stores: Stores) -> None:
    data = bytes(range(256)) * 16384 * 2 + b"end"  # more than 8 MiB: several transactions
    stores.order(b"small", data)
    stores.claim()
    claim = stores.claim()
    assert claim.size == len(data)
    assert b"".join(stores.tasks.document(claim)) == data


def test_a_page_larger_than_a_part_comes_back_whole(stores: Stores) -> None:
    noise = "".join(chr(code) for code in random.Random(6).choices(range(0x4E00, 0x9FFF), k=800_000))
    job = stores.order(IMAGE)
    claim = stores.claim()
    stores.tasks.save(claim, page(1, noise))
    stores.tasks.succeed(claim)
    assert stores.rows()["job_pages"] > 1
    assert stores.jobs.result(job.tenant, job.id, 1).text == noise
