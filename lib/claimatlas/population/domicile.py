"""The domicile of a beneficiary in a year.

Source pages: both. The place of residence on 31 December; if it is unknown, that on 30 June; a person
without either counts at the country's level only. Codes are carried to the vintage of the year.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.tables.schemas import DOMICILE_DATES, UNKNOWN

DATES = DOMICILE_DATES
"""The dates of a domicile, the preferred one first."""


def domicile_counts() -> list[Column]:
    """The number of rows by the date of their domicile, or without one: aggregates named ``domicile_<source>``."""
    sources = (*DATES, UNKNOWN)
    return [F.count_if(F.col("domicile_source") == source).alias(f"domicile_{source}") for source in sources]


def carrying_table(spark: SparkSession, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """Every code that can be carried to the vintage of each year.

    Grain: one row per ``_year`` and ``_code``, with ``_place`` (the code in the year's vintage). Codes that do not
    exist or cannot be carried have no row.
    """
    geography = configuration.geography
    rows = [
        (year, code, carried)
        for year in sorted(set(years))
        for code in sorted(geography.places)
        if (carried := geography.carry(code, year)) is not None
    ]
    return spark.createDataFrame(rows, "_year int, _code string, _place string")


def sector_years(spark: SparkSession, configuration: Configuration, years: Sequence[int]) -> DataFrame | None:
    """The user's own sectors of each year: ``_year``, ``_sector``; ``None`` without a table of sectors."""
    table = configuration.sector_table
    if table is None:
        return None
    rows = [(year, sector) for year in sorted(set(years)) for sector in sorted(table.sectors(year))]
    return spark.createDataFrame(rows, "_year int, _sector string")


def with_domicile(
    population: DataFrame, carrying: DataFrame, sectors: DataFrame | None, configuration: Configuration
) -> DataFrame:
    """Find the place, sector and source of each domicile.

    Grain in and out: one row per beneficiary-year. The result has the population's columns without the
    four raw places, and

    - the domicile level's column (``municipality``): in the codes of the year; null when unknown;
    - ``sector``: that of the same date, from the first year with sectors and when it is well formed;
    - ``domicile_source``: ``31_december``, ``30_june`` or ``unknown``;
    - ``code_given``, ``code_carried``, ``code_unknown``: whether the row has a code, whether one was carried to the
      vintage, and whether one was given that is not known or cannot be carried;
    - ``sector_given``, ``sector_refused``: whether there is a sector of the domicile's date, and whether it is off its
      pattern or not in the table.
    """
    geography = configuration.settings.geography
    place = geography.domicile_level
    located = population
    for date in DATES:
        lookup = F.broadcast(
            carrying.select(
                F.col("_year").alias(f"_year_{date}"),
                F.col("_code").alias(f"_code_{date}"),
                F.col("_place").alias(f"_place_{date}"),
            )
        )
        same = (F.col("year") == F.col(f"_year_{date}")) & (F.col(f"municipality_{date}") == F.col(f"_code_{date}"))
        located = located.join(lookup, on=same, how="left")

    sector = F.lit(None).cast("string")
    source, municipality = F.lit(UNKNOWN), F.lit(None).cast("string")
    for date in reversed(DATES):
        known = F.col(f"_place_{date}").isNotNull()
        municipality = F.when(known, F.col(f"_place_{date}")).otherwise(municipality)
        source = F.when(known, F.lit(date)).otherwise(source)
        # The sector belongs to the municipality of its own date, never to that of the other date.
        sector = F.when(known, F.col(f"sector_{date}")).otherwise(sector)
    carried = [F.col(f"_place_{date}") != F.col(f"municipality_{date}") for date in DATES]
    lost = [F.col(f"municipality_{date}").isNotNull() & F.col(f"_place_{date}").isNull() for date in DATES]
    given = [F.col(f"municipality_{date}").isNotNull() for date in DATES]
    kept = [name for name in population.columns if not name.startswith(("municipality_", "sector_"))]
    found = located.select(
        *kept,
        municipality.alias(place),
        source.alias("domicile_source"),
        F.when(F.col("year") >= geography.sector_first_year, sector).alias("_given_sector"),
        (given[0] | given[1]).alias("code_given"),
        (F.coalesce(carried[0], F.lit(False)) | F.coalesce(carried[1], F.lit(False))).alias("code_carried"),
        (lost[0] | lost[1]).alias("code_unknown"),
    )
    well_formed = F.col("_given_sector").rlike(f"^({geography.sector_pattern})$")
    if sectors is not None:
        same = (F.col("year") == F.col("_year")) & (F.col("_given_sector") == F.col("_sector"))
        found = found.join(F.broadcast(sectors), on=same, how="left")
        well_formed = well_formed & F.col("_sector").isNotNull()
    return found.select(
        *kept,
        place,
        F.when(well_formed, F.col("_given_sector")).alias("sector"),
        "domicile_source",
        "code_given",
        "code_carried",
        "code_unknown",
        F.col("_given_sector").isNotNull().alias("sector_given"),
        F.coalesce(~well_formed, F.lit(False)).alias("sector_refused"),
    )
