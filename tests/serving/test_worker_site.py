"""What a worker says of itself."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import cast

import httpx
import pytest

from shizi.database.connect import Database, connect
from shizi.errors import StorageUnavailable
from shizi.serving.engines.pool import Engines
from shizi.serving.lifecycle import Lifecycle
from shizi.serving.logs import make_log
from shizi.serving.metrics import Metrics
from shizi.serving.options import ServerOptions
from shizi.serving.server import answering, bind, place
from shizi.serving.worker_site import DatabaseProbe, WorkerParts, worker_app


class Engine:
    """The one word that is asked of engines."""

    state = "ready"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return connect(None, tmp_path)


def parts_of(database: Database, engine: Engine) -> WorkerParts:
    engines = cast(Engines, engine)
    return WorkerParts(engines, DatabaseProbe(database, 0.2), Lifecycle(), Metrics("1"), make_log())


def asked(parts: WorkerParts, *paths: str) -> list[httpx.Response]:
    async def main() -> list[httpx.Response]:
        transport = httpx.ASGITransport(worker_app(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(main())


def test_a_worker_is_ready_with_its_engine_until_it_is_told_to_end(database: Database) -> None:
    engine = Engine()
    parts = parts_of(database, engine)
    assert asked(parts, "/readyz")[0].json() == {"status": "ready"}
    engine.state = "starting"
    alive, ready = asked(parts, "/healthz", "/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert (ready.json()["code"], ready.headers["retry-after"]) == ("ENGINE_UNAVAILABLE", "1")
    assert "starting" in ready.json()["detail"]
    engine.state = "ready"
    parts.lifecycle.drain()
    alive, ready = asked(parts, "/healthz", "/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "draining" in ready.json()["detail"]


class Away(Database):
    """A database that refuses, or says nothing."""

    silence = threading.Event()
    refuses = True
    asked = 0

    def read(self) -> object:  # type: ignore[override]
        """Does not succeed."""
        self.asked += 1
        if not self.refuses:
            self.silence.wait(10)
        raise StorageUnavailable("away on purpose", 1.0)


def test_a_worker_whose_database_is_away_or_silent_is_not_ready_and_says_so_soon(database: Database) -> None:
    away = Away(database.engine)
    parts = parts_of(away, Engine())
    refused = asked(parts, "/readyz")[0]
    assert (refused.status_code, refused.json()["code"]) == (503, "STORAGE_UNAVAILABLE")

    async def silent() -> None:
        probe = DatabaseProbe(away, 0.05)
        begun, before = time.monotonic(), away.asked
        assert [await probe.answers() for _ in range(5)] == [False] * 5
        assert time.monotonic() - begun < 5, "nobody waits for the database"
        assert away.asked == before + 1, "one question waits, however many ask"
        away.silence.set()

    away.refuses = False
    asyncio.run(silent())


def test_other_addresses_and_methods_are_problems(database: Database) -> None:
    parts = parts_of(database, Engine())
    nothing, metrics = asked(parts, "/v1/ocr", "/metrics")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "NOT_FOUND")
    assert "shizi_build_info" in metrics.text


def test_the_site_is_there_inside_of_its_context_alone(database: Database) -> None:
    parts = parts_of(database, Engine())
    options = ServerOptions(drain_s=1.0)

    async def main() -> None:
        sock = bind("127.0.0.1", 0, 8)
        url = f"http://{place(sock)}"
        async with httpx.AsyncClient(trust_env=False) as client:
            async with answering(worker_app(parts), sock, options):
                assert (await client.get(f"{url}/healthz")).status_code == 200
            with pytest.raises(httpx.TransportError):
                await client.get(f"{url}/healthz")

    asyncio.run(main())
