"""Several engines as one: whose turn it is, who is left out, and what becomes of a page whose engine dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.engine import fake
from shizi.errors import CorruptDocument, DeadlineExceeded, EngineUnavailable
from shizi.serving.engines.start import EnginesOptions, running
from tests.engine.pages import QUICK
from tests.serving.engines.nodes import gateway, read, until

pytestmark = pytest.mark.alone

SLOW = [fake.page("slow", seed) for seed in range(12)]


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 100))


def test_pages_go_to_the_engine_that_has_the_fewest(tmp_path: Path) -> None:
    async def work() -> None:
        async with gateway(tmp_path, ["general"] * 3) as (_, engines):
            found = asyncio.gather(*(read(engines, page) for page in SLOW[:6]))
            await asyncio.sleep(0.3)
            assert [member.pages for member in engines.members] == [2, 2, 2]
            assert await found == [fake.text_of(page) for page in SLOW[:6]]
            assert [member.outcomes["read"] for member in engines.members] == [2, 2, 2]
            assert engines.retries == 0

    run(work())


def test_pages_of_an_engine_that_is_killed_are_read_by_another_and_it_is_used_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with gateway(tmp_path, ["general"] * 2) as (nodes, engines):
            found = asyncio.gather(*(read(engines, page) for page in SLOW[:8]))
            await asyncio.sleep(0.3)
            await nodes.kill(0)
            assert await found == [fake.text_of(page) for page in SLOW[:8]]
            first, second = engines.members
            assert first.outcomes["died"] == 4
            assert second.outcomes["read"] == 8
            await until(lambda: first.source.state == "unavailable")
            assert (engines.state, [fact["state"] for fact in engines.facts()]) == ("ready", ["unavailable", "ready"])
            assert len(engines.blame) == engines.blame.convicted == 0
            await nodes.start(0)
            await until(lambda: first.source.state == "ready")
            await until(lambda: first.breaker.open_to_calls)
            for seed in range(4):
                await read(engines, fake.page(seed=seed))
            assert first.outcomes["read"] >= 1
            assert first.breaker.state == "closed"

    run(work())


def test_where_no_engine_answers_requests_are_told_to_come_again(tmp_path: Path) -> None:
    async def work() -> None:
        remote = (f"unix:{tmp_path}/no.sock", f"unix:{tmp_path}/none.sock")
        async with running(EnginesOptions(remote=remote, look_s=0.05)) as (engines, _):
            await until(lambda: engines.state == "unavailable")
            for asked in (engines.models(), read(engines, SLOW[0])):
                with pytest.raises(EngineUnavailable, match=r"no engine is ready \(unavailable\)") as refused:
                    await asked
                assert refused.value.retry_after is not None

    run(work())


def test_an_engine_with_other_models_is_left_out_until_most_have_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with gateway(tmp_path, ["general", "light", "general"]) as (nodes, engines):
            for seed in range(6):
                await read(engines, fake.page(seed=seed))
            assert [member.outcomes["read"] for member in engines.members] == [3, 0, 3]
            assert [fact["state"] for fact in engines.facts()] == ["ready", "odd", "ready"]
            assert "models" in engines.facts()[1]["about"]
            assert [model.version for model in await engines.models()] == ["general"]
            assert f"{nodes.address(1)} is not used: its models" in caplog.text
            # A second one is replaced: now most have the others, and the last one waits for its own replacement.
            await nodes.kill(2)
            await until(lambda: engines.members[2].source.state == "unavailable")
            await nodes.start(2, "light")
            await until(lambda: [fact["state"] for fact in engines.facts()] == ["odd", "ready", "ready"])
            assert [model.version for model in await engines.models()] == ["light"]

    run(work())


def test_an_engine_that_was_replaced_between_two_looks_gives_no_page_of_other_models(tmp_path: Path) -> None:
    async def work() -> None:
        async with gateway(tmp_path, ["general"]) as (nodes, engines):
            (member,) = engines.members
            before = await engines.models()
            await nodes.kill(0)
            await until(lambda: member.source.state == "unavailable")
            await nodes.start(0, "light")
            await until(lambda: member.source.state == "ready")
            link = member.source.client._link
            assert link is not None
            link.models = before  # as if nobody had looked since
            with pytest.raises(EngineUnavailable, match="replaced by one with other models"):
                await read(engines, fake.page())
            assert [model.version for model in await engines.models()] == ["light"]
            assert await read(engines, fake.page()) == fake.text_of(fake.page())

    run(work())


def test_a_page_that_crashes_engines_is_refused_and_its_neighbours_are_read() -> None:
    async def work() -> None:
        async with running(EnginesOptions(local=QUICK)) as (engines, starting):
            await starting
            poison = fake.page("crash")
            neighbours = [asyncio.create_task(read(engines, page)) for page in SLOW[:2]]
            await asyncio.sleep(0.2)
            with pytest.raises(CorruptDocument, match="crash 2 times while nothing else was read"):
                await read(engines, poison, "poison")
            assert await asyncio.gather(*neighbours) == [fake.text_of(page) for page in SLOW[:2]]
            supervisor = engines.members[0].source.supervisor  # type: ignore[attr-defined]
            await until(lambda: supervisor.restarts >= 3 and engines.state == "ready")
            await until(lambda: engines.members[0].breaker.open_to_calls)
            crashes = supervisor.restarts
            assert crashes <= 5  # more only where one died before it could say that it had begun
            # From now on it costs nothing.
            with pytest.raises(CorruptDocument, match="is refused for another"):
                await read(engines, poison, "poison")
            assert await read(engines, fake.page(seed=4), "poison", tenant="another") == fake.text_of(fake.page(seed=4))
            assert supervisor.restarts == crashes
            assert (engines.blame.convicted, engines.blame.refused, len(engines.blame)) == (1, 1, 1)

    run(work())


def test_many_pages_around_a_poisonous_one_are_all_read_by_several_engines(tmp_path: Path) -> None:
    async def work() -> None:
        async with gateway(tmp_path, ["general"] * 3, places=2) as (nodes, engines):
            deaths: list[int] = []

            async def put_back(number: int) -> None:  # as systemd or Kubernetes would
                while True:
                    await nodes.ended(number)
                    deaths.append(number)
                    await nodes.start(number)

            kept = [asyncio.create_task(put_back(number)) for number in range(3)]
            others = [asyncio.create_task(read(engines, page)) for page in SLOW]
            with pytest.raises(CorruptDocument):
                await read(engines, fake.page("crash"), "poison")
            assert await asyncio.gather(*others) == [fake.text_of(page) for page in SLOW]
            assert len(deaths) == 3
            assert engines.blame.convicted == len(engines.blame) == 1
            for task in kept:
                task.cancel()
            await asyncio.gather(*kept, return_exceptions=True)

    run(work())


def test_a_suspect_whose_time_is_over_is_read_alone_when_it_comes_again() -> None:
    async def work() -> None:
        async with running(EnginesOptions(local=replace(QUICK, first_pause_s=2.0))) as (engines, starting):
            await starting
            poison = fake.page("crash")
            with pytest.raises(DeadlineExceeded):
                await read(engines, poison, "poison", seconds=1.0)  # too little for a second engine to start
            await until(lambda: engines.state == "ready")
            neighbour = asyncio.create_task(read(engines, SLOW[0]))
            await asyncio.sleep(0.1)
            with pytest.raises(CorruptDocument):
                await read(engines, poison, "poison")
            assert neighbour.done()  # before it, so it was never beside it
            assert await neighbour == fake.text_of(SLOW[0])
            assert engines.members[0].outcomes["read"] == 1

    run(work())


def test_nobody_waits_for_engines_for_ever() -> None:
    async def work() -> None:
        async with running(EnginesOptions(local=QUICK)) as (engines, starting):
            await starting
            supervisor = engines.members[0].source.supervisor  # type: ignore[attr-defined]
            page = asyncio.create_task(read(engines, fake.page("hang"), seconds=60))
            await asyncio.sleep(0.2)
            begun = time.monotonic()
            await supervisor._child.kill()
            await supervisor.stop()
            with pytest.raises(EngineUnavailable, match=r"no engine is ready|has been stopped"):
                await page
            assert time.monotonic() - begun < 5

    run(work())
