"""A place against the country and over five years, checked with statsmodels."""

import random

import numpy as np
import pytest
from claimatlas.cells.rows import wilson_interval
from claimatlas.comparisons.comparisons_stage import compared
from claimatlas.comparisons.national import against_national
from claimatlas.comparisons.trend import direction, trend_statistic
from claimatlas.conventions import trend_direction
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

PLACE = ("indicator_id", "geo_level", "geo_code")
CELLS = "indicator_id string, geo_level string, geo_code string, year int, numerator bigint, denominator bigint"
Years = dict[int, tuple[int | None, int | None]]


def cells(spark: SparkSession, places: dict[str, Years], level: str = "municipality") -> DataFrame:
    rows = [("i", level, code, year, *counts) for code, years in places.items() for year, counts in years.items()]
    counted = spark.createDataFrame(rows, CELLS)
    low, high = wilson_interval(F.col("numerator"), F.col("denominator"))
    value = F.when(F.col("denominator") > 0, 100 * F.col("numerator") / F.col("denominator"))
    return counted.select("*", value.alias("value"), low.alias("ci_low"), high.alias("ci_high"))


def trends(spark: SparkSession, places: dict[str, Years]) -> dict[tuple[str, int], Row]:
    found = trend_statistic(cells(spark, places), PLACE).withColumn("trend", direction(F.col("trend_z")))
    return {(row["geo_code"], row["year"]): row for row in found.collect()}


def cochran_armitage(years: Years) -> float:
    """The same test by a statistics library: a table of outcomes by year, with the years as scores."""
    # Takes seconds to import: not when tests are only collected.
    from statsmodels.stats.contingency_tables import Table

    table = np.array([[counts[0], counts[1] - counts[0]] for _, counts in sorted(years.items())], dtype=float)  # type: ignore[operator]
    return float(
        Table(table, shift_zeros=False)
        .test_ordinal_association(row_scores=np.array(sorted(years)), col_scores=np.array([1, 0]))
        .zscore
    )


def test_the_wilson_interval_is_that_of_a_statistics_library(spark: SparkSession) -> None:
    from statsmodels.stats.proportion import proportion_confint

    counts = [(0, 7), (7, 7), (1, 3), (40, 100), (123, 11_000_000)]
    rows = spark.createDataFrame(counts, "numerator bigint, denominator bigint")
    low, high = wilson_interval(F.col("numerator"), F.col("denominator"))
    for row in rows.select("*", low.alias("low"), high.alias("high")).collect():
        expected = proportion_confint(row["numerator"], row["denominator"], alpha=0.05, method="wilson")
        assert (row["low"] / 100, row["high"] / 100) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_trend_is_that_of_a_statistics_library(spark: SparkSession) -> None:
    rng = random.Random(5)
    places: dict[str, Years] = {}
    for number in range(40):
        size, share, slope = rng.choice([5, 60, 2_000, 400_000]), rng.uniform(0.1, 0.6), rng.uniform(-0.02, 0.02)
        places[str(number)] = {
            year: (round(size * (share + slope * (year - 2019)) * rng.uniform(0.9, 1.1)), size + rng.randrange(3))
            for year in range(2019, 2024)
        }
    found = trends(spark, places)
    assert set(found) == {(code, 2023) for code in places}
    for code, years in places.items():
        expected = cochran_armitage(years)
        # The library divides the variance by N - 1 (a sample without replacement), the test by N.
        people = sum(counts[1] or 0 for counts in years.values())
        expected *= (people / (people - 1)) ** 0.5
        row = found[code, 2023]
        assert row["trend_z"] == pytest.approx(expected, rel=1e-9), code
        assert row["trend"] == ("rising" if expected > 1.96 else "falling" if expected < -1.96 else "none")
        # Of one place without Spark, for counts that are shown.
        counts = [(year, one[0] or 0, one[1] or 0) for year, one in years.items()]
        assert trend_direction(counts) == row["trend"]
    assert {row["trend"] for row in found.values()} == {"rising", "falling", "none"}
    assert trend_direction(counts[1:]) is trend_direction([(year, 0, 10) for year, _, _ in counts]) is None


def test_a_trend_needs_five_computable_years(spark: SparkSession) -> None:
    def year_by_year(*years: int) -> Years:
        return dict.fromkeys(years, (10, 100))

    places: dict[str, Years] = {
        "five": year_by_year(2019, 2020, 2021, 2022, 2023),
        "six": year_by_year(2018, 2019, 2020, 2021, 2022, 2023),
        "four": year_by_year(2020, 2021, 2022, 2023),
        "gap": year_by_year(2018, 2019, 2021, 2022, 2023),
        "not_computable": {**year_by_year(2019, 2020, 2021, 2022), 2023: (None, 100)},
        "nobody": {**year_by_year(2019, 2020, 2021, 2022), 2023: (0, 0)},
        "never": dict.fromkeys(range(2019, 2024), (0, 100)),
        "always": dict.fromkeys(range(2019, 2024), (100, 100)),
        "empty": dict.fromkeys(range(2019, 2024), (0, 0)),
    }
    found = {key: row["trend"] for key, row in trends(spark, places).items()}
    assert found == {
        ("five", 2023): "none",
        ("six", 2022): "none",
        ("six", 2023): "none",
        ("nobody", 2023): "none",
        ("never", 2023): None,
        ("always", 2023): None,
        ("empty", 2023): None,
    }


def test_a_place_is_compared_with_the_country(spark: SparkSession) -> None:
    cases: dict[str, tuple[float | None, float | None, float | None, str | None]] = {
        "below": (1.0, 9.99, 10.0, "lower"),
        "touches from below": (1.0, 10.0, 10.0, "similar"),
        "holds": (9.0, 11.0, 10.0, "similar"),
        "touches from above": (10.0, 11.0, 10.0, "similar"),
        "above": (10.01, 11.0, 10.0, "higher"),
        "nobody": (None, None, 10.0, None),
        "no country": (1.0, 2.0, None, None),
    }
    rows = [(name, *case[:3]) for name, case in cases.items()]
    frame = spark.createDataFrame(rows, "name string, low double, high double, national double")
    column = against_national(F.col("low"), F.col("high"), F.col("national"))
    found = {row["name"]: row["found"] for row in frame.select("name", column.alias("found")).collect()}
    assert found == {name: case[3] for name, case in cases.items()}


def test_every_place_has_the_value_of_its_country_and_year(spark: SparkSession) -> None:
    country = cells(spark, {"01000": {2022: (100, 1000), 2023: (300, 1000)}}, "country")
    places = cells(spark, {"a": {2022: (30, 100), 2023: (30, 100)}, "b": {2023: (1, 100)}, "c": {2023: (0, 0)}})
    found = {
        (row["geo_code"], row["year"]): (row["national_value"], row["comparison"])
        for row in compared(country.unionByName(places), "country").collect()
    }
    assert found == {
        ("01000", 2022): (10.0, None),
        ("01000", 2023): (30.0, None),
        ("a", 2022): (10.0, "higher"),
        ("a", 2023): (30.0, "similar"),
        ("b", 2023): (30.0, "lower"),
        ("c", 2023): (30.0, None),
    }


def test_with_two_countries_there_is_nothing_to_compare_with(spark: SparkSession) -> None:
    countries = cells(spark, {"x": {2023: (1, 10)}, "y": {2023: (9, 10)}}, "country")
    places = cells(spark, {"a": {2023: (30, 100)}})
    rows = compared(countries.unionByName(places), "country").collect()
    assert {(row["geo_code"], row["national_value"], row["comparison"]) for row in rows} == {
        ("x", None, None),
        ("y", None, None),
        ("a", None, None),
    }
