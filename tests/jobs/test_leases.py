"""Many workers that ask for tasks at the same moment, of a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shizi.jobs.job import Claim, JobLimits
from shizi.jobs.leases import Leases
from shizi.jobs.tables import TASKS
from tests.jobs.stores import IMAGE, PDF, Stores
from tests.servers import PostgresServer

WORKERS = 8


@pytest.fixture
def many(postgres: PostgresServer, tmp_path: Path) -> Iterator[Stores]:
    stores = Stores(postgres.database(), tmp_path, JobLimits())
    yield stores
    stores.database.close()


def test_tasks_that_others_are_just_taking_are_left_out_and_nobody_waits_for_them(many: Stores) -> None:
    first, second = many.order(IMAGE, tenant="a"), many.order(IMAGE, tenant="a")
    other = many.order(IMAGE, tenant="b")
    begun = time.monotonic()
    with many.database.begin() as taking:
        taking.execute(sa.select(TASKS.c.id).where(TASKS.c.job_id == first.id).with_for_update())
        assert {many.claim().job_id, many.claim().job_id} == {second.id, other.id}
        assert many.tasks.claim("third") is None
    assert time.monotonic() - begun < 10, "a lock is waited for 15 s"
    assert many.claim().job_id == first.id, "who was taking it gave it back"


def test_workers_that_ask_at_once_get_everything_once_and_tenants_in_turns(many: Stores) -> None:
    each = 60
    for tenant in ("a", "b"):
        many.order(*[IMAGE] * each, tenant=tenant)
    together = threading.Barrier(WORKERS)
    taken: list[Claim] = []

    def work(name: str) -> None:
        together.wait()
        while (claim := many.tasks.claim(name)) is not None:
            taken.append(claim)

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, (f"worker {number}" for number in range(WORKERS))))
    assert len({claim.task_id for claim in taken}) == len(taken) == 2 * each, (
        "all, none twice, and nobody left too early"
    )
    assert {claim.token for claim in taken} == {1}
    for count in range(1, each):
        mine = sum(claim.tenant == "a" for claim in taken[:count])
        assert abs(2 * mine - count) <= 2 * WORKERS, "one turn more for each worker that asked at the same moment"
    with many.database.read() as connection:
        states = connection.execute(sa.text("SELECT DISTINCT state FROM jobs")).scalars().all()
    assert states == ["running"]


def test_workers_that_take_and_end_tasks_while_jobs_are_cancelled_block_nobody_for_ever(many: Stores) -> None:
    jobs = [many.order(*[IMAGE] * 12, tenant=tenant) for tenant in ("a", "b", "c", "d")]
    together = threading.Barrier(WORKERS + 1)

    def work(name: str) -> int:
        together.wait()
        count = 0
        while (claim := many.tasks.claim(name)) is not None:
            many.tasks.end(claim, "refused", "CORRUPT_DOCUMENT", "broken") if claim.tenant == "a" else None
            count += 1
        return count

    with ThreadPoolExecutor(WORKERS + 1) as threads:
        counts = [threads.submit(work, f"worker {number}") for number in range(WORKERS)]
        together.wait()
        for job in jobs[1:]:
            many.jobs.cancel(job.tenant, job.id)
        assert sum(count.result() for count in counts) >= 12
    assert [many.job(job).state for job in jobs] == ["failed", "cancelled", "cancelled", "cancelled"]
    assert many.tasks.claim("late") is None


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_job_that_ends_while_a_task_of_it_is_taken_is_not_begun(
    stores: Stores, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = stores.order(PDF)
    stores.later(1)
    kept = stores.order(IMAGE)
    begin = Leases._begin

    def ended_before(self: Leases, connection: sa.Connection, claim: Claim) -> bool:
        if claim.job_id == gone.id and not stores.database.is_sqlite:  # where taking and beginning are one
            getattr(stores.jobs, how)(gone.tenant, gone.id)
        return begin(self, connection, claim)

    monkeypatch.setattr(Leases, "_begin", ended_before)
    expected = gone.id if stores.database.is_sqlite else kept.id
    assert stores.claim().job_id == expected
    if how == "cancel" and not stores.database.is_sqlite:
        assert stores.kinds(gone) == ["queued", "document", "finished"]
