"""Rows that share a key: which one stays never depends on the order of rows."""

from datetime import date
from typing import Any

import pytest
from claimatlas.configuration.mappings import Mapping
from claimatlas.ingest.contract import CLAIMS_INPUT, HOSPITAL_STAYS_INPUT
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.duplicates import RANK, rank_duplicates, repeated_key_hashes
from claimatlas.ingest.validate.rows import REPEATED, ROW, RowExtras, RowRules, validate_rows, values_of
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from shipped import POPULATION_INPUT

CLAIM = {
    "claim_id": "c",
    "beneficiary_id": "a",
    "service_date": date(2023, 3, 1),
    "nomenclature_code": 424093,
    "quantity": 1,
    "provider_id": None,
    "provider_profession": None,
    "provider_competence": None,
    "hospital_id": None,
    "booking_date": None,
}
TYPES = (
    "claim_id string, beneficiary_id string, service_date date, nomenclature_code int, quantity int, "
    "provider_id string, provider_profession int, provider_competence int, hospital_id string, booking_date date, "
    "_row string, _source_file string"
)


def claims(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    values = [
        (*{**CLAIM, **{name: value for name, value in row.items() if name in CLAIM}}.values(), row["_row"], "file")
        for row in rows
    ]
    return spark.createDataFrame(values, TYPES)


def kept(spark: SparkSession, rows: list[dict[str, Any]]) -> set[str]:
    ranked = rank_duplicates(claims(spark, rows), CLAIMS_INPUT).collect()
    return {row["_row"] for row in ranked if row[RANK] == 1}


@pytest.mark.shuffle_partitions(3)
def test_the_order_of_rows_does_not_matter(spark: SparkSession) -> None:
    booked = {"booking_date": date(2023, 5, 1)}
    rows = [
        {"claim_id": "one", "_row": "alone"},
        {"claim_id": "two", "_row": "not booked"},
        {"claim_id": "two", "_row": "booked late", **booked, "quantity": 9},
        {"claim_id": "two", "_row": "booked early", "booking_date": date(2023, 4, 1)},
        {"claim_id": "three", "_row": "no hospital"},
        {"claim_id": "three", "_row": "a hospital", "hospital_id": "h"},
    ]
    for order in (rows, rows[::-1], rows[3:] + rows[:3]):
        assert kept(spark, order) == {"alone", "booked late", "a hospital"}


def test_each_key_has_ranks_of_its_own(spark: SparkSession) -> None:
    rows = [
        {"claim_id": "one", "_row": "1"},
        {"claim_id": "two", "_row": "2"},
        {"claim_id": "two", "_row": "3", "quantity": 2},
        {"claim_id": "two", "_row": "4", "quantity": 3},
    ]
    ranked = rank_duplicates(claims(spark, rows), CLAIMS_INPUT).collect()
    assert {(row["_row"], row[RANK]) for row in ranked} == {("1", 1), ("2", 1), ("3", 2), ("4", 3)}


def test_of_rows_that_are_equal_one_stays(spark: SparkSession) -> None:
    rows = [{"_row": "same"}, {"_row": "same"}, {"_row": "same"}]
    ranked = rank_duplicates(claims(spark, rows), CLAIMS_INPUT).collect()
    assert sorted(row[RANK] for row in ranked) == [1, 2, 3]


def test_no_repeated_key_is_overlooked(spark: SparkSession) -> None:
    rows = [{"claim_id": name, "_row": name} for name in ("one", "two", "two", "three", "three", "three", "four")]
    assert repeated_key_hashes(claims(spark, rows), CLAIMS_INPUT).count() == 2
    assert repeated_key_hashes(claims(spark, rows[:2]), CLAIMS_INPUT).count() == 0


def test_a_beneficiary_has_one_row_a_year(spark: SparkSession) -> None:
    people = spark.createDataFrame(
        [("a", 2022), ("a", 2023), ("b", 2023), ("a", 2023)], "beneficiary_id string, year int"
    )
    assert repeated_key_hashes(people, POPULATION_INPUT).count() == 1


def test_rows_without_their_whole_key_have_none(spark: SparkSession) -> None:
    people = spark.createDataFrame(
        [("a", None), ("a", None), (None, 2023), (None, 2023)], "beneficiary_id string, year int"
    )
    assert repeated_key_hashes(people, POPULATION_INPUT).count() == 0


def test_only_rows_of_repeated_keys_are_kept_as_they_came(spark: SparkSession) -> None:
    columns = [column.name for column in POPULATION_INPUT.columns]
    schema = T.StructType([T.StructField(name, T.StringType()) for name in (*columns, SOURCE_FILE)])
    empty = [None] * (len(columns) - 2)
    raw = spark.createDataFrame(
        [("a", "2023", *empty, "file"), ("b", "2023", *empty, "file"), (" a ", "2023", *empty, "file")], schema
    )
    mapping = Mapping(description="our own names")
    rules = RowRules(mapping, date(2005, 1, 1), date(2026, 12, 31))
    repeated = repeated_key_hashes(values_of(raw, POPULATION_INPUT, POPULATION_INPUT.key, mapping), POPULATION_INPUT)
    rows = validate_rows(raw, POPULATION_INPUT, rules, RowExtras(repeated=repeated)).collect()
    assert sorted((row["beneficiary_id"], row[REPEATED], row[ROW] is not None) for row in rows) == [
        ("a", True, True),
        ("a", True, True),
        ("b", False, False),
    ]


def test_judging_is_one_compiled_loop(spark: SparkSession) -> None:
    """A function that Spark cannot compile once cut the loop in two, with every row copied in between."""
    types = [field.dataType for field in HOSPITAL_STAYS_INPUT.silver.schema.fields if field.name != "year"]
    names = [name for name in HOSPITAL_STAYS_INPUT.silver.column_names if name != "year"]
    fields = [T.StructField(name, of_type) for name, of_type in zip(names, types, strict=True)]
    raw = spark.createDataFrame([], T.StructType([*fields, T.StructField(SOURCE_FILE, T.StringType())]))
    rules = RowRules(Mapping(description="our own names"), date(2005, 1, 1), date(2026, 12, 31))
    validated = validate_rows(raw, HOSPITAL_STAYS_INPUT, rules)
    plan = validated._jdf.queryExecution().executedPlan().toString()  # type: ignore[operator]
    steps = [line for line in plan.splitlines() if "Project" in line]
    assert steps
    assert all(line.lstrip(" +-:").startswith("*(1)") for line in steps)
