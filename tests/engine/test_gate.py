from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence

import pytest

from shizi.batching.claim import Claim, Lane
from shizi.engine.gate import Gate
from shizi.errors import DeadlineExceeded, Overloaded


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def soon(seconds: float = 10.0, tenant: str = "t", lane: Lane = "interactive") -> Claim:
    return Claim(tenant, time.monotonic() + seconds, lane)


async def until_waiting(gate: Gate, count: int) -> None:
    while gate.waiting != count:
        await asyncio.sleep(0)


def test_of_those_who_came_later_the_earliest_deadline_goes_first() -> None:
    async def work() -> None:
        gate = Gate(1, 10, 1000)
        await gate.enter(soon(), 1)
        order: list[int] = []

        async def one(seconds: int) -> None:
            await gate.enter(soon(seconds), 1)
            order.append(seconds)
            gate.leave(soon(), 1, 0.1)

        tasks = [asyncio.create_task(one(seconds)) for seconds in (30, 10, 20)]
        await until_waiting(gate, 3)
        gate.leave(soon(), 1, 0.1)
        await asyncio.gather(*tasks)
        assert order == [30, 10, 20]  # whoever is in a hurry passes nobody who was in the round before
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
        gate.leave(soon(), 1, 0.1)
        await waiter
        assert gate.inside == 2

    run(work())


def test_bytes_are_bounded_but_one_page_always_may() -> None:
    async def work() -> None:
        gate = Gate(2, 10, 100)
        await gate.enter(soon(), 500)
        with pytest.raises(Overloaded, match=r"max_waiting_bytes\) is 100"):
            await gate.enter(soon(), 1)
        gate.leave(soon(), 500, 0.1)
        await gate.enter(soon(), 60)
        await gate.enter(soon(), 40)

    run(work())


def test_a_passed_deadline_costs_nothing() -> None:
    async def work() -> None:
        gate = Gate(1, 10, 1000)
        with pytest.raises(DeadlineExceeded):
            await gate.enter(soon(-1), 1)
        assert gate.inside == 0
        await gate.enter(soon(), 1)
        with pytest.raises(DeadlineExceeded, match="before its turn came"):
            await gate.enter(soon(0.05), 1)
        assert gate.waiting == 0
        gate.leave(soon(), 1, 0.1)
        assert gate.inside == 0

    run(work())


def test_one_that_gives_up_loses_no_place() -> None:
    async def work() -> None:
        gate = Gate(1, 10, 10)
        await gate.enter(soon(), 5)
        gone = asyncio.create_task(gate.enter(soon(), 5))
        await until_waiting(gate, 1)
        gate.leave(soon(), 5, 0.1)  # its turn comes, and in the same moment
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
            gate.leave(soon(), 10, 0.001)

        await asyncio.gather(*(one(number) for number in range(600)))
        assert (gate.inside, gate.waiting, gate._bytes) == (0, 0, 0)

    run(work())


async def order_of(gate: Gate, pages: Sequence[tuple[str, Claim]], size: int = 10**6) -> list[str]:
    """Who is let in one after the other, where all came while the only place was taken."""
    order: list[str] = []

    async def one(name: str, claim: Claim) -> None:
        await gate.enter(claim, size)
        order.append(name)
        await asyncio.sleep(0)
        gate.leave(claim, size, 0.1)

    await gate.enter(soon(), 1)
    tasks = [asyncio.create_task(one(name, claim)) for name, claim in pages]
    await until_waiting(gate, len(pages))
    gate.leave(soon(), 1, 0.1)
    await asyncio.gather(*tasks)
    return order


def test_a_tenant_with_many_pages_in_a_hurry_keeps_nobody_waiting() -> None:
    async def work() -> None:
        many = [("many", soon(5, "many")) for _ in range(40)]
        order = await order_of(Gate(1, 100, 10**9), [*many, *(("few", soon(15, "few")) for _ in range(3))])
        assert [index for index, name in enumerate(order) if name == "few"][-1] <= 6

    run(work())


def test_while_others_wait_bulk_pages_get_one_turn_in_ten() -> None:
    async def work() -> None:
        bulk = [("bulk", soon(lane="bulk")) for _ in range(60)]
        order = await order_of(Gate(1, 200, 10**9), [*bulk, *(("interactive", soon()) for _ in range(60))])
        assert 5 <= order[:60].count("bulk") <= 7
        assert order.count("bulk") == 60

    run(work())


def test_a_page_that_wants_to_be_alone_waits_for_all_and_all_wait_for_it() -> None:
    async def work() -> None:
        gate = Gate(3, 10, 10**9)
        first, later = soon(), soon()
        await gate.enter(first, 1)
        loners = [soon(), soon()]
        waiting = [asyncio.create_task(gate.enter(claim, 1, alone=True)) for claim in loners]
        await until_waiting(gate, 2)
        other = asyncio.create_task(gate.enter(later, 1))
        await until_waiting(gate, 3)
        gate.leave(first, 1, 0.1)
        await waiting[0]
        assert (gate.inside, gate.waiting) == (1, 2)
        gate.leave(loners[0], 1, 0.1)
        await waiting[1]
        assert (gate.inside, gate.waiting) == (1, 1)
        gate.leave(loners[1], 1, 0.1)
        await other
        await gate.enter(soon(), 1)
        assert (gate.inside, gate.waiting) == (2, 0)

    run(work())


@pytest.mark.parametrize("late", [False, True])
def test_one_that_wanted_to_be_alone_and_gives_up_keeps_nobody_out(late: bool) -> None:
    async def work() -> None:
        gate = Gate(2, 10, 10)
        inside = soon()
        await gate.enter(inside, 1)
        loner = asyncio.create_task(gate.enter(soon(), 1, alone=True))
        await until_waiting(gate, 1)
        if late:
            gate.leave(inside, 1, 0.1)  # its turn comes, and in the same moment
        loner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loner
        await gate.enter(soon(), 5)
        assert (gate.inside, gate.waiting, gate._bytes) == (1 if late else 2, 0, 5 if late else 6)

    run(work())


def test_bulk_pages_leave_a_place_free() -> None:
    async def work() -> None:
        gate = Gate(3, 10, 10**9)
        bulk = [soon(lane="bulk") for _ in range(3)]
        await gate.enter(bulk[0], 1)
        await gate.enter(bulk[1], 1)
        waiter = asyncio.create_task(gate.enter(bulk[2], 1))
        await until_waiting(gate, 1)
        await gate.enter(soon(), 1)  # at once
        assert (gate.inside, gate.waiting) == (3, 1)
        gate.leave(soon(), 1, 0.1)
        assert gate.waiting == 1
        gate.leave(bulk[0], 1, 0.1)
        await waiter
        assert (gate.inside, gate.waiting) == (2, 0)

    run(work())


@pytest.mark.parametrize("alone", [False, True])
def test_one_that_is_cancelled_just_when_its_turn_comes_takes_no_place(alone: bool) -> None:
    async def work() -> None:
        gate = Gate(1, 10, 1000)
        await gate.enter(soon(), 1)
        leaving = asyncio.create_task(gate.enter(soon(), 1, alone=alone))
        await until_waiting(gate, 1)
        staying = asyncio.create_task(gate.enter(soon(), 1))
        await until_waiting(gate, 2)
        leaving.cancel()
        gate.leave(soon(), 1, 0.1)  # before the other one has noticed
        await staying
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert (gate.inside, gate.waiting) == (1, 0)
        gate.leave(soon(), 1, 0.1)
        await gate.enter(soon(), 1000)

    run(work())
