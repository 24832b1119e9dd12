"""The commands that only look read the same rows without Spark and Java as with them, and say why where they cannot."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from claimatlas.configuration import load_configuration
from claimatlas.explanations.cell import CellKey
from claimatlas.explanations.explain import explain_cell
from claimatlas.ingest.silver_marker import facts_of_silver
from claimatlas.tables.delta_reader import DeltaReader
from claimatlas.tables.reader import NotReadableError, Reader, named
from claimatlas.tables.releases import Published, releases
from claimatlas.tables.schemas import CLAIMS, COMPARISONS, RUNS, configured, deliveries_table
from claimatlas.tables.store import Store
from comparison import without
from integration.conftest import Run
from integration.console import ROOT, Console, Said, run_program
from integration.inputs import SMALL_CLAIMS, fingerprint
from integration.test_kept_silver import held
from pyspark.sql import SparkSession
from shipped import CONFIGURATION, DIMENSIONS, IMAGING, POPULATION, POSTNATAL, RELEASED, RELEASES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CELL = ("--indicator", "cube_007_001a_denom", "--year", "2022", "--geo", "01000")
IMAGING_CELL = ("--indicator", "stat_013_024", "--year", "2022", "--geo", "01000")
NO_JAVA = "Spark needs Java, and neither JAVA_HOME nor PATH leads to one."


def without_java(folder: Path, *command: object, more: str = "") -> Said:
    """A command where there is no Java; ``more``: Python to run before it."""
    environment = {"PYTHONPATH": str(ROOT / "lib"), "PATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if not more:
        return run_program(command, environment, folder)
    site = folder / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(more, encoding="utf-8")
    return run_program(command, {**environment, "PYTHONPATH": f"{site}:{ROOT / 'lib'}"}, folder)


@pytest.fixture(scope="module")
def corrected(console: Console, small_published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small output after a batch that corrects single rows, and after a rollback: four releases."""
    folder = tmp_path_factory.mktemp("corrected")
    output = Path(shutil.copytree(small_published, folder / "output"))
    header = SMALL_CLAIMS.splitlines()[0]
    correction = folder / "claims.csv"
    correction.write_text(f"{header}\nc2,ann,2022-03-19,422030,1\nc9,ann,2023-07-01,589024,1\n", encoding="utf-8")
    for command in (
        ("run-year", "--output", output, "--add", "--claims", correction, "--year", "2022"),
        ("run-year", "--output", output, "--year", "2023", "--complete-through", "2023-06-30"),
        ("rollback", "--output", output, "--release", "2"),
    ):
        said = console.run(*command)
        assert said.code == 0, said.err
    return output


def readers(spark: SparkSession, output: Path) -> tuple[Reader, Reader]:
    return Store(spark, str(output)), DeltaReader(str(output))


def keys_of(reader: Reader) -> Iterator[CellKey]:
    """Of each indicator, year, level and status the largest cell split by nothing, and the largest split one."""
    chosen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for table in (IMAGING, POSTNATAL):
        rows = Published.now(reader).rows(table)
        for row in sorted(rows, key=lambda row: (row["denominator"] or 0, *(str(value) for value in row.values()))):
            is_split = any(row[name] != "all" for name in DIMENSIONS)
            chosen[row["indicator_id"], row["year"], row["geo_level"], row["status"], is_split] = row
    for row in chosen.values():
        dimensions = {name: row[name] for name in DIMENSIONS}
        yield CellKey(row["indicator_id"], row["year"], row["geo_code"], row["geo_level"], dimensions)


def assert_all_the_same(spark: SparkSession, output: Path, keys: Sequence[CellKey]) -> None:
    by_spark, by_delta = readers(spark, output)
    tables = (RELEASES, RUNS, CLAIMS, POPULATION, deliveries_table(load_configuration()))
    for table in tables:
        assert without(by_delta.rows(table)) == without(by_spark.rows(table)), table.name
    assert releases(by_delta) == releases(by_spark)
    assert facts_of_silver(by_delta) == facts_of_silver(by_spark)
    for table in (configured(one, CONFIGURATION) for one in RELEASED):
        found = [without(Published.now(reader).rows(table)) for reader in (by_delta, by_spark)]
        assert found[0] == found[1], table.name
        assert found[0].total() > 0
    for key in keys:
        explained = [json.dumps(explain_cell(reader, key)) for reader in (by_delta, by_spark)]
        assert explained[0] == explained[1], key


def test_the_rows_are_those_that_spark_reads(spark: SparkSession, submitted: Run) -> None:
    keys = list(keys_of(DeltaReader(str(submitted.output))))
    levels = {key.geo_level for key in keys}
    assert {"country", "region", "province", "municipality", "hospital"} <= levels
    # Of a kind each, as an explanation by Spark takes a second.
    assert_all_the_same(spark, submitted.output, keys[::6])


def test_every_published_cell_is_counted_again(submitted: Run) -> None:
    reader = DeltaReader(str(submitted.output))
    keys = [key for key in keys_of(reader) if key.indicator.startswith("cube_007")]
    for key in keys:
        found = explain_cell(reader, key)
        assert found["no_recount_because"] is None, key
        for name in ("numerator", "denominator"):
            assert found["in_this_cell"][name] == found["cell"][name], key
    assert len(keys) > 50


@pytest.mark.long
def test_after_a_correction_and_a_rollback(spark: SparkSession, corrected: Path) -> None:
    reader = DeltaReader(str(corrected))
    assert reader.properties(CLAIMS)["delta.enableDeletionVectors"] == "true"
    assert releases(reader)[0]["note"] == "rollback to release 2"
    assert len(releases(reader)) == 4
    assert_all_the_same(spark, corrected, list(keys_of(reader))[::8])


def test_a_provisional_year(spark: SparkSession, corrected: Path, tmp_path: Path, console: Console) -> None:
    output = Path(shutil.copytree(corrected, tmp_path / "output"))
    assert console.run("rollback", "--output", output, "--release", "3").code == 0
    keys = [key for key in keys_of(DeltaReader(str(output))) if key.year == 2023]
    found = explain_cell(DeltaReader(str(output)), keys[0])
    assert found["cell"]["status"] == "provisional"
    assert_all_the_same(spark, output, keys[:6])


def test_a_flag_that_the_deliveries_lack_is_null(spark: SparkSession, corrected: Path) -> None:
    configuration = load_configuration()
    flags = configuration.services.delivery_flags
    more = {**flags, "contact_later": flags["contact_midwife"]}
    services = configuration.services.model_copy(update={"delivery_flags": more})
    table = deliveries_table(configuration.__class__(**{**vars(configuration), "services": services}))
    rows = [
        reader.rows(table, named("contact_later", "contact_midwife"), {"year": 2022})
        for reader in readers(spark, corrected)
    ]
    assert without(rows[0]) == without(rows[1])
    assert [row["contact_later"] for row in rows[0]] == [None, None]


def test_values_that_no_row_has_and_quotes(spark: SparkSession, corrected: Path) -> None:
    for reader in readers(spark, corrected):
        published = Published.now(reader)
        assert published.rows(POSTNATAL, where={"geo_code": "'x\\' OR TRUE --"}) == []
        assert published.rows(POSTNATAL, where={"geo_code": []}) == []
        assert published.rows(COMPARISONS, named("year"), {"year": 2022, "trend": None}, distinct=True) == [
            {"year": 2022}
        ]
        assert {row["year"] for row in published.rows(POSTNATAL, where={"year": [2022, 2019, None]})} == {2022}


class TestWithoutJava:
    def test_it_answers(self, console: Console, corrected: Path, tmp_path: Path) -> None:
        for command in (
            ("explain", "--output", corrected, *CELL),
            ("explain", "--output", corrected, *IMAGING_CELL, "--json"),
            ("rollback", "--output", corrected, "--list"),
            ("codelists",),
        ):
            said = without_java(tmp_path, *command)
            assert said.code == 0, said.err
            assert said.out == console.run(*command).out
            assert said.out
        said = without_java(tmp_path, "describe", "--output", tmp_path / "sheets")
        assert said.code == 0, said.err
        for name in ("run-year", "explain", "rollback", "diff"):
            assert without_java(tmp_path, name, "--help").code == 0

    def test_it_needs_no_package_of_spark(self, corrected: Path, tmp_path: Path) -> None:
        block = "import sys\nfor name in ('pyspark', 'py4j', 'delta', 'pyarrow'):\n    sys.modules[name] = None\n"
        for command in (
            ("explain", "--output", corrected, *CELL),
            ("explain", "--output", corrected, "--indicator", "nothing", "--year", "2022", "--geo", "01000"),
            ("rollback", "--output", corrected, "--list"),
            ("rollback", "--output", corrected, "--release", "9"),
            ("codelists",),
        ):
            said = without_java(tmp_path, *command, more=block)
            assert said.code == (2 if {"nothing", "9"} & set(map(str, command)) else 0), said.everything
            assert len(said.messages) <= 1

    def test_without_its_package_either(self, corrected: Path, tmp_path: Path) -> None:
        block = "import sys\nsys.modules['deltalake'] = None\n"
        said = without_java(tmp_path, "explain", "--output", corrected, *CELL, more=block)
        assert (said.code, len(said.messages)) == (2, 1)
        assert "has no package deltalake, which reads tables without Spark. " + NO_JAVA in said.err

    def test_a_release_that_is_not_there_is_refused(self, corrected: Path, tmp_path: Path) -> None:
        said = without_java(tmp_path, "rollback", "--output", corrected, "--release", "9")
        assert (said.code, len(said.messages)) == (2, 1)
        assert "There is no release 9" in said.err
        said = without_java(tmp_path, "rollback", "--output", corrected, "--release", "1")
        assert (said.code, len(said.messages)) == (2, 1)
        assert NO_JAVA in said.err

    def test_beneficiaries_cannot_be_counted_again(self, corrected: Path, tmp_path: Path) -> None:
        said = without_java(tmp_path, "explain", "--output", corrected, *IMAGING_CELL, "--recount")
        assert (said.code, len(said.messages)) == (2, 1)
        assert NO_JAVA in said.err

    @pytest.mark.parametrize(
        "output", ["abfss://a@b.dfs.core.windows.net/c", "hdfs://h/c", "s3a://bucket/c", "cat.sch"]
    )
    def test_an_output_that_spark_alone_reaches(self, tmp_path: Path, output: str) -> None:
        said = without_java(tmp_path, "explain", "--output", output, *CELL)
        assert (said.code, len(said.messages)) == (2, 1)
        assert NO_JAVA in said.err
        assert (f"claimatlas: {output} " in said.err) == ("://" in output)


class TestAFeatureThatIsNotKnown:
    @pytest.fixture
    def mapped(self, spark: SparkSession, published_copied: Path) -> Path:
        properties = {"columnMapping.mode": "name", "minReaderVersion": "2", "minWriterVersion": "5"}
        pairs = ", ".join(f"'delta.{name}' = '{value}'" for name, value in properties.items())
        spark.sql(f"ALTER TABLE delta.`{published_copied}/{RELEASES.name}` SET TBLPROPERTIES ({pairs})")
        return published_copied

    def test_spark_reads_it_and_says_why(self, console: Console, mapped: Path, small_published: Path) -> None:
        said = console.run("explain", "--output", mapped, *CELL)
        assert said.code == 0, said.err
        why = f"The table gold/releases in {mapped} has features that only Spark can read: columnMapping."
        assert said.messages == [f"Note: {why} Spark reads it."]
        assert said.out == console.run("explain", "--output", small_published, *CELL).out

    def test_without_java_it_is_an_error(self, mapped: Path, tmp_path: Path) -> None:
        said = without_java(tmp_path, "explain", "--output", mapped, *CELL)
        assert (said.code, len(said.messages)) == (2, 1)
        assert "has features that only Spark can read: columnMapping." in said.err
        assert NO_JAVA in said.err

    def test_another_one(self, spark: SparkSession, published_copied: Path) -> None:
        table = f"delta.`{published_copied}/{POSTNATAL.name}`"
        spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
        reader = DeltaReader(str(published_copied))
        with pytest.raises(NotReadableError, match="typeWidening"):
            reader.rows(POSTNATAL)
        # The release names the version before.
        assert Published.now(reader).rows(POSTNATAL)


def test_a_damaged_log_is_for_spark_to_tell(console: Console, published_copied: Path) -> None:
    newest = max((published_copied / RELEASES.name / "_delta_log").glob("*.json"))
    newest.write_bytes(b"{broken")
    for checksum in newest.parent.glob("*.crc"):
        checksum.unlink()
    said = console.run("explain", "--output", published_copied, *CELL)
    assert said.code == 1
    assert "cannot be read without Spark" in said.messages[0]
    assert "its Delta log (_delta_log) is damaged" in said.messages[-1]


def test_who_looks_neither_waits_nor_writes(console: Console, published_copied: Path) -> None:
    with held(published_copied):
        before = fingerprint(published_copied)
        assert console.run("explain", "--output", published_copied, *CELL).code == 0
        assert console.run("rollback", "--output", published_copied, "--list").code == 0
        assert fingerprint(published_copied) == before


def test_deliveries_that_a_run_replaces_are_not_counted(spark: SparkSession, published_copied: Path) -> None:
    from claimatlas.deliveries import delivery_marker

    delivery_marker.clear(Store(spark, str(published_copied)), deliveries_table(load_configuration()), [2022])
    for reader in readers(spark, published_copied):
        found = explain_cell(reader, CellKey("cube_007_001a_denom", 2022, "01000"))
        assert found["in_this_cell"] is None
        assert "of 2022 is not whole" in found["no_recount_because"]
