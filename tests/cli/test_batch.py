from __future__ import annotations

import contextlib
import threading
import time

from shizi.cli.batch import in_order


def test_results_come_in_the_order_of_the_jobs() -> None:
    def work(job: int) -> int:
        time.sleep(0.02 if job % 3 == 0 else 0)
        return job * job

    assert list(in_order(work, range(20), threads=4)) == [job * job for job in range(20)]


def test_no_more_than_the_threads_work_and_the_window_is_bounded() -> None:
    lock = threading.Lock()
    now, most, begun = 0, 0, 0

    def work(_job: int) -> None:
        nonlocal now, most, begun
        with lock:
            now, begun = now + 1, begun + 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    results = in_order(work, range(50), threads=3)
    next(results)
    time.sleep(0.1)
    assert begun <= 6
    list(results)
    assert most <= 3


def test_stopping_early_begins_nothing_more() -> None:
    begun: list[int] = []

    def work(job: int) -> int:
        begun.append(job)
        return job

    with contextlib.closing(in_order(work, range(1000), threads=1)) as results:
        next(results)
    assert len(begun) <= 2
