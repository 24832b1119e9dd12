"""The commands over Spark Connect: tables, messages and exit codes as in a classic session.

One server on loopback serves all tests. Its clients are processes; but for the first they have neither Py4J nor Delta's
Python package nor the classic part of PySpark, as where only `pyspark-client` is installed.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from claimatlas.tables.schemas import CLAIMS, RELEASES
from comparison import DELIVERIES, REJECTED, SILVER, content, last_record, read
from integration import test_bad_input
from integration.conftest import Run
from integration.console import JAVA_OPTIONS, Console, Said, plain_environment, run_program
from integration.inputs import SMALL_CLAIMS, fingerprint, write_small
from reference.model import Row
from reference.other_hand import CLAIM_COLUMNS
from shipped import RELEASED

from deploy.connect.server import connect_server

pytest.importorskip("grpc", reason="Spark Connect's client needs the packages of the extra connect")
pytestmark = [pytest.mark.integration, pytest.mark.slow]

GOLD = tuple(table.name for table in RELEASED)
EVERYTHING = (*SILVER, REJECTED, DELIVERIES, *GOLD)
CLIENT_ONLY = "import sys\nfor name in ('py4j', 'delta', 'pyspark.core'):\n    sys.modules[name] = None\n"
"""Run as Python starts: an import of any of these fails."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose own time zone is not that of the product."""
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Duser.timezone=Pacific/Auckland",
        "spark.sql.session.timeZone": "Pacific/Auckland",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
    }
    with connect_server(tmp_path_factory.mktemp("server"), settings) as found:
        yield found


@pytest.fixture(scope="module")
def remote(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A process that runs the commands over Spark Connect, with its client alone."""
    folder = tmp_path_factory.mktemp("remote")
    (folder / "python").mkdir()
    (folder / "python" / "sitecustomize.py").write_text(CLIENT_ONLY, encoding="utf-8")
    package = plain_environment(folder, with_package=True)["PYTHONPATH"]
    variables = {"SPARK_REMOTE": address, "PYTHONPATH": f"{folder / 'python'}:{package}"}
    process = Console(folder, variables=variables)
    yield process
    process.close()


@pytest.fixture(scope="module")
def connected(address: str, submitted: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the main job writes from the input of `submitted`, in a process of its own, as users start it."""
    folder = tmp_path_factory.mktemp("connected")
    # Relative to the folder of the client, which is not the server's.
    source = os.path.relpath(submitted.source, folder)
    command = ["run-year", "--input", source, "--output", "output", "--year", "2022", "2023"]
    environment = {**plain_environment(folder, with_package=True), "SPARK_REMOTE": address}
    said = run_program(command, environment, folder)
    assert said.code == 0, said.everything
    return folder / "output"


@pytest.mark.long
def test_the_same_input_gives_the_same_tables(connected: Path, submitted: Run) -> None:
    found, expected = content(connected, EVERYTHING), content(submitted.output, EVERYTHING)
    assert found.keys() == expected.keys() == set(EVERYTHING)
    assert all(sum(rows.values()) for rows in expected.values())
    assert found == expected
    record, classic = last_record(connected), last_record(submitted.output)
    for part in ("counts", "warnings", "statuses", "hashes"):
        assert record[part] == classic[part]


def test_the_client_alone_is_enough(remote: Console) -> None:
    """The process behind the tests below is what it says."""
    program = "import pyspark.util, sys; sys.exit(0 if pyspark.util.is_remote_only() else 1)"
    environment = {**plain_environment(remote.folder, with_package=True), **remote.variables}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


@pytest.mark.long
def test_quality_is_checked_alike(remote: Console, console: Console, connected: Path, submitted: Run) -> None:
    found = remote.run("check", "--output", connected, "--year", "2023", "--json")
    expected = console.run("check", "--output", submitted.output, "--year", "2023", "--json")
    assert found.code == expected.code
    assert _without_places(json.loads(found.out), connected) == _without_places(
        json.loads(expected.out), submitted.output
    )


def test_a_number_is_explained_alike(remote: Console, console: Console, connected: Path, submitted: Run) -> None:
    for indicator, *geo in (("cube_007_008a", "01000"), ("stat_013_024", "02000", "--recount")):
        key = ("--indicator", indicator, "--year", "2023", "--json", "--geo", *geo)
        said = [
            runner.run("explain", "--output", output, *key)
            for runner, output in ((remote, connected), (console, submitted.output))
        ]
        assert [answer.code for answer in said] == [0, 0], said[0].err + said[1].err
        ours, theirs = (json.loads(answer.out) for answer in said)
        del ours["cell"]["run_id"], theirs["cell"]["run_id"]
        for part in ("cell", "comparison", "flow", "in_this_cell", "other_readings"):
            assert ours[part] == theirs[part]
        assert ours["in_this_cell"]["denominator"] > 0


@pytest.mark.long
def test_a_batch_and_the_way_back(
    remote: Console, console: Console, connected: Path, submitted: Run, tmp_path: Path
) -> None:
    """A new line, one that was sent before and a correction; then the release of before again."""
    delivery = tmp_path / "claims.csv"
    with delivery.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CLAIM_COLUMNS)
        writer.writeheader()
        writer.writerows(a_delivery(submitted))
    ours, theirs = (
        Path(shutil.copytree(output, tmp_path / name))
        for name, output in (("ours", connected), ("theirs", submitted.output))
    )
    before, silver = content(theirs, GOLD), content(theirs, (*SILVER, REJECTED))
    for runner, output in ((remote, ours), (console, theirs)):
        said = runner.run("ingest", "--add", "--claims", delivery, "--output", output)
        assert said.code == 0, said.everything
        assert "claims: 3 rows read, 2 new, 1 sent before, 0 rejected; 1 corrected" in said.err
    assert content(ours, silver) == content(theirs, silver) != silver
    said = remote.run("run-year", "--output", ours, "--year", "2022")
    assert said.code == 0, said.everything
    assert content(ours, GOLD) != before
    said = remote.run("rollback", "--output", ours)
    assert said.code == 0, said.everything
    assert "release 3 publishes what release 1 did" in said.err
    assert content(ours, GOLD) == before
    assert {row["release"] for row in read(ours, RELEASES.name)} == {1, 2, 3}


def a_delivery(submitted: Run) -> list[Row]:
    """Lines of women who delivered before September 2022: one more delivery, a line as it was, and one corrected."""
    sound = {line["claim_id"]: line for line in submitted.expected.accepted["claims"]}
    early = [
        row for row in submitted.expected.deliveries if date(2022, 1, 1) <= row["delivery_date"] < date(2022, 9, 1)
    ]
    women = {row["beneficiary_id"] for row in early}
    found = [
        row
        for row in submitted.tables["claims"]
        if (line := sound.get(row["claim_id"])) and line["quantity"] == 1 and line["beneficiary_id"] in women
    ]
    first, second, third = found[:3]
    return [
        {**first, "claim_id": "new/1", "nomenclature_code": "424104", "service_date": "2022-12-01", "booking_date": ""},
        second,
        {**third, "quantity": "2", "booking_date": "2026-01-01"},
    ]


@pytest.mark.long
def test_synthetic_claims_are_the_same(remote: Console, console: Console, tmp_path: Path) -> None:
    for number, runner in enumerate((remote, console)):
        said = runner.run(
            "generate", "--output", tmp_path / str(number), "--beneficiaries", 200, "--years", "2022", "--seed", "3"
        )
        assert said.code == 0, said.everything
    made = [json.loads((tmp_path / str(number) / "generate.json").read_text(encoding="utf-8")) for number in (0, 1)]
    assert made[0] == made[1]


# --- Failures -----------------------------------------------------------------------------------------


ASKS_SPARK = (
    test_bad_input.no_such_catalog_table,
    test_bad_input.no_claims,
    test_bad_input.no_column,
    test_bad_input.a_date_as_a_number,
    test_bad_input.half_a_parquet_file,
    test_bad_input.another_type_in_each_file,
    test_bad_input.no_gzip_at_all,
    test_bad_input.a_broken_delta_log,
    test_bad_input.a_year_without_people,
)
"""Mistakes in the input of each kind that Spark finds; the others are found before it is asked."""


@pytest.mark.parametrize(
    "spoil",
    [pytest.param(s, marks=() if s in ASKS_SPARK else pytest.mark.long) for s in test_bad_input.EARLY],
    ids=lambda spoil: spoil.__name__,
)
def test_a_mistake_in_the_input_is_said_alike(
    remote: Console, console: Console, tmp_path: Path, spoil: test_bad_input.Spoil
) -> None:
    source = write_small(tmp_path / "input")
    more = spoil(source)
    found, expected = (test_bad_input.run(runner, source, tmp_path / "new", more) for runner in (remote, console))
    assert test_bad_input.EARLY[spoil] in test_bad_input.the_message(found)
    assert found == expected
    assert not (tmp_path / "new").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    "spoil",
    [test_bad_input.a_damaged_page, test_bad_input.half_a_gzip],
    ids=lambda spoil: spoil.__name__,
)
def test_a_file_that_ends_while_it_is_read_leaves_silver_as_it_was(
    remote: Console, small_silver: Path, small_copied: Path, tmp_path: Path, spoil: test_bad_input.Spoil
) -> None:
    source = write_small(tmp_path / "input")
    spoil(source)
    said = remote.run("ingest", "--input", source, "--output", small_copied)
    assert "claims: a file in" in test_bad_input.the_message(said)
    tables = (*SILVER, REJECTED, "gold/runs")
    assert content(small_copied, tables) == content(small_silver, tables)


def without_deliveries(output: Path) -> tuple[list[object], int, str]:
    return ["indicators", "--output", output, "--year", "2022"], 2, "silver/deliveries in"


def without_silver(output: Path) -> tuple[list[object], int, str]:
    return ["run-year", "--output", output.parent / "nowhere", "--year", "2022"], 2, "There is no silver in"


def with_a_broken_log_of_claims(output: Path) -> tuple[list[object], int, str]:
    _break_log(output / CLAIMS.name)
    return ["run-year", "--output", output, "--year", "2022"], 1, "table silver/claims in"


def with_a_broken_log_of_runs(output: Path) -> tuple[list[object], int, str]:
    _break_log(output / "gold" / "runs")
    return ["ingest", "--add", "--claims", output.parent / "claims.csv", "--output", output], 1, "table gold/runs in"


@pytest.mark.parametrize(
    "spoil",
    [
        without_deliveries,
        without_silver,
        with_a_broken_log_of_claims,
        pytest.param(with_a_broken_log_of_runs, marks=pytest.mark.long),
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_a_table_that_is_missing_or_damaged_is_said_alike(
    remote: Console, console: Console, small_silver: Path, tmp_path: Path, spoil: object
) -> None:
    assert callable(spoil)
    (tmp_path / "claims.csv").write_text(SMALL_CLAIMS, encoding="utf-8")
    said: list[Said] = []
    for runner in (remote, console):
        output = Path(shutil.copytree(small_silver, tmp_path / "output"))
        command, code, message = spoil(output)
        gold = fingerprint(output / "gold")
        said.append(runner.run(*command))
        assert said[-1].code == code, said[-1].everything
        assert message in "".join(said[-1].messages)
        assert not said[-1].has_trace()
        assert fingerprint(output / "gold") == gold
        shutil.rmtree(output)
    assert said[0].messages == said[1].messages


def _break_log(table: Path) -> None:
    newest = max((table / "_delta_log").glob("*.json"))
    newest.write_bytes(b"{broken")
    for checksum in newest.parent.glob("*.crc"):
        checksum.unlink()


def _without_places(report: object, output: Path) -> object:
    """A report without the names of its output and its runs."""
    runs = {row["run_id"] for row in read(output, "gold/runs", "run_id")}
    text = json.dumps(report, sort_keys=True).replace(str(output), "")
    for run in runs:
        text = text.replace(run, "")
    return json.loads(text)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    environment = {**plain_environment(tmp_path, with_package=True), "SPARK_REMOTE": "sc://127.0.0.1:1/;token=secret"}
    said = run_program(["check", "--output", tmp_path / "output"], environment, tmp_path)
    assert said.code == 2
    assert said.err == ("claimatlas: No Spark Connect server answers at sc://127.0.0.1:1/, which SPARK_REMOTE names.\n")
