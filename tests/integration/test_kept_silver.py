"""What protects the silver that is there: years that would go, an ingest that died, a second run."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from claimatlas.ingest import silver_marker
from claimatlas.runs.lock import LOCK_FILE
from claimatlas.tables.store import Store
from comparison import GOLD, REJECTED, SILVER, content, read
from integration.console import Console
from integration.inputs import SMALL_CLAIMS, SMALL_POPULATION, fingerprint, write_small
from integration.permissions import BOUND, can_be_bound
from pyspark.sql import SparkSession
from shipped import POPULATION

pytestmark = pytest.mark.integration

HOLD = """\
import fcntl, os, sys, time
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console whom permissions bind, whoever runs the tests."""
    if not can_be_bound():
        pytest.skip("the administrator may write everywhere, and cannot give that up here")
    process = Console(tmp_path_factory.mktemp("bound"), through=BOUND)
    yield process
    process.close()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write below a folder."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.mark.slow
class TestYearsThatWouldGo:
    @pytest.mark.parametrize(
        ("table", "text", "gone"),
        [
            pytest.param(
                *("population", SMALL_POPULATION.replace(",2021,", ",2020,"), "population of 2021"),
                marks=pytest.mark.long,
            ),
            ("claims", SMALL_CLAIMS.replace(",2021-", ",2022-").replace(",2023-", ",2022-"), "claims of 2021, 2023"),
        ],
    )
    def test_they_are_named_and_kept(
        self, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path, table: str, text: str, gone: str
    ) -> None:
        source = write_small(tmp_path / "input")
        (source / f"{table}.csv").write_text(text, encoding="utf-8")
        said = console.run("ingest", "--input", source, "--output", small_copied)
        assert said.code == 2
        (message,) = said.messages
        assert f"Silver has {gone}, the input does not" in message
        assert "--replace" in message
        assert content(small_copied, (*SILVER, REJECTED)) == content(small_silver, (*SILVER, REJECTED))
        # The silver is whole: a job computes from it, or at least gets as far as its years.
        said = console.run("run-year", "--output", small_copied, "--year", "2019")
        assert "The population in silver has no row for 2019" in said.err

    @pytest.mark.long
    def test_with_replace_they_go(self, console: Console, small_copied: Path, tmp_path: Path) -> None:
        source = write_small(tmp_path / "input")
        (source / "population.csv").write_text(SMALL_POPULATION.replace(",2021,", ",2020,"), encoding="utf-8")
        said = console.run("ingest", "--input", source, "--output", small_copied, "--replace")
        assert said.code == 0, said.err
        years = {row["year"] for row in read(small_copied, "silver/population", "year")}
        assert years == {2020, 2022, 2023}


def begin_to_replace(store: Store) -> None:
    """As an ingest does before it replaces the first table."""
    silver_marker.begin(store, {table.name: store.version(table) for table in silver_marker.SILVER}, replacing=True)


class TestAnIngestThatDied:
    def test_nothing_is_computed_from_what_it_left(
        self, spark: SparkSession, console: Console, small_copied: Path
    ) -> None:
        begin_to_replace(Store(spark, str(small_copied)))
        before = fingerprint(small_copied)
        for command in ("run-year", "deliveries", "indicators"):
            said = console.run(command, "--output", small_copied, "--year", "2022")
            assert said.code == 2
            (message,) = said.messages
            assert message.startswith(f"claimatlas: The last ingest into {small_copied} did not finish")
            assert fingerprint(small_copied) == before

    @pytest.mark.slow
    def test_running_it_again_makes_silver_whole(
        self, spark: SparkSession, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path
    ) -> None:
        begin_to_replace(Store(spark, str(small_copied)))
        said = console.run("ingest", "--input", write_small(tmp_path / "input"), "--output", small_copied)
        assert said.code == 0, said.err
        assert content(small_copied, SILVER) == content(small_silver, SILVER)
        said = console.run("run-year", "--output", small_copied, "--year", "2019")
        assert "The population in silver has no row for 2019" in said.err

    @pytest.mark.long
    def test_years_that_it_had_taken_away_are_not_forgotten(
        self, spark: SparkSession, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path
    ) -> None:
        store = Store(spark, str(small_copied))
        begin_to_replace(store)
        store.delete(POPULATION, "year = 2021")
        source = write_small(tmp_path / "input")
        (source / "population.csv").write_text(SMALL_POPULATION.replace(",2021,", ",2022,"), encoding="utf-8")
        arguments = ("--input", source, "--output", small_copied, "--set", "max_rejected_share=1")
        said = console.run("ingest", *arguments)
        assert said.code == 2
        assert "Silver has population of 2021, the input does not" in said.err
        assert content(small_copied, SILVER) == content(small_silver, SILVER)
        said = console.run("run-year", "--output", small_copied, "--year", "2019")
        assert "The population in silver has no row for 2019" in said.err


@contextmanager
def held(output: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds an output folder, as a run does."""
    command = [sys.executable, "-c", HOLD, str(output / LOCK_FILE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


class TestASecondRun:
    @pytest.mark.parametrize("command", ["run-year", "ingest"])
    def test_it_ends_with_code_4(self, console: Console, small_copied: Path, tmp_path: Path, command: str) -> None:
        source = write_small(tmp_path / "input")
        years = ("--year", "2022") if command == "run-year" else ()
        with held(small_copied):
            before = fingerprint(small_copied)
            said = console.run(command, "--input", source, "--output", small_copied, *years)
            assert said.code == 4
            assert said.messages == [f"claimatlas: Another run writes to {small_copied}; wait for its end."]
            assert fingerprint(small_copied) == before

    def test_a_dead_one_does_not_count(self, console: Console, small_copied: Path) -> None:
        with held(small_copied) as process:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert (small_copied / LOCK_FILE).exists()
        said = console.run("run-year", "--output", small_copied, "--year", "2019")
        assert said.code == 2
        assert "The population in silver has no row for 2019" in said.err
        assert not (small_copied / LOCK_FILE).exists()


class TestAFolderThatCannotBeWritten:
    def test_where_a_file_is(self, console: Console, tmp_path: Path) -> None:
        source = write_small(tmp_path / "input")
        for output in (tmp_path / "input" / "claims.csv", tmp_path / "input" / "claims.csv" / "below"):
            said = console.run("run-year", "--input", source, "--output", output, "--year", "2022")
            assert said.code == 2
            (message,) = said.messages
            assert message.startswith(f"claimatlas: The output folder {output} cannot be written (")

    def test_where_it_is_forbidden(self, bound: Console, tmp_path: Path) -> None:
        source = write_small(tmp_path / "input")
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o555)
        said = bound.run("run-year", "--input", source, "--output", closed / "output", "--year", "2022")
        assert said.code == 2
        (message,) = said.messages
        assert message.startswith(f"claimatlas: The output folder {closed / 'output'} cannot be written (")

    @pytest.mark.parametrize("closed", ["", "silver", "gold"])
    def test_what_is_there_stays(self, bound: Console, published_copied: Path, tmp_path: Path, closed: str) -> None:
        source = write_small(tmp_path / "input")
        before = {name: content(published_copied, [name]) for name in (*SILVER, *GOLD)}
        with read_only(published_copied / closed):
            said = bound.run("run-year", "--input", source, "--output", published_copied, "--year", "2022")
        assert said.code in (1, 2)
        (message,) = said.messages
        assert "cannot be written" in message
        assert not said.has_trace()
        assert {name: content(published_copied, [name]) for name in before} == before
