"""Look-ups of names that hang."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest

from shizi.jobs.webhook_names import Names, NamesHangError
from shizi.jobs.webhook_sender import Attempt, Sender
from shizi.jobs.webhook_target import Address, TargetRules

HERE = ip_address("127.0.0.1")


class Resolver:
    """Hangs at names that begin with "slow", until it is told to go on."""

    def __init__(self) -> None:
        self.going_on = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[Address]:
        self.asked.append(host)
        if host.startswith("slow"):
            self.going_on.wait(60)
        if host.startswith("none"):
            raise OSError("nobody knows it")
        return (HERE,)


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    yield made
    made.going_on.set()


def test_a_name_is_looked_up_and_its_failure_told(resolver: Resolver) -> None:
    async def work() -> None:
        names = Names(resolver, most=1)
        for _ in range(3):  # one after the other, each has its turn
            assert await names("quick.example", 443) == (HERE,)
            with pytest.raises(OSError, match="nobody knows"):
                await names("none.example", 443)

    asyncio.run(work())


def test_beside_names_that_hang_others_are_found(resolver: Resolver) -> None:
    async def work() -> None:
        names = Names(resolver, most=3)
        slow = [asyncio.ensure_future(names(f"slow{count}.example", 443)) for count in range(2)]
        await asyncio.sleep(0)
        assert await names("quick.example", 443) == (HERE,)
        assert not any(each.done() for each in slow)
        resolver.going_on.set()
        assert await asyncio.gather(*slow) == [(HERE,), (HERE,)]

    asyncio.run(work())


def test_where_all_hang_the_next_one_fails_without_waiting_for_them(resolver: Resolver) -> None:
    async def work() -> None:
        names = Names(resolver, most=2)
        sender = Sender(TargetRules(), 0.2, names)
        for count in range(2):  # given up by their senders, which does not end them
            given_up = await sender.send(f"https://slow{count}.example/", {}, b"")
            assert given_up == Attempt(False, fault="no answer within 0.2 s")
        patient = Sender(TargetRules(), 60.0, names)
        refused = await patient.send("https://quick.example/", {}, b"")
        assert refused == Attempt(False, fault="the resolver of names does not answer")
        assert "quick.example" not in resolver.asked
        resolver.going_on.set()
        while True:  # as soon as they have ended
            try:
                assert await names("quick.example", 443) == (HERE,)
                return
            except NamesHangError:
                await asyncio.sleep(0.01)

    asyncio.run(work())


def test_a_system_without_threads_is_no_crash(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def work() -> None:
        names = Names(resolver, most=1)
        with monkeypatch.context() as broken:
            broken.setattr(threading.Thread, "start", refused)
            with pytest.raises(NamesHangError):
                await names("quick.example", 443)
        assert await names("quick.example", 443) == (HERE,)

    asyncio.run(work())


HANGING = """
import asyncio, threading
from shizi.jobs.webhook_names import Names
from shizi.jobs.webhook_sender import Sender
from shizi.jobs.webhook_target import TargetRules

def hang(host, port):
    threading.Event().wait()

sender = Sender(TargetRules(), 0.2, Names(hang))
print(asyncio.run(sender.send("https://receiver.example/", {}, b"")).fault)
"""


def test_a_look_up_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("no answer within 0.2 s\n", "")
