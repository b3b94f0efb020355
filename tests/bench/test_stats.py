from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.bench.stats import geometric_mean, percentile, slope

numbers = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([15, 20, 35, 40, 50], 0.05, 15),
        ([15, 20, 35, 40, 50], 0.3, 20),
        ([50, 15, 40, 20, 35], 0.4, 20),
        ([15, 20, 35, 40, 50], 0.95, 50),
        (list(range(1, 21)), 0.95, 19),
        ([7], 0.5, 7),
    ],
)
def test_percentiles_worked_out_by_hand(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


@given(numbers, st.floats(0.01, 1))
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values)


def test_twice_and_half_as_fast_are_as_fast() -> None:
    assert geometric_mean([2, 0.5]) == pytest.approx(1)
    assert geometric_mean([1, 10, 100]) == pytest.approx(10)


def test_the_slope_of_a_line_is_found_through_noise() -> None:
    assert slope([10, 12, 14, 16]) == pytest.approx(2)
    assert slope([5, 4, 6, 5, 5, 4, 6, 5]) == pytest.approx(0, abs=0.1)
    assert slope([0, 0, 0, 3]) == pytest.approx(0.9)


def test_nothing_has_no_statistics() -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no percentile"):
        percentile([1.0], 0)
    with pytest.raises(ValueError, match="no geometric mean"):
        geometric_mean([1.0, 0.0])
    with pytest.raises(ValueError, match="no slope"):
        slope([1.0])
