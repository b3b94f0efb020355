"""Pieces of work are done side by side, those of one shape in a row, for all that ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import ParamSpec, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.batching.claim import Claim
from shizi.errors import DeadlineExceeded
from shizi.models.streams import Streams

P = ParamSpec("P")
T = TypeVar("T")
WAIT = 60  # seconds after which a test that would hang fails
shapes_of_pieces = st.lists(st.sampled_from("abcd"), max_size=40)


class Watched(ThreadPoolExecutor):
    """Tells what it was asked for, so that a test need not guess when."""

    asked: threading.Semaphore
    closing: threading.Event

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        self.asked.release()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        self.closing.set()
        super().shutdown(wait)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    """The threads of streams that are made in this test."""
    monkeypatch.setattr(Watched, "asked", threading.Semaphore(0), raising=False)
    monkeypatch.setattr(Watched, "closing", threading.Event(), raising=False)
    monkeypatch.setattr("shizi.models.streams.ThreadPoolExecutor", Watched)
    return Watched


@pytest.fixture(scope="module")
def three() -> Iterator[Streams]:
    with closing(Streams(3)) as made:
        yield made


@given(shapes_of_pieces)
def test_what_comes_of_the_pieces_is_in_their_order(three: Streams, shapes: list[str]) -> None:
    done: list[int] = []

    def work(number: int) -> str:
        done.append(number)
        return f"{number} {shapes[number]}"

    assert three.run(work, shapes) == [f"{number} {shape}" for number, shape in enumerate(shapes)]
    assert sorted(done) == list(range(len(shapes)))


def test_nothing_to_do_does_nothing(three: Streams) -> None:
    assert three.run(lambda number: 1 // number, []) == []


@pytest.mark.parametrize(
    ("shapes", "rounds"),
    [
        ("aabb", ["ab", "ab"]),
        ("aaabbb", ["ab", "ab", "ab"]),
        ("aaaabbcc", ["ab", "ab", "ac", "ac"]),  # who is done with b begins c
        ("aaaaaabb", ["ab", "ab", "aa", "aa"]),  # who is done with b helps
        ("abcbcbcb", ["ab", "bc", "bc", "bc"]),
    ],
)
def test_each_of_two_streams_keeps_to_a_shape_while_it_lasts(shapes: str, rounds: list[str]) -> None:
    """Two pieces are done at a time, and none begins before those two have ended."""
    lock, both = threading.Lock(), threading.Barrier(2)
    begun: list[str] = []
    threads: list[set[str]] = []

    def work(number: int) -> None:
        with lock:
            begun.append(shapes[number])
            if len(begun) % 2:
                threads.append(set())
            threads[-1].add(threading.current_thread().name)
        both.wait(WAIT)

    with closing(Streams(2)) as streams:
        streams.run(work, shapes)
    assert ["".join(sorted(begun[at : at + 2])) for at in range(0, len(begun), 2)] == rounds
    assert all(len(names) == 2 for names in threads)
    assert all(name.startswith("shizi-recognize") for names in threads for name in names)


def test_an_error_is_raised_nothing_more_is_begun_and_others_are_served() -> None:
    begun: list[int] = []
    all_here, go = threading.Barrier(3), threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number < 2:
            all_here.wait(WAIT)
        if number == 1:
            raise ZeroDivisionError("piece 1")
        assert go.wait(WAIT)
        return number

    streams = Streams(2)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(streams.run, work, "ab" * 20)
        all_here.wait(WAIT)
        # One stream is held by piece 0; the other is free as soon as the error has been noted.
        assert streams.run(lambda number: -number, "cccc") == [0, -1, -2, -3]
        go.set()
        with pytest.raises(ZeroDivisionError, match="piece 1"):
            answer.result(WAIT)
    both = threading.Barrier(2)
    assert sorted(streams.run(lambda _: both.wait(WAIT), "de")) == [0, 1]  # none of the threads is lost
    streams.close()
    assert sorted(begun) == [0, 1]


def test_callers_take_turns_by_what_their_pieces_cost(watched: type[Watched]) -> None:
    order: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def piece(caller: str, number: int) -> None:
        order.append(f"{caller}{number}")
        begun.set()
        assert go.wait(WAIT)

    with closing(Streams(1)) as streams, ThreadPoolExecutor(2) as callers:
        long = callers.submit(streams.run, lambda number: piece("long ", number), "a" * 6, costs=[1024] * 6)
        assert begun.wait(WAIT)
        assert watched.asked.acquire(timeout=WAIT)
        short = callers.submit(streams.run, lambda number: piece("short ", number), "bb", costs=[256] * 2)
        assert watched.asked.acquire(timeout=WAIT)
        go.set()
        for answer in (long, short):
            answer.result(WAIT)
    assert order == ["long 0", "short 0", "short 1", "long 1", "long 2", "long 3", "long 4", "long 5"]


def test_a_deadline_ends_a_call_while_its_pieces_wait_for_others() -> None:
    """The one stream is held by another caller: nothing of the late call is ever begun."""
    begun, go = threading.Event(), threading.Event()
    done: list[int] = []

    def hold(_number: int) -> None:
        begun.set()
        assert go.wait(WAIT)

    with closing(Streams(1)) as streams, ThreadPoolExecutor(1) as caller:
        other = caller.submit(streams.run, hold, "a")
        assert begun.wait(WAIT)
        with pytest.raises(DeadlineExceeded, match="deadline of this request has passed"):
            streams.run(done.append, "aaa", claim=Claim(deadline=time.monotonic() + 0.05))
        go.set()
        other.result(WAIT)
        assert streams.run(abs, "ab") == [0, 1]
    assert done == []


def test_a_deadline_that_passes_in_the_middle_waits_for_what_was_begun_and_begins_nothing_more() -> None:
    """The caller's pixels may be gone when the call has ended, so no thread may still look at them."""
    now = [0.0]
    ended: list[int] = []

    def work(number: int) -> None:
        now[0] += 1.0
        ended.append(number)

    with closing(Streams(1, clock=lambda: now[0])) as streams:
        with pytest.raises(DeadlineExceeded):
            streams.run(work, "a" * 50, claim=Claim(deadline=10.0))
        assert ended == list(range(10))


def test_pieces_of_a_request_that_nobody_waits_for_are_not_begun() -> None:
    gone = threading.Event()
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 2:
            gone.set()

    with closing(Streams(1)) as streams:
        claim = Claim(abandoned=gone.is_set)
        with pytest.raises(DeadlineExceeded, match="nobody waited"):
            streams.run(work, "a" * 50, claim=claim)
        with pytest.raises(DeadlineExceeded, match="nobody waited"):
            streams.run(work, "a", claim=claim)
    assert begun == [0, 1, 2]


def test_an_interrupt_of_the_caller_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the call is begun after its caller has gone, and what was begun has ended before."""
    begun, ended = threading.Event(), threading.Event()
    numbers: list[int] = []

    def work(number: int) -> None:
        numbers.append(number)
        begun.set()
        assert ended.wait(WAIT)

    def interrupted(_streams: Streams, _call: object, _claim: Claim) -> None:
        assert begun.wait(WAIT)
        threading.Timer(0.05, ended.set).start()
        raise KeyboardInterrupt

    with closing(Streams(1)) as streams:
        with monkeypatch.context() as patched:
            patched.setattr(Streams, "_wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                streams.run(work, "a" * 50)
        assert ended.is_set()
        assert streams.run(abs, "ab") == [0, 1]
    assert numbers == [0]


def test_a_short_page_is_done_while_a_long_one_holds_a_stream() -> None:
    """The long one's first piece ends only after the short one has been read."""
    short_is_done, first_begun = threading.Event(), threading.Event()

    def long(number: int) -> int:
        if number == 0:
            first_begun.set()
            assert short_is_done.wait(WAIT)
        return number

    with closing(Streams(2)) as streams, ThreadPoolExecutor(1) as caller:
        answer = caller.submit(streams.run, long, "a" * 30)
        assert first_begun.wait(WAIT)
        assert streams.run(lambda number: 7 * number, "bbc") == [0, 7, 14]
        assert not answer.done()
        short_is_done.set()
        assert answer.result(WAIT) == list(range(30))


@given(st.lists(shapes_of_pieces, min_size=2, max_size=4))
def test_every_caller_gets_its_own_results(three: Streams, jobs: Sequence[list[str]]) -> None:
    with ThreadPoolExecutor(len(jobs)) as callers:
        answers = [
            callers.submit(three.run, lambda number, job=job: (job, number), shapes) for job, shapes in enumerate(jobs)
        ]
        for job, (answer, shapes) in enumerate(zip(answers, jobs, strict=True)):
            assert answer.result(WAIT) == [(job, number) for number in range(len(shapes))]


def test_pieces_give_way_to_what_needs_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.models.streams._MOST_HELD_S", WAIT)
    order: list[str] = []
    with closing(Streams(2)) as streams, ThreadPoolExecutor(1) as caller:
        with streams.hold(Claim()):
            with streams.hold(Claim()):
                answer = caller.submit(streams.run, lambda number: order.append(f"piece {number}"), "ab")
            time.sleep(0.05)
            order.append("held")
        answer.result(WAIT)
    assert order[0] == "held"
    assert sorted(order[1:]) == ["piece 0", "piece 1"]


def test_pieces_do_not_give_way_for_ever() -> None:
    with closing(Streams(2)) as streams, streams.hold(Claim()):
        assert streams.run(abs, "abc") == [0, 1, 2]


def test_pieces_give_way_until_the_quick_request_has_pieces_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not until it is done: the other threads would be idle meanwhile."""
    monkeypatch.setattr("shizi.models.streams._MOST_HELD_S", WAIT)
    order: list[str] = []
    page_goes_on = threading.Event()

    def page(number: int) -> None:
        order.append(f"page {number}")
        page_goes_on.set()

    def quick(_number: int) -> None:
        order.append("quick")
        assert page_goes_on.wait(WAIT)

    claim = Claim()
    with closing(Streams(2)) as streams, ThreadPoolExecutor(1) as caller:
        with streams.hold(claim):
            answer = caller.submit(streams.run, page, "ab")
            time.sleep(0.05)
            assert order == []
            streams.run(quick, "c", claim=claim)
        answer.result(WAIT)
    assert sorted(order) == ["page 0", "page 1", "quick"]


def test_nothing_can_be_run_after_closing() -> None:
    streams = Streams(2)
    assert streams.run(abs, "ab") == [0, 1]
    streams.close()
    streams.close()
    done: list[int] = []
    with pytest.raises(RuntimeError, match="after shutdown"):
        streams.run(done.append, "ab")
    assert done == []


def test_closing_ends_a_call_that_runs(watched: type[Watched]) -> None:
    streams = Streams(1)
    begun = threading.Event()
    done: list[int] = []

    def work(number: int) -> None:
        begun.set()
        assert watched.closing.wait(WAIT)
        done.append(number)

    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(streams.run, work, "aaa")
        assert begun.wait(WAIT)
        streams.close()
        with pytest.raises(RuntimeError, match="after shutdown"):
            answer.result(WAIT)
    assert done == [0]
