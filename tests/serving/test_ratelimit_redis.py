"""Rates that several servers count together in a real Redis, and alone while it is slow or gone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shizi.errors import RateLimited
from shizi.serving.caller import Caller, anonymous_caller
from shizi.serving.ratelimit import Cost, Quota, RateLimiter, RateOptions
from tests.serving.redis_local import FreezableRedis

pytestmark = pytest.mark.alone

STRANGER = anonymous_caller({"ocr"})
BANK = Caller("bank", "key:a", frozenset({"ocr"}), anonymous=False)


@pytest.fixture
def redis() -> Iterator[FreezableRedis]:
    with FreezableRedis() as server:
        yield server


@asynccontextmanager
async def servers(count: int, redis: FreezableRedis, **options: Any) -> AsyncIterator[list[RateLimiter]]:  # noqa: ANN401
    wanted = RateOptions(storage_url=redis.url, storage_timeout_s=0.25, storage_retry_s=0.5, **options)
    made = [RateLimiter(wanted, counted=True) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            await each.close()


async def passed(limiters: list[RateLimiter], caller: Caller, times: int, cost: Cost | None = None) -> int:
    """How many of so many requests, sent to each server in turn, are let through."""
    count = 0
    for number in range(times):
        with contextlib.suppress(RateLimited):
            await limiters[number % len(limiters)].check(caller, "203.0.113.1", cost or Cost())
            count += 1
    return count


async def away_from_the_minute() -> None:
    """The Redis counts by its own clock, in whole minutes; the tests are no longer than these seconds."""
    left = 60 - time.time() % 60
    if left < 3:
        await asyncio.sleep(left + 0.1)


def test_servers_count_together(redis: FreezableRedis) -> None:
    async def main() -> None:
        await away_from_the_minute()
        async with servers(3, redis, tenant=Quota(requests=7, megapixels=100)) as limiters:
            assert await passed(limiters, STRANGER, 20) == 10
            assert await passed(limiters, BANK, 20) == 7
            state = await limiters[1].state(BANK, "203.0.113.1")
            assert [(each.name, each.remaining) for each in state.balances] == [("requests", 0), ("megapixels", 100)]
            assert not any(limiter.alone for limiter in limiters)

    asyncio.run(main())


def test_megapixels_are_counted_together(redis: FreezableRedis) -> None:
    async def main() -> None:
        await away_from_the_minute()
        async with servers(2, redis, anonymous=Quota(requests=100, megapixels=50)) as limiters:
            assert await passed(limiters, STRANGER, 20, Cost(requests=0, megapixels=12.5)) == 4

    asyncio.run(main())


def test_many_at_a_moment_are_not_let_through_twice(redis: FreezableRedis) -> None:
    async def main() -> None:
        await away_from_the_minute()
        async with servers(2, redis) as limiters:
            counts = await asyncio.gather(*(passed([limiters[n % 2]], STRANGER, 1) for n in range(30)))
            assert sum(counts) == 10

    asyncio.run(main())


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
def test_without_the_redis_each_server_counts_alone_and_hardly_waits(
    redis: FreezableRedis, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with servers(2, redis) as limiters:
            assert await passed(limiters, STRANGER, 4) == 4
            getattr(redis, trouble)()
            start = time.monotonic()
            assert await passed(limiters, STRANGER, 40) == 20, "open, but not without bounds: ten at each"
            assert time.monotonic() - start < 5, "40 requests that each wait take ten seconds"
            assert all(limiter.alone for limiter in limiters)
            assert all(limiter.failures >= 1 for limiter in limiters)
            redis.start() if trouble == "kill" else redis.thaw()
            await asyncio.sleep(0.6)
            await away_from_the_minute()
            assert await passed(limiters[:1], BANK, 3) == 3
            assert not limiters[0].alone
            assert (await limiters[1].state(BANK, "203.0.113.1")).balances[0].remaining == 5997

    asyncio.run(main())
    assert "counts alone for now" in caplog.text
    assert "redis://" not in caplog.text
