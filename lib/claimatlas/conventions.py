"""Conventions of the published figures that several parts must share, without any engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: of intervals and tests at 95 %, two-sided."""
TREND_YEARS = 5
"""A trend is over the year and the four before it."""
LOWER, SIMILAR, HIGHER = "lower", "similar", "higher"
RISING, FALLING, NONE = "rising", "falling", "none"
DRAWN_RUN = "counts"
"""The run of gold that was drawn, not computed."""


def wilson_interval(part: int, whole: int) -> tuple[float, float]:
    """The Wilson interval at 95 % of a share, exact at 0 and at 1; ``whole`` is above 0."""
    share = part / whole
    shrink = 1 + Z * Z / whole
    centre = (share + Z * Z / (2 * whole)) / shrink
    half = Z / shrink * math.sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole))
    return 0.0 if part == 0 else max(0.0, centre - half), 1.0 if part == whole else min(1.0, centre + half)


def against_national_value(low: float | None, high: float | None, national: float | None) -> str | None:
    """How an interval compares with the country's value: as the comparisons of gold do it, for one cell."""
    if low is None or high is None or national is None:
        return None
    return LOWER if high < national else HIGHER if low > national else SIMILAR


def trend_direction(series: Sequence[tuple[int, int, int]]) -> str | None:
    """The class of the Cochran-Armitage test over the years' numerators and denominators, as gold has it.

    ``series``: year, numerator, denominator. Nothing where not all years are there, or nothing can change.
    """
    last = max((year for year, _, _ in series), default=0)
    r, n = (sum(one[part] for one in series) for part in (1, 2))
    if len(series) != TREND_YEARS or not n:
        return None
    tr, tn, ttn = (
        sum((year - last) * part for year, part, _ in series),
        sum((year - last) * whole for year, _, whole in series),
        sum((year - last) ** 2 * whole for year, _, whole in series),
    )
    share = r / n
    variance = share * (1 - share) * (ttn - tn * tn / n)
    if variance <= 0:
        return None
    z = (tr - share * tn) / math.sqrt(variance)
    return RISING if z > Z else FALLING if z < -Z else NONE


@dataclass(frozen=True)
class Stratum:
    """The counts of one stratum of a cell, and its weight, which is above 0."""

    weight: float
    numerator: int
    denominator: int


def directly_standardised(strata: Sequence[Stratum], scale: int) -> tuple[float | None, float | None, float | None]:
    """The rate per ``scale`` with Dobson's interval at 95 %: value, low, high. The rule is 8.8 of the method.

    Nothing is known where nobody is in one of the strata; without a case there is no interval.
    """
    if any(one.denominator == 0 for one in strata):
        return None, None, None
    weights = math.fsum(one.weight for one in strata)
    shares = [one.numerator / one.denominator for one in strata]
    rate = math.fsum(one.weight * share for one, share in zip(strata, shares, strict=True)) / weights
    parts = [one.weight * one.weight * share / one.denominator for one, share in zip(strata, shares, strict=True)]
    cases = sum(one.numerator for one in strata)
    if cases == 0:
        return scale * rate, None, None
    per_case = math.sqrt(math.fsum(parts) / (weights * weights) / cases)
    least, most = _byar(cases)
    low = max(0.0, scale * (rate + per_case * (least - cases)))
    return scale * rate, low, min(float(scale), scale * (rate + per_case * (most - cases)))


def _byar(cases: int) -> tuple[float, float]:
    """Byar's limits at 95 % of a count that is above 0."""
    more = cases + 1
    least = cases * (1 - 1 / (9 * cases) - Z / (3 * math.sqrt(cases))) ** 3
    return least, more * (1 - 1 / (9 * more) + Z / (3 * math.sqrt(more))) ** 3
