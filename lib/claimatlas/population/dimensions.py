"""What a beneficiary-year, or the mother of a delivery, has in each dimension that the population says."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.configuration.dimensions import AGE, NO, YES, Dimensions, Population
from claimatlas.population.ages import label_of_age
from claimatlas.tables.schemas import UNKNOWN


def dimension_columns(dimensions: Dimensions, population: Population, age: Column) -> list[Column]:
    """The dimensions of a population that come from ages and from columns of the population, each as text.

    ``age``: completed years. A value that is not declared is ``unknown``. What a delivery's own column says is left
    out.
    """
    found = []
    for name in dimensions.of(population):
        dimension = dimensions.declared[name]
        if dimension.source == AGE:
            found.append(label_of_age(age, dimensions.classes(name, population)).alias(name))
        elif dimension.is_of_population:
            column = F.col(str(dimension.column))
            value = true_or_false(column) if dimension.type == "boolean" else one_of(column, dimension.values)
            found.append(value.alias(name))
    return found


def true_or_false(column: Column) -> Column:
    """``yes``, ``no`` or ``unknown``."""
    return F.when(column, F.lit(YES)).when(~column, F.lit(NO)).otherwise(F.lit(UNKNOWN))


def one_of(column: Column, values: Iterable[str]) -> Column:
    """The text where it is one of the values, else ``unknown``."""
    return F.when(column.isin(*values), column).otherwise(F.lit(UNKNOWN))
