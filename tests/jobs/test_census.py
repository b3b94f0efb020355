"""What there is, counted over all tenants."""

from __future__ import annotations

import io

from shizi.jobs.census import take_census
from shizi.jobs.job import Order
from tests.jobs.stores import Stores


def test_nothing_is_zero_of_everything(stores: Stores) -> None:
    census = take_census(stores.database)
    assert set(census.jobs.values()) == set(census.tasks.values()) == set(census.messages.values()) == {0}
    assert (census.attempts, census.bytes, census.oldest_s) == (0, 0, 0.0)
    assert "quarantined" in census.tasks


def test_jobs_and_tasks_of_all_tenants_are_counted(stores: Stores) -> None:
    for tenant in ("acme", "other"):
        stores.jobs.create(Order(tenant=tenant), [(None, io.BytesIO(b"one")), (None, io.BytesIO(b"two"))])
    claim = stores.tasks.claim("worker")
    assert claim is not None
    census = take_census(stores.database)
    assert (census.jobs["queued"], census.jobs["running"]) == (1, 1)
    assert (census.tasks["queued"], census.tasks["running"]) == (3, 1)
    assert (census.attempts, census.bytes) == (1, 12)
    assert 0 <= census.oldest_s < 60
    stores.tasks.end(claim, "refused", "CORRUPT_DOCUMENT", "broken")
    assert take_census(stores.database).tasks["failed"] == 1
