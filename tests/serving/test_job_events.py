"""Events of jobs, as they happen, broken off and resumed."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from shizi.jobs.job import Event, JobLimits
from shizi.jobs.store import JobStore
from shizi.jobs.webhook_store import WebhookStore
from shizi.serving.job_events import beginning
from shizi.serving.jobs import Jobs, JobsOptions
from tests.jobs.stores import IMAGE, TENANT, Stores
from tests.serving.job_server import JobServer, files, job_server
from tests.serving.processes import until


@dataclass(frozen=True)
class Told:
    number: int
    kind: str
    data: dict[str, Any]


def told(answer: httpx.Response) -> Iterator[Told | str]:
    """Events of a stream, and its comments as text (the HTML standard, section 9.2.6)."""
    assert answer.status_code == 200, answer.read()
    assert answer.headers["content-type"].startswith("text/event-stream")
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line.startswith(":"):
            yield line
        elif line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Told(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


def next_event(coming: Iterator[Told | str]) -> Told:
    return next(each for each in coming if isinstance(each, Told))


def events(client: httpx.Client, job_id: str, last: int | None = None, most: int = 1000) -> list[Told]:
    """Up to so many events, then the connection is broken off."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    found: list[Told] = []
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        for each in told(answer):
            if isinstance(each, Told):
                found.append(each)
            if len(found) == most:
                break
    return found


def ordered(client: httpx.Client, *documents: bytes) -> str:
    job_id: str = client.post("/v1/jobs", files=files(*documents)).json()["id"]
    return job_id


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobServer]:
    with job_server(tmp_path_factory.mktemp("jobs"), tenant_listeners=3, listeners=5) as running:
        yield running


def test_a_job_from_its_first_event_to_its_last(server: JobServer) -> None:
    job_id = ordered(server.acme, b"pages 7", b"bad")
    worker = threading.Timer(0.3, server.work)
    worker.start()
    found = events(server.acme, job_id)  # ends by itself
    worker.join()
    assert [event.number for event in found] == list(range(1, len(found) + 1))
    kinds = [event.kind for event in found]
    assert kinds[:2] == ["queued", "running"]
    assert kinds[-1] == "finished"
    assert found[-1].data["state"] == "partial"
    pages = {(event.data["document"], event.data["page"]) for event in found if event.kind == "page"}
    assert pages == {(1, number) for number in range(1, 8)}
    ended = {event.data["document"]: event.data for event in found if event.kind == "document"}
    assert ended[2]["error"] == "CORRUPT_DOCUMENT"
    assert ended[1]["state"] == "succeeded"
    assert all(event.data["at"].endswith("Z") for event in found)


@pytest.mark.parametrize("step", [1, 2, 5])
def test_a_stream_that_breaks_off_again_and_again_has_no_gaps_and_no_doubles(server: JobServer, step: int) -> None:
    job_id = ordered(server.acme, b"pages 8", b"one")
    worker = threading.Timer(0.1, server.work)
    worker.start()
    found: list[Told] = []
    while not found or found[-1].kind != "finished":
        found += events(server.acme, job_id, found[-1].number if found else None, step)
    worker.join()
    assert [event.number for event in found] == list(range(1, len(found) + 1))
    assert found == events(server.acme, job_id)


def test_there_is_nothing_after_the_last_event(server: JobServer) -> None:
    job_id = ordered(server.acme, b"one")
    server.work()
    last = events(server.acme, job_id)[-1].number
    after = server.acme.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": str(last)})
    assert (after.status_code, after.content) == (204, b"")  # which tells browsers not to come again
    assert events(server.acme, job_id, last - 1)[0].kind == "finished"


class EndsMeanwhile(JobStore):
    """Its jobs are ended just after somebody looked at their events."""

    def events(self, tenant: str, job_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        found = super().events(tenant, job_id, after=after, limit=limit)
        self.cancel(tenant, job_id)
        return found


def test_a_job_that_ends_while_somebody_comes_again_still_tells_its_last_event(tmp_path: Path) -> None:
    stores = Stores(None, tmp_path, JobLimits())
    jobs = Jobs(EndsMeanwhile(stores.database, stores.limits), WebhookStore(stores.database), JobsOptions())
    job = stores.order(IMAGE)

    async def beginnings() -> list[list[str] | None]:
        found = []
        for after in (job.last_event, job.last_event, job.last_event + 2):
            events = await beginning(jobs, TENANT, job.id, after)
            found.append(None if events is None else [event.kind for event in events])
        return found

    try:
        assert asyncio.run(beginnings()) == [[], ["document", "finished"], None]
    finally:
        jobs.close()
        stores.database.close()


def test_silence_is_broken_by_comments(server: JobServer) -> None:
    job_id = ordered(server.acme, b"one")
    start = time.monotonic()
    with server.acme.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        comments = 0
        for each in told(answer):
            comments += isinstance(each, str)
            if comments == 3:
                break
    assert 0.3 < time.monotonic() - start < 10
    server.work()


def test_a_job_that_is_deleted_ends_its_streams(server: JobServer) -> None:
    job_id = ordered(server.acme, b"one")
    with server.acme.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        coming = told(answer)
        assert next_event(coming).kind == "queued"
        assert server.acme.delete(f"/v1/jobs/{job_id}").is_success
        assert not [each for each in coming if isinstance(each, Told)]
    assert server.acme.get(f"/v1/jobs/{job_id}/events").status_code == 404


def test_a_cancelled_job_says_so_and_ends(server: JobServer) -> None:
    job_id = ordered(server.acme, b"one", b"two")
    with server.acme.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        coming = told(answer)
        assert next_event(coming).kind == "queued"
        assert server.acme.post(f"/v1/jobs/{job_id}/cancel").is_success
        *_, last = (each for each in coming if isinstance(each, Told))
    assert (last.kind, last.data["state"]) == ("finished", "cancelled")


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "１"])
def test_a_wrong_place_is_refused(server: JobServer, last: str) -> None:
    job_id = ordered(server.acme, b"one")
    headers = {b"Last-Event-ID": last.encode()}
    answer = server.acme.get(f"/v1/jobs/{job_id}/events", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    server.work()


def test_listeners_are_bounded_and_their_places_are_given_back(server: JobServer) -> None:
    mine, theirs = ordered(server.acme, b"one"), ordered(server.other, b"one")
    streams: list[Iterator[bytes]] = []
    with ExitStack() as open_:
        for client, job_id, count in ((server.acme, mine, 3), (server.other, theirs, 2)):
            for _ in range(count):
                answer = open_.enter_context(client.stream("GET", f"/v1/jobs/{job_id}/events"))
                streams.append(answer.iter_bytes())  # one that nobody refers to is closed
                next(streams[-1])
        for client, job_id in ((server.acme, mine), (server.other, theirs)):
            refused = client.get(f"/v1/jobs/{job_id}/events")
            assert (refused.status_code, refused.json()["code"]) == (429, "OVERLOADED")
            assert "job_listeners" in refused.json()["detail"]
            assert int(refused.headers["retry-after"]) > 0
    server.work()
    until(lambda: server.acme.get(f"/v1/jobs/{mine}/events").status_code == 200)


def test_streams_end_when_the_server_is_about_to_and_go_on_at_another(tmp_path: Path) -> None:
    with job_server(tmp_path, {"pre_stop_s": 1.0}) as server:
        job_id = ordered(server.acme, b"one", b"two")
        found: list[Told] = []
        reading = threading.Thread(target=lambda: found.extend(events(server.acme, job_id)))
        reading.start()
        time.sleep(0.3)
        start = time.monotonic()
        server.process.signal(signal.SIGTERM)
        reading.join(10)
        assert not reading.is_alive()
        assert time.monotonic() - start < 5
        assert [event.kind for event in found] == ["queued"]
        assert server.process.wait() == 0
    with job_server(tmp_path) as server:
        assert server.acme.post(f"/v1/jobs/{job_id}/cancel").status_code == 200
        rest = events(server.acme, job_id, found[-1].number)
    assert [event.number for event in rest] == list(range(2, len(rest) + 2))
    assert rest[-1].kind == "finished"
