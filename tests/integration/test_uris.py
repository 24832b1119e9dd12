"""Input, output and configuration by URIs, which only Spark reaches: what an object store gets, on a local disk.

The store itself is another test's (`test_s3.py`); here it is that nothing looks at a URI without Spark.
"""

import json
import shutil
from pathlib import Path

import pytest
from comparison import CONF, content, last_record
from integration.console import Console
from integration.inputs import write_small
from pyspark.sql import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TABLES = (
    *("silver/claims", "silver/population", "silver/rejected", "silver/deliveries"),
    *("gold/imaging", "gold/postnatal", "gold/comparisons"),
)
CELL = ("--indicator", "cube_007_001a_denom", "--year", "2022", "--geo", "01000")


@pytest.fixture(scope="module")
def outputs(spark: SparkSession, console: Console, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An output by URIs alone, and one by paths, from the same rows."""
    folder = tmp_path_factory.mktemp("uris")
    source = write_small(folder / "csv")
    for name in ("claims", "population"):
        rows = spark.read.option("header", "true").csv(str(source / f"{name}.csv"))
        # One of them in Delta: an object store is asked which it is.
        rows.write.format("delta" if name == "claims" else "parquet").save(str(folder / "input" / name))
    shutil.copytree(CONF, folder / "conf of ours")
    by_path = ("--input", folder / "input", "--output", folder / "paths", "--conf", folder / "conf of ours")
    uri = folder.as_uri()
    by_uri = ("--input", f"{uri}/input/", "--output", f"{uri}/uris/", "--conf", f"{uri}/conf of ours")
    for outputs in (by_path, by_uri):
        said = console.run("run-year", *outputs, "--year", "2022-2023")
        assert said.code == 0, said.err
    return folder / "paths", folder / "uris"


@pytest.mark.long
def test_the_tables_are_the_same(outputs: tuple[Path, Path]) -> None:
    by_path, by_uri = (content(output, TABLES) for output in outputs)
    assert by_uri.keys() == set(TABLES)
    assert by_uri == by_path


@pytest.mark.long
def test_the_record_is_the_same_but_for_the_names(outputs: tuple[Path, Path]) -> None:
    by_path, by_uri = map(last_record, outputs)
    root = outputs[0].parent
    assert by_uri["conf"] == f"{root.as_uri()}/conf of ours"
    assert by_path["conf"] == f"{root}/conf of ours"
    assert by_uri["input"] == {
        "claims": f"{root.as_uri()}/input/claims",
        "population": f"{root.as_uri()}/input/population",
        "hospital_stays": None,
    }
    for key in ("hashes", "code_list_hashes", "settings", "counts", "warnings", "input_versions", "silver"):
        here, there = by_path[key], by_uri[key]
        if key == "silver":
            here, there = ({name: silver["versions"][name] for name in silver["versions"]} for silver in (here, there))
        assert here == there, key


@pytest.mark.long
def test_no_single_record_stays_in_the_intermediate_results(spark: SparkSession, outputs: tuple[Path, Path]) -> None:
    work = outputs[1] / "silver" / "work"
    (run,) = work.iterdir()
    assert not [path for path in run.iterdir() if path.is_dir()]
    assert spark.read.parquet(str(run)).count() == 0
    assert not (outputs[0] / "silver" / "work").exists()


@pytest.mark.long
def test_commands_that_read_take_a_uri(console: Console, outputs: tuple[Path, Path]) -> None:
    said = [console.run("explain", "--output", output, *CELL, "--json") for output in (outputs[0], outputs[1].as_uri())]
    assert [one.code for one in said] == [0, 0]
    here, there = (json.loads(one.out) for one in said)
    assert there["in_this_cell"] == here["in_this_cell"]
    assert there["in_this_cell"]["denominator"] == 2
    checked = [console.run("check", "--output", output, "--json") for output in (outputs[0], outputs[1].as_uri())]
    assert json.loads(checked[0].out) == json.loads(checked[1].out)


@pytest.mark.long
def test_a_release_by_uri_is_rolled_back(console: Console, outputs: tuple[Path, Path], tmp_path: Path) -> None:
    output = Path(shutil.copytree(outputs[1], tmp_path / "output"))
    said = console.run("rollback", "--output", output.as_uri())
    assert said.code == 2
    assert f"There is no release before the newest in {output.as_uri()}" in said.err


def test_mistakes_in_a_configuration_by_uri_are_named(console: Console, tmp_path: Path) -> None:
    conf = Path(shutil.copytree(CONF, tmp_path / "conf"))
    with (conf / "settings.yaml").open("a", encoding="utf-8") as stream:
        stream.write("\nno_such_setting: 1\n")
    for given in (conf, conf.as_uri()):
        said = console.run("codelists", "--conf", given)
        assert said.code == 2
        assert said.err.startswith("claimatlas: settings.yaml, line ")
        assert "no_such_setting: unknown key" in said.err


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("file:///nowhere/conf", "PATH_NOT_FOUND"),
        ("s3a://bucket/conf", "this Spark does not reach it"),
        ("nosuch://bucket/conf", "this Spark does not reach it"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_one_sentence(console: Console, uri: str, why: str) -> None:
    said = console.run("codelists", "--conf", uri)
    assert said.code == 2
    assert len(said.messages) == 1
    assert said.messages[0].startswith(f"claimatlas: The configuration {uri} cannot be read ({why}")


def test_an_input_by_uri_that_is_not_there_is_one_sentence(console: Console, tmp_path: Path) -> None:
    said = console.run(
        "run-year", "--input", f"{tmp_path.as_uri()}/input", "--output", tmp_path / "output", "--year", "2022"
    )
    assert said.code == 2
    assert said.messages == [
        f"{start}The input has no table {table}: looked for {tmp_path.as_uri()}/input/{table}, as a Delta table or "
        "Parquet files."
        for start, table in (("claimatlas: ", "population"), ("", "claims"))
    ]


def test_csv_by_uri_is_one_sentence(console: Console, tmp_path: Path) -> None:
    uri = write_small(tmp_path / "input").as_uri()
    more = ("--claims", f"{uri}/claims.csv", "--population", f"{uri}/population.csv", "--year", "2022")
    said = console.run("run-year", *more, "--output", tmp_path / "output")
    assert said.code == 2
    assert said.messages == [
        f"claimatlas: population: {uri}/population.csv is neither a Delta table nor Parquet files, or Spark does not "
        "reach it; CSV is read from folders of this machine only."
    ]


def test_a_store_without_its_client_is_one_sentence(console: Console, tmp_path: Path) -> None:
    source = write_small(tmp_path / "input")
    said = console.run("run-year", "--input", source, "--output", "s3a://bucket/output", "--year", "2022")
    assert said.code == 1
    assert said.messages == [
        "claimatlas: Spark has no client for the store that a path names (as hadoop-aws is for s3a://): see "
        "docs/catalog-and-object-stores.md."
    ]


def test_a_file_of_cells_is_written_here(console: Console, tmp_path: Path) -> None:
    said = console.run(
        *("diff", "--output", tmp_path, "--from", "a", "--to", "b", "--cells", "s3a://bucket/cells.csv"),
    )
    assert said.code == 2
    assert "--cells s3a://bucket/cells.csv: the file of cells is written on this machine" in said.err
