from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine

import pytest

from shizi.engine.gate import Gate
from shizi.errors import DeadlineExceeded, Overloaded


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


async def until_waiting(gate: Gate, count: int) -> None:
    while gate.waiting != count:
        await asyncio.sleep(0)


def test_the_earliest_deadline_goes_first() -> None:
    async def work() -> None:
        gate = Gate(1, 10, 1000)
        await gate.enter(soon(), 1)
        order: list[int] = []

        async def one(seconds: int) -> None:
            await gate.enter(soon(seconds), 1)
            order.append(seconds)
            gate.leave(1, 0.1)

        tasks = [asyncio.create_task(one(seconds)) for seconds in (30, 10, 20)]
        await until_waiting(gate, 3)
        gate.leave(1, 0.1)
        await asyncio.gather(*tasks)
        assert order == [10, 20, 30]
        assert (gate.inside, gate.waiting) == (0, 0)

    run(work())


def test_so_many_are_inside_and_so_many_wait() -> None:
    async def work() -> None:
        gate = Gate(2, 1, 1000)
        await gate.enter(soon(), 1)
        await gate.enter(soon(), 1)
        waiter = asyncio.create_task(gate.enter(soon(), 1))
        await until_waiting(gate, 1)
        with pytest.raises(Overloaded, match=r"max_waiting\) is 1") as refused:
            await gate.enter(soon(), 1)
        assert refused.value.retry_after is not None
        assert refused.value.retry_after > 0
        gate.leave(1, 0.1)
        await waiter
        assert gate.inside == 2

    run(work())


def test_bytes_are_bounded_but_one_page_always_may() -> None:
    async def work() -> None:
        gate = Gate(2, 10, 100)
        await gate.enter(soon(), 500)
        with pytest.raises(Overloaded, match=r"max_waiting_bytes\) is 100"):
            await gate.enter(soon(), 1)
        gate.leave(500, 0.1)
        await gate.enter(soon(), 60)
        await gate.enter(soon(), 40)

    run(work())


def test_a_passed_deadline_costs_nothing() -> None:
    async def work() -> None:
        gate = Gate(1, 10, 1000)
        with pytest.raises(DeadlineExceeded):
            await gate.enter(time.monotonic() - 1, 1)
        assert gate.inside == 0
        await gate.enter(soon(), 1)
        with pytest.raises(DeadlineExceeded, match="before its turn came"):
            await gate.enter(soon(0.05), 1)
        assert gate.waiting == 0
        gate.leave(1, 0.1)
        assert gate.inside == 0

    run(work())


def test_one_that_gives_up_loses_no_place() -> None:
    async def work() -> None:
        gate = Gate(1, 10, 10)
        await gate.enter(soon(), 5)
        gone = asyncio.create_task(gate.enter(soon(), 5))
        await until_waiting(gate, 1)
        gate.leave(5, 0.1)  # its turn comes, and in the same moment
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert gate.inside == 0
        await gate.enter(soon(), 10)

    run(work())


def test_hundreds_that_come_and_give_up_leave_nothing() -> None:
    async def work() -> None:
        gate = Gate(3, 1000, 10**6)

        async def one(number: int) -> None:
            try:
                await gate.enter(soon(0.001 * (number % 7)), 10)
            except DeadlineExceeded:
                return
            await asyncio.sleep(0.001 * (number % 3))
            gate.leave(10, 0.001)

        await asyncio.gather(*(one(number) for number in range(600)))
        assert (gate.inside, gate.waiting, gate._bytes) == (0, 0, 0)

    run(work())
