"""The few statistics that the measurements use, each by a definition that has a name."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least this share of all values does not exceed.

    It is always one of the values, never a mean of two (definition 1 of Hyndman and Fan, "Sample Quantiles in Statistical
    Packages", 1996).

    Args:
        values: at least one.
        share: above 0, at most 1.

    Raises:
        ValueError: there is no value, or no such share.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def geometric_mean(ratios: Sequence[float]) -> float:
    """The mean of ratios: it treats twice as fast and half as fast alike.

    Raises:
        ValueError: there is none, or one of them is not positive.
    """
    if not ratios or min(ratios) <= 0:
        raise ValueError(f"no geometric mean of {list(ratios)}")
    return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))


def slope(values: Sequence[float]) -> float:
    """What the values grow by from one to the next: the line of least squares over their positions.

    Raises:
        ValueError: there are fewer than two.
    """
    if len(values) < 2:
        raise ValueError(f"no slope of {len(values)} values")
    centre, mean = (len(values) - 1) / 2, math.fsum(values) / len(values)
    products = math.fsum((index - centre) * (value - mean) for index, value in enumerate(values))
    return products / math.fsum((index - centre) ** 2 for index in range(len(values)))
