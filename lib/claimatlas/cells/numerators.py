"""What each indicator counts of one member of its population."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.configuration.indicators import Indicator
from claimatlas.services import any_of


def numerator_of_member(indicator: Indicator) -> Column:
    """The member's share in the numerator, a whole number.

    Members are deliveries with their flags, or beneficiary-years with ``quantity_<service>``.
    """
    numerator = indicator.numerator
    if numerator.all:
        return F.lit(1)
    if numerator.quantity_of_service is not None:
        return F.col(f"quantity_{numerator.quantity_of_service}")
    if numerator.with_service is not None:
        return (F.col(f"quantity_{numerator.with_service}") > 0).cast("int")
    has_any = any_of(F.col(flag) for flag in numerator.flags)
    return (has_any if numerator.with_any is not None else ~has_any).cast("int")


def numerator_column(indicator: Indicator) -> str:
    """The name of the column that holds the indicator's numerator in counts."""
    return f"numerator_{indicator.id}"
