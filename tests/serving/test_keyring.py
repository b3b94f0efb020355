"""API keys as the server checks them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from statistics import median

import pytest

from shizi.errors import EngineUnavailable, Unauthenticated
from shizi.serving.caller import Caller
from shizi.serving.keyring import RENEW_S, STALE_S, KeyRing
from shizi.serving.keys import KeyStore


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys.sqlite3")


def refusal(ring: KeyRing, key: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        asyncio.run(ring.verify(key))
    return str(caught.value)


def test_a_key_says_who_calls(store: KeyStore) -> None:
    key, record = store.create("bank", "a", ["ocr", "admin"], None)
    caller = asyncio.run(KeyRing(store).verify(key))
    assert caller == Caller("bank", f"key:{record.id}", frozenset({"ocr", "admin"}), anonymous=False)


def test_unknown_ids_wrong_secrets_and_other_texts_are_answered_the_same(store: KeyStore) -> None:
    key, _ = store.create("bank", "a", ["ocr"], None)
    other, _ = store.create("bank", "b", ["ocr"], None)
    ring = KeyRing(store)
    wrong = [
        key[:-1] + ("0" if key[-1] != "0" else "1"),
        key[:19] + other[19:],
        "shizi_aaaaaaaaaaaa_" + key[19:],
        "shizi_aaaaaaaaaaaa_" + "0" * 64,
        key[:-1],
        key.upper(),
        "",
    ]
    assert {refusal(ring, text) for text in wrong} == {"the API key is not accepted"}


def test_an_unknown_id_takes_as_long_as_a_wrong_secret(store: KeyStore) -> None:
    key, _ = store.create("bank", "a", ["ocr"], None)
    ring = KeyRing(store)
    wrong, unknown = key[:-1] + ("0" if key[-1] != "0" else "1"), "shizi_aaaaaaaaaaaa_" + key[19:]

    async def run() -> tuple[float, float]:
        times: dict[str, list[int]] = {wrong: [], unknown: []}
        for number in range(6000):
            text = (wrong, unknown)[number % 2]
            begin = time.perf_counter_ns()
            with contextlib.suppress(Unauthenticated):
                await ring.verify(text)
            times[text].append(time.perf_counter_ns() - begin)
        return median(times[wrong]), median(times[unknown])

    first, second = asyncio.run(run())
    assert abs(first - second) < 0.2 * max(first, second)


def test_who_knows_the_secret_is_told_that_the_key_has_ended(store: KeyStore) -> None:
    clock = Clock()
    key, record = store.create("bank", "a", ["ocr"], int(clock.now) + 100)
    revoked, other = store.create("bank", "b", ["ocr"], None)
    store.revoke(other.id)
    ring = KeyRing(store, clock)
    assert refusal(ring, revoked) == f"the API key {other.id} is revoked; ask for a new one"
    clock.now += 101
    assert refusal(ring, key) == f"the API key {record.id} is expired; ask for a new one"
    assert refusal(ring, key[:-1] + ("0" if key[-1] != "0" else "1")) == "the API key is not accepted"


def test_what_another_process_changes_is_known_after_a_second(store: KeyStore) -> None:
    async def run() -> None:
        clock = Clock()
        ring = KeyRing(store, clock)
        key, record = store.create("bank", "a", ["ocr"], None)
        assert await ring.verify(key)
        later, _ = store.create("bank", "b", ["ocr"], None)
        store.revoke(record.id)
        clock.now += RENEW_S + 0.1
        assert await ring.verify(later)
        with pytest.raises(Unauthenticated, match="revoked"):
            await ring.verify(key)

    asyncio.run(run())


def test_the_file_is_looked_at_once_a_second_however_many_call(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    changes = store.changes

    def look() -> int:
        looks.append(1)
        return changes()

    monkeypatch.setattr(store, "changes", look)

    async def run() -> None:
        clock = Clock()
        key, _ = store.create("bank", "a", ["ocr"], None)
        ring = KeyRing(store, clock)
        await asyncio.gather(*(ring.verify(key) for _ in range(50)))
        assert len(looks) == 1
        clock.now += RENEW_S + 0.1
        await asyncio.gather(*(ring.verify(key) for _ in range(50)))
        assert len(looks) == 2
        clock.now -= 3600
        await ring.verify(key)
        assert len(looks) == 3, "a clock that was set back does not stop it"

    asyncio.run(run())


def test_a_file_that_cannot_be_read_is_borne_for_a_minute(store: KeyStore, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        clock = Clock()
        key, _ = store.create("bank", "a", ["ocr"], None)
        ring = KeyRing(store, clock)
        await ring.verify(key)
        store._path.chmod(0o666)
        clock.now += STALE_S / 2
        assert await ring.verify(key)
        assert "cannot be read" in caplog.text
        clock.now += STALE_S
        for _ in range(3):
            with pytest.raises(EngineUnavailable, match="API keys cannot be checked"):
                await ring.verify(key)
        store._path.chmod(0o600)
        clock.now += RENEW_S + 0.1
        assert await ring.verify(key)
        assert key not in caplog.text

    asyncio.run(run())


def test_the_last_use_is_written_when_it_is_renewed_and_at_the_end(store: KeyStore) -> None:
    async def run() -> None:
        clock = Clock()
        first, _ = store.create("bank", "a", ["ocr"], None)
        second, _ = store.create("bank", "b", ["ocr"], None)
        ring = KeyRing(store, clock)
        await ring.verify(first)
        clock.now += RENEW_S + 0.1
        await ring.verify(second)
        hour = int(clock.now) // 3600 * 3600
        assert {record.name: record.used for record in store.records()} == {"a": hour, "b": None}
        await ring.close()
        assert {record.name: record.used for record in store.records()} == {"a": hour, "b": hour}

    asyncio.run(run())
