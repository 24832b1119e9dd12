"""Rows to be spoiled, sound but for the defect they are about to get, and rows that lose to a sound one."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.synthetic.dice import below, lookup, lookup_text
from claimatlas.synthetic.everyday import make_everyday_lines
from claimatlas.synthetic.identifiers import PLANTED, beneficiary_id, claim_id
from claimatlas.synthetic.offers import DELIVERY_TYPES
from claimatlas.synthetic.people import make_people, make_person_years
from claimatlas.synthetic.population import make_population
from claimatlas.synthetic.world import World

_DAYS_UNTIL_BOOKING = 30


def sound_claims(world: World, rows: DataFrame) -> DataFrame:
    """Claim lines of anybody.

    Grain in: one row per ``id``. Grain out: the same, with the columns of ``claims``.
    """
    roll, codes = F.col("_roll"), world.offers.everyday
    somebody = world.country.everyday[0]
    entry = F.lit(len(codes.codes) - 1) - below(roll, 16, 10, 1024)
    return (
        rows.withColumn("_roll", world.dice.roll("planted claim", F.col("id")))
        .withColumn("service_date", _some_day(world, roll))
        .select(
            "id",
            _new_id(F.col("id")).alias("claim_id"),
            beneficiary_id(world.dice, _somebody(world, roll)).alias("beneficiary_id"),
            "service_date",
            lookup(codes.codes, entry).alias("nomenclature_code"),
            F.lit(1).alias("quantity"),
            F.lit(f"{somebody.profession}123456{somebody.competence}").alias("provider_id"),
            F.lit(somebody.profession).alias("provider_profession"),
            F.lit(somebody.competence).alias("provider_competence"),
            F.lit(world.hospitals.ids[0]).alias("hospital_id"),
            F.date_add("service_date", _DAYS_UNTIL_BOOKING).alias("booking_date"),
        )
    )


def sound_population(world: World, rows: DataFrame) -> DataFrame:
    """Beneficiary-years of persons who are nowhere else.

    Grain in: one row per ``id``. Grain out: the same, with the columns of ``population``.
    """
    roll = F.col("_roll")
    codes = world.places.codes[world.parameters.first_year]
    municipality = lookup_text(codes, below(roll, 0, 16, len(codes)))
    return rows.withColumn("_roll", world.dice.roll("planted person", F.col("id"))).select(
        "id",
        beneficiary_id(world.dice, F.col("id") + world.parameters.persons).alias("beneficiary_id"),
        F.lit(world.parameters.first_year).alias("year"),
        F.date_add(F.lit("1950-01-01").cast("date"), below(roll, 16, 16, 20_000).cast("int")).alias("birth_date"),
        F.lit("1").alias("sex"),
        F.lit(False).alias("increased_reimbursement"),
        municipality.alias("municipality_31_december"),
        municipality.alias("municipality_30_june"),
        F.lit(None).cast("string").alias("sector_31_december"),
        F.lit(None).cast("string").alias("sector_30_june"),
    )


def sound_hospital_stays(world: World, rows: DataFrame) -> DataFrame:
    """Stays of anybody.

    Grain in: one row per ``id``. Grain out: the same, with the columns of ``hospital_stays``.
    """
    roll = F.col("_roll")
    return (
        rows.withColumn("_roll", world.dice.roll("planted stay", F.col("id")))
        .withColumn("admission_date", _some_day(world, roll))
        .select(
            "id",
            F.concat(F.lit("S"), _new_id(F.col("id"))).alias("stay_id"),
            beneficiary_id(world.dice, _somebody(world, roll)).alias("beneficiary_id"),
            "admission_date",
            F.date_add("admission_date", 1).alias("discharge_date"),
            F.lit(world.hospitals.ids[0]).alias("hospital_id"),
        )
    )


def losing_claims(spark: SparkSession, world: World, number: int) -> DataFrame:
    """Lines with the id of a sound line that was booked later: the fund corrected them since.

    Each says caesarean, so that a delivery would appear if the wrong line stayed.

    Grain out: at most ``number`` rows, the columns of ``claims``, no two with one id.
    """
    lines = make_everyday_lines(world, _some_years(spark, world, number))
    corrected = lines.where(F.col("booking_date").isNotNull() & (F.col("quantity") > 0))
    caesareans = world.offers.deliveries[DELIVERY_TYPES[0]].codes.segments[0][1]
    return (
        corrected.orderBy(world.dice.roll("duplicate", F.xxhash64("claim_id")), "claim_id")
        .limit(number)
        .withColumn("booking_date", F.date_add("service_date", 1))
        .withColumn("nomenclature_code", F.lit(caesareans[0]) if caesareans else F.col("nomenclature_code"))
    )


def losing_population(spark: SparkSession, world: World, number: int) -> DataFrame:
    """Beneficiary-years that a sound row of the same person and year precedes: born a day later, no domicile.

    Grain out: at most ``number`` rows, the columns of ``population``, no two of one person and year.
    """
    population = make_population(world, _some_years(spark, world, number))
    nowhere = F.lit(None).cast("string")
    return (
        population.where(F.col("birth_date").isNotNull())
        .orderBy("beneficiary_id", "year")
        .limit(number)
        .withColumn("birth_date", F.date_add("birth_date", 1))
        .withColumn("municipality_31_december", nowhere)
        .withColumn("municipality_30_june", nowhere)
    )


def _some_years(spark: SparkSession, world: World, number: int) -> DataFrame:
    """The years of a few more than ``number`` persons, spread over all of the first year."""
    persons = min(world.parameters.beneficiaries, number + 20)
    step = world.parameters.beneficiaries // persons
    chosen = spark.range(0, persons, 1, 1).select((F.col("id") * step).alias("person"))
    return make_person_years(world, make_people(world, chosen))


def _new_id(row: Column) -> Column:
    return claim_id(row, F.lit(0), PLANTED, F.lit(0), F.lit(0))


def _somebody(world: World, roll: Column) -> Column:
    return below(roll, 26, 24, world.parameters.beneficiaries)


def _some_day(world: World, roll: Column) -> Column:
    days = (world.parameters.last_day - world.parameters.first_day).days + 1
    return F.date_add(F.lit(world.parameters.first_day), below(roll, 0, 16, days).cast("int"))
