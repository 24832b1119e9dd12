"""The numerator and denominator of each indicator, as columns over the members of its population."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.cells import shares
from claimatlas.configuration.indicators import Indicator


def is_counted(indicator: Indicator) -> Column:
    """Whether the member is in the indicator's denominator: see ``shares``."""
    return F.expr(shares.is_counted(indicator))


def numerator_of_member(indicator: Indicator) -> Column:
    """The member's share in the numerator: see ``shares``."""
    return F.expr(shares.numerator_of_member(indicator))


def is_unknown(indicator: Indicator) -> Column:
    """Whether the member's share in the numerator is unknown: see ``shares``."""
    return F.expr(shares.is_unknown(indicator))


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
