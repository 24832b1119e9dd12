"""Completed years, age classes and the Wilson interval, each against values of its own."""

import math
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from claimatlas.cells.rows import wilson_interval
from claimatlas.configuration import load_configuration
from claimatlas.conventions import Z
from claimatlas.population.ages import completed_years, label_of_age
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

AGES = [
    # born, on, completed years
    (date(2000, 5, 10), date(2023, 5, 9), 22),
    (date(2000, 5, 10), date(2023, 5, 10), 23),
    (date(2000, 5, 10), date(2023, 5, 11), 23),
    (date(2000, 5, 10), date(2023, 4, 30), 22),
    (date(2000, 5, 10), date(2023, 6, 1), 23),
    (date(2000, 12, 31), date(2023, 12, 31), 23),
    (date(2001, 1, 1), date(2023, 12, 31), 22),
    (date(2004, 2, 29), date(2023, 2, 28), 18),
    (date(2004, 2, 29), date(2023, 3, 1), 19),
    (date(2004, 2, 29), date(2024, 2, 28), 19),
    (date(2004, 2, 29), date(2024, 2, 29), 20),
    (date(2003, 2, 28), date(2024, 2, 28), 21),
    (date(2003, 3, 1), date(2024, 2, 29), 20),
    (date(2023, 5, 10), date(2023, 5, 10), 0),
    (date(2023, 5, 11), date(2023, 5, 10), -1),
    (date(2024, 1, 1), date(2023, 12, 31), -1),
    (date(1900, 3, 1), date(2023, 2, 28), 122),
    (None, date(2023, 5, 10), None),
]


def test_completed_years(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(number, born, on) for number, (born, on, _) in enumerate(AGES)], "n int, born date, on date"
    )
    found = rows.select("n", completed_years(F.col("born"), F.col("on")).alias("age")).collect()
    assert {row["n"]: row["age"] for row in found} == {number: age for number, (_, _, age) in enumerate(AGES)}


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        (
            "deliveries",
            {
                None: "unknown", -1: "unknown", 0: "<20", 12: "<20", 19: "<20", 20: "20-24", 24: "20-24", 25: "25-29",
                29: "25-29", 30: "30-34", 34: "30-34", 35: "35-39", 39: "35-39", 40: "40+", 55: "40+", 120: "40+",
            },
        ),
        (
            "beneficiaries",
            {
                None: "unknown", -5: "unknown", 0: "0-17", 17: "0-17", 18: "18-24", 24: "18-24", 25: "25-44",
                44: "25-44", 45: "45-64", 64: "45-64", 65: "65-74", 74: "65-74", 75: "75+", 110: "75+",
            },
        ),
    ],
)  # fmt: skip
def test_age_categories(spark: SparkSession, population: str, expected: dict[int | None, str]) -> None:
    classes = getattr(load_configuration().settings.age_categories, population)
    ages = spark.createDataFrame([(age,) for age in expected], "age int")
    found = ages.select("age", label_of_age(F.col("age"), classes).alias("label")).collect()
    assert {row["age"]: row["label"] for row in found} == expected


def exact_wilson(numerator: int, denominator: int) -> tuple[float, float]:
    """The Wilson bounds in percent, from fractions and a root of forty digits."""
    z, n = Fraction(Decimal("1.959963984540054")), denominator
    share = Fraction(numerator, n)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    squared = (z / (1 + z * z / n)) ** 2 * (share * (1 - share) / n + z * z / (4 * n * n))
    with localcontext() as context:
        context.prec = 40
        root = (Decimal(squared.numerator) / Decimal(squared.denominator)).sqrt()
        middle = Decimal(centre.numerator) / Decimal(centre.denominator)
        return float(100 * (middle - root)), float(100 * (middle + root))


COUNTS = [
    *[(numerator, denominator) for denominator in range(1, 13) for numerator in range(denominator + 1)],
    (1, 100), (99, 100), (50, 100), (1, 1_000_000), (999_999, 1_000_000), (123_456, 11_000_000), (0, 11_000_000),
    (11_000_000, 11_000_000), (2_147_483_647, 4_294_967_294),
]  # fmt: skip


def test_the_wilson_interval_is_the_formula(spark: SparkSession) -> None:
    assert Z == 1.959963984540054
    rows = spark.createDataFrame(COUNTS, "numerator bigint, denominator bigint")
    low, high = wilson_interval(F.col("numerator"), F.col("denominator"))
    for row in rows.select("*", low.alias("low"), high.alias("high")).collect():
        numerator, denominator = row["numerator"], row["denominator"]
        expected_low, expected_high = exact_wilson(numerator, denominator)
        assert math.isclose(row["low"], expected_low, rel_tol=1e-9, abs_tol=1e-9), row
        assert math.isclose(row["high"], expected_high, rel_tol=1e-12), row
        value = 100 * numerator / denominator
        assert 0 <= row["low"] <= value <= row["high"] <= 100, row
        # Exact at the ends, and only there.
        assert (row["low"] == 0) == (numerator == 0), row
        assert (row["high"] == 100) == (numerator == denominator), row


def test_known_values_of_the_wilson_interval(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(0, 10), (10, 10), (5, 10), (1, 3)], "numerator bigint, denominator bigint")
    low, high = wilson_interval(F.col("numerator"), F.col("denominator"))
    found = {
        (row["numerator"], row["denominator"]): (round(row["low"], 4), round(row["high"], 4))
        for row in rows.select("*", low.alias("low"), high.alias("high")).collect()
    }
    assert found == {
        (0, 10): (0.0, 27.7533),
        (10, 10): (72.2467, 100.0),
        (5, 10): (23.6593, 76.3407),
        (1, 3): (6.1492, 79.2340),
    }


def test_without_a_denominator_there_is_no_interval(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(0, 0), (None, None)], "numerator bigint, denominator bigint")
    low, high = wilson_interval(F.col("numerator"), F.col("denominator"))
    assert [tuple(row) for row in rows.select(low, high).collect()] == [(None, None)] * 2
