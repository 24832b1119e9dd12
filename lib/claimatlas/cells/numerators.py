"""The numerator and denominator of each indicator, as columns over the members of its population."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.cells import shares
from claimatlas.configuration.dimensions import Dimensions, LineValue
from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.reserved import START_OF_WORKING


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


def of_medians(indicators: Sequence[Indicator]) -> list[Indicator]:
    """The indicators whose value is a median."""
    return [indicator for indicator in indicators if indicator.unit == MEDIAN]


def share_column(indicator: Indicator) -> str:
    """The name of the column of counts that holds the share of each counted member, of a median; else null."""
    return f"{START_OF_WORKING}share_{indicator.id}"


def median_column(indicator: Indicator) -> str:
    """The name of the column that holds the indicator's median in a cube."""
    return f"{START_OF_WORKING}median_{indicator.id}"


def line_values(indicator: Indicator, dimensions: Dimensions) -> tuple[LineValue, ...]:
    """The values of the dimension of the claim lines that splits an indicator; none where there is none."""
    own = [name for name in indicator.dimensions if name in dimensions.of_lines]
    return dimensions.line_values(own[0]) if own else ()


def numerator_of_value(indicator: Indicator, value: LineValue) -> Column:
    """The member's share in the numerator of cells of a line value: a quantity; null outside the denominator."""
    quantity = F.col(value.quantity(str(indicator.numerator.quantity_of_service)))
    return F.when(is_counted(indicator), quantity)


def sums_of_values(indicators: Sequence[Indicator], dimensions: Dimensions) -> list[Column]:
    """Aggregates over members: the numerator of each indicator for each value of its dimension of the claim lines."""
    return [
        F.coalesce(F.sum(numerator_of_value(indicator, value)), F.lit(0))
        .cast("bigint")
        .alias(value.numerator(indicator.id))
        for indicator in indicators
        for value in line_values(indicator, dimensions)
    ]


def measure_columns(indicators: Sequence[Indicator], dimensions: Dimensions) -> list[str]:
    """The columns of all denominators and numerators, each once; those of line values last."""
    columns = [denominator_column(indicator) for indicator in indicators]
    columns += [numerator_column(indicator) for indicator in indicators]
    for indicator in indicators:
        columns += [value.numerator(indicator.id) for value in line_values(indicator, dimensions)]
    return list(dict.fromkeys(columns))
