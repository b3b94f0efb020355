"""First come, first served, and never more than there is."""

from __future__ import annotations

import threading
import time

import pytest

from shizi.imaging.sandbox_budget import Budget, ClosedError


def soon() -> float:
    return time.monotonic() + 10


def wait_for(budget: Budget, waiting: int) -> None:
    give_up = time.monotonic() + 10
    while budget.waiting != waiting and time.monotonic() < give_up:
        time.sleep(0.001)
    assert budget.waiting == waiting


def test_who_asks_first_is_served_first_whatever_the_size() -> None:
    budget = Budget(10)
    budget.take(10, soon())
    order: list[int] = []

    def ask(amount: int) -> None:
        budget.take(amount, soon())
        order.append(amount)

    threads = [threading.Thread(target=ask, args=(amount,)) for amount in (8, 1, 2)]
    for index, thread in enumerate(threads):
        thread.start()
        wait_for(budget, index + 1)
    budget.give(5)
    time.sleep(0.05)
    assert order == []  # 1 would fit, but 8 was first
    budget.give(5)
    threads[0].join()
    threads[1].join()
    assert order == [8, 1]
    budget.give(9)
    threads[2].join()
    assert order == [8, 1, 2]
    assert budget.used == 2


def test_waiting_ends_at_the_deadline_and_the_next_is_served() -> None:
    budget = Budget(10)
    budget.take(5, soon())
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        budget.take(6, started + 0.1)
    assert 0.1 <= time.monotonic() - started < 5
    budget.take(5, soon())
    assert (budget.used, budget.waiting) == (10, 0)


def test_what_can_never_be_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        Budget(10).take(11, started + 60)
    assert time.monotonic() - started < 5


def test_closing_ends_the_waiting() -> None:
    budget = Budget(1)
    budget.take(1, soon())
    seen: list[type[Exception]] = []

    def ask() -> None:
        try:
            budget.take(1, soon())
        except ClosedError as error:
            seen.append(type(error))

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(budget, 1)
    budget.close()
    thread.join()
    assert seen == [ClosedError]
