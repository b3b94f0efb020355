"""Sums are right after every change, also of what was there before them, and stay few."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shizi.database import migrations
from shizi.database.connect import connect
from shizi.errors import RateLimited
from shizi.jobs.census import take_census
from shizi.jobs.job import JobLimits
from shizi.jobs.sums import fold, held
from tests.jobs.stores import IMAGE, PDF, TENANT, Stores, page
from tests.jobs.sums import counted, sums


def rows(stores: Stores) -> int:
    with stores.database.read() as connection:
        count: int = connection.execute(sa.text("SELECT count(*) FROM job_sums")).scalar_one()
    return count


def test_jobs_of_before_the_sums_are_in_them(
    database_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", migrations.STEPS[:5])
        before = connect(database_url, tmp_path)
    with before.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO jobs (id, tenant, state, priority, options, keep_documents, documents, bytes, pages, pages_done,"
                " last_event, created, touched) VALUES ('job_1', 'bank', 'queued', 5, '{}', TRUE, 2, 1000, 3, 0, 1, 1, 1)"
            )
        )
    before.close()
    after = connect(database_url, tmp_path)
    assert sums(after) == counted(after) == {("bank", "job", "queued"): (1, 1000, 1000 + 3 * 2048 + 3 * 256 + 2, 0)}
    after.close()


def test_many_changes_are_folded_into_one_row_for_each_state(stores: Stores) -> None:
    job = stores.order(*[IMAGE] * 100)
    other = stores.order(PDF, tenant="other")
    for _ in range(100):
        claim = stores.claim()
        if claim.tenant == TENANT:
            stores.tasks.save(claim, page(1))
            stores.tasks.succeed(claim)
    right = counted(stores.database)
    assert sums(stores.database) == right
    assert rows(stores) > 300
    assert fold(stores.database) > 250
    assert rows(stores) == len(right) < 10
    assert sums(stores.database) == right
    assert fold(stores.database) == 0
    stores.jobs.delete(TENANT, job.id)
    stores.jobs.delete("other", other.id)
    assert stores.retention.bury() == 2
    fold(stores.database, 1)
    assert rows(stores) == 0, "nothing is left of what is gone"
    assert sums(stores.database) == {}


def test_whoever_folds_while_others_change_loses_nothing(stores: Stores) -> None:
    done = threading.Event()

    def folding() -> None:
        while not done.is_set():
            fold(stores.database, 1)

    def ordering(tenant: str) -> None:
        for _ in range(8):
            stores.order(IMAGE, tenant=tenant)

    with ThreadPoolExecutor(5) as threads:
        folds = [threads.submit(folding) for _ in range(2)]
        orders = [threads.submit(ordering, tenant) for tenant in ("a", "b", "c")]
        for order in orders:
            order.result()
        done.set()
        for each in folds:
            each.result()
    assert sums(stores.database) == counted(stores.database)
    assert take_census(stores.database).jobs["queued"] == 24


def test_what_a_tenant_holds_is_known_before_and_after_a_fold(stores: Stores) -> None:
    stores.bound(JobLimits(tenant_bytes=20_000))
    for _ in range(4):
        stores.order(b"x" * 100)
    fold(stores.database, 1)
    with stores.database.read() as connection:
        assert held(connection, TENANT) == held(connection) == 4 * (100 + 2 * 2048 + 2)
        assert held(connection, "other") == 0
    with pytest.raises(RateLimited, match="tenant_bytes"):
        stores.order(b"x" * 100)
    stores.order(b"x" * 100, tenant="other")
