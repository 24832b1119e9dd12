"""The pipeline finds exactly what the generator planted: deliveries, contacts, exams, bad rows."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from claimatlas.cli import main
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

YEARS = (2022, 2023, 2024)
# So few people have so few stays that one bad row of each kind is more than 1 % of them.
GATE_OPEN = ("--set", "max_rejected_share=1")
GROUPS = ("gp", "gynaecologist", "midwife", "physiotherapist", "specialist")


@pytest.fixture(scope="module", params=["csv", "parquet"])
def folders(
    request: pytest.FixtureRequest, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Generated claims with bad rows of every kind, and the tables computed from them."""
    folder = tmp_path_factory.mktemp(f"truth_{request.param}")
    source, output = folder / "input", folder / "output"
    arguments = ["--beneficiaries", "2500", "--years", "2022-2024", "--seed", "5", "--dirty", "0.004"]
    assert main(["generate", "--output", str(source), *arguments, "--format", request.param]) == 0
    assert main(["run-year", "--input", str(source), "--output", str(output), "--year", "2022-2024", *GATE_OPEN]) == 0
    return source, output


def _truth(spark: SparkSession, source: Path, name: str) -> DataFrame:
    return spark.read.parquet(str(source / "truth" / name))


def _table(spark: SparkSession, output: Path, name: str) -> DataFrame:
    return spark.read.format("delta").load(str(output / name))


def test_every_delivery_is_found_and_no_other(spark: SparkSession, folders: tuple[Path, Path]) -> None:
    source, output = folders
    columns = [
        "beneficiary_id",
        "delivery_date",
        "delivery_type",
        "hospital_id",
        "billings",
        "last_billing_date",
        "nights_after_delivery",
    ]
    found = _table(spark, output, "silver/deliveries").select(*columns).collect()
    planted = _truth(spark, source, "deliveries").select(*columns).collect()
    assert len(planted) > 50
    assert Counter(found) == Counter(planted)


def test_every_contact_group_of_every_delivery(spark: SparkSession, folders: tuple[Path, Path]) -> None:
    source, output = folders
    contacts: dict[str, list[tuple[Any, str]]] = {}
    for row in _truth(spark, source, "contacts").collect():
        contacts.setdefault(row["beneficiary_id"], []).append((row["contact_date"], row["contact_group"]))
    met: Counter[str] = Counter()
    for row in _table(spark, output, "silver/deliveries").collect():
        of_hers = contacts.get(row["beneficiary_id"], [])
        date = row["delivery_date"]
        after = [(day, group) for day, group in of_hers if timedelta(1) <= day - date <= timedelta(42)]
        before = [day for day, _ in of_hers if timedelta(1) <= date - day <= timedelta(270)]
        groups = {group for _, group in after}
        assert {group for group in GROUPS if row[f"contact_{group}"]} == groups
        assert row["first_contact_date"] == min((day for day, _ in after), default=None)
        assert row["prenatal_contact"] == bool(before)
        met.update(groups)
    assert set(met) == set(GROUPS)


@pytest.mark.parametrize("year", YEARS)
def test_exams_of_the_insured(spark: SparkSession, folders: tuple[Path, Path], year: int) -> None:
    source, output = folders
    planted = _truth(spark, source, "exams").where((F.col("year") == year) & F.col("in_population")).collect()
    national = _table(spark, output, "gold/imaging").where((F.col("year") == year) & (F.col("geo_level") == "country"))
    found = {
        row["indicator_id"]: row
        for row in national.where("age_category = 'all' AND sex = 'all'").collect()
        if row["increased_reimbursement"] == "all"
    }
    assert len(planted) > 5
    assert found["stat_013_023"]["numerator"] == len(planted)
    assert found["cube_013_023"]["numerator"] == len(planted)
    assert found["stat_013_024"]["numerator"] == sum(row["exams"] for row in planted)


def test_every_bad_row_is_rejected_for_its_reason(spark: SparkSession, folders: tuple[Path, Path]) -> None:
    source, output = folders
    planted = {(row["table"], row["reason"]): row["rows"] for row in _truth(spark, source, "rejected").collect()}
    rejected = _table(spark, output, "silver/rejected").select("table", F.explode("reasons").alias("reason"))
    found = {
        (row["table"], row["reason"]): row["count"] for row in rejected.groupBy("table", "reason").count().collect()
    }
    assert planted
    assert found == planted


def test_nothing_is_lost(spark: SparkSession, folders: tuple[Path, Path]) -> None:
    source, output = folders
    written = json.loads((source / "generate.json").read_text())["rows"]
    record = json.loads(_table(spark, output, "gold/runs").collect()[0]["record"])
    for table in ("claims", "population", "hospital_stays"):
        counts = record["counts"][f"ingest.{table}"]
        assert counts["read"] == counts["accepted"] + counts["rejected"] == written[table]
