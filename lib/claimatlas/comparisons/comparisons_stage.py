"""The comparisons of the published percentages and standardised rates, from gold to gold."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.comparisons.national import against_national
from claimatlas.comparisons.trend import direction, trend_statistic
from claimatlas.configuration import Configuration
from claimatlas.conventions import TREND_YEARS
from claimatlas.runs.context import RunContext
from claimatlas.tables.published import newest_rows, totals_of
from claimatlas.tables.schemas import COMPARISONS

_PLACE = ("indicator_id", "geo_level", "geo_code")
CAN_HAVE_TREND = "_can_have_trend"
"""The column of totals that says whether a row counts for a trend."""


def compare_places(context: RunContext) -> None:
    """Replace ``gold/comparisons`` of the years, and of the four years after each, whose trends use it.

    Grain out: one row per percentage or standardised rate, year and place, over all dimensions. A standardised rate
    has no trend: the test is one of counts, and those of gold are not standardised.
    """
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    record.progress("indicators: comparing places")
    reach = range(min(years) - (TREND_YEARS - 1), max(years) + TREND_YEARS)
    everything = store.spark.createDataFrame(totals_of(newest_rows(store, configuration, reach)))
    declared = [indicator.id for indicator in configuration.indicators if indicator.has_interval]
    # Other years may hold percentages that this configuration does not declare: keep them.
    of_indicator = Window.partitionBy("indicator_id")
    has_interval = F.max(F.col("ci_low").isNotNull()).over(of_indicator)
    kept = everything.withColumn("_has_interval", has_interval).where(
        F.col("indicator_id").isin(declared) | F.col("_has_interval")
    )
    totals = kept.withColumn(CAN_HAVE_TREND, _can_have_trend(configuration).over(of_indicator)).drop("_has_interval")
    written = sorted({year + later for year in years for later in range(TREND_YEARS)})
    rows = compared(totals, configuration.settings.geography.country_level).where(F.col("year").isin(written))
    store.create(COMPARISONS)
    named = rows.withColumn("run_id", F.lit(record.run_id)).select(*COMPARISONS.column_names)
    store.replace_years(named, COMPARISONS, written, ("year", *_PLACE), {"run_id": record.run_id})


def _can_have_trend(configuration: Configuration) -> Column:
    """An aggregate over the rows of an indicator: whether its values are the shares that a trend is tested of."""
    standardised = [one.id for one in configuration.indicators if one.standardised is not None]
    crude = [one.id for one in configuration.indicators if one.has_interval and one.standardised is None]
    name, denominator = F.col("indicator_id"), F.col("denominator")
    # Of what is not declared any more only its figures say whether it was standardised.
    differs = F.abs(F.col("value") * denominator - 100 * F.col("numerator")) > 1e-6 * denominator
    is_share = name.isin(crude) | F.coalesce(~differs, F.lit(True))
    return F.min(~name.isin(standardised) & is_share)


def compared(totals: DataFrame, country_level: str) -> DataFrame:
    """Compare each place with the country, and its years with each other.

    Grain in: one row per indicator, year and place, over all dimensions, as in gold, with ``CAN_HAVE_TREND`` where some
    have none. Grain out: the same, with ``national_value``, ``comparison`` (null for the country itself, and where
    there are several countries), ``trend_z`` and ``trend``.
    """
    is_country = F.col("geo_level") == country_level
    national = (
        totals.where(is_country)
        .groupBy("indicator_id", "year")
        .agg(F.count(F.lit(1)).alias("_countries"), F.max("value").alias("national_value"))
        .where(F.col("_countries") == 1)
        .drop("_countries")
    )
    tested = totals.where(CAN_HAVE_TREND) if CAN_HAVE_TREND in totals.columns else totals
    trends = trend_statistic(tested, _PLACE)
    return (
        totals.join(F.broadcast(national), on=["indicator_id", "year"], how="left")
        .join(trends, on=[*_PLACE, "year"], how="left")
        .withColumn(
            "comparison",
            F.when(~is_country, against_national(F.col("ci_low"), F.col("ci_high"), F.col("national_value"))),
        )
        .withColumn("trend", direction(F.col("trend_z")))
    )
