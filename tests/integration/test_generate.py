"""The command `generate`: folders, formats, the same rows for the same seed, rows to be rejected."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from claimatlas.cli import main
from claimatlas.configuration import load_configuration
from claimatlas.synthetic import Output, Parameters, generate
from claimatlas.synthetic import world as world_module
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from reference import io, parse
from reference.model import load_settings
from shipped import INPUT_TABLES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]

SMALL = ["--beneficiaries", "400", "--years", "2023", "--seed", "5"]
TYPES = {"text": "string", "sex": "string", "date": "date", "integer": "int", "code": "int", "boolean": "boolean"}
TRUTH = {
    "deliveries": [
        ("beneficiary_id", "string"),
        ("delivery_date", "date"),
        ("delivery_type", "string"),
        ("hospital_id", "string"),
        ("billings", "int"),
        ("last_billing_date", "date"),
        ("nights_after_delivery", "int"),
        ("episodes_anchored", "int"),
    ],
    "contacts": [("beneficiary_id", "string"), ("contact_date", "date"), ("contact_group", "string")],
    "services": [("beneficiary_id", "string"), ("service_date", "date"), ("code_list", "string")],
    "exams": [("beneficiary_id", "string"), ("year", "int"), ("exams", "bigint"), ("in_population", "boolean")],
    "rejected": [("table", "string"), ("reason", "string"), ("rows", "bigint")],
}


@pytest.fixture(scope="module")
def clean(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generate") / "clean"
    generate(Output(spark, str(folder)), Parameters(5000, 2022, 2023, 9), load_configuration())
    return folder


@pytest.fixture(scope="module")
def dirty(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("generate") / "dirty"
    parameters = Parameters(1000, 2023, 2023, 9, 0.01, "csv")
    generate(Output(spark, str(folder)), parameters, load_configuration())
    yield folder


def content(df: DataFrame) -> tuple[int, Any]:
    """The number of rows, and a sum that says what is in them whatever their order."""
    of_row = F.xxhash64(*[F.col(name) for name in sorted(df.columns)]).cast("decimal(38,0)")
    (found,) = df.agg(F.count("*").alias("rows"), F.sum(of_row).alias("sum")).collect()
    return found["rows"], found["sum"]


def contents(spark: SparkSession, folder: Path) -> dict[str, Any]:
    names = [table.name for table in INPUT_TABLES] + [f"truth/{name}" for name in TRUTH]
    return {name: content(spark.read.parquet(str(folder / name))) for name in names}


def test_columns_and_types(spark: SparkSession, clean: Path) -> None:
    for table in INPUT_TABLES:
        found = spark.read.parquet(str(clean / table.name)).dtypes
        assert found == [(column.name, TYPES[column.kind]) for column in table.columns]
    for name, columns in TRUTH.items():
        assert spark.read.parquet(str(clean / "truth" / name)).dtypes == columns


def test_record(spark: SparkSession, clean: Path) -> None:
    record = json.loads((clean / "generate.json").read_text(encoding="utf-8"))
    assert (record["beneficiaries"], record["years"], record["seed"]) == (5000, [2022, 2023], 9)
    for name, number in record["rows"].items():
        assert spark.read.parquet(str(clean / name)).count() == number
    assert record["rows"]["truth/rejected"] == 0


def test_claims(spark: SparkSession, clean: Path) -> None:
    claims = spark.read.parquet(str(clean / "claims"))
    population = spark.read.parquet(str(clean / "population"))
    rows = claims.count()
    assert 32 < rows / population.count() < 38
    assert claims.select("claim_id").distinct().count() == rows
    (found,) = claims.agg(
        F.min("service_date").alias("first"),
        F.max("service_date").alias("last"),
        F.count_if(F.col("quantity") == 0).alias("none"),
        F.avg((F.col("quantity") < 0).cast("int")).alias("back"),
        F.count_if(F.col("booking_date") <= F.col("service_date")).alias("early"),
        F.avg(F.col("booking_date").isNull().cast("int")).alias("unbooked"),
        F.count_distinct("nomenclature_code").alias("codes"),
        F.count_if(F.floor(F.col("nomenclature_code") / 10) % 7 != F.col("nomenclature_code") % 10).alias("odd"),
    ).collect()
    assert (found["first"], found["last"]) == (date(2022, 1, 1), date(2023, 12, 31))
    assert (found["none"], found["early"], found["odd"]) == (0, 0, 0)
    assert 0.003 < found["back"] < 0.007
    assert 0.005 < found["unbooked"] < 0.015
    assert found["codes"] > 3000


def test_stays_end_after_they_began(spark: SparkSession, clean: Path) -> None:
    stays = spark.read.parquet(str(clean / "hospital_stays"))
    assert stays.where("discharge_date < admission_date").isEmpty()
    assert stays.select("stay_id").distinct().count() == stays.count()


@pytest.mark.long
def test_the_seed_decides_and_nothing_else(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = load_configuration()
    generate(Output(spark, str(tmp_path / "a")), Parameters(600, 2022, 2022, 4), configuration)
    # Other shuffles, and many more partitions than the size asks for.
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    monkeypatch.setattr(world_module, "LINES_PER_FILE", 5000)
    generate(Output(spark, str(tmp_path / "b")), Parameters(600, 2022, 2022, 4), configuration)
    files = {folder: len(list((tmp_path / folder / "claims").glob("*.parquet"))) for folder in "ab"}
    assert files["b"] > files["a"]
    assert contents(spark, tmp_path / "a") == contents(spark, tmp_path / "b")
    monkeypatch.undo()
    generate(Output(spark, str(tmp_path / "c")), Parameters(600, 2022, 2022, 5), configuration)
    ours, others = (spark.read.parquet(str(tmp_path / folder / "population")) for folder in "ac")
    assert ours.join(others, on="beneficiary_id", how="left_semi").isEmpty()
    assert contents(spark, tmp_path / "a")["claims"] != contents(spark, tmp_path / "c")["claims"]


class TestDirty:
    def test_every_reason_is_planted_and_found(self, spark: SparkSession, dirty: Path) -> None:
        planted = {
            (row["table"], row["reason"]): row["rows"]
            for row in spark.read.parquet(str(dirty / "truth" / "rejected")).collect()
        }
        expected = {
            (table.name, f"missing_{column.name}")
            for table in INPUT_TABLES
            for column in table.columns
            if column.required
        }
        expected |= {
            (table.name, f"unparseable_{column.name}")
            for table in INPUT_TABLES
            for column in table.columns
            if column.kind in ("date", "integer", "code", "boolean")
        }
        expected |= {(table.name, "malformed_row") for table in INPUT_TABLES}
        expected |= {(table.name, table.duplicate_reason) for table in INPUT_TABLES if table.duplicate_reason}
        expected |= {
            ("claims", name) for name in ("service_date_out_of_range", "invalid_nomenclature_code", "zero_quantity")
        }
        expected |= {("hospital_stays", "discharge_before_admission")}
        assert set(planted) == expected
        # The reference, which shares no code with the generator, rejects just these.
        tables = io.read_csv(dirty)
        accepted, rejected, _ = parse.validate(tables, load_settings(ROOT / "conf", None), date(2026, 1, 1))
        assert Counter((table, reason) for table, _, reasons in rejected for reason in reasons) == planted
        rows = json.loads((dirty / "generate.json").read_text(encoding="utf-8"))["rows"]
        for table in INPUT_TABLES:
            bad = sum(number for (name, _), number in planted.items() if name == table.name)
            assert rows[table.name] == len(accepted[table.name]) + bad
        assert 0.007 < sum(n for (name, _), n in planted.items() if name == "claims") / rows["claims"] < 0.013

    def test_sound_rows_and_truth_are_as_without(self, spark: SparkSession, dirty: Path, tmp_path: Path) -> None:
        generate(Output(spark, str(tmp_path / "a")), Parameters(1000, 2023, 2023, 9), load_configuration())
        for table in INPUT_TABLES:
            names = [column.name for column in table.columns]
            text = [F.col(name).cast("string").alias(name) for name in names]
            sound = spark.read.parquet(str(tmp_path / "a" / table.name)).select(*text)
            schema = ", ".join(f"{name} string" for name in names)
            found = spark.read.schema(schema).option("header", "true").csv(str(dirty / table.name))
            assert sound.exceptAll(found).isEmpty()
        for name in set(TRUTH) - {"rejected"}:
            path = f"truth/{name}"
            assert content(spark.read.parquet(str(dirty / path))) == content(
                spark.read.parquet(str(tmp_path / "a" / path))
            )

    def test_every_csv_file_has_the_header(self, dirty: Path) -> None:
        for table in INPUT_TABLES:
            files = list((dirty / table.name).glob("*.csv"))
            assert files
            for file in files:
                with file.open(encoding="utf-8", newline="") as stream:
                    assert next(csv.reader(stream)) == [column.name for column in table.columns]

    def test_parquet_is_text(self, spark: SparkSession, tmp_path: Path) -> None:
        parameters = Parameters(200, 2023, 2023, 1, 0.01)
        record = generate(Output(spark, str(tmp_path / "a")), parameters, load_configuration())
        for table in INPUT_TABLES:
            found = spark.read.parquet(str(tmp_path / "a" / table.name))
            assert found.dtypes == [(column.name, "string") for column in table.columns]
            assert found.count() == record["rows"][table.name]


class TestCommand:
    def test_fills_a_folder_and_says_what_is_in_it(
        self, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["generate", "--output", str(tmp_path / "new" / "folder"), *SMALL, "--json"]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out) == json.loads((tmp_path / "new" / "folder" / "generate.json").read_text())
        assert "claim lines" in said.err

    def test_refuses_a_folder_that_is_not_empty(
        self, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "mine.txt").write_text("keep")
        assert main(["generate", "--output", str(tmp_path), *SMALL]) == 2
        assert "is not empty" in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    @pytest.mark.long
    def test_overwrites_what_it_made_and_nothing_else(self, spark: SparkSession, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("keep")
        dirty = ["--overwrite", "--format", "csv", "--dirty", "0.01"]
        assert main(["generate", "--output", str(tmp_path), *SMALL, *dirty]) == 0
        assert main(["generate", "--output", str(tmp_path), *SMALL, "--overwrite"]) == 0
        # Nothing of the first rows is left.
        rows = json.loads((tmp_path / "generate.json").read_text())["rows"]
        assert all(contents(spark, tmp_path)[name][0] == number for name, number in rows.items())
        assert (tmp_path / "mine.txt").read_text() == "keep"

    def test_a_uri_is_written_by_spark_alone(self, spark: SparkSession, tmp_path: Path) -> None:
        folder = (tmp_path / "a").as_uri()
        assert main(["generate", "--output", folder, *SMALL]) == 0
        assert main(["generate", "--output", folder, *SMALL]) == 2
        (record,) = spark.read.text(f"{folder}/generate.json").collect()
        rows = json.loads(record["value"])["rows"]
        assert spark.read.parquet(f"{folder}/claims").count() == rows["claims"]

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["--output", "x"],
            ["--output", "x", "--beneficiaries", "many", "--years", "2023", "--seed", "1"],
            ["--output", "x", *SMALL, "--format", "xml"],
        ],
    )
    def test_wrong_usage_exits_with_2(self, arguments: list[str]) -> None:
        with pytest.raises(SystemExit) as stop:
            main(["generate", *arguments])
        assert stop.value.code == 2

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (["--years", "2024-2022"], "--years"),
            (["--years", "next"], "--years"),
            (["--beneficiaries", "5"], "--beneficiaries"),
            (["--dirty", "2"], "--dirty"),
            (["--conf", "nowhere"], "nowhere"),
        ],
    )
    def test_wrong_input_gives_2_and_one_sentence(
        self, changed: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["generate", "--output", str(tmp_path / "new"), *SMALL, *changed]) == 2
        message = capsys.readouterr().err.strip()
        assert said in message
        assert "\n" not in message
        assert not (tmp_path / "new").exists()
