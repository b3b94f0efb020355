from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.database.connect import connect
from shizi.jobs.broker import Broker
from shizi.jobs.delivery import InProcess
from shizi.jobs.embedded import EmbeddedWorker
from shizi.jobs.fake import FakeReader, document
from shizi.jobs.job import JobLimits, Order
from shizi.jobs.store import JobStore
from shizi.jobs.worker import WorkerOptions
from tests.servers import RedisServer, free_port


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def waited(seconds: float) -> float:
    return time.monotonic() - seconds


def test_a_message_from_any_thread_wakes_who_waits_and_none_is_missed() -> None:
    async def main() -> None:
        delivery = InProcess()
        begun = time.monotonic()
        threading.Timer(0.1, delivery.send, ("task", 5)).start()
        await delivery.wait(10)
        delivery.send("task", 5)
        await delivery.wait(10)
        assert waited(begun) < 5
        await delivery.wait(0.05)

    asyncio.run(main())


def test_a_message_of_another_process_wakes_a_worker_that_waits(redis_server: RedisServer) -> None:
    async def main() -> None:
        here, elsewhere = Broker(redis_server.url), Broker(redis_server.url)
        async with here:
            begun = time.monotonic()
            waiting = asyncio.create_task(here.wait(10))
            await asyncio.sleep(0.3)
            elsewhere.send("task", 5)
            await waiting
            assert 0.2 < waited(begun) < 3
            await here.wait(0.1)
        async with elsewhere:
            pass

    asyncio.run(main())


def test_a_redis_that_is_not_there_costs_nobody_any_time() -> None:
    async def main() -> None:
        async with Broker(f"redis://127.0.0.1:{free_port()}/0") as broker:
            begun = time.monotonic()
            for _ in range(1000):
                broker.send("task", 5)
            assert waited(begun) < 1
            await broker.wait(0.1)
            assert waited(begun) < 2

    asyncio.run(main())


@pytest.mark.parametrize("harm", ["flush", "kill"])
def test_a_redis_that_is_emptied_or_killed_loses_no_job(own_redis: RedisServer, tmp_path: Path, harm: str) -> None:
    database = connect(None, tmp_path)
    limits = JobLimits()
    server, worker = Broker(own_redis.url), Broker(own_redis.url)
    jobs = JobStore(database, limits, server.send)

    def order(count: int) -> list[str]:
        return [
            jobs.create(Order(tenant="bank"), [(None, io.BytesIO(document(f"{number}", slow_ms=10)))]).id
            for number in range(count)
        ]

    async def main() -> None:
        options = WorkerOptions(poll_s=0.5)
        async with EmbeddedWorker(database, limits, worker, FakeReader(), options):
            ids = await asyncio.to_thread(order, 10)
            await asyncio.to_thread(own_redis.flush if harm == "flush" else own_redis.kill)
            ids += await asyncio.to_thread(order, 10)
            end = time.monotonic() + 30
            while not all(jobs.get("bank", job).state == "succeeded" for job in ids):
                assert time.monotonic() < end
                await asyncio.sleep(0.1)
            if harm == "kill":
                await asyncio.to_thread(own_redis.start)
            begun = time.monotonic()
            (last,) = await asyncio.to_thread(order, 1)
            while jobs.get("bank", last).state != "succeeded":
                assert waited(begun) < 10
                await asyncio.sleep(0.05)
        async with server:
            pass

    asyncio.run(main())
    database.close()
