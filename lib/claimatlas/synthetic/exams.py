"""Therapeutic imaging: rare in the young, frequent in the old."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import below, bits, chance, lookup, lookup_text
from claimatlas.synthetic.identifiers import EXAMS
from claimatlas.synthetic.lines import Billed, bill
from claimatlas.synthetic.people import in_population_file
from claimatlas.synthetic.rates import SEXES
from claimatlas.synthetic.stages import only, repeat
from claimatlas.synthetic.world import World

EXAMS_IN_YEAR = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)
"""Each number is as frequent as the others."""
TWICE = 0.05
"""Share of lines with quantity 2."""
TAKEN_BACK, PARTLY_TAKEN_BACK = 0.02, 0.02
_RATE_BITS = 20


def make_exam_lines(world: World, person_years: DataFrame) -> DataFrame:
    """Bill exams of therapeutic imaging.

    Grain in: one row per person and year. Grain out: one row per claim line, with the columns of
    ``claims``, ``year``, ``net_quantity``, ``copy`` and ``in_population`` (whether the population file
    of the year has the person).
    """
    year_roll, roll = F.col("_year_roll"), F.col("_roll")
    days = F.datediff("present_to", "present_from") + 1
    exam = F.col("exam")
    number = lookup(EXAMS_IN_YEAR, below(year_roll, _RATE_BITS, 10, len(EXAMS_IN_YEAR)))
    examined = only(
        person_years.withColumn("_year_roll", world.dice.roll("exams", F.col("person"), F.col("year"))),
        bits(year_roll, 0, _RATE_BITS) < _rate(world),
    )
    exams = (
        repeat(examined, "exam", F.lit(1), number)
        .withColumn("_roll", world.dice.roll("exam", F.col("person"), F.col("year"), exam))
        .withColumn("service_date", F.date_add("present_from", below(roll, 0, 14, days).cast("int")))
        .withColumn("nomenclature_code", world.offers.imaging.draw(F.col("service_date"), roll, 14))
        .withColumn("in_population", in_population_file(world))
        .withColumn("_events", world.dice.roll("exam events", F.col("person"), F.col("year"), exam))
    )
    events = F.col("_events")
    taken_back = chance(events, 0, 16, TAKEN_BACK)
    physicians, competences = world.country.physicians, world.country.imaging_competences
    billed = Billed(
        line=exam,
        number=F.col("home") * 20_000 + bits(roll, 28, 10),
        profession=lookup(physicians, below(roll, 38, 6, len(physicians))),
        competence=lookup(competences, below(roll, 44, 6, len(competences))),
        hospital_id=lookup_text(world.hospitals.ids, below(roll, 50, 12, len(world.hospitals.ids))),
        taken_back=taken_back,
        partly_taken_back=~taken_back & chance(events, 16, 16, PARTLY_TAKEN_BACK),
        quantity=F.when(chance(events, 32, 16, TWICE), F.lit(2)).otherwise(F.lit(1)),
        stream=EXAMS,
    )
    return bill(world, only(exams, F.col("nomenclature_code").isNotNull()), billed, "in_population")


def _rate(world: World) -> Column:
    by_sex = {
        sex: lookup([round(rate * (1 << _RATE_BITS)) for rate in world.rates.imaging[sex]], F.col("age"))
        for sex in SEXES
    }
    return F.when(F.col("female"), by_sex["female"]).otherwise(by_sex["male"])
