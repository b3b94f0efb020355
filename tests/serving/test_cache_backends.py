"""Where results are kept: the same is expected of this process's memory and of a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.serving.cache import Backend, CacheOptions
from shizi.serving.cache_memory import MemoryBackend
from shizi.serving.cache_redis import RedisBackend, RedisCacheOptions
from tests.serving.redis_local import FreezableRedis

SECRET = b"0123456789abcdef"
KB = 1024
SMALL = CacheOptions(max_bytes=20 * KB, max_result_bytes=8 * KB, tenant_share=0.5, ttl_s=60.0)

Kept = MemoryBackend | RedisBackend
Make = Callable[[CacheOptions], Kept]


@pytest.fixture(scope="module")
def redis() -> Iterator[FreezableRedis]:
    with FreezableRedis() as server:
        yield server


@pytest.fixture(scope="module", params=["memory", "redis"])
def make(request: pytest.FixtureRequest, redis: FreezableRedis) -> Make:
    def new(bounds: CacheOptions) -> Kept:
        if request.param == "memory":
            return MemoryBackend(bounds)
        redis.flush()
        return RedisBackend(RedisCacheOptions(redis.url, SECRET, timeout_s=1.0), bounds)

    return new


@asynccontextmanager
async def closing(backend: Kept) -> AsyncIterator[Kept]:
    try:
        yield backend
    finally:
        await backend.close()


def run(backend: Callable[[], Kept], steps: Callable[[Kept], Awaitable[None]]) -> None:
    async def main() -> None:
        async with closing(backend()) as made:
            await steps(made)
            assert not isinstance(made, RedisBackend) or made.failures == 0

    asyncio.run(main())


contents = st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(0, 9 * KB))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(contents, max_size=60))
def test_a_backend_stays_within_its_bounds_and_gives_back_what_was_put(
    make: Make, puts: list[tuple[str, int, int]]
) -> None:
    async def steps(backend: Kept) -> None:
        last: dict[tuple[str, str], bytes] = {}
        for tenant, number, size in puts:
            result = bytes([number]) * size
            await backend.put(tenant, f"{number}", result)
            last[tenant, f"{number}"] = result
            assert backend.bytes <= SMALL.max_bytes
            found = await backend.get(tenant, f"{number}")
            assert found == result or size > SMALL.max_result_bytes
        held = 0
        for (tenant, name), result in last.items():
            found = await backend.get(tenant, name)
            assert found is None or found == result or len(result) > SMALL.max_result_bytes
            held += 0 if found is None else len(found)
        assert held <= backend.bytes <= SMALL.max_bytes

    run(lambda: make(SMALL), steps)


def test_the_least_recently_used_makes_room(make: Make) -> None:
    async def steps(backend: Kept) -> None:
        for name in "xyz":
            await backend.put("a", name, bytes(2 * KB))
            await asyncio.sleep(0.002)  # a Redis counts milliseconds
        assert await backend.get("a", "x") is not None
        await backend.put("a", "new", bytes(3 * KB))
        found = [await backend.get("a", name) is not None for name in ("x", "y", "z", "new")]
        assert found == [True, False, True, True]
        assert backend.evicted == 1

    run(lambda: make(CacheOptions(max_bytes=10 * KB, tenant_share=1.0)), steps)


def test_a_tenant_cannot_push_out_the_results_of_another(make: Make) -> None:
    async def steps(backend: Kept) -> None:
        await backend.put("modest", "k", bytes(2 * KB))
        for number in range(50):
            await backend.put("greedy", f"{number}", bytes(2 * KB))
        assert await backend.get("modest", "k") is not None
        assert await backend.get("greedy", "49") is not None
        assert backend.bytes <= SMALL.max_bytes

    run(lambda: make(SMALL), steps)


def test_a_result_is_of_its_tenant_alone(make: Make) -> None:
    async def steps(backend: Kept) -> None:
        await backend.put("a", "k", b"result")
        assert await backend.get("b", "k") is None
        assert await backend.get("a", "k") == b"result"

    run(lambda: make(SMALL), steps)


def test_a_result_that_is_too_old_is_not_given_out_and_takes_no_room(make: Make) -> None:
    async def steps(backend: Kept) -> None:
        await backend.put("a", "k", b"old")
        await asyncio.sleep(1.2)
        await backend.put("a", "k", b"new")
        await asyncio.sleep(1.2)
        assert await backend.get("a", "k") == b"new"
        await asyncio.sleep(1.2)
        assert await backend.get("a", "k") is None
        await backend.put("a", "other", b"")
        assert 0 < backend.bytes <= KB

    run(lambda: make(CacheOptions(max_bytes=20 * KB, ttl_s=2.0)), steps)


def test_a_cache_of_no_bytes_keeps_nothing(make: Make) -> None:
    async def steps(backend: Kept) -> None:
        await backend.put("a", "k", b"")
        assert await backend.get("a", "k") is None

    run(lambda: make(CacheOptions(max_bytes=0)), steps)


def test_whoever_comes_alone_works_at_once(make: Make) -> None:
    async def steps(backend: Kept) -> None:
        async with asyncio.timeout(1), backend.turn("a", "k", float("inf")) as kept:
            assert kept is None

    run(lambda: make(SMALL), steps)


def test_both_are_backends() -> None:
    kinds: tuple[type[Backend], ...] = (MemoryBackend, RedisBackend)
    assert len(kinds) == 2


@pytest.mark.parametrize("wrong", [{"max_bytes": -1}, {"ttl_s": 0}, {"ttl_s": float("inf")}, {"tenant_share": 0}])
def test_bounds_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest):
        CacheOptions(**wrong)  # type: ignore[arg-type]
