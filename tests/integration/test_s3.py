"""Input, output and configuration in an S3 server: the same tables as in folders, and the same commands."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from comparison import CONF, content, last_record
from integration import s3
from integration.console import ROOT, Console, run_program
from integration.inputs import write_small
from pyspark.sql import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

TABLES = (
    *("silver/claims", "silver/population", "silver/rejected", "silver/deliveries"),
    *("gold/imaging", "gold/postnatal", "gold/comparisons"),
)
CELL = ("--indicator", "cube_007_001a_denom", "--year", "2022", "--geo", "01000")
OUTPUT = "s3a://results/atlas 2023"


@dataclass(frozen=True)
class InS3:
    """A console whose Spark reaches the server, the tables there and those of the same input in a folder."""

    console: Console
    tables: Path
    folder: Path


@pytest.fixture(scope="module")
def in_s3(spark: SparkSession, console: Console, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InS3]:
    if shutil.which("go") is None:
        pytest.skip("there is no Go to build the S3 server with")
    folder = tmp_path_factory.mktemp("s3")
    source = write_small(folder / "csv")
    with s3.running(s3.build(folder / "bin"), folder / "server") as server:
        for name in ("claims", "population"):
            rows = spark.read.option("header", "true").csv(str(source / f"{name}.csv"))
            rows.write.parquet(str(folder / "input" / name))
        s3.put(server, {folder / "input": "s3a://claims/input", CONF: "s3a://claims/conf"}, folder / "put")
        here = ("--input", folder / "input", "--output", folder / "output")
        said = console.run("run-year", *here, "--year", "2022-2023")
        assert said.code == 0, said.err
        other = Console(folder / "console", server.settings(folder))
        there = ("--input", "s3a://claims/input", "--conf", "s3a://claims/conf", "--output", OUTPUT)
        for more in ((*there, "--year", "2022"), ("--output", OUTPUT, "--year", "2023")):
            said = other.run("run-year", *more)
            assert said.code == 0, said.err
        yield InS3(other, server.buckets / "results" / "atlas 2023", folder / "output")
        other.close()


def test_the_tables_are_those_of_a_folder(in_s3: InS3) -> None:
    there = content(in_s3.tables, TABLES)
    assert there.keys() == set(TABLES)
    assert there == content(in_s3.folder, TABLES)


def test_the_configuration_is_that_of_the_store(in_s3: InS3) -> None:
    record = last_record(in_s3.folder)
    for row in (last_record(in_s3.tables),):
        assert row["hashes"] == record["hashes"]
        assert row["code_list_hashes"] == record["code_list_hashes"]


def test_no_single_record_stays_in_the_intermediate_results(spark: SparkSession, in_s3: InS3) -> None:
    for run in (in_s3.tables / "silver" / "work").iterdir():
        assert not [path for path in run.iterdir() if path.is_dir()]
        assert spark.read.parquet(str(run)).count() == 0


def test_a_cell_is_explained_and_a_release_rolled_back(in_s3: InS3) -> None:
    said = in_s3.console.run("explain", "--output", OUTPUT, *CELL, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["in_this_cell"]["denominator"] == 2
    for release, years in (("1", {2022}), ("2", {2022, 2023})):
        said = in_s3.console.run("rollback", "--output", OUTPUT, "--release", release)
        assert said.code == 0, said.err
        imaging = content(in_s3.tables, ["gold/imaging"])["gold/imaging"]
        assert {dict(row)["year"] for row in imaging} == years


def test_a_cell_is_explained_without_java(in_s3: InS3) -> None:
    """By the settings of the Spark that there would be."""
    environment = {"SPARK_CONF_DIR": str(in_s3.console.folder / "conf"), "PYTHONPATH": str(ROOT / "lib"), "PATH": ""}
    said = run_program(["explain", "--output", OUTPUT, *CELL, "--json"], environment, in_s3.console.folder)
    assert said.code == 0, said.err
    here = in_s3.console.run("explain", "--output", in_s3.folder, *CELL, "--json")
    found, expected = json.loads(said.out), json.loads(here.out)
    for name in ("in_this_cell", "flow", "comparison", "other_readings", "not_computable_because"):
        assert found[name] == expected[name]
    assert found["in_this_cell"]["denominator"] == 2
    environment["SPARK_CONF_DIR"] = str(in_s3.console.folder)
    refused = run_program(["explain", "--output", OUTPUT, *CELL], environment, in_s3.console.folder)
    assert refused.code == 2
    assert f"{OUTPUT} is read by Spark: neither its settings" in refused.err


def test_a_bucket_that_is_not_there_is_one_sentence(in_s3: InS3, tmp_path: Path) -> None:
    said = in_s3.console.run("codelists", "--conf", "s3a://nobody/conf")
    assert said.code == 2
    assert said.messages[-1].startswith("claimatlas: The configuration s3a://nobody/conf cannot be read (")
    said = in_s3.console.run(
        "run-year", "--input", "s3a://nobody/input", "--output", tmp_path / "output", "--year", "2022"
    )
    assert said.code == 2
