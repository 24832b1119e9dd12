"""The published rows: each cell of each indicator with its value, interval and status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.numerators import denominator_column, line_values, median_column, numerator_column
from claimatlas.cells.standardised import rate_of, with_rates
from claimatlas.cells.status import NOT_COMPUTABLE
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Dimensions, LineValue, Population
from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.standards import Standard
from claimatlas.conventions import Z
from claimatlas.spark.columns import all_of
from claimatlas.tables.schemas import ALL

_FIGURES = ("indicator_id", "numerator", "denominator", "value", "ci_low", "ci_high", "status")


@dataclass(frozen=True)
class Split:
    """The dimensions that the members of a population have, and all that are declared: the columns of gold.

    ``standards``: the standard populations, which weigh the values of a dimension.
    """

    own: tuple[str, ...]
    dimensions: Dimensions
    standards: Mapping[str, Standard] = field(default_factory=dict)

    @staticmethod
    def of(population: Population, configuration: Configuration) -> Split:
        """Those of a population."""
        return Split(configuration.dimensions.of(population), configuration.dimensions, configuration.standards)

    def column(self, name: str) -> Column:
        """What stands in a dimension's column of gold: that of the cube, that of a cell of a line value, or ``all``."""
        if name in self.own:
            return F.col(name)
        return F.col(f"_cell.{name}") if name in self.dimensions.of_lines else F.lit(ALL).alias(name)


@dataclass(frozen=True)
class Computable:
    """What can be computed of some indicators.

    ``statuses``: the status of each indicator and year. ``known_levels``: the levels of which all places are known.
    ``without_denominator``: the indicators whose members cannot be known.
    """

    statuses: Mapping[tuple[str, int], str]
    known_levels: Collection[str]
    without_denominator: Collection[str] = ()


def published_rows(cube: DataFrame, split: Split, indicators: Sequence[Indicator], computable: Computable) -> DataFrame:
    """Turn the cube into the rows of a gold table, without the run that writes them.

    Grain in: one row per year, place and dimensions. Grain out: one row per indicator and cell. An
    indicator has the cells of its own levels and dimensions, from its first year on, where its denominator
    is above zero; with every dimension ``all`` it has each place of the vintage, at the known levels. An indicator
    without denominator has these rows only. In cells of a line value the denominator is that of all values together.
    A standardised rate has the numerator and denominator of all members, also of those in no stratum.
    """
    cube = with_rates(cube, split.own, split.standards, indicators)
    parts = [
        _of_indicator(indicator, split, computable, value)
        for indicator in indicators
        for value in (None, *line_values(indicator, split.dimensions))
    ]
    exploded = cube.withColumn("_cell", F.explode(F.array(*parts))).where(F.col("_cell").isNotNull())
    return exploded.select(
        "year",
        "geo_level",
        "geo_code",
        F.col("year").alias("geo_vintage"),
        *[split.column(name) for name in split.dimensions.names],
        *[f"_cell.{name}" for name in _FIGURES],
    )


def measures_of_rows(rows: DataFrame, split: Split, indicators: Sequence[Indicator]) -> DataFrame:
    """Turn the rows of a gold table back into the cube that they came from.

    Grain in: one row per indicator and cell. Grain out: one row per year, place and dimensions, with the columns of
    ``measure_columns``. A count that no row holds was zero, or no indicator publishes it: the strata of a standardised
    rate may be missing, and medians are.
    """
    measures: dict[str, Column] = {}
    is_summed = all_of(F.col(name) == ALL for name in split.dimensions.of_lines)
    for column in dict.fromkeys(map(denominator_column, indicators)):
        sharing = [indicator.id for indicator in indicators if denominator_column(indicator) == column]
        measures[column] = F.when(F.col("indicator_id").isin(sharing), F.col("denominator"))
    for indicator in indicators:
        is_own = F.col("indicator_id") == indicator.id
        measures[numerator_column(indicator)] = F.when(is_own & is_summed, F.col("numerator"))
        for value in line_values(indicator, split.dimensions):
            is_of_value = F.col(value.dimension) == value.value
            measures[value.numerator(indicator.id)] = F.when(is_own & is_of_value, F.col("numerator"))
    return rows.groupBy("year", "geo_level", "geo_code", *split.own).agg(
        *[F.coalesce(F.max(measure), F.lit(0)).alias(name) for name, measure in measures.items()]
    )


def _of_indicator(
    indicator: Indicator, split: Split, computable: Computable, value_of_lines: LineValue | None
) -> Column:
    """The cell of an indicator, over all its line values or of one of them; null where there is none."""
    statuses, knows_members = computable.statuses, indicator.id not in computable.without_denominator
    column = value_of_lines.numerator(indicator.id) if value_of_lines else numerator_column(indicator)
    numerator, denominator = F.col(column), F.col(denominator_column(indicator))
    summed_over = [F.col(name) == ALL for name in split.own if name not in indicator.dimensions]
    # There is no list of all hospitals: one has a row when it has a member. The same holds for sectors without a table.
    is_known = F.col("geo_level").isin(list(computable.known_levels))
    is_total = all_of(F.col(name) == ALL for name in indicator.dimensions if name in split.own) & is_known
    if value_of_lines is not None:
        is_total = F.lit(False)
    conditions = [
        F.col("geo_level").isin(list(indicator.levels)),
        F.col("year") >= indicator.first_year,
        *summed_over,
        (denominator > 0) | is_total if knows_members else is_total,
    ]
    years = [year for (name, year) in statuses if name == indicator.id]
    status = F.lit(None).cast("string")
    for year in years:
        status = F.when(F.col("year") == year, F.lit(statuses[indicator.id, year])).otherwise(status)
    value, low, high = _figures(indicator, numerator, denominator)
    is_computable = status != NOT_COMPUTABLE
    cell = F.struct(
        F.lit(indicator.id).alias("indicator_id"),
        F.when(is_computable, numerator).alias("numerator"),
        (denominator if knows_members else F.lit(None).cast("bigint")).alias("denominator"),
        F.when(is_computable, value).alias("value"),
        F.when(is_computable, low).alias("ci_low"),
        F.when(is_computable, high).alias("ci_high"),
        status.alias("status"),
        *[
            F.lit(value_of_lines.value if value_of_lines and value_of_lines.dimension == name else ALL).alias(name)
            for name in split.dimensions.of_lines
        ],
    )
    return F.when(all_of(conditions), cell)


def _figures(indicator: Indicator, numerator: Column, denominator: Column) -> tuple[Column, Column, Column]:
    """The value, and the bounds of its interval; null where there is none."""
    nothing = F.lit(None).cast("double")
    if indicator.unit == "count":
        return numerator.cast("double"), nothing, nothing
    if indicator.unit == MEDIAN:
        return F.col(median_column(indicator)), nothing, nothing
    if indicator.standardised is not None:
        rate = rate_of(indicator)
        return rate.value, rate.low, rate.high
    # Multiply by the scale first: the product is exact, so the value is rounded only once.
    value = F.when(denominator > 0, indicator.scale * numerator / denominator)
    if indicator.unit == "percent":
        return value, *wilson_interval(numerator, denominator)
    return value, nothing, nothing


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
