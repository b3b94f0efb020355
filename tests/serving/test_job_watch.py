"""One look for all listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from shizi.errors import StorageUnavailable
from shizi.serving.job_watch import Key, Watch

ONE, TWO = ("bank", "job_1"), ("bank", "job_2")


class Looks:
    """A database of latest events."""

    def __init__(self) -> None:
        self.latest: dict[Key, int] = {ONE: 0, TWO: 0}
        self.asked: list[set[Key]] = []
        self.away = False

    async def look(self, keys: Collection[Key]) -> Mapping[Key, int]:
        self.asked.append(set(keys))
        if self.away:
            raise StorageUnavailable("away on purpose", 1.0)
        return {key: self.latest[key] for key in keys if key in self.latest}


def run(work: Callable[[Looks, Watch], Awaitable[None]]) -> Looks:
    looks = Looks()

    async def main() -> None:
        watch = Watch(looks.look, 0.02)
        await work(looks, watch)
        await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) == 1, "nobody listens, nobody looks"

    asyncio.run(main())
    return looks


def test_all_listeners_of_all_jobs_share_one_look_and_each_hears_of_its_own_job() -> None:
    heard: dict[int, bool] = {}

    async def listen(watch: Watch, number: int, key: Key) -> None:
        with watch.on(*key) as watched:
            heard[number] = await watched.newer(0, 20)

    async def work(looks: Looks, watch: Watch) -> None:
        first = [asyncio.create_task(listen(watch, number, ONE)) for number in range(30)]
        with watch.on(*TWO) as other:
            while len(looks.asked) < 3:
                await asyncio.sleep(0)
            assert all(asked == {ONE, TWO} for asked in looks.asked), "one question for both jobs, for 31 listeners"
            looks.latest[ONE] = 1
            await asyncio.gather(*first)
            assert not await other.newer(0, 0.1)

    run(work)
    assert heard == dict.fromkeys(range(30), True)


def test_what_happened_before_the_listener_asked_is_not_waited_for() -> None:
    async def work(looks: Looks, watch: Watch) -> None:
        with watch.on(*ONE) as watched:
            looks.latest[ONE] = 7
            assert await watched.newer(3, 20)
            count = len(looks.asked)
            assert await watched.newer(6, 20)
            assert len(looks.asked) == count
            assert not await watched.newer(7, 0.05)

    run(work)


def test_a_job_that_is_gone_and_a_database_that_is_away_are_news() -> None:
    async def work(looks: Looks, watch: Watch) -> None:
        with watch.on(*ONE) as watched, watch.on(*TWO) as other:
            del looks.latest[ONE]
            assert await watched.newer(0, 20)
            looks.away = True
            assert await other.newer(0, 20)

    run(work)
