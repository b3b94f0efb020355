"""Jobs by both clients, at a real server; the test does the work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shizi import AsyncClient, Client
from shizi.client import ClientOptions
from shizi.client.job_calls import Events
from shizi.client.job_values import Job, JobEvent, WrongValueError, job_of
from shizi.errors import (
    Conflict,
    CorruptDocument,
    EngineUnavailable,
    InvalidRequest,
    NotFound,
    ShiziError,
    Unauthenticated,
)
from shizi.export import from_json
from tests.serving.job_server import JobServer, job_server
from tests.serving.processes import until

QUICK = ClientOptions(attempts=3, longest_pause_s=1.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobServer]:
    with job_server(tmp_path_factory.mktemp("jobs")) as running:
        yield running


@pytest.fixture
def client(server: JobServer) -> Iterator[Client]:
    with Client(server.process.url, server.acme.headers["X-API-Key"], options=QUICK) as client:
        yield client


def test_from_an_order_to_its_results(server: JobServer, client: Client, tmp_path: Path) -> None:
    (tmp_path / '发票 "1".png').write_bytes(b"pages 2")
    (tmp_path / "bad.png").write_bytes(b"bad")
    job = client.submit_job([tmp_path / '发票 "1".png', tmp_path / "bad.png", b"x"], priority=8, languages=["zh", "en"])
    assert (job.state, job.priority, job.document_count, job.documents) == ("queued", 8, 3, ())
    assert job.options == {"languages": ["zh", "en"]}
    assert abs((datetime.now(UTC) - job.created).total_seconds()) < 60
    with pytest.raises(Conflict):
        client.job_result(job.id)
    threading.Timer(0.3, server.work).start()
    done = client.wait_for_job(job.id)
    assert (done.state, done.is_finished, done.pages_done) == ("partial", True, 3)
    assert [document.name for document in done.documents] == ["发票 %221%22.png", "bad.png", "document"]
    assert (done.documents[1].state, done.documents[1].error) == ("failed", "CORRUPT_DOCUMENT")
    assert client.job_result(job.id).text == "read 1.1\fread 1.2"
    assert client.job_export(job.id, 3, "text").decode().strip() == "read 3.1"
    assert from_json(client.job_export(job.id, 3, "json")) == client.job_result(job.id, 3)
    with pytest.raises(CorruptDocument, match="it is broken"):
        client.job_result(job.id, 2)
    pages = client.job_pages(job.id, document=1)
    assert [(each.document, each.page.text) for each in pages.pages] == [(1, "read 1.1"), (1, "read 1.2")]
    assert pages.complete
    assert client.job_pages(job.id, after=pages.next).pages == ()
    client.delete_job(job.id)
    for gone in (client.job, client.delete_job, client.cancel_job, client.job_result, client.wait_for_job):
        with pytest.raises(NotFound):
            gone(job.id)


def test_the_list_goes_on(server: JobServer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.client.job_calls._LISTED", 2)
    made = [client.submit_job([b"x"]).id for _ in range(5)]
    assert [job.id for job in client.jobs()][:5] == made[::-1]
    assert client.cancel_job(made[2]).state == "cancelled"
    assert [job.id for job in client.jobs(state="cancelled")] == [made[2]]
    server.work()
    for job_id in made:
        client.delete_job(job_id)


def test_the_same_key_makes_one_job(client: Client) -> None:
    first = client.submit_job([b"x"], idempotency_key="k")
    assert client.submit_job([b"x"], idempotency_key="k").id == first.id
    with pytest.raises(Conflict):
        client.submit_job([b"y"], idempotency_key="k")
    client.delete_job(first.id)


def test_webhooks(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="secret"):
        client.submit_job([b"x"], webhook_url="https://receiver.example/")
    assert client.webhook_secret().startswith("whsec_")
    job = client.submit_job([b"x"], webhook_url="https://receiver.example/")
    assert job.webhook is not None
    assert job.webhook.state == "waiting"
    client.delete_job(job.id)


@pytest.mark.parametrize("job_id", ["", "../models", "a/b", "a?b", "x" * 81, "识"])
def test_what_is_no_id_leads_nowhere(client: Client, job_id: str) -> None:
    for ask in (client.job, client.delete_job, client.cancel_job, client.job_pages, client.job_result):
        with pytest.raises(InvalidRequest, match="no id"):
            ask(job_id)


def test_an_order_of_nothing_is_refused(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="one document or more"):
        client.submit_job([])


def test_events_go_on_after_the_server_was_away(tmp_path: Path) -> None:
    found: list[JobEvent] = []
    with job_server(tmp_path, {"pre_stop_s": 0.0}) as server:
        port, key = server.process.port, server.acme.headers["X-API-Key"]
        with Client(server.process.url, key) as client:
            job = client.submit_job([b"pages 2"])
            reading = threading.Thread(target=lambda: _follow(port, key, job.id, found))
            reading.start()
            until(lambda: bool(found))
    with job_server(tmp_path, {"port": port}) as server:
        server.work()
        reading.join(60)
    assert not reading.is_alive()
    assert [event.number for event in found] == list(range(1, len(found) + 1))
    assert found[-1].kind == "finished"


def _follow(port: int, key: str, job_id: str, found: list[JobEvent]) -> None:
    options = ClientOptions(attempts=600, longest_pause_s=0.2)
    with Client(f"http://127.0.0.1:{port}", key, options=options) as client:
        found.extend(client.job_events(job_id))


def test_events_that_were_seen_do_not_come_again(server: JobServer, client: Client) -> None:
    job = client.submit_job([b"pages 2"])
    server.work()
    every = list(client.job_events(job.id))
    assert [event.number for event in client.job_events(job.id, after=2)] == [event.number for event in every[2:]]
    assert list(client.job_events(job.id, after=every[-1].number)) == []


def test_nobody_follows_for_ever(server: JobServer) -> None:
    with Client("http://127.0.0.1:9", options=QUICK) as nobody, pytest.raises(EngineUnavailable):
        next(nobody.job_events("job_1"))
    with Client(server.process.url, options=QUICK) as stranger, pytest.raises(Unauthenticated):
        next(stranger.job_events("job_1"))


def test_the_asynchronous_client_does_the_same(server: JobServer) -> None:
    async def run() -> None:
        async with AsyncClient(server.process.url, server.acme.headers["X-API-Key"], options=QUICK) as client:
            job = await client.submit_job([b"pages 2", b"bad"])
            await asyncio.to_thread(server.work)
            kinds = [event.kind async for event in client.job_events(job.id)]
            assert kinds[0] == "queued"
            assert kinds[-1] == "finished"
            assert (await client.wait_for_job(job.id)).state == "partial"
            assert (await client.job_result(job.id)).text == "read 1.1\fread 1.2"
            assert (await client.job_export(job.id, 1, "text")).startswith(b"read 1.1")
            assert len((await client.job_pages(job.id)).pages) == 2
            assert job.id in [each.id async for each in client.jobs()]
            assert (await client.cancel_job(job.id)).state == "partial"
            assert (await client.webhook_secret()).startswith("whsec_")
            await client.delete_job(job.id)
            with pytest.raises(NotFound):
                await client.job(job.id)

    asyncio.run(run())


def fed(*lines: str, after: int = 0) -> list[JobEvent]:
    events = Events(after)
    return [event for line in lines if (event := events.feed(line)) is not None]


def test_streams_are_put_together_by_the_standard() -> None:
    assert fed("retry: 5", "", ": comment", "id: 1", "event: queued", 'data: {"a":1}', "") == [
        JobEvent(1, "queued", {"a": 1})
    ]
    assert fed("id:1", "event:queued", "data:{}", "", "id: 1", "event: queued", "data: {}", "") == [
        JobEvent(1, "queued", {})
    ]
    assert fed("id: 3", "event: page", "data: {}", "", after=3) == []
    with pytest.raises(EngineUnavailable, match="after 3"):
        fed("id: 5", "event: page", "data: {}", "", after=3)


@pytest.mark.parametrize("lines", [("id: x", "data: {}"), ("id: 1", "data: []"), ("id: 1", "data: {"), ("data: {}",)])
def test_streams_of_something_else(lines: tuple[str, ...]) -> None:
    with pytest.raises(ShiziError, match="understood"):
        fed(*lines, "")


def whole() -> dict[str, Any]:
    numbers = dict.fromkeys(("priority", "document_count", "bytes", "pages", "pages_done", "last_event"), 0)
    times = {"created": "2026-01-01T00:00:00Z", "started": None, "finished": None, "expires": None}
    return {"id": "job_1", "state": "queued", "options": {}, "webhook": None, **numbers, **times}


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 5},
        {"state": None},
        {"priority": -1},
        {"pages": 1.5},
        {"bytes": True},
        {"created": "yesterday"},
        {"created": "2026-01-01T00:00:00"},
        {"options": []},
        {"documents": {}},
        {"documents": [{"number": "1"}]},
        {"webhook": {"state": 1}},
    ],
)
def test_answers_that_are_no_jobs(wrong: dict[str, Any]) -> None:
    assert isinstance(job_of(whole()), Job)
    with pytest.raises(WrongValueError):
        job_of(whole() | wrong)
