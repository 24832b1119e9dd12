"""Count the beneficiary-years of one published cell again: from all of silver, so by Spark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import places
from claimatlas.cells.members import beneficiary_counts
from claimatlas.cells.numerators import (
    denominator_column,
    line_values,
    numerator_column,
    of_medians,
    share_column,
)
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.settings import SECTOR
from claimatlas.explanations.cell import AROUND_THE_MEDIAN, Counted, in_stratum
from claimatlas.tables.schemas import ALL, CLAIMS
from claimatlas.tables.store import Store


def count_beneficiaries(
    store: Store, configuration: Configuration, indicator: Indicator, row: Mapping[str, Any]
) -> Counted:
    """Count the beneficiary-years of a published cell again, from the silver that is there.

    Gives ``numerator``, ``denominator``, and what is counted beside them: where domiciles come from, codes and sectors,
    services; of a median the members around it, of a standardised rate the counts of its strata. It
    leaves intermediate results, for ``Store.clear_work``.
    """
    finest = beneficiary_counts(store, configuration, [indicator], [row["year"]], store.read(CLAIMS)).finest
    inside = _in_place(finest, configuration, row)
    dimensions = configuration.dimensions.of(indicator.population)
    for dimension in dimensions:
        if row[dimension] != ALL:
            inside = inside.where(F.col(dimension) == row[dimension])
    numerator, denominator = numerator_column(indicator), denominator_column(indicator)
    by_value = {value: value.numerator(indicator.id) for value in line_values(indicator, configuration.dimensions)}
    keys = {"year", SECTOR, configuration.settings.geography.domicile_level, *dimensions, *by_value.values()}
    keys |= {share_column(one) for one in of_medians([indicator])}
    beside = [name for name in finest.columns if name not in {numerator, denominator, *keys}]
    numerator = next((name for value, name in by_value.items() if row[value.dimension] == value.value), numerator)
    sums = {"numerator": numerator, "denominator": denominator, **{name: name for name in beside}}
    counts = {alias: F.col(name) for alias, name in sums.items()}
    if indicator.unit == MEDIAN:
        counts |= _around(F.col(share_column(indicator)), F.col(denominator), row["value"])
    if indicator.standardised is not None:
        standard = configuration.standards[indicator.standardised]
        for value in standard.weights:
            is_stratum = F.col(standard.dimension) == value
            for kind, column in (("numerator", numerator), ("denominator", denominator)):
                counts[in_stratum(kind, standard, value)] = F.when(is_stratum, F.col(column))
    counted = inside.agg(*[_sum(column).alias(alias) for alias, column in counts.items()]).collect()[0].asDict()
    return {name: int(value) for name, value in counted.items()}


def _around(share: Column, number: Column, median: float | None) -> dict[str, Column]:
    """How many members have less than a median, just that, and more."""
    if median is None:
        return {}
    sides = zip(AROUND_THE_MEDIAN, (share < median, share == median, share > median), strict=True)
    return {name: F.when(condition, number) for name, condition in sides}


def _sum(column: Column) -> Column:
    """The sum; 0 of nothing."""
    return F.coalesce(F.sum(column), F.lit(0))


def _in_place(finest: DataFrame, configuration: Configuration, row: Mapping[str, Any]) -> DataFrame:
    level, code = row["geo_level"], row["geo_code"]
    if level == SECTOR:
        return finest.where(F.col(SECTOR) == code)
    inside = places(finest.sparkSession, configuration, [row["year"]]).where(
        (F.col("geo_level") == level) & (F.col("geo_code") == code)
    )
    of_domicile = configuration.settings.geography.domicile_level
    return finest.join(
        F.broadcast(inside.select("_place")), on=F.col(of_domicile).eqNullSafe(F.col("_place")), how="left_semi"
    )
