"""Sliding windows: they count like a plain list of hits would, and their memory is bounded."""

from __future__ import annotations

import asyncio
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.serving.windows import BoundedWindows


class Clock:
    def __init__(self, now: float = 600.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def hit(windows: BoundedWindows, key: str, limit: int = 10, amount: int = 1) -> bool:
    return asyncio.run(windows.acquire_sliding_window_entry(key, limit, 60, amount))


def test_a_limit_is_reached_and_comes_back_bit_by_bit() -> None:
    clock = Clock()
    windows = BoundedWindows(100, clock)
    assert [hit(windows, "a") for _ in range(12)] == [True] * 10 + [False] * 2
    clock.now += 59
    assert not hit(windows, "a")
    clock.now += 1 + 6  # a tenth of the next window: nine tenths of the ten still weigh
    assert [hit(windows, "a") for _ in range(3)] == [True, False, False]
    clock.now += 120
    assert [hit(windows, "a") for _ in range(11)] == [True] * 10 + [False]


def test_keys_do_not_disturb_each_other_and_large_amounts_count_as_such() -> None:
    windows = BoundedWindows(100, Clock())
    assert hit(windows, "a", 10, 10)
    assert not hit(windows, "a")
    assert hit(windows, "b", 10, 4)
    assert not hit(windows, "b", 10, 7)
    assert hit(windows, "b", 10, 6)


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(1, 4)), max_size=60))
def test_never_more_than_twice_the_limit_in_any_minute(steps: list[tuple[float, int]]) -> None:
    """A sliding window by two counts is an estimate; what it lets pass in any minute stays below twice the limit."""
    clock = Clock()
    windows = BoundedWindows(10, clock)
    passed: list[tuple[float, int]] = []
    for pause, amount in steps:
        clock.now += pause
        if hit(windows, "a", 10, amount):
            passed.append((clock.now, amount))
    for begin, _ in passed:
        assert sum(amount for at, amount in passed if begin <= at < begin + 60) <= 20


async def _flood(windows: BoundedWindows, number: int, prefix: str) -> int:
    return sum([await windows.acquire_sliding_window_entry(f"{prefix}{place}", 10, 60) for place in range(number)])


def test_memory_is_bounded_whoever_calls_and_callers_from_before_keep_their_counts() -> None:
    clock = Clock()
    windows = BoundedWindows(1000, clock)
    for _ in range(9):
        hit(windows, "honest")
    passed = asyncio.run(_flood(windows, 50_000, "evil"))
    assert len(windows) <= 1000 + 256
    assert passed <= 999 + 256 * 10
    assert [hit(windows, "honest") for _ in range(2)] == [True, False]
    assert sys.getsizeof(windows._counts) < 200_000


def test_passed_windows_make_room() -> None:
    clock = Clock()
    windows = BoundedWindows(1000, clock)
    asyncio.run(_flood(windows, 5000, "evil"))
    clock.now += 121
    assert asyncio.run(_flood(windows, 1000, "new")) == 1000
    assert [hit(windows, "new7") for _ in range(10)] == [True] * 9 + [False], "each has a counter of its own again"


def test_a_caller_that_stays_keeps_no_room_from_those_that_left() -> None:
    clock = Clock()
    windows = BoundedWindows(1000, clock)
    hit(windows, "honest")
    asyncio.run(_flood(windows, 5000, "evil"))
    for _ in range(3):
        clock.now += 60
        hit(windows, "honest")
    assert asyncio.run(_flood(windows, 999, "new")) == 999
    assert [hit(windows, "new7") for _ in range(10)] == [True] * 9 + [False]


def test_only_the_window_before_weighs() -> None:
    clock = Clock()
    windows = BoundedWindows(10, clock)
    assert hit(windows, "a", 10, 10)
    clock.now += 120
    assert hit(windows, "a", 10, 10)


def test_asking_makes_no_entries() -> None:
    windows = BoundedWindows(10, Clock())
    for place in range(100):
        assert asyncio.run(windows.get_sliding_window(f"a{place}", 60))[0::2] == (0, 0)
    assert len(windows) == 0


@pytest.mark.parametrize("position", [0.0, 15.0, 59.5])
def test_what_is_said_of_a_window(position: float) -> None:
    clock = Clock(600 + position)
    windows = BoundedWindows(10, clock)
    hit(windows, "a", 10, 3)
    left = 60 - position
    assert asyncio.run(windows.get_sliding_window("a", 60)) == pytest.approx((0, 0, 3, left + 60))
    clock.now += 60
    assert asyncio.run(windows.get_sliding_window("a", 60)) == pytest.approx((3, left, 0, left + 60))
    clock.now += 60
    assert asyncio.run(windows.get_sliding_window("a", 60)) == pytest.approx((0, 0, 0, left + 60))


def test_the_rest_of_what_a_storage_is_asked() -> None:
    async def run() -> None:
        clock = Clock(610)
        windows = BoundedWindows(10, clock)
        assert await windows.incr("a", 60, 4) == 4
        assert (await windows.get("a"), await windows.get("b")) == (4, 0)
        assert (await windows.get_expiry("a"), await windows.get_expiry("b")) == (660, 610)
        assert await windows.check()
        await windows.clear_sliding_window("a", 60)
        assert await windows.get("a") == 0
        await windows.incr("a", 60)
        assert await windows.reset() == 1
        assert len(windows) == 0

    asyncio.run(run())
