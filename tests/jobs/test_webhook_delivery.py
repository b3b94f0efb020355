"""Messages from the end of a job to their receiver, by way of the database."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from shizi.database.connect import Database, connect
from shizi.errors import StorageUnavailable
from shizi.jobs.census import take_census
from shizi.jobs.webhook_delivery import Deliveries, DeliveryOptions
from shizi.jobs.webhook_schedule import RetryRules
from shizi.jobs.webhook_sender import Attempt
from shizi.jobs.webhook_store import Told, WebhookStore

URL = "https://receiver.example/hook"
QUICK = DeliveryOptions(retries=RetryRules(first_s=0.001, factor=1, jitter=0, attempts=3), poll_s=0.01)


@pytest.fixture
def database(database_url: str | None, tmp_path: Path) -> Iterator[Database]:
    opened = connect(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> WebhookStore:
    return WebhookStore(database)


@pytest.fixture
def threads(database: Database) -> Iterator[ThreadPoolExecutor]:  # noqa: ARG001 (work that was cancelled ends before it is closed)
    with ThreadPoolExecutor(4) as pool:
        yield pool


def ended(database: Database, job_id: str, tenant: str = "acme", webhook: str | None = URL, ago_s: float = 0) -> None:
    """A job that ended with one document read and two that failed."""
    with database.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO jobs (id, tenant, state, priority, options, webhook, keep_documents, documents, bytes, pages, "
                "pages_done, last_event, created, touched, finished) "
                "VALUES (:id, :tenant, 'partial', 5, '{}', :webhook, :no, 3, 1, 4, 4, 1, :at, :at, :at)"
            ),
            {"id": job_id, "tenant": tenant, "webhook": webhook, "at": time.time() - ago_s, "no": False},
        )
        for number, state in enumerate(("succeeded", "failed", "failed"), 1):
            connection.execute(
                sa.text(
                    "INSERT INTO job_documents (job_id, number, tenant, name, size, sha256, state, pages_done) "
                    "VALUES (:id, :number, :tenant, 'SECRET.png', 1, 'x', :state, 1)"
                ),
                {"id": job_id, "number": number, "tenant": tenant, "state": state},
            )


class Scripted:
    """Sends nothing; gives the attempts it was told to, the last one again and again."""

    def __init__(self, *attempts: Attempt, wait_s: float = 0.0) -> None:
        self._attempts = list(attempts)
        self._wait_s = wait_s
        self.sent: list[tuple[str, dict[str, str], bytes]] = []
        self.most = self._under_way = 0

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Attempt:
        self.sent.append((url, headers, body))
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            await asyncio.sleep(self._wait_s)
        finally:
            self._under_way -= 1
        return self._attempts.pop(0) if len(self._attempts) > 1 else self._attempts[0]


WELL = Attempt(True, status=200)
DOWN = Attempt(False, status=503, fault="the receiver answered 503")
GONE = Attempt(False, gone=True, status=410, fault="the receiver answered 410")


def steps(
    store: WebhookStore, sender: Scripted, threads: ThreadPoolExecutor, count: int, options: DeliveryOptions = QUICK
) -> Deliveries:
    deliveries = Deliveries(store, sender, options, threads)

    async def run() -> None:
        for _ in range(count):
            await deliveries.step()
            await deliveries.settled()
            await asyncio.sleep(0.005)

    asyncio.run(run())
    return deliveries


def test_the_end_of_a_job_is_told_once_thin_and_signed(
    database: Database, store: WebhookStore, threads: ThreadPoolExecutor
) -> None:
    secret, until = store.rotate("acme")
    assert until is None
    ended(database, "job_1")
    ended(database, "job_2", webhook=None)
    sender = Scripted(WELL)
    assert steps(store, sender, threads, 5).outcomes == {"delivered": 1}
    ((url, headers, body),) = sender.sent
    told = Webhook(secret).verify(body, headers)
    assert url == URL
    assert headers["webhook-id"] == "msg_job_1"
    assert told["type"] == "job.finished"
    assert told["data"] == {"id": "job_1", "state": "partial", "documents": {"failed": 2, "succeeded": 1}, "pages": 4}
    assert told["timestamp"].endswith("Z")
    assert b"SECRET" not in body
    assert store.told("acme", "job_1") == Told("delivered", 1, 200, None)
    assert store.told("other", "job_1") is None
    assert take_census(database).messages == {"waiting": 0, "delivered": 1, "failed": 0}


def test_it_is_tried_again_with_the_same_id_and_another_time(
    database: Database, store: WebhookStore, threads: ThreadPoolExecutor
) -> None:
    secret, _ = store.rotate("acme")
    ended(database, "job_1")
    sender = Scripted(DOWN, DOWN, WELL)
    assert steps(store, sender, threads, 6).outcomes == {"again": 2, "delivered": 1}
    assert {headers["webhook-id"] for _, headers, _ in sender.sent} == {"msg_job_1"}
    for _, headers, body in sender.sent:
        assert json.loads(body) == Webhook(secret).verify(body, headers)
    assert store.told("acme", "job_1") == Told("delivered", 3, 200, None)


@pytest.mark.parametrize(("attempt", "sent"), [(DOWN, 3), (GONE, 1)])
def test_it_is_given_up(
    database: Database, store: WebhookStore, threads: ThreadPoolExecutor, attempt: Attempt, sent: int
) -> None:
    store.rotate("acme")
    ended(database, "job_1")
    sender = Scripted(attempt)
    steps(store, sender, threads, 8)
    assert len(sender.sent) == sent
    assert store.told("acme", "job_1") == Told("failed", sent, attempt.status, attempt.fault)


def test_it_is_given_up_by_age(database: Database, store: WebhookStore, threads: ThreadPoolExecutor) -> None:
    store.rotate("acme")
    ended(database, "job_1", ago_s=25 * 3600)
    sender = Scripted(DOWN)
    steps(store, sender, threads, 3)
    assert len(sender.sent) == 1
    told = store.told("acme", "job_1")
    assert told is not None
    assert told.state == "failed"


def test_without_a_secret_nothing_leaves(database: Database, store: WebhookStore, threads: ThreadPoolExecutor) -> None:
    ended(database, "job_1")
    assert not store.has_secret("acme")
    sender = Scripted(WELL)
    steps(store, sender, threads, 2)
    assert sender.sent == []
    told = store.told("acme", "job_1")
    assert told is not None
    assert (told.state, told.fault) == ("failed", "the tenant has no secret to sign with")


def test_both_secrets_sign_after_a_change(database: Database, store: WebhookStore, threads: ThreadPoolExecutor) -> None:
    old, _ = store.rotate("acme")
    new, until = store.rotate("acme")
    assert until is not None
    assert until - time.time() == pytest.approx(24 * 3600, abs=60)
    ended(database, "job_1")
    sender = Scripted(WELL)
    steps(store, sender, threads, 1)
    ((_, headers, body),) = sender.sent
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE webhook_secrets SET previous_until = 1"))
    ended(database, "job_2")
    steps(store, sender, threads, 1)
    assert len(sender.sent[1][1]["webhook-signature"].split()) == 1


def test_a_sender_that_dies_costs_its_lease_and_no_message(database: Database, store: WebhookStore) -> None:
    store.rotate("acme")
    ended(database, "job_1")
    store.gather()
    (lost,) = store.claim(8, 2, {}, 60)  # and never settles it
    assert store.claim(8, 2, {}, 60) == ()
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE webhook_messages SET lease = 1"))  # a minute later
    (again,) = WebhookStore(database).claim(8, 2, {}, 60)
    assert (again.id, again.attempts) == (lost.id, 2)
    assert not store.settle(lost, "failed", None, "late")
    assert store.settle(again, "delivered", 200, None)
    assert store.told("acme", "job_1") == Told("delivered", 2, 200, None)


def test_a_dead_receiver_of_one_tenant_keeps_nobody_else_waiting(
    database: Database, store: WebhookStore, threads: ThreadPoolExecutor
) -> None:
    for tenant in ("acme", "other"):
        store.rotate(tenant)
    for number in range(60):
        ended(database, f"job_{number:02}", ago_s=100)
    ended(database, "job_other", tenant="other")

    class Slow(Scripted):
        def __init__(self) -> None:
            super().__init__(WELL)
            self.tenants: Counter[str] = Counter()

        async def send(self, url: str, headers: dict[str, str], body: bytes) -> Attempt:
            if "other" not in headers["webhook-id"]:
                await asyncio.sleep(30)
            return await super().send(url, headers, body)

    slow = Slow()
    deliveries = Deliveries(store, slow, QUICK, threads)

    async def run() -> None:
        running = asyncio.create_task(deliveries.run())
        end = time.monotonic() + 10
        while not slow.sent and time.monotonic() < end:
            await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    assert [headers["webhook-id"] for _, headers, _ in slow.sent] == ["msg_job_other"]
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT sum(attempts) FROM webhook_messages")).scalar_one() == 2 + 1


def test_no_more_are_under_way_than_is_allowed(
    database: Database, store: WebhookStore, threads: ThreadPoolExecutor
) -> None:
    for number in range(30):
        store.rotate(f"tenant{number % 10}")
        ended(database, f"job_{number:02}", tenant=f"tenant{number % 10}")
    sender = Scripted(WELL, wait_s=0.01)
    deliveries = Deliveries(store, sender, QUICK, threads)

    async def run() -> None:
        async with asyncio.timeout(20):
            while len(sender.sent) < 30:
                await deliveries.step()
            await deliveries.settled()

    asyncio.run(run())
    assert sender.most == 8
    assert len({headers["webhook-id"] for _, headers, _ in sender.sent}) == len(sender.sent) == 30


def test_what_is_deleted_is_not_told(database: Database, store: WebhookStore, threads: ThreadPoolExecutor) -> None:
    store.rotate("acme")
    ended(database, "job_1")
    assert store.gather() == 1
    assert store.gather() == 0, "it is told of already"
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM jobs"))
    sender = Scripted(WELL)
    steps(store, sender, threads, 2)
    assert sender.sent == []
    assert store.told("acme", "job_1") is None


def test_a_database_that_is_away_is_waited_for(
    database: Database, store: WebhookStore, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.rotate("acme")
    ended(database, "job_1")
    gather, failures = store.gather, [StorageUnavailable("away", 1.0)] * 3

    def sometimes(limit: int = 100) -> int:
        if failures:
            raise failures.pop()
        return gather(limit)

    monkeypatch.setattr(store, "gather", sometimes)
    sender = Scripted(WELL)
    deliveries = Deliveries(store, sender, QUICK, threads)

    async def run() -> None:
        running = asyncio.create_task(deliveries.run())
        async with asyncio.timeout(10):
            while not sender.sent:
                await asyncio.sleep(0.01)
        await deliveries.settled()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(run())
    assert failures == []
    assert store.told("acme", "job_1") == Told("delivered", 1, 200, None)
