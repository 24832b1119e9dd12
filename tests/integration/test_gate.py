"""The quality gate: too many rejected rows end a run with code 3, and only `silver/rejected` is new."""

import json
from collections import Counter
from pathlib import Path

import pytest
from comparison import DELIVERIES, GOLD, REJECTED, RUNS, SILVER, content, read, without
from integration.conftest import Run
from integration.console import Console
from integration.inputs import SMALL_CLAIMS, fingerprint, write_small

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def bad_input(tmp_path: Path) -> Path:
    """The small input with one of its ten claims spoilt."""
    folder = write_small(tmp_path / "input")
    spoilt = SMALL_CLAIMS.replace("c5,bea,2021-05-02", "c5,bea,2021-02-30")
    assert spoilt != SMALL_CLAIMS
    (folder / "claims.csv").write_text(spoilt, encoding="utf-8")
    return folder


def test_nothing_is_published_and_the_former_silver_still_serves(
    console: Console, submitted: Run, copied: Path, bad_input: Path
) -> None:
    gold = {table: fingerprint(copied / table) for table in GOLD}
    said = console.run("run-year", "--input", bad_input, "--output", copied, "--year", "2022", "--replace")
    assert said.code == 3
    (message,) = said.messages
    assert message.startswith("claimatlas: Too many rows were rejected")
    assert "claims: 1 of 10 rows (10.00 %: unparseable_service_date 1 (such as '9999-99-99'))" in message
    assert not said.has_trace()

    (rejected,) = read(copied, REJECTED)
    assert (rejected["table"], rejected["reasons"]) == ("claims", ["unparseable_service_date"])
    assert json.loads(rejected["row"])["service_date"] == "2021-02-30"
    assert {table: fingerprint(copied / table) for table in GOLD} == gold
    assert content(copied, (*SILVER, DELIVERIES)) == content(submitted.output, (*SILVER, DELIVERIES))
    outcomes = {row["run_id"]: (row["job"], row["outcome"]) for row in read(copied, RUNS, "run_id, job, outcome")}
    assert outcomes[rejected["run_id"]] == ("run_year", "gate")
    assert Counter(outcomes.values()) == {("run_year", "gate"): 1, ("run_year", "done"): 1}

    again = console.run("run-year", "--output", copied, "--year", "2022", "2023")
    assert again.code == 0, again.err
    assert content(copied, (DELIVERIES, *GOLD)) == content(submitted.output, (DELIVERIES, *GOLD))
    assert without(read(copied, REJECTED)) == without([rejected])


@pytest.mark.long
def test_without_an_earlier_output(console: Console, bad_input: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    said = console.run("ingest", "--input", bad_input, "--output", output)
    assert said.code == 3
    assert [row["reasons"] for row in read(output, REJECTED)] == [["unparseable_service_date"]]
    assert {str(path.parent.relative_to(output)) for path in output.rglob("_delta_log")} == {REJECTED, RUNS}
    said = console.run("run-year", "--output", output, "--year", "2022")
    assert said.code == 2
    assert "There is no silver" in said.err


@pytest.mark.long
def test_a_share_that_is_just_allowed(console: Console, small_copied: Path, bad_input: Path) -> None:
    arguments = ("ingest", "--input", bad_input, "--output", small_copied, "--replace")
    said = console.run(*arguments, "--set", "max_rejected_share=0.1")
    assert said.code == 0, said.err
    assert len(read(small_copied, REJECTED)) == 1
    assert len(read(small_copied, "silver/claims")) == 9
