"""The input table ``population``."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import bits, chance, lookup
from claimatlas.synthetic.people import in_population_file
from claimatlas.synthetic.residence import add_residence, municipality, sector
from claimatlas.synthetic.stages import only
from claimatlas.synthetic.world import World

UNKNOWN_BIRTH_DATE, UNKNOWN_SEX, ODD_SEX, UNKNOWN_BIM = 0.0005, 0.0004, 0.0002, 0.004
"""Shares of persons, and for increased reimbursement (BIM) of person-years, without the value."""
DOMICILE_UNKNOWN, DOMICILE_LOST = 0.0005, 0.0005
"""Share of person-years without any domicile, and with that of 30 June only, though present."""


def make_population(world: World, person_years: DataFrame) -> DataFrame:
    """Grain in: one row per person and year. Grain out: the same, those that the file of the year has.

    A domicile is missing on a date on which the person was not yet or no longer there; sex is 1 or 2,
    rarely 9 or null.
    """
    there = only(person_years, in_population_file(world))
    year = F.col("year")
    placed = add_residence(world, add_residence(world, there, 0, "_june"), 1, "_december").select(
        "*",
        world.dice.roll("person file", F.col("person")).alias("_person_roll"),
        world.dice.roll("year file", F.col("person"), year).alias("_year_roll"),
    )
    return placed.select(
        "beneficiary_id",
        year.cast("int").alias("year"),
        F.when(~chance(F.col("_person_roll"), 0, 16, UNKNOWN_BIRTH_DATE), F.col("birth_date")).alias("birth_date"),
        _sex().alias("sex"),
        F.when(~chance(F.col("_year_roll"), 0, 16, UNKNOWN_BIM), _increased_reimbursement(world)).alias(
            "increased_reimbursement"
        ),
        *_domicile(world, "december", "31_december", _present_in_december()),
        *_domicile(world, "june", "30_june", _present_in_june()),
    ).select(
        "beneficiary_id",
        "year",
        "birth_date",
        "sex",
        "increased_reimbursement",
        "municipality_31_december",
        "municipality_30_june",
        "sector_31_december",
        "sector_30_june",
    )


def _sex() -> Column:
    return (
        F.when(chance(F.col("_person_roll"), 16, 16, ODD_SEX), F.lit("9"))
        .when(chance(F.col("_person_roll"), 32, 16, UNKNOWN_SEX), F.lit(None))
        .when(F.col("female"), F.lit("2"))
        .otherwise(F.lit("1"))
    )


def _increased_reimbursement(world: World) -> Column:
    """The person's own threshold stays the same for life, so few people change from year to year."""
    share = lookup([round(value * (1 << 16)) for value in world.rates.increased_reimbursement], F.col("age"))
    return bits(F.col("_person_roll"), 48, 16) < share


def _present_in_june() -> Column:
    last_of_june = F.make_date(F.col("year"), F.lit(6), F.lit(30))
    return (F.col("present_from") <= last_of_june) & (F.col("present_to") >= last_of_june) & _known()


def _present_in_december() -> Column:
    alive = F.col("death_year") > F.col("year")
    return alive & _known() & ~chance(F.col("_year_roll"), 32, 16, DOMICILE_LOST)


def _known() -> Column:
    return ~chance(F.col("_year_roll"), 16, 16, DOMICILE_UNKNOWN)


def _domicile(world: World, half: str, date: str, present: Column) -> list[Column]:
    place, move, year = F.col(f"_{half}_place"), F.col(f"_{half}_move"), F.col("year")
    return [
        F.when(present, municipality(world, place, year)).alias(f"municipality_{date}"),
        F.when(present, sector(world, place, move, year)).alias(f"sector_{date}"),
    ]
