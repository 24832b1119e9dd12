"""The store refuses what does not fit a table, by Delta's own constraints and before Delta sees it."""

import dataclasses
import os
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.spark.errors import SPARK_ERRORS, is_no_longer_kept
from claimatlas.tables.locations import CatalogSchema, RemoteFolder
from claimatlas.tables.schemas import CLAIMS, REJECTED, Column, Table
from claimatlas.tables.store import Store
from integration.inputs import fingerprint
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from shipped import IMAGING, POSTNATAL

pytestmark = pytest.mark.integration

CELL: dict[str, Any] = {
    "indicator_id": "stat_013_023",
    "geo_code": "01000",
    "geo_vintage": 2022,
    "age_category": "all",
    "increased_reimbursement": "all",
    "delivery_type": "all",
    "sex": "all",
    "numerator": 1,
    "denominator": 4,
    "value": 25.0,
    "ci_low": 4.6,
    "ci_high": 69.9,
    "status": "final",
    "run_id": "r",
    "year": 2022,
    "geo_level": "country",
}


@pytest.fixture(scope="module", params=["folder", "schema", pytest.param("uri", marks=pytest.mark.long)])
def store(request: pytest.FixtureRequest, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A gold table with one cell of 2022, in each kind of place."""
    folder = tmp_path_factory.mktemp("store") / "a folder's `name`"
    output = {"folder": str(folder), "uri": f"file://{folder}", "schema": "spark_catalog.store"}[request.param]
    if request.param == "schema":
        spark.sql(f"CREATE SCHEMA spark_catalog.store LOCATION '{tmp_path_factory.mktemp('schema')}'")
        request.addfinalizer(lambda: spark.sql("DROP SCHEMA spark_catalog.store CASCADE"))
    store = Store.at(spark, output)
    store.create(IMAGING)
    put(store, {}, None)
    return store


def put(store: Store, changes: dict[str, Any], where: str | None = "year = 2022", table: Table = IMAGING) -> None:
    rows = store.spark.createDataFrame([{**CELL, **changes}], table.schema)
    store.replace(rows, table, where, {"run_id": "r"})


def only_cell(store: Store) -> dict[str, Any]:
    (row,) = store.read(IMAGING).collect()
    return row.asDict()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("known_status", {"status": "done"}),
        ("numerator_not_negative", {"numerator": -1}),
        ("denominator_not_negative", {"denominator": -1}),
        ("interval_holds_value", {"ci_low": 26.0}),
        ("interval_holds_value", {"ci_high": 24.0}),
        ("interval_holds_value", {"ci_high": 100.5}),
        ("interval_holds_value", {"ci_low": -0.5}),
        ("interval_holds_value", {"ci_high": None}),
        ("interval_holds_value", {"value": float("nan")}),
        ("geo_code", {"geo_code": None}),
        ("run_id", {"run_id": None}),
    ],
)
def test_a_wrong_row_is_refused(store: Store, name: str, changes: dict[str, Any]) -> None:
    before = store.version(IMAGING)
    # Delta reports a slice's violation under another error's name: the constraint's is what matters.
    with pytest.raises(Exception, match=name):
        put(store, changes)
    assert store.version(IMAGING) == before
    assert only_cell(store) == CELL


def test_the_version_is_that_of_the_newest_commit(store: Store) -> None:
    before = store.version(IMAGING)
    assert before == store.history(IMAGING)["version"]
    put(store, {})
    assert store.version(IMAGING) == before + 1 == store.history(IMAGING)["version"]


def test_what_cannot_be_computed_may_be_null(store: Store) -> None:
    nothing = dict.fromkeys(("numerator", "denominator", "value", "ci_low", "ci_high"))
    put(store, {**nothing, "status": "not_computable"})
    assert only_cell(store)["value"] is None
    put(store, {})


def test_a_row_outside_the_slice_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="DELTA_REPLACE_WHERE_MISMATCH"):
        put(store, {"year": 2021})
    assert only_cell(store) == CELL


@pytest.mark.parametrize("method", ["replace", "append"])
def test_a_missing_column_is_refused(store: Store, method: str) -> None:
    # Delta itself would fill it with nulls.
    rows = store.spark.createDataFrame([CELL], IMAGING.schema).drop("value")
    with pytest.raises(ClaimatlasError, match="gold/imaging do not have its columns"):
        store.append(rows, IMAGING, {}) if method == "append" else store.replace(rows, IMAGING, "year = 2022", {})
    assert only_cell(store) == CELL


@pytest.mark.parametrize("change", ["another", "type"])
def test_other_columns_are_refused(store: Store, change: str) -> None:
    from pyspark.sql import functions as F

    rows = store.spark.createDataFrame([CELL], IMAGING.schema)
    rows = (
        rows.withColumn("numerator", F.col("numerator").cast("int"))
        if change == "type"
        else rows.withColumn("more", F.lit(1))
    )
    with pytest.raises(ClaimatlasError, match="gold/imaging do not have its columns"):
        store.replace(rows, IMAGING, "year = 2022", {})


def test_an_empty_result_empties_its_slice_alone(store: Store) -> None:
    put(store, {"year": 2021, "geo_vintage": 2021}, "year = 2021")
    rows = store.spark.createDataFrame([], IMAGING.schema)
    store.replace(rows, IMAGING, "year = 2021", {"run_id": "r"})
    assert only_cell(store) == CELL


def test_a_table_of_another_schema_is_not_written_into(store: Store) -> None:
    store.spark.sql(f"CREATE TABLE {store.identifier(POSTNATAL)} (id INT) USING delta")
    with pytest.raises(ClaimatlasError, match=r"gold.postnatal .* has other columns than this version writes"):
        store.create(POSTNATAL)


# --- Flags ----------------------------------------------------------------------------------------------


def flagged(name: str, *flags: str, **more: str) -> Table:
    """A table of a configuration that declares these flags; `more`: other columns and their types."""
    columns = [
        Column("id", "string", "An id", True),
        *[Column(flag, "boolean", f"It's the flag {flag}", is_declared=True) for flag in flags],
        *[Column(column, kind, "Another column") for column, kind in more.items()],
        Column("known", "boolean", "Never null", True),
        Column("year", "int", "Year", True),
    ]
    return Table(f"silver/{name}", "One row per id.", tuple(columns), ("year",), has_declared=True)


def write_year(store: Store, table: Table, year: int, *, seen: bool) -> None:
    values = {"id": f"of {year}", "known": False, "year": year, **dict.fromkeys((c.name for c in table.flags), seen)}
    store.replace(store.spark.createDataFrame([values], table.schema), table, f"year = {year}", {"run_id": "r"})


def test_a_flag_comes_as_a_column_and_goes_as_nulls(store: Store) -> None:
    first, second, third = (flagged("coming", *flags) for flags in (("a",), ("a", "b"), ("b", "c")))
    for year, table in ((2021, first), (2022, second), (2023, third)):
        store.require_fitting(table)
        store.create(table)
        write_year(store, table, year, seen=True)
    found = {
        row["year"]: (row["a"], row["b"], row["c"])
        for row in store.location.read(store.spark.read, first.name).collect()
    }
    assert found == {2021: (True, None, None), 2022: (True, True, None), 2023: (None, True, True)}
    comments = {column.name: column.description for column in store.spark.catalog.listColumns(store.identifier(first))}
    assert comments["b"] == "It's the flag b"
    # Whoever reads it has the flags that she declares, whatever else there is.
    assert store.read(second).columns == second.column_names
    unknown = flagged("coming", "d")
    assert [row["d"] for row in store.read(unknown).collect()] == [None, None, None]
    assert "d" not in store.location.read(store.spark.read, first.name).columns


@pytest.mark.parametrize(
    ("table", "difference"),
    [
        (flagged("fixed", "a", more="string"), "it lacks more"),
        (dataclasses.replace(flagged("fixed", "a"), has_declared=False), "it has b beside them"),
        (flagged("fixed", a="string"), "a is boolean and not string"),
        (dataclasses.replace(flagged("fixed"), columns=flagged("fixed").columns[:-2]), "it has known beside them"),
        (
            dataclasses.replace(
                flagged("fixed"), columns=(*flagged("fixed").columns, Column("c", "boolean", "", True))
            ),
            "it lacks c",
        ),
    ],
)
def test_no_other_column_comes_or_goes(store: Store, table: Table, difference: str) -> None:
    store.create(flagged("fixed", "a", "b"))
    before = store.version(table)
    for refuse in (store.require_fitting, store.create):
        with pytest.raises(InputError, match=difference):
            refuse(table)
    assert store.version(table) == before


def test_every_write_names_its_run(store: Store) -> None:
    put(store, {})
    assert store.history(IMAGING)["userMetadata"] == '{"run_id": "r"}'


def test_partitions_and_constraints_outlive_every_kind_of_write(store: Store) -> None:
    put(store, {}, None)
    put(store, {}, "year IN (2021, 2022)")
    store.append(store.spark.createDataFrame([{**CELL, "geo_code": "02000"}], IMAGING.schema), IMAGING, {})
    (detail,) = store.spark.sql(f"DESCRIBE DETAIL {store.identifier(IMAGING)}").collect()
    assert tuple(detail["partitionColumns"]) == IMAGING.partitioned_by
    assert {f"delta.constraints.{name}" for name, _ in IMAGING.constraints} <= detail["properties"].keys()
    assert store.read(IMAGING).schema == store.read_version(IMAGING, 0).schema
    put(store, {}, None)
    assert only_cell(store) == CELL


def test_an_earlier_version_is_read_and_brought_back(store: Store) -> None:
    put(store, {}, None)
    version = store.version(IMAGING)
    put(store, {"numerator": 2}, None)
    assert [row["numerator"] for row in store.read_version(IMAGING, version).collect()] == [1]
    store.restore(IMAGING, version)
    assert only_cell(store) == CELL
    assert store.runs_by_version(IMAGING)[version] == "r"


def test_properties_are_set_and_read(store: Store) -> None:
    store.set_properties(IMAGING, {"claimatlas.trial": '{"it\'s": 1}'})
    assert store.properties(IMAGING)["claimatlas.trial"] == '{"it\'s": 1}'


def test_single_rows_are_deleted(store: Store) -> None:
    claims = dataclasses.replace(CLAIMS, name="silver/trial")
    store.create(claims)
    row = dict.fromkeys(claims.column_names) | {"beneficiary_id": "b", "year": 2022}
    rows = [{**row, "claim_id": claim_id} for claim_id in ("one", "two")]
    store.append(store.spark.createDataFrame(rows, claims.schema), claims, {})
    going = store.spark.createDataFrame(rows[:1], claims.schema)
    store.delete_rows(going, claims, ("claim_id", "year"), {"run_id": "correction"})
    assert [found["claim_id"] for found in store.read(claims).collect()] == ["two"]
    assert store.history(claims)["userMetadata"] == '{"run_id": "correction"}'
    store.delete(claims, "true")
    assert store.read(claims).isEmpty()


def test_a_table_is_dropped(store: Store) -> None:
    store.create(REJECTED)
    assert store.exists(REJECTED)
    store.drop(REJECTED)
    # Spark removes no folder that is known by its URI alone.
    assert store.exists(REJECTED) == isinstance(store.location, RemoteFolder)


def test_intermediate_results_are_kept_until_the_end(store: Store) -> None:
    rows = store.spark.createDataFrame([CELL], IMAGING.schema)
    for df in (rows, rows.select("year", F.lit("x").alias("more"))):
        kept = store.materialise(df, "trial")
        assert [(field.name, field.dataType) for field in kept.schema] == [
            (field.name, field.dataType) for field in df.schema
        ]
        assert kept.collect() == df.collect()
    staged = dataclasses.replace(IMAGING, name="silver/work/staged")
    store.create(staged)
    assert store.exists(staged)
    store.clear_work()
    assert not store.exists(staged)
    assert only_cell(store) == CELL


def test_intermediate_tables_of_a_run_that_died_go_after_two_days(store: Store) -> None:
    if not isinstance(store.location, CatalogSchema):
        pytest.skip("a folder of this machine is held by one run, and of another one nobody can tell")
    for name in (
        "20200101t000000_0123abcd_indicator_lines",
        "99990101t000000_0123abcd_indicator_lines",
        "list_of_ours",
    ):
        store.spark.range(1).write.format("delta").saveAsTable(f"spark_catalog.store.silver_work_{name}")
    store.clear_work()
    found = store.spark.sql("SHOW TABLES IN spark_catalog.store LIKE 'silver_work*'").collect()
    assert {row["tableName"].removeprefix("silver_work_") for row in found} == {
        "99990101t000000_0123abcd_indicator_lines",
        "list_of_ours",
    }


def test_silver_of_months_ago_can_be_put_back_and_read(spark: SparkSession, tmp_path: Path) -> None:
    """A failed ingest puts back the version before it, however old; Delta's own limit is a week."""
    store = Store(spark, str(tmp_path / "old"))
    store.create(REJECTED)
    row = {"source_file": "f", "reasons": ["r"], "row": "{}", "run_id": "first", "table": "claims"}
    for run in ("first", "second"):
        frame = spark.createDataFrame([{**row, "run_id": run}], REJECTED.schema)
        store.replace(frame, REJECTED, None, {"run_id": run})
    log = Path(store.path(REJECTED.name), "_delta_log")
    for commit in log.glob("*[01].json"):
        os.utime(commit, (time.time() - 60 * 86400,) * 2)
    for checksum in log.glob("*.crc"):
        checksum.unlink()
    other = Store(spark, str(tmp_path / "moved"))
    shutil.move(tmp_path / "old", tmp_path / "moved")

    assert other.runs_by_version(REJECTED) == {1: "first", 2: "second"}
    assert [found["run_id"] for found in other.read_version(REJECTED, 1).collect()] == ["first"]
    other.restore(REJECTED, 1)
    assert [found["run_id"] for found in other.read(REJECTED).collect()] == ["first"]


def test_a_table_that_was_being_made_when_a_run_was_killed_is_made(spark: SparkSession, tmp_path: Path) -> None:
    """Delta makes the folder of the log first, then writes the commit beside its name and renames it."""
    store = Store.at(spark, str(tmp_path))
    log = tmp_path / IMAGING.name / "_delta_log"
    log.mkdir(parents=True)
    (log / ".00000000000000000000.json.ab12.tmp").write_text('{"commitInfo"', encoding="utf-8")
    assert not store.exists(IMAGING)
    with pytest.raises(InputError, match="There is no table gold/imaging"):
        store.read(IMAGING)
    store.create(IMAGING)
    put(store, {}, None)
    assert store.exists(IMAGING)
    assert len(store.read(IMAGING).collect()) == 1


@pytest.mark.parametrize("log", ["empty", "absent"])
def test_a_table_whose_commits_are_gone_is_damaged(spark: SparkSession, tmp_path: Path, log: str) -> None:
    whole, without = Store.at(spark, str(tmp_path / "whole")), Store.at(spark, str(tmp_path / "without"))
    whole.create(IMAGING)
    put(whole, {}, None)
    # Elsewhere, as Spark remembers the log of a table that it has read.
    table = Path(without.path(IMAGING.name))
    shutil.copytree(whole.path(IMAGING.name), table, ignore=shutil.ignore_patterns("_delta_log"))
    if log == "empty":
        (table / "_delta_log").mkdir()
    before = fingerprint(table)
    with pytest.raises(ClaimatlasError, match=r"gold/imaging in .* damaged"):
        without.create(IMAGING)
    assert fingerprint(table) == before


@pytest.mark.parametrize("gone", ["a file", "the log"])
def test_a_version_that_is_no_longer_kept_is_known(spark: SparkSession, tmp_path: Path, gone: str) -> None:
    store = Store.at(spark, str(tmp_path))
    store.create(IMAGING)
    put(store, {}, None)
    put(store, {"numerator": 2}, None)
    version, table = store.version(IMAGING), tmp_path / IMAGING.name
    if gone == "a file":
        current = {
            Path(unquote(urlsplit(file).path)) for file in spark.read.format("delta").load(str(table)).inputFiles()
        }
        for file in set(table.rglob("*.parquet")) - current:
            file.unlink()
    else:
        spark.sql(f"ALTER TABLE {store.identifier(IMAGING)} SET TBLPROPERTIES ('delta.checkpointInterval' = '1')")
        put(store, {"numerator": 3}, None)
        for commit in range(version + 1):
            (table / "_delta_log" / f"{commit:020}.json").unlink()
    with pytest.raises(SPARK_ERRORS) as caught:
        store.read_version(IMAGING, version - 1).collect()
    assert is_no_longer_kept(caught.value)
    assert len(store.read(IMAGING).collect()) == 1
    with pytest.raises(SPARK_ERRORS) as caught:
        store.read(IMAGING).select("of_nothing").collect()
    assert not is_no_longer_kept(caught.value)


@pytest.mark.parametrize("kind", ["folder", "schema"])
def test_a_table_of_percentages_takes_rates_once_its_constraint_is_wider(
    request: pytest.FixtureRequest, spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    """A rate per 1,000 has an interval that ends above 100; what a configuration declared before did not."""
    output = {"folder": str(tmp_path / "output"), "schema": "spark_catalog.wider"}[kind]
    if kind == "schema":
        spark.sql(f"CREATE SCHEMA spark_catalog.wider LOCATION '{tmp_path}'")
        request.addfinalizer(lambda: spark.sql("DROP SCHEMA spark_catalog.wider CASCADE"))
    store = Store.at(spark, output)
    store.create(IMAGING)
    put(store, {}, None)
    rate = {"value": 250.0, "ci_low": 105.0, "ci_high": 497.0}
    with pytest.raises((ClaimatlasError, *SPARK_ERRORS)):
        put(store, rate)
    checks = [(name, check.replace(" AND ci_high <= 100", "")) for name, check in IMAGING.constraints]
    wider = dataclasses.replace(IMAGING, constraints=tuple(checks))
    for _ in range(2):
        store.create(wider)
        store.require_constraints(wider)
    rows = spark.createDataFrame([{**CELL, **rate}], wider.schema)
    store.replace_years(rows, wider, [2022], ("year", "geo_level"), {"run_id": "r"})
    assert only_cell(store) == {**CELL, **rate}
    with pytest.raises((ClaimatlasError, *SPARK_ERRORS)):
        put(store, {**rate, "ci_low": 251.0})
    assert only_cell(store) == {**CELL, **rate}
