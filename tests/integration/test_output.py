"""What a command prints where: `--json` on standard output, all else on standard error."""

import json
from pathlib import Path

import pytest
from comparison import last_record
from integration.console import Console
from integration.inputs import write_small

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_record_is_all_of_standard_output(console: Console, small_copied: Path, tmp_path: Path) -> None:
    source = write_small(tmp_path / "input")
    said = console.run("ingest", "--input", source, "--output", small_copied, "--json")
    assert said.code == 0, said.err
    printed = json.loads(said.out)
    kept = last_record(small_copied)
    assert printed["run_id"] == kept["run_id"]
    assert printed["outcome"] == kept["outcome"] == "done"
    assert printed["counts"] == kept["counts"]
    assert printed["counts"]["ingest.claims"] == {"read": 10, "accepted": 10, "rejected": 0}
    assert printed["input"] == {
        "claims": str(source / "claims.csv"),
        "population": str(source / "population.csv"),
        "hospital_stays": None,
    }
    assert "claims: 10 rows read, 0 rejected" in said.err
    assert "{" not in said.err


def test_a_failure_prints_no_record(console: Console, tmp_path: Path) -> None:
    said = console.run("run-year", "--output", tmp_path / "new", "--year", "2022", "--json")
    assert said.code == 2
    assert said.out == ""


def test_the_list_of_commands(console: Console) -> None:
    said = console.run("--help")
    assert said.code == 0
    assert said.err == ""
    for name in ("run-year", "ingest", "deliveries", "indicators", "generate"):
        assert name in said.out
        helped = console.run(name, "--help")
        assert helped.code == 0
        assert "--output" in helped.out
