"""Counting: when the next request fits, and what happens when the shared storage fails."""

from __future__ import annotations

import asyncio
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.errors import StorageError

from shizi.errors import InvalidRequest
from shizi.serving.counting import Counting, SharedStorage, Window
from shizi.serving.windows import BoundedWindows

ITEM = RateLimitItemPerMinute(10, namespace="requests")


class Clock:
    def __init__(self, now: float = 600.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Failing(BoundedWindows):
    """A storage of another machine, with troubles."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(100, clock)
        self.trouble: Exception | None = None
        self.slow = False
        self.asked = 0

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        await self._suffer()
        return await super().acquire_sliding_window_entry(key, limit, expiry, amount)

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        await self._suffer()
        return await super().get_sliding_window(key, expiry)

    async def _suffer(self) -> None:
        self.asked += 1
        if self.slow:
            await asyncio.sleep(60)
        if self.trouble is not None:
            raise self.trouble


@given(
    hits=st.lists(st.tuples(st.floats(0, 50), st.integers(1, 10)), max_size=20),
    pause=st.floats(0, 70),
    count=st.integers(1, 10),
)
@example(hits=[(0.0, 1), (0.0, 1)], pause=1.0, count=9)  # 600 + 1 + 59 s, less a rounding error, is no new window
def test_after_the_wait_the_same_request_fits_and_not_much_earlier(
    hits: list[tuple[float, int]], pause: float, count: int
) -> None:
    clock = Clock()
    memory = BoundedWindows(10, clock)
    counting = Counting(None, 1, 1, clock)

    async def run() -> None:
        for step, amount in hits:
            clock.now += step
            await counting.hit(ITEM, "a", amount, memory)
        clock.now += pause
        wait = (await counting.window(ITEM, "a", memory)).seconds_until(10, count)
        assert 0 <= wait <= 121
        if wait:
            assert not await counting.hit(ITEM, "a", count, memory)
            clock.now += max(0.0, wait - 1.01)
            assert not await counting.hit(ITEM, "a", count, memory)
            clock.now += min(wait, 1.01)
        assert await counting.hit(ITEM, "a", count, memory)

    asyncio.run(run())


def test_room_and_the_end_of_a_window() -> None:
    window = Window(previous=10, previous_left=30, current=2, current_left=90)
    assert (window.left, window.room(10), window.room(7), window.room(3)) == (30, 3, 0, 0)
    assert Window(0, 0, 0, 100).left == 40
    assert Window(0, 0, 0, 0).left == 0


def test_servers_that_share_a_storage_count_together() -> None:
    async def run() -> None:
        clock = Clock()
        shared = Failing(clock)
        servers = [Counting(shared, 1, 5, clock) for _ in range(2)]
        passed = [await servers[place % 2].hit(ITEM, "a", 1, BoundedWindows(10, clock)) for place in range(12)]
        assert passed == [True] * 10 + [False] * 2
        assert (await servers[0].window(ITEM, "a", BoundedWindows(10, clock))).current == 10

    asyncio.run(run())


@pytest.mark.parametrize(
    "trouble", [StorageError(ValueError("secret")), ConnectionResetError("secret"), TimeoutError("secret")]
)
def test_when_the_storage_fails_each_server_counts_alone_for_a_while(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        clock = Clock()
        shared, memory = Failing(clock), BoundedWindows(10, clock)
        counting = Counting(shared, 1, 5, clock)
        assert await counting.hit(ITEM, "a", 1, memory)
        assert not counting.alone
        shared.trouble = trouble
        assert [await counting.hit(ITEM, "a", 1, memory) for _ in range(12)] == [True] * 10 + [False] * 2
        assert counting.alone
        assert counting.failures == 1
        assert shared.asked == 2, "a storage that failed is left alone"
        assert (await counting.window(ITEM, "a", memory)).current == 10
        shared.trouble = None
        clock.now += 5
        assert not counting.alone
        assert (await counting.window(ITEM, "a", memory)).current == 1
        assert len(caplog.records) == 1
        assert "counts alone" in caplog.text
        assert "secret" not in caplog.text

    asyncio.run(run())


def test_a_storage_that_does_not_answer_is_not_waited_for() -> None:
    async def run() -> None:
        clock = Clock()
        shared = Failing(clock)
        shared.slow = True
        counting = Counting(shared, 0.05, 5, clock)
        async with asyncio.timeout(5):
            assert await counting.hit(ITEM, "a", 1, BoundedWindows(10, clock))
        assert counting.alone

    asyncio.run(run())


def test_a_storage_whose_library_is_missing_is_an_error_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(InvalidRequest, match="install the package `redis`") as caught:
        SharedStorage("redis://user:passw0rd@127.0.0.1:1/0", 1)
    assert "passw0rd" not in repr(caught.value)
    assert caught.value.__suppress_context__
