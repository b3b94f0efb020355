"""Jobs at `shizi serve` as it is started, with its models, its sandbox and its own worker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from shizi import OCR, Client
from shizi.client.job_values import JobEvent
from shizi.errors import Conflict, NotFound, ShiziError, UnsupportedFormat
from tests.e2e.test_serve import SAMPLES, Serve
from tests.processes import children
from tests.serving.processes import WAIT_S, until

Got = list[tuple[dict[str, str], bytes]]


class Receiver:
    """Takes webhooks; refuses the first one, to be asked again."""

    def __init__(self) -> None:
        self.got: Got = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(503 if len(got) == 1 else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(10)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHIZI_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def damaged(folder: Path) -> Path:
    path = folder / "damaged.png"
    path.write_bytes((SAMPLES / "invoice.png").read_bytes()[:3000])
    return path


def numbers(events: list[JobEvent]) -> list[int]:
    return [event.number for event in events]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


def test_a_job_from_order_to_webhook(folder: Path, receiver: Receiver) -> None:
    inside = ("--webhooks", "http", "--webhook-networks", "127.0.0.0/8", "--webhook-ports", str(receiver.port))
    with Serve(*inside) as serve, Client(serve.url) as client:
        secret = client.webhook_secret()
        job = client.submit_job(  # before the models are there
            [SAMPLES / "report.pdf", SAMPLES / "invoice.png", damaged(folder)],
            webhook_url=f"http://localhost:{receiver.port}/hook?token=1",
        )
        events: list[JobEvent] = []
        while not events or events[-1].kind != "finished":  # a new connection for every other event
            for event in client.job_events(job.id, after=events[-1].number if events else 0):
                events.append(event)
                if len(events) % 2 == 0:
                    break
        assert numbers(events) == list(range(1, len(events) + 1))
        pages = {(event.data["document"], event.data["page"]) for event in events if event.kind == "page"}
        assert pages == {(1, 1), (1, 2), (2, 1)}
        done = client.job(job.id)
        assert (done.state, done.pages_done) == ("partial", 3)
        assert [document.state for document in done.documents] == ["succeeded", "succeeded", "failed"]
        assert done.documents[2].error == "CORRUPT_DOCUMENT"
        with OCR(threads=2) as ocr:
            for number, name in ((1, "report.pdf"), (2, "invoice.png")):
                assert client.job_result(job.id, number).text == ocr.read(SAMPLES / name).text
        until(lambda: len(receiver.got) >= 2, WAIT_S)
        (first, body), (second, again) = receiver.got[:2]
        assert first["webhook-id"] == second["webhook-id"]
        assert body == again
        told: dict[str, Any] = Webhook(secret).verify(again, second)
        assert told["data"] == {
            "id": job.id,
            "state": "partial",
            "documents": {"failed": 1, "succeeded": 2},
            "pages": 3,
        }
        assert "Qingshan" not in json.dumps(told)
        until(lambda: (said := client.job(job.id).webhook) is not None and said.state == "delivered", WAIT_S)
        client.delete_job(job.id)
        with pytest.raises(NotFound):
            client.job(job.id)
        serve.signal(signal.SIGTERM)
        assert serve.wait() == 0
        assert "token=1" not in "".join(serve.err)


def test_a_webhook_to_this_machine_is_not_sent_unless_the_operator_says_so(folder: Path, receiver: Receiver) -> None:
    options = ("--webhooks", "http", "--webhook-ports", str(receiver.port))
    with Serve(*options) as serve, Client(serve.url) as client:
        client.webhook_secret()
        url = f"http://localhost:{receiver.port}/hook"  # a name: what it leads to is known when it is looked up
        job = client.submit_job([damaged(folder)], webhook_url=url)
        client.wait_for_job(job.id)
        until(lambda: (said := client.job(job.id).webhook) is not None and said.attempts > 0, WAIT_S)
        until(lambda: (said := client.job(job.id).webhook) is not None and said.fault is not None, WAIT_S)
        said = client.job(job.id).webhook
        assert said is not None
        assert "not public" in str(said.fault)
        assert receiver.got == []


@pytest.mark.usefixtures("folder")
def test_cancelled_deleted_and_refused() -> None:
    with Serve() as serve, Client(serve.url) as client:
        serve.until_ready()
        job = client.submit_job([SAMPLES / "report.pdf"] * 20)
        until(lambda: client.job(job.id).pages_done > 0, WAIT_S)
        assert client.cancel_job(job.id).state == "cancelled"
        done = client.job(job.id)
        assert 0 < done.pages_done < 40
        with pytest.raises(Conflict):
            client.job_result(job.id, 20)
        running = client.submit_job([SAMPLES / "report.pdf"] * 20)
        until(lambda: client.job(running.id).pages_done > 0, WAIT_S)
        client.delete_job(running.id)
        refused = client.submit_job([b"GIF89a" + bytes(50)])
        assert client.wait_for_job(refused.id).state == "failed"
        with pytest.raises(UnsupportedFormat):
            client.job_result(refused.id)
        assert [job.id for job in client.jobs()] == [refused.id, job.id]


def _kill_all(serve: Serve) -> None:
    """The server and every process it has started, at once."""
    for pid in (serve.pid, *children(serve.pid)):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.usefixtures("folder")
def test_a_server_that_is_killed_goes_on_where_it_was() -> None:
    port = free_port()
    events: list[JobEvent] = []
    with Serve("--port", str(port)) as serve, Client(serve.url) as client:
        serve.until_ready()
        job = client.submit_job([SAMPLES / "report.pdf"] * 5)
        for event in client.job_events(job.id):
            events.append(event)
            if event.kind == "page":
                break
        _kill_all(serve)
    with Serve("--port", str(port)) as serve, Client(serve.url) as client:
        try:
            events += client.job_events(job.id, after=events[-1].number)
        except ShiziError as error:
            raise AssertionError("".join(serve.err[-20:])) from error
        done = client.job(job.id)
        assert (done.state, done.pages_done, done.pages) == ("succeeded", 10, 10)
        assert numbers(events) == list(range(1, len(events) + 1))
        seen = [(event.data["document"], event.data["page"]) for event in events if event.kind == "page"]
        assert len(seen) == len(set(seen)) == 10
        assert len({client.job_result(job.id, number).text for number in range(1, 6)}) == 1


def test_leases_are_given_back_when_the_server_is_told_to_end(folder: Path) -> None:
    with Serve() as serve, Client(serve.url) as client:
        serve.until_ready()
        job = client.submit_job([SAMPLES / "report.pdf"] * 10)
        until(lambda: client.job(job.id).pages_done > 0, WAIT_S)
        serve.signal(signal.SIGTERM)
        assert serve.wait() == 0
    with contextlib.closing(sqlite3.connect(folder / "data" / "shizi.sqlite3")) as database:
        states = {state for (state,) in database.execute("SELECT state FROM job_tasks WHERE lease IS NULL")}
        assert "queued" in states, "all was read before the server was told to end"
        assert database.execute("SELECT count(*) FROM job_tasks WHERE state = 'running'").fetchone() == (0,)
    with Serve() as serve, Client(serve.url) as client:
        assert client.wait_for_job(job.id).state == "succeeded"
