"""The cube: counts at every level of place and every combination of dimensions.

It is computed once for all indicators of a population.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.cells.numerators import (
    denominator_column,
    is_counted,
    is_unknown,
    measure_columns,
    median_column,
    numerator_column,
    numerator_of_member,
    of_medians,
    share_column,
)
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import HOSPITAL, SECTOR
from claimatlas.tables.schemas import ALL

_PLACE = "year int, _place string, geo_level string, geo_code string"


def finest_counts(
    members: DataFrame,
    dimensions: Sequence[str],
    indicators: Sequence[Indicator],
    place: Sequence[str],
    extra: Sequence[Column] = (),
) -> DataFrame:
    """Count the members of a population by year, place and all of its dimensions.

    Grain in: one row per member. Grain out: one row per ``year``, ``place`` columns and dimensions, with
    the columns of ``measure_columns`` and ``extra`` aggregates. A numerator is null where a member's share in it is not
    known. A median adds its ``share_column`` to the grain: what each of the members has who are counted together.
    """
    denominators = {denominator_column(indicator): F.count_if(is_counted(indicator)) for indicator in indicators}
    numerators = {
        numerator_column(indicator): F.coalesce(F.sum(numerator_of_member(indicator)), F.lit(0)).cast("bigint")
        for indicator in indicators
    }
    # Only flags can be null. If one member's share is unknown, the sum is unknown.
    numerators |= {
        numerator_column(indicator): F.when(
            F.count_if(is_unknown(indicator)) == 0, numerators[numerator_column(indicator)]
        )
        for indicator in indicators
        if indicator.numerator.flags
    }
    shares = [numerator_of_member(indicator).alias(share_column(indicator)) for indicator in of_medians(indicators)]
    return members.groupBy("year", *place, *dimensions, *shares).agg(
        *[count.alias(name) for name, count in (denominators | numerators).items()], *extra
    )


def places(spark: SparkSession, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """The places in which a domicile counts. Grain out: one row per year, place and level.

    A place without a province has no row for it; the null place (unknown domicile) counts for the
    country alone.
    """
    geography = configuration.geography
    country_level = configuration.settings.geography.country_level
    rows: list[tuple[int, str | None, str, str]] = []
    for year in sorted(set(years)):
        vintage = geography.vintage(year)
        countries = sorted({place.parents[country_level] for place in vintage.values()})
        rows += [(year, None, country_level, country) for country in countries]
        for code, place in sorted(vintage.items()):
            rows += [(year, code, level, place.parents[level]) for level in geography.levels if place.parents[level]]
    return spark.createDataFrame(rows, _PLACE)


def cube(
    finest: DataFrame,
    population: Population,
    indicators: Sequence[Indicator],
    configuration: Configuration,
    years: Sequence[int],
) -> DataFrame:
    """Sum the finest counts to every level and combination of dimensions.

    Grain in: the result of ``finest_counts`` by place (and ``sector`` or ``hospital_id``, where an indicator
    goes down to it). Grain out: one row per ``year``, ``geo_level``, ``geo_code`` and dimensions, ``all``
    where one is summed over. A dimension of the claim lines has no column here: its values are measures. With every
    dimension ``all`` each place of the vintage has a row, of zeros if need be. It has the combinations that an
    indicator has, and the strata of those that are standardised. A median has its ``median_column``, null without a
    member.
    """
    spark = finest.sparkSession
    dimensions = configuration.dimensions.of(population)
    measures = measure_columns(indicators, configuration.dimensions)
    levels = _Levels(
        dimensions,
        configuration.settings.geography.domicile_level,
        F.broadcast(places(spark, configuration, years).withColumnRenamed("year", "_year")),
        {
            indicator.id: configuration.standards[indicator.standardised].dimension
            for indicator in indicators
            if indicator.standardised is not None
        },
    )
    sums = [F.sum(measure).alias(measure) for measure in measures]
    counted = [
        *_counted(finest, levels, indicators, measures),
        _zeros(spark, configuration, years, dimensions, measures),
    ]
    if any(SECTOR in indicator.levels for indicator in indicators) and configuration.sector_table is not None:
        counted.append(_zero_sectors(spark, configuration, years, dimensions, measures))
    cells = reduce(DataFrame.unionByName, counted).groupBy(*levels.cell).agg(*sums)
    for indicator in of_medians(indicators):
        cells = cells.join(_medians(finest, levels, indicator), on=levels.cell, how="left")
    return cells


@dataclass(frozen=True)
class _Levels:
    """The places that members count in, and what their counts are split by.

    ``places``: the result of ``places``, its year as ``_year``. ``strata``: by indicator, the dimension that its
    standard population weighs: its cells need it, though they are not split by it.
    """

    dimensions: Sequence[str]
    domicile_level: str
    places: DataFrame
    strata: Mapping[str, str]

    @property
    def cell(self) -> list[str]:
        """The key of a row of the cube."""
        return ["year", "geo_level", "geo_code", *self.dimensions]

    def split_by(self, indicators: Sequence[Indicator]) -> list[set[str]]:
        """The dimensions that the rows of each indicator are split by."""
        return [{*one.dimensions, *([self.strata[one.id]] if one.id in self.strata else [])} for one in indicators]


def _counted(
    finest: DataFrame,
    levels: _Levels,
    indicators: Sequence[Indicator],
    measures: Sequence[str],
    share: Sequence[str] = (),
) -> list[DataFrame]:
    """Repeat finest counts for every cell that they count in: by domicile, by sector, by hospital.

    ``measures``: the columns that are summed before; ``share``: one that stays apart, if there is one.
    """
    sums = [F.sum(measure).alias(measure) for measure in measures]
    place = levels.domicile_level
    by_level = (
        finest.groupBy("year", place, *levels.dimensions, *share)
        .agg(*sums)
        .join(
            levels.places, on=(F.col("year") == F.col("_year")) & F.col(place).eqNullSafe(F.col("_place")), how="inner"
        )
    )
    kept = [*share, *measures]
    counted = [_by_cell(by_level, levels.dimensions, levels.split_by(indicators), kept)]
    if any(SECTOR in indicator.levels for indicator in indicators):
        counted.append(_sectors(finest.where(F.col(SECTOR).isNotNull()), levels.dimensions))
    of_hospitals = [indicator for indicator in indicators if HOSPITAL in indicator.levels]
    if of_hospitals:
        counted.append(_by_cell(_hospitals(finest), levels.dimensions, levels.split_by(of_hospitals), kept))
    return [part.select(*levels.cell, *kept) for part in counted]


def _medians(finest: DataFrame, levels: _Levels, indicator: Indicator) -> DataFrame:
    """The exact median of what the counted members of each cell have; of two middle ones their mean.

    Grain out: one row per cell with a member.
    """
    share, number = share_column(indicator), denominator_column(indicator)
    counted = _counted(finest.where(F.col(share).isNotNull()), levels, [indicator], [number], [share])
    median = F.percentile(share, F.lit(0.5), F.col(number))
    return reduce(DataFrame.unionByName, counted).groupBy(*levels.cell).agg(median.alias(median_column(indicator)))


def _by_cell(
    rows: DataFrame, dimensions: Sequence[str], split_by: Sequence[Collection[str]], measures: Sequence[str]
) -> DataFrame:
    """Repeat each row for every cell that it counts in.

    ``split_by``: the dimensions of each indicator; within them each is split or summed over.
    """
    choices = [
        names
        for number in range(len(dimensions), -1, -1)
        for names in combinations(dimensions, number)
        if any(set(names) <= set(own) for own in split_by)
    ]
    cells_of = F.array(
        *[
            F.struct(*[(F.col(name) if name in names else F.lit(ALL)).alias(name) for name in dimensions])
            for names in choices
        ]
    )
    cells = rows.withColumn("_cell", F.explode(cells_of))
    return cells.select("year", "geo_level", "geo_code", "_cell.*", *measures)


def _hospitals(finest: DataFrame) -> DataFrame:
    rows = finest.where(F.col("hospital_id").isNotNull())
    return rows.withColumn("geo_level", F.lit(HOSPITAL)).withColumn("geo_code", F.col("hospital_id"))


def _sectors(finest: DataFrame, dimensions: Sequence[str]) -> DataFrame:
    rows = finest.withColumn("geo_level", F.lit(SECTOR)).withColumn("geo_code", F.col(SECTOR))
    return rows.withColumns({dimension: F.lit(ALL) for dimension in dimensions})


def _zeros(
    spark: SparkSession,
    configuration: Configuration,
    years: Sequence[int],
    dimensions: Sequence[str],
    measures: Sequence[str],
) -> DataFrame:
    rows = [(year, level, code) for year in sorted(set(years)) for level, code in configuration.geography.units(year)]
    return _zero_rows(spark, rows, dimensions, measures)


def _zero_sectors(
    spark: SparkSession,
    configuration: Configuration,
    years: Sequence[int],
    dimensions: Sequence[str],
    measures: Sequence[str],
) -> DataFrame:
    table = configuration.sector_table
    first = configuration.settings.geography.sector_first_year
    known = {year: sorted(table.sectors(year)) if table and year >= first else [] for year in sorted(set(years))}
    rows = [(year, SECTOR, sector) for year, sectors in known.items() for sector in sectors]
    return _zero_rows(spark, rows, dimensions, measures)


def _zero_rows(
    spark: SparkSession, rows: list[tuple[int, str, str]], dimensions: Sequence[str], measures: Sequence[str]
) -> DataFrame:
    units = spark.createDataFrame(rows, "year int, geo_level string, geo_code string")
    return units.withColumns(
        {dimension: F.lit(ALL) for dimension in dimensions} | {measure: F.lit(0).cast("bigint") for measure in measures}
    )
