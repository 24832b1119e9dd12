"""What a run on little data asks of Spark: its driver's time is what such a run costs, so its queries are counted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from claimatlas.spark import class_archive
from claimatlas.spark.java import check_java
from comparison import CONF, last_record
from integration.console import plain_environment, run_program
from integration.inputs import plant
from reference.other_hand import write_input

from benchmarks import eventlog

pytestmark = [pytest.mark.integration, pytest.mark.slow]

YEARS = ["--year", "2022", "--year", "2023"]
QUERIES, JOBS = 70, 90
"""Of a whole run from raw files, those that Delta nests in others counted too."""
QUERIES_FROM_SILVER = 30


@dataclass(frozen=True)
class Asked:
    """The queries and jobs of a run, and its record."""

    queries: int
    jobs: int
    record: dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small_run")
    tables = write_input(folder / "input", beneficiaries=300, seed=11, files=2)
    plant(folder / "input", tables)
    return folder


def asked(folder: Path, name: str, *more: object) -> Asked:
    log = folder / f"log_{name}"
    log.mkdir()
    environment = plain_environment(folder / name, with_package=True, settings=eventlog.settings(log))
    said = run_program(["run-year", *more, "--output", folder / "output", *YEARS, "--conf", CONF], environment, folder)
    assert said.code == 0, said.everything
    (file,) = log.iterdir()
    with file.open(encoding="utf-8") as lines:
        events = [json.loads(line)["Event"].rpartition(".")[2] for line in lines]
    queries, jobs = (events.count(name) for name in ("SparkListenerSQLExecutionStart", "SparkListenerJobStart"))
    return Asked(queries, jobs, last_record(folder / "output"))


@pytest.fixture(scope="module")
def whole(folder: Path) -> Asked:
    return asked(folder, "whole", "--input", folder / "input")


def test_a_whole_run_asks_few_queries(whole: Asked) -> None:
    assert 0 < whole.queries <= QUERIES
    assert 0 < whole.jobs <= JOBS
    assert whole.record["work"] == "little"


def test_a_run_from_silver_asks_few_queries(folder: Path, whole: Asked) -> None:
    again = asked(folder, "from_silver")
    assert 0 < again.queries <= QUERIES_FROM_SILVER
    assert {
        step: counts for step, counts in whole.record["counts"].items() if not step.startswith("ingest")
    } == again.record["counts"]


def test_java_takes_the_archive_of_classes(folder: Path) -> None:
    """`make test` and its like make the archive first."""
    if not class_archive.archive_for(check_java()).is_file():
        pytest.skip("no archive of classes is beside Delta's JARs: `make classes` makes it")
    log = folder / "classes.log"
    options = {"spark.driver.extraJavaOptions": f"-XX:+UseSerialGC -Xlog:class+load:file={log}"}
    environment = plain_environment(folder / "classes", with_package=True, settings=options)
    arguments = ["generate", "--output", folder / "drawn", "--beneficiaries", "100", "--years", "2022", "--seed", "1"]
    said = run_program(arguments, environment, folder)
    assert said.code == 0, said.everything
    taken = log.read_text(encoding="utf-8").count("source: shared objects file (top)")
    assert taken > 5_000
