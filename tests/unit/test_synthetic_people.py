"""The people, their domiciles and their deliveries, without the mass of claim lines."""

import pytest
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.synthetic.deliveries import make_delivery_lines
from claimatlas.synthetic.identifiers import beneficiary_id
from claimatlas.synthetic.parameters import Parameters
from claimatlas.synthetic.people import make_people, make_person_years
from claimatlas.synthetic.perinatal import make_perinatal_lines
from claimatlas.synthetic.population import make_population
from claimatlas.synthetic.pregnancies import make_pregnancies
from claimatlas.synthetic.stays import make_delivery_stays
from claimatlas.synthetic.truth import true_contacts, true_deliveries
from claimatlas.synthetic.world import World, make_world
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

PERSONS = 60_000


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration()


@pytest.fixture(scope="module")
def world(configuration: Configuration) -> World:
    return make_world(Parameters(PERSONS, 2018, 2020, 3), configuration)


def share(df: DataFrame, condition: Column) -> float:
    found = one(df.agg(F.avg(F.coalesce(condition, F.lit(False)).cast("int")).alias("share")))
    return float(found["share"])


def one(df: DataFrame) -> Row:
    (row,) = df.collect()
    return row


def population_of(spark: SparkSession, world: World) -> DataFrame:
    return make_population(world, make_person_years(world, make_people(world, world.persons(spark, 1.0))))


def test_pseudonyms_never_meet(spark: SparkSession, world: World) -> None:
    # Persons far apart too: those of a planted row lie beyond all others.
    ids = spark.range(0, 2**32, 2**32 // 50_000).unionByName(spark.range(0, 50_000))
    found = one(
        ids.distinct()
        .select("id", beneficiary_id(world.dice, F.col("id")).alias("name"))
        .agg(F.count("id").alias("ids"), F.count_distinct("name").alias("names"), F.max(F.length("name")).alias("most"))
    )
    assert (found["ids"], found["most"]) == (found["names"], 16)


def test_lives_are_in_order(spark: SparkSession, world: World) -> None:
    people = make_people(world, world.persons(spark, 1.0))
    wrong = (F.col("death_date") < F.col("birth_date")) | (F.col("death_date") < F.col("entry_date"))
    assert people.where(wrong | (F.col("death_year") < world.parameters.first_year)).isEmpty()
    years = make_person_years(world, people)
    assert years.where(F.col("present_from") > F.col("present_to")).isEmpty()
    assert years.where(F.col("age") < 0).isEmpty()


def test_population(spark: SparkSession, world: World) -> None:
    population = population_of(spark, world)
    by_year = {row["year"]: row["count"] for row in population.groupBy("year").count().collect()}
    assert set(by_year) == {2018, 2019, 2020}
    assert all(0.98 * PERSONS < rows < 1.02 * PERSONS for rows in by_year.values())
    june, december = F.col("municipality_30_june"), F.col("municipality_31_december")
    age = F.col("year") - F.year("birth_date")
    bim = F.col("increased_reimbursement")
    assert 0.003 < share(population, december.isNull() & june.isNotNull()) < 0.008
    assert 0.001 < share(population, december.isNull() & june.isNull()) < 0.005
    assert 0.18 < share(population, bim) < 0.22
    assert share(population.where(age >= 80), bim) > 0.3 > share(population.where(age.between(25, 60)), bim)
    for column in ("birth_date", "sex", "increased_reimbursement"):
        assert 0 < share(population, F.col(column).isNull()) < 0.01
    assert 0.50 < share(population, F.col("sex") == "2") < 0.52
    assert population.groupBy("beneficiary_id", "year").count().where("count > 1").isEmpty()


def test_people_move_mostly_within_their_province(spark: SparkSession, world: World) -> None:
    before = population_of(spark, world).where("year = 2019 and municipality_31_december is not null")
    after = population_of(spark, world).where("year = 2020 and municipality_31_december is not null")
    both = before.alias("before").join(after.alias("after"), on="beneficiary_id", how="inner")
    moved = F.col("before.municipality_31_december") != F.col("after.municipality_31_december")
    assert 0.075 < share(both, moved) < 0.095
    # Codes of one province of that vintage share their first digit, but for the two halves of Brabant.
    first_digit = [F.substring(f"{side}.municipality_31_december", 1, 1) for side in ("before", "after")]
    assert share(both.where(moved), first_digit[0] == first_digit[1]) > 0.75


def test_codes_are_those_of_the_year(spark: SparkSession, configuration: Configuration) -> None:
    for years in ((2018, 2019), (2024, 2025)):
        world = make_world(Parameters(3000, *years, 3), configuration)
        population = population_of(spark, world).cache()
        for year in years:
            rows = population.where(F.col("year") == year)
            for date in ("31_december", "30_june"):
                codes = {row[0] for row in rows.select(f"municipality_{date}").distinct().collect()} - {None}
                assert len(codes) > 300
                assert codes <= set(configuration.geography.vintage(year))
                pattern = "^[0-9]{5}([A-Z0-9][0-9][0-9A-Z][0-9A-Z-]|ZZZZ)$"
                assert (
                    share(rows.where(F.col(f"sector_{date}").isNotNull()), F.col(f"sector_{date}").rlike(pattern)) == 1
                )
        population.unpersist()


def test_sectors_begin_in_2016(spark: SparkSession, configuration: Configuration) -> None:
    world = make_world(Parameters(2000, 2015, 2016, 3), configuration)
    known = population_of(spark, world).where("sector_31_december is not null")
    assert {row["year"] for row in known.select("year").distinct().collect()} == {2016}


def test_deliveries(spark: SparkSession, world: World) -> None:
    people = make_people(world, world.persons(spark, 1.0))
    pregnancies = make_pregnancies(world, people)
    lines = make_delivery_lines(world, pregnancies)
    deliveries = true_deliveries(lines, make_delivery_stays(world, pregnancies)).cache()
    number = deliveries.count()
    assert 0.0090 < number / (3 * PERSONS) < 0.0105
    kinds = {
        row["delivery_type"]: row["count"] / number for row in deliveries.groupBy("delivery_type").count().collect()
    }
    assert 0.19 < kinds["caesarean"] < 0.23
    assert 0.005 < kinds["home"] < 0.015
    nights = {
        row["delivery_type"]: row["nights"]
        for row in deliveries.groupBy("delivery_type").agg(F.avg("nights_after_delivery").alias("nights")).collect()
    }
    assert 2.4 < nights["vaginal_hospital"] < 3.1
    assert 3.6 < nights["caesarean"] < 4.4
    assert nights["home"] is None
    assert 0.03 < share(deliveries, F.col("billings") > 1) < 0.10
    assert not deliveries.where("episodes_anchored = 2").isEmpty()
    assert not deliveries.where("nights_after_delivery = 0").isEmpty()
    # Women whose only billing was taken back did not deliver.
    billed = lines.select("beneficiary_id", "delivery_date").distinct()
    assert billed.count() > number
    ages = deliveries.join(people, on="beneficiary_id", how="inner")
    months = F.floor(F.months_between("delivery_date", "birth_date") / 12)
    assert share(ages, F.col("female") & months.between(15, 49)) == 1
    deliveries.unpersist()


def test_contacts(spark: SparkSession, world: World) -> None:
    pregnancies = make_pregnancies(world, make_people(world, world.persons(spark, 1.0)))
    # Deliveries whose windows lie wholly in the generated years.
    deliveries = true_deliveries(
        make_delivery_lines(world, pregnancies), make_delivery_stays(world, pregnancies)
    ).where("delivery_date between '2018-10-01' and '2020-11-15'")
    contacts = true_contacts(world, make_perinatal_lines(world, pregnancies))
    days = F.datediff("contact_date", "delivery_date")
    groups = ("gp", "gynaecologist", "midwife", "physiotherapist", "specialist")
    joined = deliveries.join(contacts, on="beneficiary_id", how="left")
    seen = joined.groupBy("beneficiary_id", "delivery_date").agg(
        F.bool_or(days.between(1, 42)).alias("any"),
        F.bool_or(days.between(-270, -1)).alias("prenatal"),
        *[F.bool_or(days.between(1, 42) & (F.col("contact_group") == group)).alias(group) for group in groups],
    )
    seen = seen.cache()
    assert 0.04 < share(seen, ~F.coalesce("any", F.lit(False))) < 0.09
    assert 0.97 < share(seen, F.col("prenatal")) < 1
    assert 0.11 < share(seen, F.col("midwife")) < 0.20
    assert share(seen, F.col("gynaecologist")) > 0.7
    assert 0.4 < share(seen, F.col("gp")) < 0.6
    # The edges of the windows are met, from both sides.
    edges = {row["days"] for row in joined.select(days.alias("days")).distinct().collect()}
    assert {-271, -270, -1, 0, 1, 42, 43} <= edges
    seen.unpersist()
