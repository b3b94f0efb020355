from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.jobs.webhook_schedule import RetryRules, next_wait

RULES = RetryRules()


def waits(rules: RetryRules, chance: float = 0.5) -> list[float]:
    """The waits of a receiver that never answers."""
    made: list[float] = []
    while (wait := next_wait(rules, len(made) + 1, sum(made), None, chance)) is not None:
        made.append(wait)
    return made


def test_waits_grow_and_end() -> None:
    made = waits(RULES)
    assert made[:6] == [5, 20, 80, 320, 1280, 5120]
    assert all(later >= earlier for earlier, later in pairwise(made))
    assert max(made) == 4 * 3600
    assert len(made) == 11
    assert 18 * 3600 < sum(made) <= 24 * 3600


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 2000), st.floats(0, 1e7), st.none() | st.floats(0, 1e9))
def test_no_wait_is_beyond_the_bounds(chance: float, attempts: int, age_s: float, asked_s: float | None) -> None:
    wait = next_wait(RULES, attempts, age_s, asked_s, chance)
    if wait is None:
        assert attempts >= RULES.attempts or age_s + 4 > 24 * 3600 - 4.8 * 3600
        return
    assert attempts < RULES.attempts
    assert 4 <= wait <= 1.2 * 4 * 3600
    assert age_s + wait <= RULES.age_s


def test_chance_spreads_by_a_fifth() -> None:
    assert next_wait(RULES, 1, 0, None, 0.0) == 4
    assert next_wait(RULES, 1, 0, None, 0.999999) == pytest.approx(6, abs=1e-4)


def test_a_receiver_may_ask_for_more_time_but_not_for_less_nor_for_ever() -> None:
    assert next_wait(RULES, 1, 0, 60.0, 0.5) == 60
    assert next_wait(RULES, 3, 0, 1.0, 0.5) == 80
    assert next_wait(RULES, 1, 0, 1e9, 0.5) == 4 * 3600


def test_many_attempts_are_no_error() -> None:
    assert next_wait(RetryRules(attempts=10**6, age_s=1e12), 999_999, 0, None, 0.5) == 4 * 3600


@pytest.mark.parametrize("field", ["first_s", "longest_s", "age_s", "attempts"])
def test_rules_are_positive(field: str) -> None:
    with pytest.raises(InvalidRequest, match="positive"):
        RetryRules(**{field: 0})
    with pytest.raises(InvalidRequest, match="factor"):
        RetryRules(factor=0.5)
