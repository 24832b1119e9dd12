"""Compare the people of the tables: those with claims or stays, against the population of the year."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.checks.findings import Finding
from claimatlas.checks.spellings import SPELLED_TWICE, RowsLookedAt, alike, is_of_part
from claimatlas.configuration import Configuration
from claimatlas.ingest.load.warnings import MAX_LENGTH_SHOWN, MIN_SHOWN
from claimatlas.population.domicile import DATES, carrying_table
from claimatlas.population.spans import by_year
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.tables.schemas import POPULATION
from claimatlas.tables.store import Store

WITH_CLAIMS, WITH_STAYS, PEOPLE = "with_claims", "with_stays", "people"
FOUND, KNOWN = "_in_population", "_in_population_of_any_year"
LINES = "_lines"
_IN_POPULATION, _ALIKE = "in_population", "_alike"


def people_by_year(context: RunContext, silver: SilverFacts, rows: RowsLookedAt) -> DataFrame:
    """Count the people with claims that indicators read, and with stays, and those of them in the population.

    Both are counted for the year's population and for that of any year, with lines and stays too: one invalid id may
    have many. Grain out: one row per ``year``.
    """
    configuration, years = context.configuration, context.years
    population = by_year(context.store.read(POPULATION), configuration, silver.population_years or years)
    # The population of all years: an id in none of them is nobody's.
    tables = {
        WITH_CLAIMS: rows.claims,
        WITH_STAYS: rows.stays,
        _IN_POPULATION: population.where(is_of_part(rows.parts)),
    }
    # One row per person and table: each table is read once, and little is exchanged.
    of_tables = [of.select("beneficiary_id", "year", F.lit(name).alias("of")) for name, of in tables.items()]
    is_in = [F.coalesce(F.max(F.col("of") == name), F.lit(False)).alias(name) for name in tables]
    is_in += [F.count_if(F.col("of") == name).alias(name + LINES) for name in (WITH_CLAIMS, WITH_STAYS)]
    # By the spelling first: what follows is found on the same machine.
    people = (
        reduce(DataFrame.unionByName, of_tables)
        .withColumn(_ALIKE, alike("beneficiary_id"))
        .repartition(_ALIKE)
        .groupBy(_ALIKE, "beneficiary_id", "year")
        .agg(*is_in)
    )
    counts = [
        count
        for name in (WITH_CLAIMS, WITH_STAYS)
        for count in (
            F.count_if(name).alias(name),
            F.count_if(F.col(name) & F.col(_IN_POPULATION)).alias(name + FOUND),
            F.count_if(F.col(name) & F.col("_known")).alias(name + KNOWN),
            F.sum(name + LINES).alias(name + LINES),
            F.sum(F.when(F.col("_known"), F.col(name + LINES)).otherwise(0)).alias(name + LINES + KNOWN),
        )
    ]
    counts += [F.count(F.lit(1)).alias(PEOPLE), F.count_if("_twice").alias(PEOPLE + SPELLED_TWICE)]
    of_alike = Window.partitionBy(_ALIKE)
    return (
        people.withColumn("_known", F.max(_IN_POPULATION).over(Window.partitionBy(_ALIKE, "beneficiary_id")))
        .withColumn("_twice", F.min("beneficiary_id").over(of_alike) != F.max("beneficiary_id").over(of_alike))
        .where(F.col("year").isin(list(years)))
        .groupBy("year")
        .agg(*counts)
    )


def examples_of_places(
    store: Store, configuration: Configuration, findings: Sequence[Finding]
) -> dict[tuple[str, object], str]:
    """The most frequent unknown code of each such finding, if it occurs on so many rows that it identifies nobody."""
    years = {
        name: [year for finding in findings if finding.subject["share"] == name and (year := finding.subject["year"])]
        for name in ("place_does_not_exist", "sector_does_not_exist")
    }
    found: dict[tuple[str, object], str] = {}
    for name, of_years in years.items():
        if not of_years:
            continue
        kind = "municipality" if name.startswith("place") else "sector"
        codes = F.explode(F.array(*[F.col(f"{kind}_{date}") for date in DATES])).alias("code")
        given = (
            by_year(store.read(POPULATION), configuration, [int(year) for year in of_years])
            .where(F.col("year").isin(of_years))
            .select("year", codes)
            .where("code IS NOT NULL")
        )
        if kind == "municipality":
            known = carrying_table(store.spark, configuration, [int(year) for year in of_years])
            same = (F.col("year") == F.col("_year")) & (F.col("code") == F.col("_code"))
            given = given.join(F.broadcast(known), on=same, how="left_anti")
        else:
            given = given.where(~F.col("code").rlike(f"^({configuration.settings.geography.sector_pattern})$"))
        counts = given.groupBy("year", "code").count().where(F.col("count") >= MIN_SHOWN)
        for row in counts.groupBy("year").agg(F.max_by("code", F.struct("count", "code")).alias("code")).collect():
            if len(row["code"]) <= MAX_LENGTH_SHOWN:
                found[name, row["year"]] = row["code"]
    return found
