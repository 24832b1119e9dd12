"""A trend over five years: the Cochran-Armitage test for a linear trend in proportions."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.conventions import FALLING, NONE, RISING, Z
from claimatlas.conventions import TREND_YEARS as YEARS


def trend_statistic(cells: DataFrame, place: Sequence[str]) -> DataFrame:
    """The test's statistic for each place and each year that has four years before it.

    The score of a year is the year itself. With ``t`` the score, ``r`` the numerator, ``n`` the
    denominator and ``p`` the share over all five years, ``z = sum t (r - n p) / sqrt(p (1 - p) (sum n t^2 -
    (sum n t)^2 / sum n))``: approximately standard normal when the share does not change, positive when it
    rises.

    Grain in: one row per ``place`` and ``year``, with ``numerator`` and ``denominator``; null where an
    indicator is not computable. Grain out: one row per ``place`` and ``year`` where all five years are
    there and computable, with ``trend_z``: null when nothing can change, as when the share is 0 or 1.
    """
    # Each year's figures count for the trends that end in it and in the four years after it.
    ends = F.explode(F.sequence(F.col("year"), F.col("year") + (YEARS - 1)))
    spread = cells.where(F.col("numerator").isNotNull() & F.col("denominator").isNotNull()).withColumn("_end", ends)
    # Count the score from the last year: a shift of all scores does not change the test, and the sums stay exact.
    score = (F.col("year") - F.col("_end")).cast("bigint")
    numerator, denominator = F.col("numerator"), F.col("denominator")
    sums = spread.groupBy(*place, F.col("_end").alias("year")).agg(
        F.count(F.lit(1)).alias("_years"),
        F.sum(numerator).cast("double").alias("_r"),
        F.sum(denominator).cast("double").alias("_n"),
        F.sum(score * numerator).cast("double").alias("_tr"),
        F.sum(score * denominator).cast("double").alias("_tn"),
        F.sum(score * score * denominator).cast("double").alias("_ttn"),
    )
    return sums.where(F.col("_years") == YEARS).select(*place, "year", _z().alias("trend_z"))


def _z() -> Column:
    r, n, tr, tn, ttn = (F.col(name) for name in ("_r", "_n", "_tr", "_tn", "_ttn"))
    share = r / F.nullif(n, F.lit(0.0))
    variance = share * (1 - share) * (ttn - tn * tn / n)
    return F.when(variance > 0, (tr - share * tn) / F.sqrt(variance))


def direction(z: Column) -> Column:
    """``rising`` or ``falling`` when the test is significant (two-sided, 5 %), else ``none``; null without one."""
    return F.when(z > Z, F.lit(RISING)).when(z < -Z, F.lit(FALLING)).when(z.isNotNull(), F.lit(NONE))
