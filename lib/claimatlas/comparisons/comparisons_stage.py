"""The comparisons of the published percentages, from gold to gold."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.comparisons.national import against_national
from claimatlas.comparisons.trend import direction, trend_statistic
from claimatlas.conventions import TREND_YEARS
from claimatlas.runs.context import RunContext
from claimatlas.tables.published import newest_rows, totals_of
from claimatlas.tables.schemas import COMPARISONS

_PLACE = ("indicator_id", "geo_level", "geo_code")


def compare_places(context: RunContext) -> None:
    """Replace ``gold/comparisons`` of the years, and of the four years after each, whose trends use it.

    Grain out: one row per percentage indicator, year and place, over all dimensions.
    """
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    record.progress("indicators: comparing places")
    reach = range(min(years) - (TREND_YEARS - 1), max(years) + TREND_YEARS)
    everything = store.spark.createDataFrame(totals_of(newest_rows(store, configuration, reach)))
    declared = [indicator.id for indicator in configuration.indicators if indicator.unit == "percent"]
    # Other years may hold percentages that this configuration does not declare: keep them.
    has_interval = F.max(F.col("ci_low").isNotNull()).over(Window.partitionBy("indicator_id"))
    is_percentage = F.col("indicator_id").isin(declared) | F.col("_has_interval")
    totals = everything.withColumn("_has_interval", has_interval).where(is_percentage).drop("_has_interval")
    written = sorted({year + later for year in years for later in range(TREND_YEARS)})
    rows = compared(totals, configuration.settings.geography.country_level).where(F.col("year").isin(written))
    store.create(COMPARISONS)
    named = rows.withColumn("run_id", F.lit(record.run_id)).select(*COMPARISONS.column_names)
    store.replace_years(named, COMPARISONS, written, ("year", *_PLACE), {"run_id": record.run_id})


def compared(totals: DataFrame, country_level: str) -> DataFrame:
    """Compare each place with the country, and its years with each other.

    Grain in: one row per indicator, year and place, over all dimensions, as in gold. Grain out: the same,
    with ``national_value``, ``comparison`` (null for the country itself, and where there are several
    countries), ``trend_z`` and ``trend``.
    """
    is_country = F.col("geo_level") == country_level
    national = (
        totals.where(is_country)
        .groupBy("indicator_id", "year")
        .agg(F.count(F.lit(1)).alias("_countries"), F.max("value").alias("national_value"))
        .where(F.col("_countries") == 1)
        .drop("_countries")
    )
    trends = trend_statistic(totals, _PLACE)
    return (
        totals.join(F.broadcast(national), on=["indicator_id", "year"], how="left")
        .join(trends, on=[*_PLACE, "year"], how="left")
        .withColumn(
            "comparison",
            F.when(~is_country, against_national(F.col("ci_low"), F.col("ci_high"), F.col("national_value"))),
        )
        .withColumn("trend", direction(F.col("trend_z")))
    )
