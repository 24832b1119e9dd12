"""Populations by spans of enrolment: who is a member of a year, where, and who is enrolled around her delivery."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.mappings import Mapping
from claimatlas.configuration.settings import PopulationSettings
from claimatlas.errors import InputError
from claimatlas.ingest.contract import POPULATION_INPUT, population_input
from claimatlas.ingest.load.gate import years_of_population
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.parsing import Understanding
from claimatlas.ingest.validate.rows import REASONS, RowRules, validate_rows
from claimatlas.population.spans import by_year, enrolment_around
from claimatlas.synthetic.offers import load_offers
from claimatlas.tables.schemas import POPULATION, configured, deliveries_table, population_table
from pydantic import ValidationError
from pyspark.sql import DataFrame, SparkSession

YEARS = (2022, 2023)
OPEN = date(9999, 12, 31)


@pytest.fixture(autouse=True)
def _no_compiled_queries(spark: SparkSession) -> None:
    """Compiling a query takes longer than running it on a few rows; the session is put back afterwards."""
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def with_spans(member_on: str = "any_day") -> Configuration:
    return load_configuration(None, [f"population={{given_as: spans, member_on: {member_on}}}"])


def population(spark: SparkSession, spans: list[tuple[Any, ...]]) -> DataFrame:
    """Rows of silver from beneficiary, first day, last day and municipality."""
    table = configured(POPULATION, with_spans())
    rows = [(who, first, last, None, "female", None, place, None, 1, first.year) for who, first, last, place in spans]
    return spark.createDataFrame(rows, table.schema)


def drawn(number: int) -> list[tuple[Any, ...]]:
    """Spans of few people that touch, overlap and leave gaps of a day, as they seldom do in a sender's files."""
    dice = random.Random(number)
    # Around the days that decide: New Year, 30 June, and those beside them.
    edges = [date(year, month, day) for year in (2021, 2022, 2023) for month, day in ((1, 1), (6, 30), (12, 31))]
    spans = []
    for who in "abcdefghij":
        for _ in range(dice.randint(1, 4)):
            first, last = sorted(dice.choice(edges) + timedelta(dice.randint(-2, 2)) for _ in range(2))
            spans.append((who, first, None if dice.random() < 0.2 else last, dice.choice(["x", "y", None])))
    return spans


def days_of(spans: list[tuple[Any, ...]], who: str, year: int) -> set[date]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    every = [first + timedelta(offset) for offset in range((last - first).days + 1)]
    return {day for day in every if any(one[0] == who and one[1] <= day <= (one[2] or OPEN) for one in spans)}


def place_on(spans: list[tuple[Any, ...]], who: str, day: date) -> str | None:
    """The place of the span that holds a day and begins last; of several the last one by its end, then its place."""
    held = [one for one in spans if one[0] == who and one[1] <= day <= (one[2] or OPEN)]
    return max(held, key=lambda one: (one[1], one[2] or OPEN, one[3] or ""))[3] if held else None


def expected(spans: list[tuple[Any, ...]], member_on: str) -> dict[tuple[str, int], tuple[str | None, str | None]]:
    """Member and year, with the places on 31 December and on 30 June, in plain Python."""
    found = {}
    for who in {one[0] for one in spans}:
        for year in YEARS:
            days, last = days_of(spans, who, year), date(year, 12, 31)
            whole = 365
            is_member = {"any_day": bool(days), "last_day_of_year": last in days, "whole_year": len(days) == whole}
            if not is_member[member_on]:
                continue
            touched = [one for one in spans if one[0] == who and one[1] <= last and (one[2] or OPEN).year >= year]
            final = max(touched, key=lambda one: (one[1], one[2] or OPEN, one[3] or ""))[3]
            december = place_on(spans, who, last) if last in days else final
            found[who, year] = (december, place_on(spans, who, date(year, 6, 30)))
    return found


@pytest.mark.parametrize("member_on", ["any_day", "last_day_of_year", "whole_year"])
def test_members_are_those_of_plain_python(spark: SparkSession, member_on: str) -> None:
    met = 0
    for number in range(6):
        spans = drawn(number)
        rows = by_year(population(spark, spans), with_spans(member_on), YEARS).collect()
        found = {
            (row["beneficiary_id"], row["year"]): (row["municipality_31_december"], row["municipality_30_june"])
            for row in rows
        }
        assert len(rows) == len(found)
        assert found == expected(spans, member_on)
        met += len(found)
    assert met > 10


def test_a_year_of_person_years_is_as_it_was(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], POPULATION.schema)
    assert by_year(rows, load_configuration(), YEARS) is rows


def test_the_columns_of_a_year_are_those_of_person_years(spark: SparkSession) -> None:
    members = by_year(population(spark, drawn(1)), with_spans(), YEARS)
    person_years = configured(POPULATION, load_configuration())
    assert members.columns == [name for name in person_years.column_names if name != "batch"]
    assert members.dtypes == [
        pair for pair in spark.createDataFrame([], person_years.schema).dtypes if pair[0] != "batch"
    ]


@pytest.mark.parametrize(
    ("spans", "days"),
    [
        ([("a", date(2022, 1, 1), date(2022, 12, 31), "x")], (10, 354)),
        # The next one begins on the day after: there is no gap.
        ([("a", date(2022, 1, 5), date(2022, 1, 10), "x"), ("a", date(2022, 1, 11), date(2022, 1, 20), "y")], (6, 9)),
        ([("a", date(2022, 1, 5), date(2022, 1, 10), "x"), ("a", date(2022, 1, 12), date(2022, 1, 20), "y")], None),
        ([("a", date(2022, 1, 1), date(2022, 1, 9), "x"), ("a", date(2022, 1, 11), None, "y")], (0, 36_524)),
        ([("a", date(2022, 1, 1), date(2022, 3, 1), "x"), ("a", date(2022, 1, 8), date(2022, 1, 9), "x")], (10, 49)),
        ([("b", date(2022, 1, 1), date(2022, 12, 31), "x")], None),
    ],
)
def test_days_of_enrolment_around_a_delivery(
    spark: SparkSession, spans: list[tuple[Any, ...]], days: tuple[int, int] | None
) -> None:
    deliveries = spark.createDataFrame(
        [("d", "a", date(2022, 1, 11))], "delivery_id string, beneficiary_id string, delivery_date date"
    )
    found = [tuple(row) for row in enrolment_around(deliveries, population(spark, spans)).collect()]
    assert found == ([("d", *days)] if days else [])


# --- Declaration and input -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{"given_as": "spans"}, {"member_on": "any_day"}, {"given_as": "spans", "member_on": "once"}]
)
def test_spans_say_who_is_a_member_and_person_years_do_not(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PopulationSettings.model_validate(given)


def test_belgium_is_as_it_was() -> None:
    belgium = load_configuration()
    assert population_input(belgium).key == POPULATION_INPUT.key
    assert population_table(belgium.settings.population) == POPULATION
    added = set(deliveries_table(with_spans()).column_names) - set(deliveries_table(belgium).column_names)
    assert added == {"enrolled_days_before", "enrolled_days_after"}


def test_spans_are_read_and_judged(spark: SparkSession) -> None:
    table = population_input(with_spans())
    rows = [
        ("a", "2022-01-01", "2022-06-30"),
        ("b", "2022-01-01", ""),
        ("c", "2022-01-01", "9999-12-31"),
        ("d", "2022-01-02", "2022-01-01"),
        ("e", "", "2022-01-01"),
        ("a", "2022-01-01", "2022-06-30"),
    ]
    raw = spark.createDataFrame(
        [(*row, "file") for row in rows],
        f"beneficiary_id string, start_date string, end_date string, {SOURCE_FILE} string",
    )
    understanding = Understanding(date_sentinels={OPEN: "open"})
    rules = RowRules(Mapping(description="x"), date(2005, 1, 1), date(2026, 12, 31), understanding)
    judged = validate_rows(raw, table, rules).collect()
    assert [(row["end_date"], row["year"], row[REASONS]) for row in judged] == [
        (date(2022, 6, 30), 2022, []),
        (None, 2022, []),
        (None, 2022, []),
        (date(2022, 1, 1), None, ["end_before_start"]),
        (date(2022, 1, 1), None, ["missing_start_date"]),
        (date(2022, 6, 30), 2022, []),
    ]


def test_the_years_of_a_population_are_those_that_its_spans_touch(spark: SparkSession) -> None:
    spans = [("a", date(2020, 12, 31), date(2021, 1, 1), "x"), ("b", date(2024, 5, 1), None, "x")]
    table = population_input(with_spans())
    found = years_of_population(population(spark, spans), table, date(2025, 2, 1))
    assert found == {2020, 2021, 2024, 2025}
    # A span that begins after all that is accepted touches no year.
    assert years_of_population(population(spark, spans[1:]), table, date(2023, 2, 1)) == set()


def test_generate_draws_person_years() -> None:
    with pytest.raises(InputError, match="declares spans"):
        load_offers(with_spans(), None, None, None)  # type: ignore[arg-type]
