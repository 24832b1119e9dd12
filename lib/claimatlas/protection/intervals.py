"""A cell's value and interval, from the exact counts that are given with it."""

from __future__ import annotations

import math

from claimatlas.cells.conventions import Z
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Reliability

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
    n, share = float(denominator), numerator / denominator
    shrink = 1 + Z * Z / n
    centre = (share + Z * Z / (2 * n)) / shrink
    half = Z / shrink * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    low = 0.0 if numerator == 0 else max(0.0, 100 * (centre - half))
    high = 100.0 if numerator == denominator else min(100.0, 100 * (centre + half))
    return round(low, DECIMALS), round(high, DECIMALS)


def reliability_of(
    indicator: Indicator, numerator: int, interval: tuple[float | None, float | None], rules: Reliability
) -> str:
    """``low`` where the figure says little, else ``normal``."""
    if indicator.unit == "count":
        return "normal"
    low, high = interval
    is_wide = low is not None and high is not None and high - low > rules.interval_wider_than
    return "low" if numerator < rules.numerator_below or is_wide else "normal"
