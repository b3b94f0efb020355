"""A Redis that keeps results: what it may see, how servers share it, and what happens when it is slow, gone or lies."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from shizi.errors import CorruptDocument, InvalidRequest
from shizi.serving.breaker import BreakerOptions
from shizi.serving.cache import CacheOptions, Outcome, ResultCache
from shizi.serving.cache_redis import PREFIX, RedisBackend, RedisCacheOptions
from tests.serving.redis_local import FreezableRedis

pytestmark = pytest.mark.alone

SECRET = b"0123456789abcdef"
BOUNDS = CacheOptions(max_bytes=2**20)
RESULT = b'{"text": "Account 4711"}'


@pytest.fixture
def redis() -> Iterator[FreezableRedis]:
    with FreezableRedis() as server:
        yield server


def options(redis: FreezableRedis, **others: object) -> RedisCacheOptions:
    quick = BreakerOptions(failures=1, open_s=0.2, longest_open_s=0.2, patience_s=0.01, probe_s=1.0)
    made = RedisCacheOptions(redis.url, SECRET, timeout_s=0.25, lease_s=1.0, breaker=quick)
    return dataclasses.replace(made, **others)  # type: ignore[arg-type]


@asynccontextmanager
async def servers(count: int, wanted: RedisCacheOptions) -> AsyncIterator[list[tuple[ResultCache, RedisBackend]]]:
    """Caches of so many servers."""
    backends = [RedisBackend(wanted, BOUNDS) for _ in range(count)]
    caches = [ResultCache(backend, SECRET) for backend in backends]
    try:
        yield list(zip(caches, backends, strict=True))
    finally:
        for cache in caches:
            await cache.close()


def get(
    cache: ResultCache, compute: Callable[[], Awaitable[bytes]], seconds: float = 20
) -> asyncio.Task[tuple[bytes, Outcome]]:
    return asyncio.create_task(cache.get("bank", "k", time.monotonic() + seconds, compute))


async def value_of(backend: RedisBackend, name: bytes) -> bytes:
    value = await backend._redis.get(name)
    assert isinstance(value, bytes)
    return value


async def keys_of(backend: RedisBackend) -> list[bytes]:
    return [name for name in await backend._redis.keys() if isinstance(name, bytes)]


class Work:
    """Takes some time, and counts."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.seconds, self.error, self.begun = seconds, error, 0

    async def __call__(self) -> bytes:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return RESULT


def test_what_one_server_read_another_gives_out(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(2, options(redis)) as ((one, _), (two, _)):
            work = Work()
            assert await get(one, work) == (RESULT, "miss")
            assert await get(two, work) == (RESULT, "hit")
            assert work.begun == 1

    asyncio.run(main())


def test_whoever_looks_into_the_redis_sees_neither_text_nor_tenants(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(1, options(redis)) as ((cache, backend),):
            await get(cache, Work())
            found = await asyncio.to_thread(redis.ask, "KEYS", "*")
            values = await value_of(backend, next(k for k in await keys_of(backend) if b":value:" in k))
            assert b"bank" not in found
            assert b"Account" not in found + values
            assert len(values) > len(RESULT)

    asyncio.run(main())


def test_a_result_that_was_changed_or_moved_or_sealed_otherwise_is_none(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(1, options(redis)) as ((_, backend),):
            await backend.put("bank", "k", RESULT)
            await backend.put("bank", "other", b"other")
            name, other = (f"{PREFIX}value:{backend._member('bank', key)}" for key in ("k", "other"))
            sealed = await value_of(backend, name.encode())
            await backend._redis.set(name, await value_of(backend, other.encode()))
            assert await backend.get("bank", "k") is None
            for place in (0, 5, 20, len(sealed) - 1):
                await backend._redis.set(name, sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
                assert await backend.get("bank", "k") is None
            await backend._redis.set(name, b"")
            assert await backend.get("bank", "k") is None
            await backend._redis.set(name, sealed)
            assert await backend.get("bank", "k") == RESULT
        strange = RedisBackend(options(redis, secret=b"another secret of 16"), BOUNDS)
        assert await strange.get("bank", "k") is None
        await strange.close()

    asyncio.run(main())


def test_equal_requests_at_several_servers_are_worked_out_once(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(3, options(redis)) as made:
            work = Work(0.6)
            answers = await asyncio.gather(*(get(cache, work) for cache, _ in made for _ in range(2)))
            assert {result for result, _ in answers} == {RESULT}
            assert work.begun == 1
            assert sorted(outcome for _, outcome in answers) == ["miss"] + ["shared"] * 5
            assert await asyncio.to_thread(redis.ask, "KEYS", "*turn*") == b"*0\r\n"

    asyncio.run(main())


def test_the_turn_of_a_server_that_works_for_longer_than_the_lease_is_its_own(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(2, options(redis)) as ((one, _), (two, _)):
            work = Work(2.5)
            first = get(one, work)
            await asyncio.sleep(0.2)
            assert await get(two, work) == (RESULT, "shared")
            assert (await first)[1] == "miss"
            assert work.begun == 1

    asyncio.run(main())


def test_the_turn_of_a_server_that_died_passes_on(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(2, options(redis)) as ((_, dead), (cache, _)):
            await dead._claim([PREFIX], [dead._member("bank", "k"), "token", 1000])
            start = time.monotonic()
            assert await get(cache, Work()) == (RESULT, "miss")
            assert 0.5 < time.monotonic() - start < 2.5

    asyncio.run(main())


def test_an_error_of_one_server_is_not_that_of_another_and_half_of_the_time_is_kept(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(2, options(redis)) as ((one, _), (two, _)):
            failing = get(one, Work(0.3, CorruptDocument("bad")))
            await asyncio.sleep(0.1)
            assert await get(two, Work()) == (RESULT, "miss")
            assert isinstance((await asyncio.gather(failing, return_exceptions=True))[0], CorruptDocument)
        redis.flush()
        async with servers(2, options(redis)) as ((one, _), (two, _)):
            slow = get(one, Work(3.0))
            await asyncio.sleep(0.1)
            start = time.monotonic()
            assert (await get(two, Work(), seconds=2.0))[1] == "miss"
            assert 0.5 < time.monotonic() - start < 1.6
            slow.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
def test_without_the_redis_requests_go_on_and_hardly_wait(
    redis: FreezableRedis, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with servers(1, options(redis)) as ((cache, backend),):
            assert (await get(cache, Work()))[1] == "miss"
            getattr(redis, trouble)()
            start = time.monotonic()
            answers = await asyncio.gather(*(get(cache, Work()) for _ in range(20)))
            assert time.monotonic() - start < 2.5, "one after the other they would wait for 5 s"
            assert {result for result, _ in answers} == {RESULT}
            failures = backend.failures
            await get(cache, Work())
            assert backend.failures - failures <= 1, "at most one of its questions is the probe"
            assert backend.failures >= 1
            assert backend.breaker.opened >= 1
            redis.start() if trouble == "kill" else redis.thaw()
            await asyncio.sleep(0.25)
            await get(cache, Work())
            assert (await get(cache, Work()))[1] == "hit"
            assert backend.breaker.state == "closed"

    asyncio.run(main())
    assert "does without for now" in caplog.text
    assert "redis://" not in caplog.text


def test_a_redis_that_goes_while_another_server_is_waited_for_is_not_waited_for(redis: FreezableRedis) -> None:
    async def main() -> None:
        async with servers(2, options(redis)) as ((_, other), (cache, _)):
            await other._claim([PREFIX], [other._member("bank", "k"), "token", 60_000])
            waiting = get(cache, Work())
            await asyncio.sleep(0.2)
            redis.kill()
            async with asyncio.timeout(1.0):
                assert await waiting == (RESULT, "miss")

    asyncio.run(main())


def test_a_redis_that_threw_values_away_loses_nothing_else(redis: FreezableRedis) -> None:
    """Its own bound on memory may come first."""

    async def main() -> None:
        async with servers(1, options(redis)) as ((_, backend),):
            for number in range(5):
                await backend.put("bank", f"{number}", bytes(1000))
            for name in await keys_of(backend):
                if b":value:" in name:
                    await backend._redis.delete(name)
            assert [await backend.get("bank", f"{number}") for number in range(5)] == [None] * 5
            await backend.put("bank", "new", RESULT)
            assert await backend.get("bank", "new") == RESULT
            assert backend.bytes < 1000

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("http://user:passw0rd@host", SECRET, "must begin with redis://"),
        ("redis://user:passw0rd@host", b"short", "SHIZI_CACHE_SECRET"),
    ],
)
def test_options_are_checked_and_not_quoted(url: str, secret: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        RedisCacheOptions(url, secret)
    assert "passw0rd" not in str(caught.value)


def test_no_secret_is_shown() -> None:
    shown = repr(RedisCacheOptions("redis://user:passw0rd@host", SECRET))
    assert "passw0rd" not in shown
    assert "0123" not in shown


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(InvalidRequest, match="install the package `redis`") as caught:
        RedisBackend(RedisCacheOptions("redis://user:passw0rd@host", SECRET), BOUNDS)
    assert "passw0rd" not in repr(caught.value)
