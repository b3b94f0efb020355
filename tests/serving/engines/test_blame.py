from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import CorruptDocument, InvalidRequest
from shizi.serving.engines.blame import Blame, BlameOptions


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_page_that_ends_two_engines_by_itself_is_refused_for_a_while() -> None:
    clock = Clock()
    blame = Blame(BlameOptions(refuse_s=60, suspect_s=10), clock)
    assert not blame.suspected("a", "page")
    blame.suspect("a", "page")
    assert blame.suspected("a", "page")
    blame.died("a", "page")
    assert blame.suspected("a", "page")
    with pytest.raises(CorruptDocument, match=r"crash 2 times while nothing else was read, .* for another 60 s"):
        blame.died("a", "page")
    clock.now += 59
    with pytest.raises(CorruptDocument, match="for another 1 s"):
        blame.suspected("a", "page")
    clock.now += 1
    assert not blame.suspected("a", "page")
    assert (blame.convicted, blame.refused, len(blame)) == (1, 1, 0)


def test_what_is_known_of_one_tenants_page_says_nothing_of_anothers() -> None:
    blame = Blame(BlameOptions(deaths=1))
    with pytest.raises(CorruptDocument):
        blame.died("a", "page")
    assert not blame.suspected("b", "page")
    assert not blame.suspected("a", "another page")


def test_suspicion_ends_when_the_page_is_read_and_by_itself() -> None:
    clock = Clock()
    blame = Blame(BlameOptions(suspect_s=10), clock)
    blame.suspect("a", "read")
    blame.suspect("a", "never seen again")
    blame.clear("a", "read")
    blame.clear("a", "read")
    assert not blame.suspected("a", "read")
    clock.now += 10
    assert not blame.suspected("a", "never seen again")
    assert len(blame) == 0


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 30), st.sampled_from(["suspect", "clear", "later"]))))
def test_memory_is_bounded_for_each_tenant_and_for_all(events: list[tuple[str, int, str]]) -> None:
    clock = Clock()
    blame = Blame(BlameOptions(most=12, most_of_a_tenant=5, suspect_s=10), clock)
    for tenant, number, what in events:
        if what == "suspect":
            blame.suspect(tenant, str(number))
            assert blame.suspected(tenant, str(number))
        elif what == "clear":
            blame.clear(tenant, str(number))
        else:
            clock.now += 1
        held = [sum(blame.suspected(name, str(page)) for page in range(31)) for name in "abcd"]
        assert max(held) <= 5
        assert sum(held) == len(blame) <= 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"deaths": 0},
        {"most": 0},
        {"most_of_a_tenant": 0},
        {"suspect_s": 0},
        {"suspect_s": 601},
        {"refuse_s": float("inf")},
    ],
)
def test_bounds_that_bound_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest):
        BlameOptions(**wrong)
