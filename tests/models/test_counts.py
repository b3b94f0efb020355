"""Batches are counted, whatever thread they run in, and say how full they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.models.counts import BatchCounter, Batches


def test_lines_and_what_was_added_to_them_are_counted() -> None:
    counter = BatchCounter()
    counter.add([100, 90], 128)
    counter.add([300], 320)
    assert counter.total == Batches(batches=2, lines=3, pixels=490, padding=2 * 128 + 320 - 490)


def test_a_line_that_was_cut_is_not_larger_than_its_batch() -> None:
    counter = BatchCounter()
    counter.add([5000], 4096)
    assert counter.total == Batches(1, 1, 4096, 0)


def test_no_batch_of_any_thread_is_lost() -> None:
    counter = BatchCounter()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4000):
            pool.submit(counter.add, [10], 32)
    assert counter.total == Batches(4000, 4000, 40_000, 88_000)


@given(st.builds(Batches, *[st.integers(0, 10**18)] * 4))
def test_what_was_written_is_read(batches: Batches) -> None:
    assert Batches.parse(batches.text()) == batches


@pytest.mark.parametrize(
    "text", [None, b"1,2,3,4", "", "1,2,3", "1,2,3,4,5", "1,2,3,-4", "1,2,3,x", "1,2,3,٤", "9" * 25 + ",1,1,1"]
)
def test_anything_else_is_none(text: object) -> None:
    assert Batches.parse(text) is None
