"""A cell's value and interval, from the exact counts that are given with it."""

from __future__ import annotations

from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Reliability
from claimatlas.conventions import wilson_interval

DECIMALS = 4
Interval = tuple[float | None, float | None]


def value_of(indicator: Indicator, numerator: int, denominator: int) -> float | None:
    """The value in the indicator's unit; nothing without a denominator."""
    if indicator.unit == "count":
        return float(numerator)
    if denominator == 0:
        return None
    return rounded(indicator.scale * numerator / denominator)


def interval_of(indicator: Indicator, numerator: int, denominator: int) -> Interval:
    """The Wilson interval of a percentage, 95 %, in percent."""
    if indicator.unit != "percent" or denominator == 0:
        return None, None
    low, high = wilson_interval(numerator, denominator)
    return rounded(100 * low), rounded(100 * high)


def rounded(value: float | None) -> float | None:
    """A value as it is published."""
    return None if value is None else round(value, DECIMALS)


def reliability_of(indicator: Indicator, numerator: int | None, interval: Interval, rules: Reliability) -> str:
    """``low`` where the figure says little, else ``normal``; of a median nobody can tell.

    The width of an interval is that in percent, whatever the rate is given by.
    """
    if indicator.unit == "count" or numerator is None:
        return "normal"
    low, high = interval
    in_percent = indicator.scale / 100
    is_wide = low is not None and high is not None and (high - low) / in_percent > rules.interval_wider_than
    return "low" if numerator < rules.numerator_below or is_wide else "normal"
