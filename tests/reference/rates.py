"""Medians and directly standardised rates in plain Python: sorted lists and fractions, nothing of the package."""

import math
from fractions import Fraction
from typing import Any

Z = 1.959963984540054
SCALES = {"percent": 100, "per_100": 100, "per_1000": 1000, "per_100000": 100_000}
Figures = tuple[float | None, float | None, float | None]


def median(values: list[int]) -> float | None:
    """The middle one; of two middle ones their mean; none of nobody."""
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        return None
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def standardised(strata: dict[str, list[int]], weights: dict[str, Any], unit: str) -> Figures:
    """Rate and interval from the numerator and denominator of each stratum; strata without weight count for nothing."""
    counted = {name: Fraction(str(weight)) for name, weight in weights.items() if weight}
    total = sum(counted.values())
    rate = variance = Fraction(0)
    cases = 0
    for name, weight in counted.items():
        numerator, denominator = strata.get(name, (0, 0))
        if not denominator:
            return None, None, None
        cases += numerator
        rate += weight * Fraction(numerator, denominator) / total
        variance += weight**2 * Fraction(numerator, denominator**2) / total**2
    scale = SCALES[unit]
    if not cases:
        return 0.0, None, None
    low, high = byar(cases)
    per_case = math.sqrt(variance / cases)
    least = max(0.0, scale * (float(rate) + per_case * (low - cases)))
    most = min(float(scale), scale * (float(rate) + per_case * (high - cases)))
    return float(scale * rate), least, most


def byar(cases: int) -> tuple[float, float]:
    """Byar's limits of a count above 0."""
    low = cases * (1 - 1 / (9 * cases) - Z / (3 * math.sqrt(cases))) ** 3
    more = cases + 1
    return low, more * (1 - 1 / (9 * more) + Z / (3 * math.sqrt(more))) ** 3
