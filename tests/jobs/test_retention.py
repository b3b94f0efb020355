from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from shizi.errors import NotFound, RateLimited
from shizi.jobs.delivery import InProcess
from shizi.jobs.job import MIB
from shizi.jobs.reconciler import Reconciler, ReconcilerOptions
from shizi.jobs.retention import JOBS_AT_ONCE
from tests.jobs.stores import IMAGE, TENANT, Stores, page


def finished(stores: Stores) -> str:
    """Id of a job that succeeded."""
    job = stores.order(IMAGE)
    claim = stores.claim()
    stores.tasks.save(claim, page(1))
    stores.tasks.succeed(claim)
    return job.id


def test_finished_jobs_are_kept_for_a_day_and_endless_ones_for_a_week(stores: Stores) -> None:
    done = finished(stores)
    assert stores.jobs.get(TENANT, done).expires == stores.database.time + stores.limits.retention_s
    waiting = stores.order(IMAGE)
    stores.later(stores.limits.retention_s - 1)
    assert stores.retention.sweep() == 0
    stores.later(2)
    assert stores.retention.sweep() == 1
    with pytest.raises(NotFound):
        stores.jobs.get(TENANT, done)
    stores.later(stores.limits.longest_s)
    stores.retention.sweep()
    assert stores.job(waiting).state == "failed"
    (document,) = stores.jobs.documents(TENANT, waiting.id)
    assert document.error == "TIMEOUT"
    stores.later(stores.limits.retention_s + 1)
    assert stores.retention.sweep() == 1
    assert set(stores.rows().values()) == {0}


def test_more_jobs_than_go_at_once_are_over_and_none_waits_for_the_next_look(stores: Stores) -> None:
    for _ in range(JOBS_AT_ONCE + 5):
        finished(stores)
    stores.later(stores.limits.retention_s + 1)
    looks = ReconcilerOptions(every_s=60, retention_s=60)

    async def main() -> None:
        reconciler = Reconciler(stores.tasks, stores.retention, InProcess(), looks)
        looking = asyncio.create_task(reconciler.run())
        async with asyncio.timeout(30):
            while reconciler.removed < JOBS_AT_ONCE + 5:
                await asyncio.sleep(0.02)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(main())
    assert set(stores.rows().values()) == {0}


def test_what_waits_is_counted_no_further_than_asked(stores: Stores) -> None:
    stores.order(*[IMAGE] * 5)
    assert (stores.tasks.waiting(3), stores.tasks.waiting(32)) == (3, 5)


def test_bytes_of_all_jobs_are_summed_seldom_and_the_bound_holds_all_the_same(stores: Stores) -> None:
    sums: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "sum(" in statement:
            sums.append(statement)

    sa.event.listen(stores.database.engine, "before_cursor_execute", look)
    stores.order(*[IMAGE] * 50)
    assert len(sums) == 4, "of the tenant and of all, at the first document and at the end"
    before = stores.rows()
    stores.bound(replace(stores.limits, tenant_bytes=MIB))
    with pytest.raises(RateLimited, match="tenant_bytes"):
        stores.order(*[bytes(MIB // 2)] * 2)
    assert stores.rows() == before
