"""Compare each place with the country."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.conventions import HIGHER, LOWER, SIMILAR


def against_national(ci_low: Column, ci_high: Column, national_value: Column) -> Column:
    """Whether a percentage or a standardised rate differs from the country's, at 95 %.

    ``lower`` or ``higher`` when the whole interval lies below or above the national value, else
    ``similar``; null when either is unknown. An interval that touches the national value is ``similar``.
    """
    known = ci_low.isNotNull() & ci_high.isNotNull() & national_value.isNotNull()
    return F.when(
        known,
        F.when(ci_high < national_value, F.lit(LOWER))
        .when(ci_low > national_value, F.lit(HIGHER))
        .otherwise(F.lit(SIMILAR)),
    )
