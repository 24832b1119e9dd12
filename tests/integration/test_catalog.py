"""Tables of a catalog for input and output, in Spark's own catalog: all commands, the same result as in a folder."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from claimatlas import cli
from claimatlas.configuration import load_configuration
from claimatlas.tables.releases import publish
from claimatlas.tables.schemas import (
    CLAIMS,
    COMPARISONS,
    HOSPITAL_STAYS,
    REJECTED,
    RELEASES,
    RUNS,
    Table,
    deliveries_table,
)
from claimatlas.tables.store import Store
from comparison import without
from integration.console import ROOT, Said, plain_environment, submit
from integration.inputs import SMALL_CLAIMS, write_small
from pyspark.sql import DataFrame, SparkSession
from shipped import IMAGING, POPULATION, POSTNATAL

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ATLAS, ARRIVED, SECOND = "spark_catalog.atlas", "spark_catalog.arrived", "spark_catalog.second"
SILVER = (CLAIMS, POPULATION, HOSPITAL_STAYS, REJECTED)
GOLD = (IMAGING, POSTNATAL, COMPARISONS)
CELL = ("--indicator", "cube_007_001a_denom", "--year", "2022", "--geo", "01000")


def run(*command: object) -> Said:
    """Run `claimatlas COMMAND …` in this process, and so in its Spark and that one's catalog."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main([str(part) for part in command])
    return Said(code, out.getvalue(), err.getvalue())


def done(*command: object) -> Said:
    said = run(*command)
    assert said.code == 0, said.err
    return said


def deliveries() -> Table:
    return deliveries_table(load_configuration())


def name_of(table: Table, schema: str = ATLAS) -> str:
    return f"{schema}.{table.name.replace('/', '_')}"


def rows(df: DataFrame) -> Any:
    return without([row.asDict() for row in df.collect()], "run_id")


@dataclass(frozen=True)
class Both:
    """The same input, computed into a folder and into a schema."""

    source: Path
    folder: Path
    said: Said


@pytest.fixture(scope="module")
def both(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = tmp_path_factory.mktemp("catalog")
    source, folder = write_small(made / "input"), made / "output"
    for schema in (ATLAS, ARRIVED, SECOND):
        spark.sql(f"CREATE SCHEMA {schema} LOCATION '{made / schema}'")
    done("run-year", "--input", source, "--output", folder, "--year", "2022-2023")
    yield Both(source, folder, done("run-year", "--input", source, "--output", ATLAS, "--year", "2022-2023"))
    for schema in (ATLAS, ARRIVED, SECOND):
        spark.sql(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.long
def test_tables_hold_what_those_of_a_folder_hold(spark: SparkSession, both: Both) -> None:
    for table in (*SILVER, deliveries(), *GOLD):
        in_folder = spark.read.format("delta").load(str(both.folder / table.name))
        in_catalog = spark.table(name_of(table))
        assert in_catalog.schema == in_folder.schema, table.name
        assert rows(in_catalog) == rows(in_folder), table.name
    assert [row["outcome"] for row in spark.table(name_of(RUNS)).collect()] == ["done"]
    assert [row["release"] for row in spark.table(name_of(RELEASES)).collect()] == [1]


@pytest.mark.long
def test_nothing_else_stays_in_the_schema(spark: SparkSession, both: Both) -> None:
    found = {row["tableName"] for row in spark.sql(f"SHOW TABLES IN {ATLAS}").collect()}
    expected = (*SILVER, deliveries(), *GOLD, RUNS, RELEASES)
    assert found == {table.name.replace("/", "_") for table in expected}


@pytest.mark.long
def test_the_summary_names_the_tables(both: Both) -> None:
    assert (
        f"Tables in {ATLAS}: gold_imaging, gold_postnatal, gold_comparisons, gold_runs; single records in silver_*."
    ) in both.said.err
    assert f"Spark's catalog is in memory here: it forgets the tables of {ATLAS}" in both.said.err


@pytest.mark.long
def test_tables_are_made_with_comments_partitions_and_constraints(spark: SparkSession, both: Both) -> None:
    for table in (*SILVER, deliveries(), *GOLD, RUNS, RELEASES):
        columns = spark.catalog.listColumns(name_of(table))
        comments = {column.name: column.description for column in columns}
        assert comments == {column.name: column.comment for column in table.columns}
        (detail,) = spark.sql(f"DESCRIBE DETAIL {name_of(table)}").collect()
        assert detail["format"] == "delta"
        assert detail["description"] == table.comment
        assert tuple(detail["partitionColumns"]) == table.partitioned_by, table.name
        for constraint, check in table.constraints:
            assert detail["properties"][f"delta.constraints.{constraint}"] == check
        if table.retention:
            assert detail["properties"]["delta.deletedFileRetentionDuration"] == table.retention
        assert spark.catalog.getTable(name_of(table)).description == table.comment


@pytest.mark.long
def test_commands_that_read_say_what_they_say_of_a_folder(both: Both) -> None:
    explained = [
        json.loads(done("explain", "--output", output, *CELL, "--json").out) for output in (ATLAS, both.folder)
    ]
    for key in ("cell", "flow", "in_this_cell", "no_recount_because", "other_readings", "comparison", "table"):
        here, there = (found[key] for found in explained)
        if key == "cell":
            here, there = ({name: cell[name] for name in cell if name != "run_id"} for cell in (here, there))
        assert here == there, key
    assert explained[0]["in_this_cell"]["denominator"] == 2
    checked = [run("check", "--output", output, "--json") for output in (ATLAS, both.folder)]
    assert checked[0].code == checked[1].code
    assert json.loads(checked[0].out)["findings"] == json.loads(checked[1].out)["findings"]


@pytest.mark.long
def test_an_earlier_release_is_published_again(spark: SparkSession, both: Both) -> None:
    before = [rows(spark.table(name_of(table))) for table in GOLD]
    store = Store.at(spark, ATLAS)
    store.delete(POSTNATAL, "year = 2023")
    assert publish(store, "another run", "a year is gone") == 2
    assert [rows(spark.table(name_of(table))) for table in GOLD] != before
    said = done("rollback", "--output", ATLAS)
    assert "release 3 publishes what release 1 did" in said.err
    assert [rows(spark.table(name_of(table))) for table in GOLD] == before


@pytest.fixture(scope="module")
def second(spark: SparkSession, both: Both) -> Said:
    """An ingest from a table and a view of a schema into another schema."""
    for name, table in (("claims", "claims"), ("population", "population_as_sent")):
        arrived = spark.read.option("header", "true").csv(str(both.source / f"{name}.csv"))
        arrived.write.format("delta").saveAsTable(f"{ARRIVED}.{table}")
    spark.sql(f"CREATE VIEW {ARRIVED}.population AS SELECT * FROM {ARRIVED}.population_as_sent")
    return done("ingest", "--input", ARRIVED, "--output", SECOND, "--json")


@pytest.mark.long
def test_input_from_tables_and_views(spark: SparkSession, second: Said) -> None:
    record = json.loads(second.out)
    assert record["input"] == {
        "claims": f"{ARRIVED}.claims",
        "population": f"{ARRIVED}.population",
        "hospital_stays": None,
    }
    assert record["input_versions"] == {"claims": 0}
    for table in SILVER:
        assert rows(spark.table(name_of(table, SECOND))) == rows(spark.table(name_of(table))), table.name


@pytest.mark.long
def test_one_more_batch(spark: SparkSession, second: Said, tmp_path: Path) -> None:
    """A correction of one line, and a new one."""
    more = tmp_path / "more.csv"
    header, line = SMALL_CLAIMS.splitlines()[:2]
    more.write_text(
        f"{header},booking_date\n{line.removesuffix(',1')},2,2022-04-01\nnew,bea,2022-07-01,422030,1,\n",
        encoding="utf-8",
    )
    done("ingest", "--add", "--claims", more, "--output", SECOND, "--allow-schema-change")
    claims = {row["claim_id"]: row for row in spark.table(name_of(CLAIMS, SECOND)).collect()}
    assert len(claims) == 11
    assert (claims["c1"]["quantity"], claims["c1"]["batch"]) == (2, 2)
    assert claims["c2"]["batch"] == 1
    found = {row["tableName"] for row in spark.sql(f"SHOW TABLES IN {SECOND}").collect()}
    assert not {name for name in found if "work" in name}


@pytest.mark.parametrize("command", ["run-year", "check", "rollback", "explain", "diff"])
@pytest.mark.parametrize("schema", ["spark_catalog.nowhere", "no_catalog.atlas"])
def test_a_schema_that_is_not_there_is_one_sentence(command: str, schema: str, spark: SparkSession) -> None:
    more = {"run-year": ("--year", "2022"), "explain": CELL, "diff": ("--from", "a", "--to", "b")}.get(command, ())
    said = run(command, "--output", schema, *more)
    assert said.code == 2
    catalog, name = schema.split(".")
    assert said.messages == [
        f"claimatlas: There is no schema {schema} in the catalogs of this Spark: make it first, by CREATE SCHEMA "
        f"`{catalog}`.`{name}`; or write ./{schema} if a new folder is meant."
    ]


@pytest.mark.long
def test_an_input_schema_without_the_tables_is_one_sentence(both: Both, tmp_path: Path) -> None:
    for schema in ("spark_catalog.nowhere", "no_catalog.atlas"):
        said = run("run-year", "--input", schema, "--output", tmp_path / "output", "--year", "2022")
        assert said.code == 2
        assert said.messages == [
            f"claimatlas: The input has no table population: there is no table {schema}.population in the catalogs of "
            f"this Spark, and no folder {schema}."
        ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_two_runs_in_a_schema_are_compared(spark: SparkSession, both: Both) -> None:
    """`diff` computes again, from past versions, into intermediate tables."""
    found = []
    for output in (ATLAS, both.folder):
        runs = [
            json.loads(done("run-year", "--output", output, "--year", "2022", *more, "--json").out)["run_id"]
            for more in ((), ("--set", "postnatal_window.last_day=10"))
        ]
        difference = json.loads(done("diff", "--output", output, "--from", runs[0], "--to", runs[1], "--json").out)
        found.append({key: difference[key] for key in difference if key not in ("from", "to")})
    assert json.dumps(found[0], sort_keys=True) == json.dumps(found[1], sort_keys=True)
    assert "cube_007_008a" in json.dumps(found[0])
    assert not spark.sql(f"SHOW TABLES IN {ATLAS} LIKE 'silver_work*'").collect()


@pytest.mark.long
def test_a_metastore_keeps_the_tables_between_programs(archive: Path, tmp_path: Path) -> None:
    """`spark-submit` with the zip, twice, and a Hive metastore: the second program finds the tables of the first."""
    address = f"jdbc:derby:;databaseName={tmp_path / 'metastore'};create=true"
    settings = {
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": address,
        "spark.sql.warehouse.dir": str(tmp_path / "warehouse"),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    }
    make = tmp_path / "make.py"
    make.write_text(
        "from pyspark.sql import SparkSession\n"
        "SparkSession.builder.getOrCreate().sql('CREATE SCHEMA spark_catalog.atlas')\n",
        encoding="utf-8",
    )
    environment = plain_environment(tmp_path / "plain", with_package=False)
    assert submit(make, [], environment, settings).code == 0
    source = write_small(tmp_path / "input")
    for arguments in (["--input", source, "--year", "2022"], ["--year", "2023"]):
        said = submit(
            ROOT / "jobs" / "run_year.py",
            [*arguments, "--output", ATLAS],
            environment,
            settings,
            py_files=str(archive),
        )
        assert said.code == 0, said.everything
        assert "catalog is in memory" not in said.everything
    look = tmp_path / "look.py"
    look.write_text(
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        f"years = spark.table('{ATLAS}.gold_postnatal').select('year').distinct().collect()\n"
        "print('years:', sorted(row['year'] for row in years))\n"
        f"print('tables:', sorted(row['tableName'] for row in spark.sql('SHOW TABLES IN {ATLAS}').collect()))\n",
        encoding="utf-8",
    )
    said = submit(look, [], environment, settings)
    assert "years: [2022, 2023]" in said.everything
    tables = (*SILVER, deliveries(), *GOLD, RUNS, RELEASES)
    assert f"tables: {sorted(table.name.replace('/', '_') for table in tables)}" in said.everything
