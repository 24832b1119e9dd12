"""The input table ``hospital_stays``."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import below, chance, lookup, lookup_text
from claimatlas.synthetic.identifiers import EVERYDAY, PERINATAL, claim_id
from claimatlas.synthetic.pregnancies import CAESAREAN, HOME, may_deliver_around
from claimatlas.synthetic.stages import only, repeat
from claimatlas.synthetic.world import World

NIGHTS_VAGINAL = (0, *[1] * 3, *[2] * 9, *[3] * 14, *[4] * 4, 6)
NIGHTS_CAESAREAN = (*[2] * 2, *[3] * 8, *[4] * 15, *[5] * 5, 6, 9)
"""Nights from delivery to discharge; each entry is as frequent as the others."""
NIGHTS_BEFORE = (*[0] * 10, *[1] * 5, 2)
NO_STAY, SECOND_STAY = 0.012, 0.006
"""Shares of deliveries in hospital without a known stay, and with another, longer one elsewhere."""
LONGER = 3

EVERYDAY_STAYS = 2
EVERYDAY_STAY_SHARE = 0.17
"""A person has up to two stays in a year, each with this probability; women near a delivery have none."""
EVERYDAY_NIGHTS = (*[0] * 16, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 10, 14, 21, 30)


def make_delivery_stays(world: World, pregnancies: DataFrame) -> DataFrame:
    """The stays of deliveries in hospital in the generated years.

    Grain in: one row per delivery. Grain out: one row per stay, the columns of ``hospital_stays`` and
    ``delivery_date``, ``own`` (whether its nights are the delivery's) and ``nights`` (after the
    delivery). A stay may begin before or end after the generated years.
    """
    own, roll = F.col("own"), F.col("_roll")
    hospitals = world.hospitals.ids
    # Where claims name no hospital, or another one, nothing could tell a second stay from the delivery's own.
    has_second = F.col("hospital_known") & ~F.col("second_elsewhere") & chance(roll, 16, 16, SECOND_STAY)
    stays = F.when(has_second, F.array(F.lit(True), F.lit(False))).otherwise(F.array(F.lit(True)))
    in_hospital = world.in_years(F.col("delivery_date")) & (F.col("delivery_type") != HOME)
    known = in_hospital & ~chance(roll, 0, 16, NO_STAY)
    before = lookup(NIGHTS_BEFORE, below(roll, 32, 8, len(NIGHTS_BEFORE)))
    number = F.when(own, F.col("hospital")).otherwise((F.col("hospital") + 1) % len(hospitals))
    nights = _nights(roll) + F.when(own, F.lit(0)).otherwise(F.lit(LONGER))
    return (
        pregnancies.withColumn("_roll", world.dice.roll("stay", F.col("person"), F.col("year")))
        .withColumn("own", F.explode(F.when(known, stays)))
        .withColumn("nights", nights.cast("int"))
        .select(
            _stay_id(world, PERINATAL, F.when(own, F.lit(0)).otherwise(F.lit(1))),
            "beneficiary_id",
            F.date_sub("delivery_date", before).alias("admission_date"),
            F.date_add("delivery_date", F.col("nights")).alias("discharge_date"),
            lookup_text(hospitals, number).alias("hospital_id"),
            "delivery_date",
            "own",
            "nights",
        )
    )


def make_everyday_stays(world: World, person_years: DataFrame) -> DataFrame:
    """Stays for other reasons, about half of them without a night.

    Grain in: one row per person and year. Grain out: one row per stay, the columns of ``hospital_stays``.
    """
    number, roll = F.col("_number"), F.col("_roll")
    hospitals = world.hospitals.ids
    days = F.datediff("present_to", "present_from") + 1
    every = repeat(
        only(person_years, ~may_deliver_around(world)), "_number", F.lit(0), F.lit(EVERYDAY_STAYS - 1)
    ).withColumn("_roll", world.dice.roll("everyday stay", F.col("person"), F.col("year"), number))
    nights = lookup(EVERYDAY_NIGHTS, below(roll, 30, 10, len(EVERYDAY_NIGHTS)))
    return (
        only(every, chance(roll, 0, 16, EVERYDAY_STAY_SHARE))
        .withColumn("admission_date", F.date_add("present_from", below(roll, 16, 14, days).cast("int")))
        .select(
            _stay_id(world, EVERYDAY, number),
            "beneficiary_id",
            "admission_date",
            F.least(F.date_add("admission_date", nights), "present_to").alias("discharge_date"),
            lookup_text(hospitals, below(roll, 40, 14, len(hospitals))).alias("hospital_id"),
        )
    )


def _nights(roll: Column) -> Column:
    by_type = [lookup(table, below(roll, 40, 12, len(table))) for table in (NIGHTS_CAESAREAN, NIGHTS_VAGINAL)]
    return F.when(F.col("delivery_type") == CAESAREAN, by_type[0]).otherwise(by_type[1])


def _stay_id(world: World, stream: int, number: Column) -> Column:
    number = claim_id(F.col("person"), world.years_since(F.col("year")), stream, number, F.lit(0))
    return F.concat(F.lit("S"), number).alias("stay_id")
