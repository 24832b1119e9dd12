"""Compare the people of the tables: those with claims or stays, against the population of the year."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.checks.findings import Finding
from claimatlas.claims.netting import code_lists_of_indicator_lines, has_any_code
from claimatlas.configuration import Configuration
from claimatlas.deliveries.contacts import code_lists_around
from claimatlas.ingest.load.warnings import MAX_LENGTH_SHOWN, MIN_SHOWN
from claimatlas.population.domicile import DATES, carrying_table
from claimatlas.population.spans import by_year
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS, POPULATION
from claimatlas.tables.store import Store

WITH_CLAIMS, WITH_STAYS = "with_claims", "with_stays"
FOUND, KNOWN = "_in_population", "_in_population_of_any_year"
LINES = "_lines"
_IN_POPULATION = "in_population"
MAX_LINES = 100_000
"""Up to so many claim lines a year, all people are compared; above it, a sample of them."""


def count_people(context: RunContext, silver: SilverFacts) -> None:
    """Count the people with claims that indicators read, and with stays, and those of them in the population.

    Both are counted for the year's population and for that of any year, with lines and stays too: one invalid id may
    have many.

    By year, in the record as ``people.<year>``. Above the limit, only a sample of the people is compared. A hash of the
    ids chooses it: the same in every table and run.
    """
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    lines = silver.lines_by_year or {}
    parts = -(-max([lines.get(year, 0) for year in years], default=0) // MAX_LINES) or 1
    of_part = F.col("year").isin(list(years)) & _is_of_part(parts)
    lists = [*code_lists_of_indicator_lines(configuration), *code_lists_around(configuration)]
    population = by_year(store.read(POPULATION), configuration, silver.population_years or years)
    # The population of all years: an id in none of them is nobody's.
    tables = {
        WITH_CLAIMS: store.read(CLAIMS).where(of_part & has_any_code(configuration, lists)),
        WITH_STAYS: store.read(HOSPITAL_STAYS).where(of_part),
        _IN_POPULATION: population.where(_is_of_part(parts)),
    }
    # One row per person and table: each table is read once, and little is exchanged.
    rows = [rows.select("beneficiary_id", "year", F.lit(name).alias("of")) for name, rows in tables.items()]
    is_in = [F.coalesce(F.max(F.col("of") == name), F.lit(False)).alias(name) for name in tables]
    is_in += [F.count_if(F.col("of") == name).alias(name + LINES) for name in (WITH_CLAIMS, WITH_STAYS)]
    people = reduce(DataFrame.unionByName, rows).groupBy("beneficiary_id", "year").agg(*is_in)
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
    known = F.max(_IN_POPULATION).over(Window.partitionBy("beneficiary_id"))
    of_years = people.withColumn("_known", known).where(F.col("year").isin(list(years)))
    found = {row["year"]: row.asDict() for row in of_years.groupBy("year").agg(*counts).collect()}
    for year in years:
        names = [name + end for name in (WITH_CLAIMS, WITH_STAYS) for end in ("", FOUND, KNOWN, LINES, LINES + KNOWN)]
        record.count(f"people.{year}", {name: found.get(year, {}).get(name, 0) for name in names})
    if parts > 1:
        record.note("people_looked_at", f"1 of {parts}")


def _is_of_part(parts: int) -> Column:
    return F.pmod(F.xxhash64("beneficiary_id"), F.lit(parts)) == 0 if parts > 1 else F.lit(True)


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
