"""Engines that die, are replaced, and end with whom they work for: real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.engine import fake
from shizi.engine.failures import EngineDied
from shizi.engine.options import HostOptions, ReaderOptions
from shizi.engine.supervisor import Supervisor, SupervisorOptions, pause
from shizi.errors import EngineUnavailable, InvalidRequest, ModelLoadFailed
from tests.engine.pages import FAKE, QUICK, read, supervised
from tests.processes import is_alive

WORDS = fake.page(seed=5)
PARENT = f"""
import asyncio, sys
sys.path[:0] = {sys.path!r}
from shizi.engine.supervisor import Supervisor
from tests.engine.pages import QUICK
async def work():
    supervisor = Supervisor(QUICK)
    await supervisor.start()
    print(supervisor.pid, flush=True)
    await asyncio.sleep(3600)
asyncio.run(work())
"""


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


def test_the_pauses_grow_and_are_bounded() -> None:
    options = SupervisorOptions(first_pause_s=0.5, longest_pause_s=30)
    assert [pause(failures, options) for failures in (0, 1, 2, 5, 6, 7, 10**6)] == [0.5, 1, 2, 16, 30, 30, 30]


def test_an_engine_does_not_have_the_passwords_of_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHIZI_DATABASE_URL", "postgresql://shizi:SECRET@db/shizi")
    monkeypatch.setenv("SHIZI_HOME", str(tmp_path))

    async def work() -> None:
        async with supervised(QUICK) as supervisor:
            environment = Path(f"/proc/{supervisor.pid}/environ").read_bytes()
            assert b"SECRET" not in environment
            assert f"SHIZI_HOME={tmp_path}".encode() in environment.split(b"\0")

    run(work())


def test_it_starts_in_a_private_folder_and_leaves_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        supervisor = Supervisor(replace(QUICK, folder=tmp_path))
        states = [supervisor.state]
        with pytest.raises(EngineUnavailable):
            _ = supervisor.client
        await supervisor.start()
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [stat.S_IMODE(socket.stat().st_mode) for socket in folder.iterdir()] == [0o600]
        states.append(supervisor.state)
        assert await supervisor.client.ready()
        pid = supervisor.pid
        assert pid is not None
        await supervisor.stop()
        await supervisor.stop()
        states.append(supervisor.state)
        assert states == ["starting", "ready", "stopped"]
        assert not is_alive(pid)
        assert not list(tmp_path.iterdir())

    run(work())


@pytest.mark.parametrize(
    ("opener", "kind", "said"),
    [
        (fake.BROKEN_OPENER, ModelLoadFailed, "broken on purpose"),
        (fake.CRASHING_OPENER, EngineUnavailable, "ended with signal 9 while it started"),
        ("shizi.engine.fake:nothing", InvalidRequest, "names no function"),
    ],
)
def test_an_engine_that_cannot_start_says_why(opener: str, kind: type[Exception], said: str, tmp_path: Path) -> None:
    async def work() -> None:
        supervisor = Supervisor(replace(QUICK, reader=ReaderOptions(opener=opener), folder=tmp_path))
        with pytest.raises(kind, match=said):
            await supervisor.start()
        assert supervisor.state == "stopped"
        assert not list(tmp_path.iterdir())

    run(work())


def test_an_engine_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    async def work() -> None:
        supervisor = Supervisor(replace(QUICK, start_timeout_s=0.05, folder=tmp_path))
        with pytest.raises(EngineUnavailable, match=r"not ready within 0.05 s, the limit \(start_timeout_s\)"):
            await supervisor.start()

    run(work())


def test_a_killed_engine_costs_the_pages_in_it_and_comes_back() -> None:
    async def work() -> None:
        async with supervised(replace(QUICK, first_pause_s=0.2)) as supervisor:
            client, first = supervisor.client, supervisor.pid
            running = [asyncio.create_task(read(client, fake.page("slow", seed))) for seed in range(4)]
            await asyncio.sleep(0.2)
            assert first is not None
            os.kill(first, signal.SIGKILL)
            for result in await asyncio.gather(*running, return_exceptions=True):
                assert isinstance(result, EngineUnavailable)
                assert result.retry_after is not None
            await until(lambda: supervisor.state == "restarting")
            with pytest.raises(EngineUnavailable) as refused:
                await read(client, WORDS)
            assert refused.value.retry_after is not None
            assert not await client.ready()
            await until(lambda: supervisor.state == "ready")
            assert (await read(client, WORDS)).text == fake.text_of(WORDS)
            assert supervisor.restarts == 1
            assert supervisor.pid != first

    run(work())


def test_a_page_that_is_alone_when_its_engine_dies_is_known_to_have_been_begun() -> None:
    async def work() -> None:
        async with supervised(replace(QUICK, first_pause_s=0.05, steady_s=0)) as supervisor:
            for count in range(1, 7):
                with pytest.raises(EngineDied) as died:
                    await read(supervisor.client, fake.page("crash"), alone=True)
                assert died.value.begun
                await until(lambda count=count: supervisor.restarts == count)  # type: ignore[misc]
                await until(lambda: supervisor.state == "ready")

    run(work())


def test_a_page_that_crashes_every_engine_leaves_one_that_works(tmp_path: Path) -> None:
    async def work() -> None:
        async with supervised(replace(QUICK, folder=tmp_path)) as supervisor:
            for count in range(1, 4):
                with pytest.raises(EngineUnavailable):
                    await read(supervisor.client, fake.page("crash"))
                await until(lambda count=count: supervisor.restarts == count)  # type: ignore[misc]
                await until(lambda: supervisor.state == "ready")
            assert (await read(supervisor.client, WORDS)).text == fake.text_of(WORDS)
            assert len(list(tmp_path.glob("*/*.sock"))) == 1  # the others went with their engines

    run(work())


def test_a_page_that_hangs_ends_its_engine() -> None:
    async def work() -> None:
        host = HostOptions(warmup_batches=0, stall_s=3)
        async with supervised(replace(QUICK, host=host)) as supervisor:
            with pytest.raises(EngineUnavailable):
                await read(supervisor.client, fake.page("hang"))
            await until(lambda: supervisor.restarts == 1 and supervisor.state == "ready")
            assert (await read(supervisor.client, WORDS)).text == fake.text_of(WORDS)

    run(work())


def test_it_is_replaced_under_load_without_a_failed_page() -> None:
    async def work() -> None:
        async with supervised() as supervisor:
            stop = asyncio.Event()
            counts = [0, 0]

            async def caller(number: int) -> None:
                while not stop.is_set():
                    page = fake.page("slow" if number == 0 else "read", seed=counts[0] * 10 + number)
                    assert (await read(supervisor.client, page)).text == fake.text_of(page)
                    counts[number > 0] += 1

            callers = [asyncio.create_task(caller(number)) for number in range(6)]
            pids = [supervisor.pid]
            for _ in range(4):
                await supervisor.reload()
                assert not is_alive(pids[-1] or 0)
                pids.append(supervisor.pid)
            stop.set()
            await asyncio.gather(*callers)
            assert len(set(pids)) == 5
            assert (supervisor.replacements, supervisor.restarts) == (4, 0)
            assert min(counts) >= 2

    run(work())


def test_a_second_one_that_fails_leaves_the_first(tmp_path: Path) -> None:
    async def work() -> None:
        catalog = tmp_path / "opener.py"
        catalog.write_text("from shizi.engine.fake import open_fake as opening\n")
        options = replace(QUICK, reader=ReaderOptions(opener="opener:opening"))
        async with supervised(options) as supervisor:
            first = supervisor.pid
            catalog.write_text("from shizi.engine.fake import open_broken as opening  # for the next one\n")
            with pytest.raises(ModelLoadFailed):
                await supervisor.reload()
            assert supervisor.pid == first
            assert (await read(supervisor.client, WORDS)).text == fake.text_of(WORDS)

    sys.path.append(str(tmp_path))
    try:
        run(work())
    finally:
        sys.path.remove(str(tmp_path))


def test_one_that_dies_while_it_is_replaced_is_replaced_once() -> None:
    async def work() -> None:
        async with supervised() as supervisor:
            first = supervisor.pid
            assert first is not None
            reloading = asyncio.create_task(supervisor.reload())
            await asyncio.sleep(0.05)
            os.kill(first, signal.SIGKILL)
            await reloading
            assert supervisor.state == "ready"
            second = supervisor.pid
            assert (await read(supervisor.client, WORDS)).text == fake.text_of(WORDS)
            await asyncio.sleep(0.3)
            assert (supervisor.pid, supervisor.restarts) == (second, 0)

    run(work())


def test_it_is_not_replaced_while_there_is_none_and_not_after_the_end() -> None:
    async def work() -> None:
        supervisor = Supervisor(replace(QUICK, first_pause_s=30))
        await supervisor.start()
        os.kill(supervisor.pid or 0, signal.SIGKILL)
        await until(lambda: supervisor.state == "restarting")
        with pytest.raises(EngineUnavailable, match="while it is restarting"):
            await supervisor.reload()
        await supervisor.stop()
        with pytest.raises(EngineUnavailable, match="while it is stopped"):
            await supervisor.reload()

    run(work())


def test_one_that_grows_is_replaced() -> None:
    async def work() -> None:
        async with supervised() as supervisor:
            usual = int(Path(f"/proc/{supervisor.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        bound = usual + fake.HOARD
        async with supervised(replace(QUICK, max_rss=bound, look_s=0.05)) as supervisor:
            first = supervisor.pid
            for seed in range(2):
                await read(supervisor.client, fake.page("hoard", seed))
            await until(lambda: supervisor.replacements == 1)
            await until(lambda: supervisor.pid != first)
            assert (await read(supervisor.client, WORDS)).text == fake.text_of(WORDS)
            assert supervisor.restarts == 0

    run(work())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_engine_ends_with_its_parent(number: signal.Signals) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        engine = int(parent.stdout.readline())
        assert is_alive(engine)
        parent.send_signal(number)
    give_up = time.monotonic() + 10
    while is_alive(engine) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not is_alive(engine)


def test_reader_options_reach_the_engine() -> None:
    async def work() -> None:
        async with supervised(replace(QUICK, reader=replace(FAKE, tier="light"))) as supervisor:
            assert [model.version for model in await supervisor.client.models()] == ["light"]

    run(work())
