"""Results are given out again to whom they belong, worked out once, and within bounds of time and memory."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import CorruptDocument, DeadlineExceeded, EngineUnavailable, InvalidRequest
from shizi.serving.cache import CacheOptions, Keys, Outcome, Plain, ResultCache
from shizi.serving.cache_memory import MemoryBackend
from shizi.types import ModelInfo

SECRET = b"0123456789abcdef"
MODELS = (ModelInfo("detect", "d", "1", "aa"), ModelInfo("recognize", "r", "1", "bb"))
CONTENT = hashlib.sha256(b"document").digest()
OPTIONS: dict[str, Plain] = {"detect": True, "languages": ("en", "zh"), "min_score": 0.7, "password": None}
WAIT = 30.0


def key(
    tenant: str = "a",
    content: bytes = CONTENT,
    options: dict[str, Plain] = OPTIONS,
    *,
    secret: bytes = SECRET,
    models: tuple[ModelInfo, ...] = MODELS,
    version: str = "1.0",
) -> str:
    return Keys(secret, models, version).key(tenant, content, options)


def test_a_key_is_the_same_for_the_same_request() -> None:
    assert key() == key()
    assert key(options=dict(reversed(OPTIONS.items()))) == key()
    assert key(models=MODELS[::-1]) == key()
    assert len(key()) == 64


def test_anything_else_has_another_key() -> None:
    others = [
        key("b"),
        key(content=hashlib.sha256(b"other").digest()),
        key(options={**OPTIONS, "detect": False}),
        key(options={**OPTIONS, "min_score": 0.71}),
        key(options={**OPTIONS, "languages": ("en",)}),
        key(options={**OPTIONS, "password": "None"}),
        key(options={**OPTIONS, "more": None}),
        key(secret=SECRET[::-1]),
        key(models=(MODELS[0], ModelInfo("recognize", "r", "1", "cc"))),
        key(models=MODELS[:1]),
        key(version="1.1"),
    ]
    assert len({key(), *others}) == 1 + len(others)


def test_a_key_tells_nobody_what_the_document_is() -> None:
    assert CONTENT.hex() not in key()
    assert hashlib.sha256(CONTENT).hexdigest() != key()


def test_what_is_no_secret_and_no_digest_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="16 bytes"):
        Keys(b"short", MODELS, "1")
    with pytest.raises(InvalidRequest, match="SHA-256"):
        key(content=b"document")


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5)), st.dictionaries(st.text(max_size=5), st.text(max_size=5))
)
def test_different_options_never_share_a_key(left: dict[str, Plain], right: dict[str, Plain]) -> None:
    assert (key(options=left) == key(options=right)) == (left == right)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


SMALL = CacheOptions(max_bytes=20 * 1024, max_result_bytes=8 * 1024, tenant_share=0.5, ttl_s=60.0)


class Reader:
    """Works results out when it is told to, and counts."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> bytes:
        self.begun += 1
        try:
            await self.go.wait()
        finally:
            self.ended += 1
        if self.error is not None:
            raise self.error
        return f"result {self.begun}".encode()


def get(
    cache: ResultCache,
    compute: Callable[[], Awaitable[bytes]],
    tenant: str = "a",
    seconds: float = WAIT,
    *,
    store: bool = True,
) -> asyncio.Task[tuple[bytes, Outcome]]:
    return asyncio.create_task(cache.get(tenant, "k", time.monotonic() + seconds, compute, store=store))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_equal_requests_at_a_time_are_worked_out_once_and_then_kept() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        asked = [get(cache, reader) for _ in range(10)]
        await settle()
        reader.go.set()
        answers = await asyncio.gather(*asked)
        assert {result for result, _ in answers} == {b"result 1"}
        assert sorted(outcome for _, outcome in answers) == ["miss"] + ["shared"] * 9
        assert await get(cache, reader) == (b"result 1", "hit")
        assert cache.outcomes == {"hit": 1, "miss": 1, "shared": 9, "bypass": 0}

    run(main)


def test_a_leader_that_leaves_does_not_fail_those_who_follow() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        leader, *followers = [get(cache, reader) for _ in range(3)]
        await settle()
        leader.cancel()
        await settle()
        assert leader.cancelled()
        reader.go.set()
        assert [await follower for follower in followers] == [(b"result 1", "shared")] * 2
        assert reader.begun == 1

    run(main)


def test_the_last_one_to_leave_ends_the_work_and_the_next_begins_anew() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        asked = [get(cache, reader) for _ in range(3)]
        await settle()
        for task in asked:
            task.cancel()
        fresh = get(cache, reader)  # it comes before the end of the old work is through
        await settle()
        assert (reader.begun, reader.ended) == (2, 1)
        reader.go.set()
        assert (await fresh)[0] == b"result 2"

    run(main)


def test_an_error_is_told_to_all_and_not_kept() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        reader.error = CorruptDocument("bad")
        asked = [get(cache, reader) for _ in range(3)]
        await settle()
        reader.go.set()
        assert [type(error) for error in await asyncio.gather(*asked, return_exceptions=True)] == [CorruptDocument] * 3
        reader.error = None
        assert await get(cache, reader) == (b"result 2", "miss")

    run(main)


def test_an_error_that_nobody_waited_for_is_no_news() -> None:
    """Warnings are errors in these tests: an exception that was never retrieved would be one."""

    async def main() -> None:
        cache = ResultCache(MemoryBackend(SMALL))

        async def stubborn() -> bytes:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise CorruptDocument("bad") from None
            return b""

        task = get(cache, stubborn)
        await settle()
        task.cancel()
        await settle()

    run(main)


def test_a_tenant_neither_gets_nor_shares_the_result_of_another() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        asked = [get(cache, reader, tenant) for tenant in "abab"]
        await settle()
        assert reader.begun == 2
        reader.go.set()
        assert sorted(outcome for _, outcome in await asyncio.gather(*asked)) == ["miss", "miss", "shared", "shared"]
        assert (await get(cache, reader, "c"))[1] == "miss"

    run(main)


def test_no_store_neither_reads_nor_fills_nor_shares() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        reader.go.set()
        assert (await get(cache, reader, store=False))[1] == "bypass"
        assert await get(cache, reader) == (b"result 2", "miss")
        assert await get(cache, reader, store=False) == (b"result 3", "bypass")
        assert await get(cache, reader) == (b"result 2", "hit")

    run(main)


def test_a_follower_in_a_hurry_leaves_the_others_alone() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        leader, hurried = get(cache, reader), get(cache, reader, seconds=0.02)
        with pytest.raises(DeadlineExceeded, match="time allowed"):
            await hurried
        reader.go.set()
        assert (await leader)[0] == b"result 1"

    run(main)


def test_a_deadline_of_the_one_who_began_is_not_that_of_those_who_follow() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()

        async def until(moment: float) -> bytes:
            try:
                async with asyncio.timeout(moment):
                    return await reader()
            except TimeoutError:
                raise DeadlineExceeded("late") from None

        hurried = get(cache, lambda: until(0.02), seconds=0.03)
        await settle()
        patient = [get(cache, lambda: until(WAIT)) for _ in range(3)]
        await settle()
        assert reader.begun == 1
        with pytest.raises(DeadlineExceeded):
            await hurried
        await settle()
        assert reader.begun == 2  # one of those who have more time began anew, for all of them
        reader.go.set()
        assert [result for result, _ in await asyncio.gather(*patient)] == [b"result 2"] * 3

    run(main)


def test_closing_ends_what_is_being_worked_out() -> None:
    async def main() -> None:
        cache, reader = ResultCache(MemoryBackend(SMALL)), Reader()
        asked = [get(cache, reader) for _ in range(2)]
        await settle()
        await cache.close()
        assert reader.ended == 1
        assert [type(error) for error in await asyncio.gather(*asked, return_exceptions=True)] == [
            EngineUnavailable
        ] * 2

    run(main)
