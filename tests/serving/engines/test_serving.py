"""`shizi serve` with fake engines: in front of several nodes, replaced under load, and with a page that crashes it."""

from __future__ import annotations

import asyncio
import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

from shizi.engine import fake
from tests.serving.engines.nodes import Nodes
from tests.serving.processes import Process, until

pytestmark = pytest.mark.alone


def png(pixels: fake.Pixels) -> dict[str, tuple[str, bytes, str]]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return {"file": ("page.png", buffer.getvalue(), "image/png")}


@contextmanager
def server(module: str, *arguments: str) -> Iterator[tuple[Process, httpx.Client]]:
    with Process(["-m", module, *arguments]) as process:
        url = process.line("http://").split()[2]
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            until(lambda: client.get("/readyz").status_code == 200)
            yield process, client


def text(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["text"]
    return found


class Load:
    """Requests side by side until the end of the context; everything that is not the right answer is kept."""

    def __init__(self, url: httpx.URL, callers: int = 6) -> None:
        self._url = url
        self._stop = threading.Event()
        self.wrong: list[str] = []
        self.right = 0
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(callers)]

    def _ask(self, caller: int) -> None:
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as client:
            number = 0
            while not self._stop.is_set():
                number += 1
                page = fake.page("slow" if caller == 0 else "read", seed=1000 * caller + number)
                answer = client.post("/v1/ocr", files=png(page))
                if answer.status_code == 200 and answer.json()["text"] == fake.text_of(page):
                    self.right += 1
                else:
                    self.wrong.append(answer.text)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def numbers(client: httpx.Client, name: str) -> dict[str, float]:
    """Values of a metric by their labels."""
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"shizi_{name}")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def number(client: httpx.Client, name: str) -> float:
    """Of all labels together."""
    return sum(numbers(client, name).values())


def said(process: Process, words: str) -> int:
    """How often the log says something."""
    return sum(words in line["event"] for line in process.log())


def test_sighup_replaces_the_engine_and_no_request_fails() -> None:
    with server("tests.serving.fake_serve", '{"port": 0, "cache_bytes": 0}') as (process, client):
        with Load(client.base_url) as load:
            for count in (1, 2):
                process.signal(signal.SIGHUP)
                until(lambda count=count: number(client, "engine_replacements_total") == count)  # type: ignore[misc]
                before = load.right
                until(lambda before=before: load.right > before + 20)  # type: ignore[misc]
        assert load.wrong == []
        assert number(client, "engine_restarts_total") == 0
        assert list(numbers(client, "model_info")) == [
            f'shizi_model_info{{name="fake",sha256="{"0" * 64}",task="recognize",version="general"}}'
        ]
        until(lambda: said(process, "the engine was replaced") == 2)


def test_a_document_that_crashes_the_engine_is_answered_422_and_its_neighbours_200() -> None:
    with server("tests.serving.fake_serve", '{"port": 0}') as (_, client):
        with Load(client.base_url, callers=1) as load:  # slow ones: one of them is beside it
            until(lambda: load.right > 0)
            answer = client.post("/v1/ocr", files=png(fake.page("crash")))
            assert (answer.status_code, answer.json()["code"]) == (422, "CORRUPT_DOCUMENT")
            assert "crash 2 times while nothing else was read" in answer.json()["detail"]
        # New requests are told to come again while the engine starts; what was let in is read.
        assert all('"ENGINE_UNAVAILABLE"' in wrong for wrong in load.wrong)
        until(lambda: client.get("/readyz").status_code == 200)
        crashes = number(client, "engine_restarts_total")
        again = client.post("/v1/ocr", files=png(fake.page("crash")))
        assert (again.status_code, again.json()["code"]) == (422, "CORRUPT_DOCUMENT")
        assert number(client, "engine_restarts_total") == crashes
        assert number(client, "engine_convicted_total") == 1
        assert number(client, "engine_refused_total") == 1


def test_a_gateway_goes_on_while_one_engine_is_gone_and_leaves_out_an_odd_one(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    nodes = Nodes(tmp_path)
    try:
        for index, tier in enumerate(("general", "general", "light")):
            loop.run_until_complete(nodes.start(index, tier))
        named = [part for index in range(3) for part in ("--engine", nodes.address(index).replace("unix:", "unix://"))]
        with server("shizi", "serve", "--port", "0", "--cache-bytes", "0", *named) as (process, client):
            until(lambda: [fact["state"] for fact in states(client)] == ["ready", "ready", "odd"])
            assert str(tmp_path) not in client.get("/capabilities").text
            until(lambda: said(process, "is not used: its models") == 1)
            with Load(client.base_url) as load:
                until(lambda: load.right > 20)
                loop.run_until_complete(nodes.kill(0))
                until(lambda: states(client)[0]["state"] == "unavailable")
                before = load.right
                until(lambda: load.right > before + 20)
                loop.run_until_complete(nodes.start(0))
                until(lambda: states(client)[0]["state"] == "ready")
                read = f'engine_pages_total{{engine="{nodes.address(0)}",outcome="read"}}'
                then = number(client, read)
                until(lambda: number(client, read) > then)
            assert load.wrong == []
            # Nothing is replaced, for nothing is run here; the server goes on.
            process.signal(signal.SIGHUP)
            process.line("nothing to replace")
            assert text(client.post("/v1/ocr", files=png(fake.page()))) == fake.text_of(fake.page())
    finally:
        loop.run_until_complete(nodes.stop())
        loop.close()


def states(client: httpx.Client) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get("/capabilities").json()["engines"]
    return found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "tcp://x"], "is none; write unix:/path/of/a/socket or tcp:HOST:PORT"),
        (["--engine", "unix:///a", "--engine", "unix:/a"], "named twice"),
        (["--engine", "unix:///a", "--tier", "light"], "--tier is a matter of the engines"),
        (["--engine", "tcp://127.0.0.1:1", "--engine-key", "k"], "belong together"),
        (["--engine", "tcp://127.0.0.1:1", "--engine-token-file", "/none"], "/none cannot be read"),
        (["--engine-ca", "ca.pem"], "are for --engine"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from shizi.cli.main import run

    assert run(["serve", "--port", "0", *arguments]) == 2
    assert words in capsys.readouterr().err
