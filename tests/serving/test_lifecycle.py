"""Two one-way doors, and who is told of the first."""

from __future__ import annotations

from shizi.serving.lifecycle import Lifecycle


def test_whoever_asked_is_told_once_when_the_end_begins() -> None:
    lifecycle, told = Lifecycle(), list[str]()
    lifecycle.when_draining(lambda: told.append("a"))
    lifecycle.when_draining(lambda: told.append("b"))
    assert (told, lifecycle.draining, lifecycle.closed) == ([], False, False)
    lifecycle.drain()
    assert (sorted(told), lifecycle.draining, lifecycle.closed) == (["a", "b"], True, False)
    lifecycle.drain()
    lifecycle.close()
    assert (sorted(told), lifecycle.closed) == (["a", "b"], True)
    lifecycle.when_draining(lambda: told.append("late"))
    assert told[-1] == "late"


def test_an_end_without_a_beginning_tells_too() -> None:
    lifecycle, told = Lifecycle(), list[str]()
    lifecycle.when_draining(lambda: told.append("a"))
    lifecycle.close()
    assert (told, lifecycle.draining) == (["a"], True)
