"""The Wilson score interval of a proportion, 95 %."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.cells.conventions import Z


def wilson_interval(numerator: Column, denominator: Column) -> tuple[Column, Column]:
    """Lower and upper bound in percent, null when the denominator is zero."""
    n = F.when(denominator > 0, denominator).cast("double")
    share = numerator / n
    shrink = 1 + Z * Z / n
    centre = (share + Z * Z / (2 * n)) / shrink
    half_width = Z / shrink * F.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    # At 0 and at 100 % a bound is exact; rounding must not carry it past.
    low = F.when(numerator == 0, F.lit(0.0)).otherwise(F.greatest(F.lit(0.0), 100 * (centre - half_width)))
    high = F.when(numerator == denominator, F.lit(100.0)).otherwise(F.least(F.lit(100.0), 100 * (centre + half_width)))
    return F.when(n.isNotNull(), low), F.when(n.isNotNull(), high)
