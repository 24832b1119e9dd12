"""Who is insured, from when to when."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import AliasTable, below, bits, chance, day_in, lookup
from claimatlas.synthetic.identifiers import beneficiary_id
from claimatlas.synthetic.rates import BAND, OLDEST, SEXES, SURVIVAL_STEPS
from claimatlas.synthetic.stages import repeat
from claimatlas.synthetic.world import World

NEWBORN_SHARE = 0.68
"""Of those who enter after the first year; the others arrive from abroad."""
BOYS_SHARE = 0.512
YOUNGEST_ARRIVAL, ARRIVAL_AGES = 1, 45
LONG_AGO = 1000
"""Years since which the persons of the first year are insured."""
NOT_IN_FILE = 0.001
"""Share of person-years that the population file lacks although there are claims."""
_SURVIVOR_BITS = 20


def make_people(world: World, persons: DataFrame) -> DataFrame:
    """Give every person a life.

    Grain in: one row per ``person``. Grain out: the same, with ``beneficiary_id``, ``female``,
    ``birth_year``, ``birth_date``, ``entry_year``, ``entry_date`` (insured from; long ago for those of
    the first year), ``death_year``, ``death_date`` (often after the last year) and ``home``, the
    number of the province that the person lives in first.
    """
    cells = sorted(world.rates.pyramid)
    pyramid = AliasTable.of([world.rates.pyramid[cell] for cell in cells])
    later = F.col("person") - F.lit(world.parameters.beneficiaries)
    entrants = F.lit(world.parameters.entrants_per_year).cast("long")
    arrival = day_in(F.col("entry_year"), F.col("_days"), 14)
    insured_from = F.greatest("entry_date", "birth_date")
    return (
        persons.withColumn("_roll", world.dice.roll("life", F.col("person")))
        .withColumn("_days", world.dice.roll("days of a life", F.col("person")))
        .withColumn("_cell", pyramid.draw(F.col("_roll"), 0, 16))
        .withColumn("_initial", later < 0)
        .withColumn("_wave", F.when(later >= 0, F.floor(later / entrants)).otherwise(F.lit(-1)).cast("int"))
        .withColumn("_newborn", ~F.col("_initial") & chance(F.col("_days"), 44, 10, NEWBORN_SHARE))
        .select("*", *_birth(world, cells))
        .select("*", *_death(world))
        .withColumn("entry_date", F.when(F.col("_newborn"), F.col("birth_date")).otherwise(arrival))
        .select(
            "person",
            beneficiary_id(world.dice, F.col("person")).alias("beneficiary_id"),
            "female",
            "birth_year",
            "birth_date",
            "entry_year",
            "entry_date",
            "death_year",
            F.when(F.col("death_year") > F.year(insured_from), day_in(F.col("death_year"), F.col("_days"), 28))
            .otherwise(_until_year_end(insured_from, F.col("_days"), 28))
            .alias("death_date"),
            world.places.province_draw.draw(world.dice.roll("home", F.col("person")), 0, 20).alias("home"),
        )
    )


def _birth(world: World, cells: list[tuple[int, str]]) -> list[Column]:
    first_year = F.lit(world.parameters.first_year)
    entry_year = F.when(F.col("_initial"), first_year - LONG_AGO).otherwise(first_year + 1 + F.col("_wave"))
    in_band = lookup([age for age, _ in cells], F.col("_cell")) + below(F.col("_roll"), 36, 10, BAND)
    arrival_age = F.lit(YOUNGEST_ARRIVAL) + below(F.col("_roll"), 36, 10, ARRIVAL_AGES)
    birth_year = (
        F.when(F.col("_initial"), first_year - in_band)
        .when(F.col("_newborn"), entry_year)
        .otherwise(entry_year - arrival_age)
    ).cast("int")
    is_female = lookup([SEXES.index(sex) for _, sex in cells], F.col("_cell")) == SEXES.index("female")
    return [
        entry_year.cast("int").alias("entry_year"),
        birth_year.alias("birth_year"),
        day_in(birth_year, F.col("_days"), 0).alias("birth_date"),
        F.when(F.col("_initial"), is_female).otherwise(~chance(F.col("_roll"), 46, 16, BOYS_SHARE)).alias("female"),
    ]


def _death(world: World) -> list[Column]:
    """Draw a place among those who reached the age of entry, and die when so few are left."""
    age = F.greatest(F.lit(world.parameters.first_year), F.col("entry_year")) - F.col("birth_year")
    roll = world.dice.roll("death", F.col("person"))
    scale = 1 << _SURVIVOR_BITS
    by_sex = {}
    for sex in SEXES:
        reached = lookup([round(share * scale) for share in world.rates.survivors[sex]], age)
        # The product has 40 bits; its first 12 are the step among all who were born.
        step = F.shiftrightunsigned(bits(roll, 0, _SURVIVOR_BITS) * reached, 2 * _SURVIVOR_BITS - 12)
        by_sex[sex] = lookup(world.rates.death_age[sex], F.least(step, F.lit(SURVIVAL_STEPS - 1)))
    death_age = F.when(F.col("female"), by_sex["female"]).otherwise(by_sex["male"])
    # Steps are coarser than single years of age: nobody may die before the first year.
    death_age = F.least(F.greatest(death_age, age), F.greatest(age, F.lit(OLDEST)))
    return [(F.col("birth_year") + death_age).cast("int").alias("death_year")]


def _until_year_end(day: Column, roll: Column, start: int) -> Column:
    """A day from ``day`` to the end of its year, from 14 bits of the roll."""
    left = F.datediff(F.make_date(F.year(day), F.lit(12), F.lit(31)), day) + 1
    return F.date_add(day, below(roll, start, 14, left).cast("int"))


def make_person_years(world: World, people: DataFrame) -> DataFrame:
    """Each person in each generated year in which the person is insured for a day or more.

    Grain in: one row per person. Grain out: one row per person and ``year``, with ``age`` (completed
    years on 31 December), ``present_from`` and ``present_to`` (first and last day insured in the year).
    """
    year = F.col("year")
    first = F.greatest(F.lit(world.parameters.first_year), F.col("entry_year"))
    last = F.least(F.lit(world.parameters.last_year), F.col("death_year"))
    return (
        repeat(people, "year", first, last)
        .withColumn("age", year - F.col("birth_year"))
        .withColumn("present_from", F.greatest("entry_date", "birth_date", F.make_date(year, F.lit(1), F.lit(1))))
        .withColumn("present_to", F.least("death_date", F.make_date(year, F.lit(12), F.lit(31))))
    )


def in_population_file(world: World) -> Column:
    """Whether the population file of the year has the person.

    It lacks those who died before April, and a few others by mistake of the sender.
    """
    missed = chance(world.dice.roll("missed", F.col("person"), F.col("year")), 0, 20, NOT_IN_FILE)
    end_of_march = F.make_date(F.col("year"), F.lit(3), F.lit(31))
    return ~missed & (F.col("present_to") > end_of_march)
