"""A breaker opens on failures of the engine alone, lets one probe through, and is moved by nothing that is out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import (
    CorruptDocument,
    DeadlineExceeded,
    EngineUnavailable,
    InvalidRequest,
    ModelLoadFailed,
    OutOfMemory,
    Overloaded,
    ShiziError,
)
from shizi.serving.breaker import Attempt, Breaker, BreakerOptions

OPTIONS = BreakerOptions(failures=3, open_s=1.0, longest_open_s=4.0, patience_s=5.0, probe_s=10.0)
GONE = EngineUnavailable("gone")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(OPTIONS, clock), clock


def state(breaker: Breaker) -> str:
    return breaker.state


def fail(breaker: Breaker, error: BaseException = GONE, allowed: float = 30.0) -> None:
    with pytest.raises(type(error)), breaker.attempt(breaker.now() + allowed):
        raise error


def opened() -> tuple[Breaker, Clock]:
    breaker, clock = made()
    for _ in range(3):
        fail(breaker)
    assert state(breaker) == "open"
    return breaker, clock


def refused(breaker: Breaker) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable, match="circuit breaker") as refusal, breaker.attempt(breaker.now() + 30):
        raise AssertionError("the call was made")
    return refusal.value


@pytest.mark.parametrize(
    "error", [GONE, ModelLoadFailed("no"), ConnectionResetError(), TimeoutError(), DeadlineExceeded("late")]
)
def test_failures_of_the_engine_in_a_row_open_it(error: BaseException) -> None:
    breaker, _ = made()
    for _ in range(2):
        fail(breaker, error)
        assert state(breaker) == "closed"
    fail(breaker, error)
    assert state(breaker) == "open"
    assert refused(breaker).retry_after == pytest.approx(1.0)
    assert (breaker.opened, breaker.refused) == (1, 1)


def test_a_success_between_them_starts_the_count_anew() -> None:
    breaker, _ = made()
    for _ in range(5):
        fail(breaker)
        fail(breaker)
        with breaker.attempt(breaker.now() + 30):
            pass
    assert state(breaker) == "closed"


@pytest.mark.parametrize(
    "error",
    [
        CorruptDocument("bad"),
        InvalidRequest("bad"),
        OutOfMemory("large"),
        Overloaded("busy"),
        ShiziError("bug"),
        ValueError("bug"),
        asyncio.CancelledError(),
    ],
)
def test_bad_documents_and_clients_that_leave_neither_open_nor_close_it(error: BaseException) -> None:
    breaker, clock = made()
    for _ in range(20):
        fail(breaker, error)
    assert state(breaker) == "closed"
    fail(breaker)
    fail(breaker)
    fail(breaker, error)
    fail(breaker)
    assert state(breaker) == "open"
    clock.now += 1.0
    fail(breaker, error)
    assert state(breaker) == "half-open"
    with breaker.attempt(breaker.now() + 30):  # the probe's place was free again
        pass
    assert state(breaker) == "closed"


def test_a_client_in_a_hurry_cannot_open_it() -> None:
    breaker, _ = made()
    for _ in range(20):
        fail(breaker, DeadlineExceeded("late"), allowed=4.9)
    assert state(breaker) == "closed"


def test_one_probe_at_a_time_closes_it() -> None:
    breaker, clock = opened()
    clock.now += 0.99
    refused(breaker)
    clock.now += 0.01
    with breaker.attempt(breaker.now() + 30):
        assert state(breaker) == "half-open"
        refused(breaker)
    assert state(breaker) == "closed"
    fail(breaker)
    assert state(breaker) == "closed"


def test_each_probe_that_fails_keeps_it_open_twice_as_long_up_to_a_bound() -> None:
    breaker, clock = opened()
    for seconds in (1.0, 2.0, 4.0, 4.0):
        assert refused(breaker).retry_after == pytest.approx(seconds)
        clock.now += seconds
        fail(breaker)
        assert state(breaker) == "open"
    clock.now += 4.0
    with breaker.attempt(breaker.now() + 30):
        pass
    for _ in range(3):
        fail(breaker)
    assert refused(breaker).retry_after == pytest.approx(1.0)  # a success forgets the past


def test_a_probe_that_never_ends_gives_way_to_another_and_says_nothing_any_more() -> None:
    breaker, clock = opened()
    clock.now += 1.0
    lost = breaker.attempt(breaker.now() + 30)
    lost.__enter__()
    clock.now += 9.99
    refused(breaker)
    clock.now += 0.01
    with breaker.attempt(breaker.now() + 30):
        lost.__exit__(EngineUnavailable, GONE, None)
        assert state(breaker) == "half-open"
    assert state(breaker) == "closed"


def test_calls_of_another_time_change_nothing() -> None:
    breaker, clock = made()
    early = [breaker.attempt(breaker.now() + 30) for _ in range(10)]
    for attempt in early:
        attempt.__enter__()
    for _ in range(3):
        fail(breaker)
    early[0].__exit__(None, None, None)
    assert state(breaker) == "open"  # an old success does not close it
    clock.now += 1.0
    with breaker.attempt(breaker.now() + 30):
        early[1].__exit__(None, None, None)
        assert state(breaker) == "half-open"
        early[2].__exit__(EngineUnavailable, GONE, None)
        assert state(breaker) == "half-open"
    for attempt in early[3:]:
        attempt.__exit__(EngineUnavailable, GONE, None)
    assert state(breaker) == "closed"  # stragglers of the engine before do not open it


def test_a_cancelled_probe_leaves_its_place_to_the_next() -> None:
    async def main() -> None:
        breaker, clock = opened()
        clock.now += 1.0

        async def probe() -> None:
            with breaker.attempt(breaker.now() + 30):
                await asyncio.Event().wait()

        task = asyncio.create_task(probe())
        await asyncio.sleep(0)
        refused(breaker)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with breaker.attempt(breaker.now() + 30):
            pass
        assert state(breaker) == "closed"

    asyncio.run(main())


@given(st.lists(st.tuples(st.sampled_from(["begin", "good", "gone", "bad", "wait"]), st.integers(0, 5)), max_size=80))
def test_there_is_never_more_than_one_probe_and_the_breaker_always_recovers(steps: list[tuple[str, int]]) -> None:
    breaker, clock = made()
    running: list[Attempt] = []
    probes: list[tuple[Attempt, float]] = []
    ends: dict[str, Callable[[Attempt], None]] = {
        "good": lambda attempt: attempt.__exit__(None, None, None),
        "gone": lambda attempt: attempt.__exit__(EngineUnavailable, GONE, None),
        "bad": lambda attempt: attempt.__exit__(ValueError, ValueError(), None),
    }
    for what, number in steps:
        if what == "wait":
            clock.now += number
        elif what == "begin":
            attempt = breaker.attempt(clock.now + 30)
            try:
                attempt.__enter__()
            except EngineUnavailable:
                continue
            running.append(attempt)
            if state(breaker) == "half-open":
                probes = [(probe, since) for probe, since in probes if probe in running and clock.now - since < 10.0]
                assert not probes
                probes.append((attempt, clock.now))
        elif running:
            ends[what](running.pop(number % len(running)))
    for attempt in running:
        ends["bad"](attempt)
    for _ in range(3):
        clock.now += 10.0
        with breaker.attempt(clock.now + 30):
            pass
        assert state(breaker) == "closed"


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"open_s": 0.0}, {"open_s": 50.0}, {"longest_open_s": float("inf")}, {"probe_s": -1.0}]
)
def test_bounds_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match="positive and finite"):
        BreakerOptions(**wrong)  # type: ignore[arg-type]
