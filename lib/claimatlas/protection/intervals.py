"""A cell's value and interval, from the exact counts that are given with it."""

from __future__ import annotations

from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Reliability
from claimatlas.conventions import wilson_interval

DECIMALS = 4


def value_of(indicator: Indicator, numerator: int, denominator: int) -> float | None:
    """The value in the indicator's unit; nothing without a denominator."""
    if indicator.unit == "count":
        return float(numerator)
    if denominator == 0:
        return None
    return round(indicator.scale * numerator / denominator, DECIMALS)


def interval_of(indicator: Indicator, numerator: int, denominator: int) -> tuple[float | None, float | None]:
    """The Wilson interval of a percentage, 95 %, in percent."""
    if indicator.unit != "percent" or denominator == 0:
        return None, None
    low, high = wilson_interval(numerator, denominator)
    return round(100 * low, DECIMALS), round(100 * high, DECIMALS)


def reliability_of(
    indicator: Indicator, numerator: int, interval: tuple[float | None, float | None], rules: Reliability
) -> str:
    """``low`` where the figure says little, else ``normal``."""
    if indicator.unit == "count":
        return "normal"
    low, high = interval
    is_wide = low is not None and high is not None and high - low > rules.interval_wider_than
    return "low" if numerator < rules.numerator_below or is_wide else "normal"
