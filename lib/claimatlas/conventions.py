"""Conventions of the published figures that several parts must share, without any engine."""

from __future__ import annotations

import math

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: of intervals and tests at 95 %, two-sided."""
TREND_YEARS = 5
"""A trend is over the year and the four before it."""
DRAWN_RUN = "counts"
"""The run of gold that was drawn, not computed."""


def wilson_interval(part: int, whole: int) -> tuple[float, float]:
    """The Wilson interval at 95 % of a share, exact at 0 and at 1; ``whole`` is above 0."""
    share = part / whole
    shrink = 1 + Z * Z / whole
    centre = (share + Z * Z / (2 * whole)) / shrink
    half = Z / shrink * math.sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole))
    return 0.0 if part == 0 else max(0.0, centre - half), 1.0 if part == whole else min(1.0, centre + half)
