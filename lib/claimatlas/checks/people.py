"""Whether the tables speak of the same people: who has claims or stays, and is in the population of the year."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.checks.findings import Finding
from claimatlas.configuration import Configuration
from claimatlas.deliveries.contacts import code_lists_around
from claimatlas.ingest.warnings import LEAST_SHOWN, LONGEST_SHOWN
from claimatlas.population.domicile import DATES, carrying_table
from claimatlas.runs.record import RunRecord
from claimatlas.services import code_lists_of_few_lines, has_any_code
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS, POPULATION
from claimatlas.tables.store import Store

WITH_CLAIMS, WITH_STAYS = "with_claims", "with_stays"
FOUND = "_in_population"
MOST_LINES = 2_000_000
"""Claim lines of a year up to which all people are looked at; of more lines a part of the people is."""


def count_people(store: Store, configuration: Configuration, years: Sequence[int], record: RunRecord) -> None:
    """Count the people with claims that indicators read, and with stays, and those of them in the population.

    By year, in the record as ``people.<year>``. Of very many lines only a part of the people is looked at: the same in
    every table and every run, by a hash of their ids.
    """
    lines = record.notes["silver"].get("lines_by_year", {})
    parts = -(-max([lines.get(str(year), 0) for year in years], default=0) // MOST_LINES) or 1
    people = _people(store, configuration, years, parts)
    population = store.read(POPULATION).where(F.col("year").isin(list(years)) & _is_of_part(parts))
    found = population.select("beneficiary_id", "year", F.lit(1).alias("_found")).join(
        people.select("beneficiary_id", "year").distinct(), on=["beneficiary_id", "year"], how="left_semi"
    )
    joined = people.join(found, on=["beneficiary_id", "year"], how="left")
    counts: dict[int, dict[str, int]] = {}
    for row in joined.groupBy("year", "of").agg(F.count(F.lit(1)).alias("n"), F.count("_found").alias("m")).collect():
        counts.setdefault(row["year"], {}).update({row["of"]: row["n"], row["of"] + FOUND: row["m"]})
    for year in years:
        record.count(f"people.{year}", {WITH_CLAIMS: 0, WITH_CLAIMS + FOUND: 0, **counts.get(year, {})})
    if parts > 1:
        record.note("people_looked_at", f"1 of {parts}")


def _people(store: Store, configuration: Configuration, years: Sequence[int], parts: int) -> DataFrame:
    """One row per person, year and table: ``beneficiary_id``, ``year``, ``of``."""
    lists = [*code_lists_of_few_lines(configuration), *code_lists_around(configuration)]
    of_part = F.col("year").isin(list(years)) & _is_of_part(parts)
    claims = store.read(CLAIMS).where(of_part & has_any_code(configuration, lists))
    stays = store.read(HOSPITAL_STAYS).where(of_part)
    both = [
        rows.select("beneficiary_id", "year", F.lit(name).alias("of"))
        for rows, name in ((claims, WITH_CLAIMS), (stays, WITH_STAYS))
    ]
    return both[0].unionByName(both[1]).distinct()


def _is_of_part(parts: int) -> Column:
    return F.pmod(F.xxhash64("beneficiary_id"), F.lit(parts)) == 0 if parts > 1 else F.lit(True)


def examples_of_places(
    store: Store, configuration: Configuration, findings: Sequence[Finding]
) -> dict[tuple[str, object], str]:
    """For each finding of codes that do not exist the commonest one, if it stands on enough rows to be nobody's."""
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
            store.read(POPULATION).where(F.col("year").isin(of_years)).select("year", codes).where("code IS NOT NULL")
        )
        if kind == "municipality":
            known = carrying_table(store.spark, configuration, [int(year) for year in of_years])
            same = (F.col("year") == F.col("_year")) & (F.col("code") == F.col("_code"))
            given = given.join(F.broadcast(known), on=same, how="left_anti")
        else:
            given = given.where(~F.col("code").rlike(f"^({configuration.settings.geography.sector_pattern})$"))
        counts = given.groupBy("year", "code").count().where(F.col("count") >= LEAST_SHOWN)
        for row in counts.groupBy("year").agg(F.max_by("code", F.struct("count", "code")).alias("code")).collect():
            if len(row["code"]) <= LONGEST_SHOWN:
                found[name, row["year"]] = row["code"]
    return found
