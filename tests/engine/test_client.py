"""The client against an engine in another process, which reads no letter and fails on purpose."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest

from shizi.batching.claim import Claim
from shizi.engine import fake, protocol
from shizi.engine.client import EngineClient
from shizi.engine.failures import EngineDied
from shizi.engine.launch import launch
from shizi.engine.link import ClientOptions
from shizi.engine.options import EngineProcess, HostOptions
from shizi.errors import (
    CorruptDocument,
    DeadlineExceeded,
    EngineUnavailable,
    ImageTooLarge,
    InvalidRequest,
    OutOfMemory,
    Overloaded,
    ShiziError,
)
from shizi.imaging.pages import LayerLine, TextLayer
from shizi.imaging.sandbox import SharedPage
from shizi.pipeline.options import ReadOptions
from tests.engine.pages import FAKE, read, shared

BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
LAYER = TextLayer((LayerLine("合同", BOX, (), 0.0, False),), True, "", True, ())


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


@asynccontextmanager
async def engine(listen: str, options: ClientOptions | None = None, **bounds: int) -> AsyncIterator[EngineClient]:
    host = HostOptions(warmup_batches=0, **bounds)
    child = await launch(EngineProcess(listen, FAKE, host), 30)
    client = EngineClient(listen, options)
    try:
        yield client
    finally:
        await client.close()
        await child.kill()


@pytest.fixture(params=["unix", "tcp"])
def listen(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> str:
    return f"unix:{tmp_path}/e.sock" if request.param == "unix" else f"tcp:127.0.0.1:{free_port}"


@pytest.fixture
def unix(tmp_path: Path) -> str:
    return f"unix:{tmp_path}/e.sock"


def test_a_page_is_read_and_keeps_its_number_and_warnings(listen: str) -> None:
    async def work() -> None:
        async with engine(listen) as client:
            assert await client.ready()
            assert [model.name for model in await client.models()] == ["fake"]
            pixels = fake.page(seed=3, height=70, width=50)
            with shared(pixels, 12, LAYER) as page:
                result, times = await client.read_page(
                    page, ReadOptions(min_score=0.25), Claim(deadline=time.monotonic() + 9)
                )
            assert result.text == f"合同\n{fake.text_of(pixels)}"
            assert (result.number, result.width, result.height) == (12, 50, 70)
            assert result.warnings == ("a warning of the decoder",)
            assert result.lines[0].score == 0.25
            assert times["recognize"] == 1.0
            assert times["queue"] >= 0

    run(work())


def test_a_page_of_text_alone_needs_no_pixels(listen: str) -> None:
    async def work() -> None:
        async with engine(listen) as client:
            page = SharedPage(4, None, 600, 800, LAYER, ())
            result, _ = await client.read_page(page, ReadOptions(text_layer="only"), Claim())
            assert (result.number, result.width, result.height, result.text) == (4, 600, 800, "合同")

    run(work())


def test_many_at_a_time_get_each_its_own(listen: str) -> None:
    async def work() -> None:
        async with engine(listen) as client:
            pages = [fake.page(seed=seed, height=20 + seed % 5, width=30) for seed in range(60)]
            results = await asyncio.gather(*(read(client, page) for page in pages))
            assert [result.text for result in results] == [fake.text_of(page) for page in pages]

    run(work())


@pytest.mark.parametrize(
    ("failure", "kind"), [("corrupt", CorruptDocument), ("eat memory", OutOfMemory), ("bug", ShiziError)]
)
def test_an_error_of_the_reader_arrives_and_the_next_page_is_read(
    unix: str, failure: str, kind: type[ShiziError], capfd: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with engine(unix) as client:
            with pytest.raises(kind) as failed:
                await read(client, fake.page(failure))
            assert type(failed.value) is kind
            assert "no log may show" not in str(failed.value)
            assert (await read(client, fake.page())).text == fake.text_of(fake.page())

    run(work())
    said = capfd.readouterr().err
    assert "no log may show" not in said
    assert ("RuntimeError at shizi.engine.fake" in said) == (failure == "bug")


def test_nobody_listens(listen: str) -> None:
    async def work() -> None:
        client = EngineClient(listen)
        assert not await client.ready()
        with pytest.raises(EngineUnavailable) as failed:
            await read(client, fake.page())
        assert failed.value.retry_after is not None
        with pytest.raises(EngineUnavailable):
            await client.models()
        async with engine(listen):
            for _ in range(100):  # it connects again by itself
                if await client.ready():
                    break
                await asyncio.sleep(0.05)
            assert (await read(client, fake.page())).text == fake.text_of(fake.page())
        await client.close()
        with pytest.raises(EngineUnavailable):
            await read(client, fake.page())

    run(work())


def test_an_engine_is_not_called_through_a_proxy(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grpc_proxy", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_grpc_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def work() -> None:
        async with engine(f"tcp:127.0.0.1:{free_port}") as client:
            assert (await read(client, fake.page())).text == fake.text_of(fake.page())

    run(work())


def test_the_deadline_is_kept(unix: str) -> None:
    async def work() -> None:
        async with engine(unix, pages_at_a_time=1) as client:
            await read(client, fake.page())  # so that no deadline passes while the two are connected
            with pytest.raises(DeadlineExceeded):
                await read(client, fake.page(), -1)
            with pytest.raises(DeadlineExceeded):
                await read(client, fake.page("slow", slow_s=6), 2)
            # Behind the slow page, which is still read, another one is dropped before its turn.
            with pytest.raises(DeadlineExceeded):
                await read(client, fake.page("crash"), 1)
            assert (await read(client, fake.page())).text == fake.text_of(fake.page())

    run(work())


def test_the_deadline_is_kept_while_a_page_is_read_that_never_ends(unix: str) -> None:
    async def work() -> None:
        async with engine(unix, pages_at_a_time=1) as client:
            with pytest.raises(DeadlineExceeded):
                await read(client, fake.page("hang"), 0.2)

    run(work())


def test_a_page_that_nobody_waits_for_is_not_read(unix: str) -> None:
    async def work() -> None:
        async with engine(unix, pages_at_a_time=1) as client:
            await read(client, fake.page())
            slow = asyncio.create_task(read(client, fake.page("slow", slow_s=4)))
            await asyncio.sleep(0.5)
            dropped = [asyncio.create_task(read(client, fake.page("crash"))) for _ in range(5)]
            await asyncio.sleep(0.5)
            for task in dropped:
                task.cancel()
            await asyncio.wait(dropped)
            assert all(task.cancelled() for task in dropped)
            await slow
            assert (await read(client, fake.page())).text == fake.text_of(fake.page())

    run(work())


def test_a_client_that_is_closed_cancels_no_caller(unix: str) -> None:
    async def work() -> None:
        async with engine(unix) as client:
            running = asyncio.create_task(read(client, fake.page("slow")))
            await asyncio.sleep(0.2)
            await client.close()
            with pytest.raises(EngineUnavailable):
                await running

    run(work())


def test_who_was_read_when_the_engine_died_is_told_so_and_who_waited_too(unix: str) -> None:
    async def work() -> None:
        host = HostOptions(warmup_batches=0, pages_at_a_time=2)
        child = await launch(EngineProcess(unix, FAKE, host), 30)
        client = EngineClient(unix)
        await read(client, fake.page())
        tasks = [asyncio.create_task(read(client, fake.page("slow", seed, slow_s=6))) for seed in range(5)]
        await asyncio.sleep(2)  # until two of them are begun
        await child.kill()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, EngineDied) for error in found)
        assert sorted(error.begun for error in found if isinstance(error, EngineDied)) == [False] * 3 + [True] * 2
        with pytest.raises(EngineUnavailable) as failed:
            await read(client, fake.page())
        assert not isinstance(failed.value, EngineDied)  # it never had that one
        await client.close()

    run(work())


def test_a_page_may_be_read_alone(listen: str) -> None:
    async def work() -> None:
        async with engine(listen, pages_at_a_time=3) as client:
            await read(client, fake.page())
            side_by_side = [asyncio.create_task(read(client, fake.page("slow", seed, slow_s=3))) for seed in range(2)]
            await asyncio.sleep(1)  # until both are begun
            await read(client, fake.page("slow", slow_s=0.5), alone=True)
            # It waited for them: beside them it would have ended first.
            assert all(task.done() for task in side_by_side)
            await asyncio.gather(*side_by_side)

    run(work())


def test_a_full_queue_says_so_at_once(listen: str) -> None:
    async def work() -> None:
        async with engine(listen, pages_at_a_time=1, max_waiting=2) as client:
            tasks = [asyncio.create_task(read(client, fake.page("slow", slow_s=2))) for _ in range(8)]
            first, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            assert all(isinstance(task.exception(), Overloaded) for task in first), "before any page was read"
            results = await asyncio.gather(*tasks, return_exceptions=True)
            refused = [result for result in results if isinstance(result, Overloaded)]
            assert len(refused) == 5
            assert len(results) - len(refused) == sum(not isinstance(result, BaseException) for result in results) == 3
            assert all(error.retry_after is not None and error.retry_after > 0 for error in refused)

    run(work())


def test_pages_over_the_limits_are_refused(listen: str, free_port: int) -> None:
    async def work() -> None:
        async with engine(listen, max_side=100) as client:
            with pytest.raises(ImageTooLarge, match="max_side"):
                await read(client, np.zeros((101, 10, 3), dtype=np.uint8))
        async with engine(f"tcp:127.0.0.1:{free_port}", max_message_bytes=10_000) as client:
            with pytest.raises(ImageTooLarge, match="max_message_bytes"):
                await read(client, np.zeros((100, 100, 3), dtype=np.uint8))
        async with engine(f"tcp:127.0.0.1:{free_port}", ClientOptions(max_message_bytes=10_000)) as client:
            with pytest.raises(ImageTooLarge, match="10000"):
                await read(client, np.zeros((100, 100, 3), dtype=np.uint8))

    run(work())


async def status(channel: grpc.aio.Channel, method: str, data: bytes) -> grpc.StatusCode:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(protocol.method_path(method))
    return await call(data).code()


def test_hostile_messages_cost_nobody_else_anything(listen: str) -> None:
    async def work() -> None:
        async with engine(listen) as client:
            target = f"unix:{listen[5:]}" if listen.startswith("unix") else listen.removeprefix("tcp:")
            source = np.random.default_rng(7)
            expected = (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
            async with grpc.aio.insecure_channel(target) as channel:
                for method in protocol.METHODS:
                    for size in (1, 7, 300):
                        assert await status(channel, method, source.bytes(size)) in expected, method
            assert (await read(client, fake.page())).text == fake.text_of(fake.page())

    run(work())


def test_wrong_options_are_the_callers_error(unix: str) -> None:
    async def work() -> None:
        async with engine(unix) as client:
            with shared(fake.page()) as page, pytest.raises(InvalidRequest, match="languages"):
                await client.read_page(page, ReadOptions(languages="zh"), Claim())

    run(work())


def test_descriptors_and_memory_stay_flat(unix: str) -> None:
    def descriptors(process: int) -> int:
        return len(list(Path(f"/proc/{process}/fd").iterdir()))

    def memory(process: int) -> int:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    async def work() -> None:
        child = await launch(EngineProcess(unix, FAKE, HostOptions(warmup_batches=0)), 30)
        client = EngineClient(unix)
        page = fake.page(height=700, width=500)

        async def many(count: int) -> None:
            for _ in range(count // 10):
                await asyncio.gather(*(read(client, page) for _ in range(10)))

        await many(100)
        before = {process: (descriptors(process), memory(process)) for process in (os.getpid(), child.pid)}
        await many(300)
        for process, (files, size) in before.items():
            assert descriptors(process) <= files + 2
            assert memory(process) < size + 20 * 2**20  # 300 pages have 300 MB
        await client.close()
        await child.kill()

    run(work())
