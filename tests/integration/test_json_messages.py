"""`--log-format json`: every line on standard error is one JSON object, of a run and of a failure; nobody is named."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from comparison import last_record, read
from integration.console import Console, Said, plain_environment, run_program
from integration.inputs import SMALL_CLAIMS, SMALL_POPULATION

pytestmark = pytest.mark.integration

PERSONS = {"ann": "NEEDLEBEN0001", "bea": "NEEDLEBEN0002"}
BIRTHS = ("1990-01-01", "1991-12-31")
ALWAYS = {"time", "level", "job", "run_id", "stage", "event", "message"}


def write_input(folder: Path) -> Path:
    """The small input, of persons whose ids stand nowhere else, and a person whose sex is unknown."""
    folder.mkdir(parents=True)
    for name, text in (("claims", SMALL_CLAIMS), ("population", SMALL_POPULATION)):
        for person, needle in PERSONS.items():
            text = text.replace(f"{person},", f"{needle},")  # noqa: PLW2901
        (folder / f"{name}.csv").write_text(text.replace("1991-12-31,f", "1991-12-31,?"), encoding="utf-8")
    return folder


def lines(said: Said) -> list[dict[str, Any]]:
    """Each line as an object, after the checks that all of them share."""
    found = [json.loads(line) for line in said.err.splitlines()]
    assert all(line.keys() >= ALWAYS for line in found)
    times = [datetime.fromisoformat(line["time"]) for line in found]
    assert all(time.tzinfo == UTC for time in times)
    assert {line["level"] for line in found} <= {"INFO", "WARNING", "ERROR"}
    assert not [needle for needle in (*PERSONS.values(), *BIRTHS) if needle in said.err]
    return found


@pytest.fixture(scope="module")
def ran(console: Console, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("json")
    key = ("--input", write_input(folder / "input"), "--output", folder / "output", "--year", "2022")
    said = console.run("run-year", *key, "--log-format", "json")
    assert said.code == 0, said.err
    assert said.out == ""
    return folder / "output", lines(said)


def test_every_line_says_which_run_it_is_of(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    output, found = ran
    assert {line["job"] for line in found} == {"run_year"}
    assert {line["run_id"] for line in found} == {last_record(output)["run_id"]}


def test_stages_start_and_end_in_turn(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    output, found = ran
    stages = [line for line in found if line["event"].startswith("stage_")]
    names = ["ingest", "reading", "deliveries", "indicators"]
    assert [(line["event"], line["stage"], line["number"], line["of"]) for line in stages] == [
        (event, name, number, 4) for number, name in enumerate(names, 1) for event in ("stage_started", "stage_ended")
    ]
    record = last_record(output)
    ended = {line["stage"]: line for line in stages if line["event"] == "stage_ended"}
    assert {name: line["seconds"] for name, line in ended.items()} == record["stage_seconds"]
    assert {name: line["metrics"] for name, line in ended.items()} == record["metrics"]
    assert all(line["metrics"]["tasks"] > 0 for line in ended.values())
    for line in found:
        if line["event"] == "progress":
            assert line["stage"] in names


def test_counts_are_fields(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    output, found = ran
    counts = {line["table"]: line["counts"] for line in found if "counts" in line and "table" in line}
    kept = last_record(output)["counts"]
    assert counts == {table: kept[f"ingest.{table}"] for table in ("claims", "population")}
    assert counts["claims"] == {"read": 10, "accepted": 10, "rejected": 0}


def test_warnings_come_as_they_arise_and_in_the_summary(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    output, found = ran
    warned = [line["message"] for line in found if line["event"] == "warning"]
    assert warned
    assert warned == last_record(output)["warnings"] == found[-1]["warnings"]


def test_the_summary_is_the_last_line_with_the_national_values(ran: tuple[Path, list[dict[str, Any]]]) -> None:
    output, found = ran
    (summary,) = [line for line in found if line["event"] == "summary"]
    assert summary is found[-1]
    assert summary["stage"] is None
    assert (summary["years"], summary["output"]) == ([2022], str(output))
    national = "geo_level = 'country' AND " + " AND ".join(
        f"{name} = 'all'" for name in ("age_category", "increased_reimbursement", "delivery_type", "sex")
    )
    columns = ("indicator_id", "year", "value", "ci_low", "ci_high", "numerator", "denominator", "status")
    cells = [row for name in ("gold/imaging", "gold/postnatal") for row in read(output, name, "*", national)]
    expected = sorted(({name: cell[name] for name in columns} for cell in cells), key=lambda cell: cell["indicator_id"])
    assert [{name: value[name] for name in columns} for value in summary["national_values"]] == expected
    assert len(expected) == 12
    assert summary["input_rows"]["claims"]["read"] == 10


def test_a_failing_run_is_lines_too(console: Console, tmp_path: Path) -> None:
    source = write_input(tmp_path / "input")
    key = ("--input", source, "--output", tmp_path / "output", "--year", "2019")
    said = console.run("run-year", *key, "--log-format", "json")
    assert said.code == 2
    found = lines(said)
    assert [line["event"] for line in found] == ["stage_started", "error"]
    error = found[-1]
    assert (error["level"], error["exit_code"], error["stage"], error["job"]) == ("ERROR", 2, "ingest", "run_year")
    assert "The population has no row for 2019" in error["message"]
    assert error["run_id"] == found[0]["run_id"] is not None


def test_an_input_that_is_refused_before_spark_is_one_line(console: Console, tmp_path: Path) -> None:
    source = write_input(tmp_path / "input")
    header, _, rows = (source / "claims.csv").read_text(encoding="utf-8").partition("\n")
    (source / "claims.csv").write_text(header.replace("quantity", "number") + "\n" + rows, encoding="utf-8")
    key = ("--input", source, "--output", tmp_path / "output", "--year", "2022")
    said = console.run("run-year", *key, "--log-format", "json")
    assert said.code == 2
    (error,) = lines(said)
    assert (error["event"], error["level"], error["exit_code"], error["job"]) == ("error", "ERROR", 2, "run_year")
    assert "claims: the input has no column quantity" in error["message"]


def test_the_next_command_speaks_to_a_person_again(console: Console, tmp_path: Path) -> None:
    said = console.run("run-year", "--output", tmp_path / "new", "--year", "2022")
    assert said.code == 2
    assert said.messages[0].startswith("claimatlas: There is no silver in")


def test_what_java_says_when_it_starts_is_a_line(tmp_path: Path) -> None:
    """A process of its own, whose Java starts; and an input that fails after that."""
    source = write_input(tmp_path / "input")
    command = ["run-year", "--input", source, "--output", tmp_path / "output", "--year", "2019", "--log-format", "json"]
    environment = plain_environment(tmp_path, with_package=True, settings={"spark.master": "local[1]"})
    said = run_program(command, environment, tmp_path)
    assert said.code == 2, said.err
    found = lines(said)
    assert [line["event"] for line in found if line.get("logger") != "java"] == ["stage_started", "error"]
    assert "The population has no row for 2019" in found[-1]["message"]
    assert {line["event"] for line in found if line.get("logger") == "java"} == {"other"}
