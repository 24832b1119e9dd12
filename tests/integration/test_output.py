"""What a command prints where: `--json` on standard output, all else on standard error."""

import json
from pathlib import Path

import pytest
from comparison import last_record
from deltalake import DeltaTable
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


@pytest.mark.parametrize("version", [None, "1"])
@pytest.mark.parametrize(
    "command",
    [
        ("deliveries", "--year", "2022"),
        ("indicators", "--year", "2022"),
        ("check",),
        ("explain", "--indicator", "stat_013_023", "--year", "2022", "--geo", "01000"),
        ("diff", "--from", "0", "--to", "1"),
        ("rollback",),
        ("ingest", "--input"),
    ],
)
def test_an_output_of_other_stored_names_is_refused(
    console: Console, published_copied: Path, tmp_path: Path, command: tuple[str, ...], version: str | None
) -> None:
    """The property is taken away from the log, or is that of an earlier version of the product."""
    set_schema_version(published_copied / "silver" / "claims", version)
    source = [write_small(tmp_path / "input")] if command[-1] == "--input" else []
    commits = sorted(published_copied.rglob("_delta_log/*.json"))
    said = console.run(*command, *source, "--output", published_copied)
    assert said.code == 2, said.everything
    assert "has the schema version 1, and this program reads and writes 2: compute it anew" in said.err
    assert sorted(published_copied.rglob("_delta_log/*.json")) == commits


def test_every_table_has_the_version_of_its_names(published_copied: Path) -> None:
    folders = sorted(log.parent for log in published_copied.rglob("_delta_log"))
    assert len(folders) >= 9
    assert {DeltaTable(folder).metadata().configuration.get("claimatlas.schema_version") for folder in folders} == {"2"}


def set_schema_version(table: Path, version: str | None) -> None:
    """Write the log's entries of the table's properties anew."""
    for commit in (table / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()]
        for action in actions:
            properties = action.get("metaData", {}).get("configuration", {})
            properties.pop("claimatlas.schema_version", None)
            if "metaData" in action and version is not None:
                properties["claimatlas.schema_version"] = version
        commit.write_text("".join(json.dumps(action) + "\n" for action in actions), encoding="utf-8")
        commit.with_name(f".{commit.name}.crc").unlink(missing_ok=True)
