"""What each indicator counts of one member of its population."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.configuration.indicators import Indicator
from claimatlas.services import all_of, any_of

DELIVERY_KIND = "delivery_kind"
"""The type of a delivery, beside the value that it has as a dimension."""


def is_counted(indicator: Indicator) -> Column:
    """Whether the member is in the indicator's denominator.

    Of deliveries, ``DELIVERY_KIND`` is the type as in ``silver/deliveries``, home births told apart.
    """
    conditions = []
    if indicator.denominator is not None and indicator.denominator.delivery_types:
        conditions.append(F.col(DELIVERY_KIND).isin(list(indicator.denominator.delivery_types)))
    if indicator.needs_stays:
        conditions.append(F.col("nights_after_delivery").isNotNull())
    return all_of(conditions)


def numerator_of_member(indicator: Indicator) -> Column:
    """The member's share in the numerator, a whole number; null outside the denominator.

    It is null inside too where a flag is, unless another flag decides: nobody has computed that flag. Members are
    deliveries with their flags, or beneficiary-years with ``quantity_<service>``.
    """
    return F.when(is_counted(indicator), _share(indicator))


def is_unknown(indicator: Indicator) -> Column:
    """Whether nobody can say the member's share in the numerator, as a flag of it was not computed."""
    return is_counted(indicator) & _share(indicator).isNull()


def _share(indicator: Indicator) -> Column:
    numerator = indicator.numerator
    if numerator.all:
        return F.lit(1)
    if numerator.quantity_of_service is not None:
        return F.col(f"quantity_{numerator.quantity_of_service}")
    if numerator.with_service is not None:
        return (F.col(f"quantity_{numerator.with_service}") > 0).cast("int")
    if numerator.nights_after_delivery:
        return F.col("nights_after_delivery")
    if numerator.delivery_types is not None:
        return F.col(DELIVERY_KIND).isin(list(numerator.delivery_types)).cast("int")
    has_any = any_of(F.col(flag) for flag in numerator.flags)
    return (has_any if numerator.with_any is not None else ~has_any).cast("int")


def numerator_column(indicator: Indicator) -> str:
    """The name of the column that holds the indicator's numerator in counts."""
    return f"numerator_{indicator.id}"


def denominator_column(indicator: Indicator) -> str:
    """The name of the column that holds the indicator's denominator in counts: indicators share it."""
    return f"denominator_{indicator.denominator.name}" if indicator.denominator else "denominator"


def measure_columns(indicators: Sequence[Indicator]) -> list[str]:
    """The columns of all denominators and numerators, each once."""
    columns = [denominator_column(indicator) for indicator in indicators]
    return list(dict.fromkeys([*columns, *[numerator_column(indicator) for indicator in indicators]]))
