"""Counts for a study of the 30-day rule: the same as the rule itself would give."""

import random
from datetime import date, timedelta

import pytest
from claimatlas.deliveries.episodes import count_by_reading, with_episode_starts
from claimatlas.deliveries.sensitivity import count_by_gap, first_contact_by_day, gaps_between_days
from pyspark.sql import DataFrame, SparkSession

START = date(2022, 11, 1)


def days_of(spark: SparkSession, offsets: dict[str, list[int]]) -> DataFrame:
    rows = [(who, START + timedelta(days)) for who, several in offsets.items() for days in several]
    return spark.createDataFrame(random.Random(1).sample(rows, len(rows)), "beneficiary_id string, delivery_date date")


def counts(found: DataFrame) -> dict[tuple[int, str, int], int]:
    return {(row["gap_days"], row["reading"], row["year"]): row["deliveries"] for row in found.collect()}


@pytest.fixture
def many_days(spark: SparkSession) -> DataFrame:
    dice = random.Random(7)
    return days_of(spark, {f"w{n}": sorted(dice.sample(range(130), dice.randint(1, 6))) for n in range(80)})


def test_each_rule_gives_what_the_rule_itself_gives(many_days: DataFrame) -> None:
    tried = (1, 20, 29, 30, 31, 60)
    expected = {
        (gap, row["reading"], row["year"]): row["deliveries"]
        for gap in tried
        for row in count_by_reading(with_episode_starts(many_days, gap)).collect()
    }
    found = counts(count_by_gap(many_days, tried))
    assert found == expected
    assert {year for _, _, year in found} == {2022, 2023}
    assert any(found[30, "chained", year] != found[30, "anchored", year] for year in (2022, 2023))


def test_the_last_day_of_the_rule_is_within_it(spark: SparkSession) -> None:
    found = counts(count_by_gap(days_of(spark, {"a": [0, 25, 50], "b": [0, 30]}), (24, 25, 29, 30, 49, 50)))
    by_gap = {gap: (found[gap, "chained", 2022], found[gap, "anchored", 2022]) for gap in (24, 25, 29, 30, 49, 50)}
    assert by_gap == {24: (5, 5), 25: (3, 4), 29: (3, 4), 30: (2, 3), 49: (2, 3), 50: (2, 2)}


def test_gaps_are_counted_and_a_single_day_has_none(spark: SparkSession) -> None:
    found = gaps_between_days(days_of(spark, {"a": [0, 25, 50], "b": [3, 28], "c": [9]}))
    assert found.columns == ["gap_days", "times"]
    assert {row["gap_days"]: row["times"] for row in found.collect()} == {25: 3}


def test_first_contacts_add_up_day_by_day(spark: SparkSession) -> None:
    rows = [
        (2022, START, START + timedelta(1)),
        (2022, START, START + timedelta(3)),
        (2022, START, None),
        (2023, START, None),
    ]
    deliveries = spark.createDataFrame(rows, "year int, delivery_date date, first_contact_date date")
    found = {(row["year"], row["day"]): row for row in first_contact_by_day(deliveries, 3).collect()}
    assert [found[2022, day]["with_contact"] for day in range(4)] == [0, 1, 1, 2]
    assert [found[2023, day]["with_contact"] for day in range(4)] == [0, 0, 0, 0]
    assert {found[2022, day]["deliveries"] for day in range(4)} == {3}
