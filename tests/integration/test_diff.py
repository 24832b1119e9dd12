"""`diff`: the cells that differ, and a split of the national difference that the reference confirms step by step."""

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from comparison import CONF, GOLD, last_record, read
from deltalake import DeltaTable
from integration.conftest import YEARS, Run
from integration.console import Console
from reference import Result, compute
from reference.other_hand import CLAIM_COLUMNS

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

SETTING = {"postnatal_window.last_day": 20}


@dataclass(frozen=True)
class Two:
    """Two runs on one output, what `diff` says of them, and what the reference says of each state between."""

    output: Path
    found: dict[str, Any]
    csv: Path
    states: list[Result]


def late_claims(source: Path, tables: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """A file of late lines: a contact with a general practitioner for each third mother, ten days after."""
    mothers = [row for row in tables["claims"] if row["nomenclature_code"] in ("423010", "424104", "423021")][::3]
    blank = dict.fromkeys(CLAIM_COLUMNS, "")
    lines = []
    for number, row in enumerate(mothers):
        day = row["service_date"]
        if not day.startswith(("2022-", "2023-")) or day[5:7] == "12" or day[8:] > "18":
            continue
        late = {"claim_id": f"late/{number}", "beneficiary_id": row["beneficiary_id"], "quantity": "1"}
        service = {"service_date": f"{day[:8]}{int(day[8:]) + 10:02d}", "nomenclature_code": "101032"}
        lines.append({**blank, **late, **service, "provider_competence": "1"})
    with (source / "claims" / "late.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CLAIM_COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    assert lines
    return lines


@pytest.fixture(scope="module")
def two(console: Console, submitted: Run, tmp_path_factory: pytest.TempPathFactory) -> Two:
    folder = tmp_path_factory.mktemp("diff")
    source = Path(shutil.copytree(submitted.source, folder / "input"))
    output = Path(shutil.copytree(submitted.output, folder / "output"))
    conf = Path(shutil.copytree(CONF, folder / "conf"))
    physiotherapist = conf / "codelists" / "physiotherapist.csv"
    kept = physiotherapist.read_text(encoding="utf-8").splitlines(keepends=True)[:3]
    physiotherapist.write_text("".join(kept), encoding="utf-8")
    first = last_record(output)["run_id"]
    tables = {**submitted.tables, "claims": submitted.tables["claims"] + late_claims(source, submitted.tables)}
    changed = [text for name, value in SETTING.items() for text in ("--set", f"{name}={value}")]
    said = console.run("run-year", "--input", source, "--output", output, "--year", *YEARS, "--conf", conf, *changed)
    assert said.code == 0, said.err
    second = last_record(output)["run_id"]
    file = folder / "cells.csv"
    said = console.run("diff", "--output", output, "--from", first, "--to", second, "--json", "--cells", file)
    assert said.code == 0, said.err
    states = [
        submitted.expected,
        compute(tables, YEARS, conf_dir=CONF),
        compute(tables, YEARS, conf_dir=conf),
        compute(tables, YEARS, conf_dir=conf, settings=SETTING),
    ]
    return Two(output, json.loads(said.out), file, states)


def national(state: Result, indicator: str, year: int) -> tuple[int | None, int | None]:
    cell = state.cells[indicator, year, "country", "01000", "all", "all", "all", "all"]
    return cell["numerator"], cell["denominator"]


def test_the_causes_are_named_in_their_order(two: Two) -> None:
    # The population was taken in anew too, with the same content: a cause without effect.
    assert two.found["causes"] == ["claims", "population", "code lists", "settings"]


def test_each_step_is_what_the_reference_computes(two: Two) -> None:
    before, late, codes, after = two.states
    states = {
        "claims": (before, late),
        "population": (late, late),
        "code lists": (late, codes),
        "settings": (codes, after),
    }
    changed = {(figure["indicator_id"], figure["year"]) for figure in two.found["national"]}
    assert {("cube_007_008a", 2022), ("cube_007_008a", 2023)} <= changed
    for figure in two.found["national"]:
        key = (figure["indicator_id"], figure["year"])
        for step in figure["steps"]:
            pairs = zip(*(national(state, *key) for state in states[step["cause"]]), strict=True)
            expected = [None if old is None or new is None else new - old for old, new in pairs]
            assert [step["numerator"], step["denominator"]] == expected, (key, step)


def test_the_steps_add_up(two: Two) -> None:
    effects = dict.fromkeys(two.found["causes"], 0)
    for figure in two.found["national"]:
        for name in ("numerator", "denominator"):
            steps = [step[name] for step in figure["steps"]]
            assert figure["from"][name] + sum(steps) == figure["to"][name], figure
        for step in figure["steps"]:
            effects[step["cause"]] += abs(step["numerator"])
    assert {cause for cause, effect in effects.items() if effect} == {"claims", "code lists", "settings"}


def test_the_cells_that_differ(two: Two) -> None:
    key = (
        "indicator_id",
        "year",
        "geo_level",
        "geo_code",
        "age_category",
        "increased_reimbursement",
        "delivery_type",
        "sex",
    )
    figures = ("numerator", "denominator", "value", "ci_low", "ci_high", "status")
    differing = set()
    for name in GOLD:
        old, new = (
            {
                tuple(row[part] for part in key): [row[part] for part in figures]
                for row in read(two.output, name, version=version)
            }
            for version in _last_two(two.output / name)
        )
        differing |= {cell for cell in old.keys() | new.keys() if old.get(cell) != new.get(cell)}
    assert differing
    assert sum(row["cells"] for row in two.found["cells_that_differ"]) == len(differing)
    with two.csv.open(encoding="utf-8", newline="") as file:
        written = {
            tuple(int(row[part]) if part == "year" else row[part] for part in key) for row in csv.DictReader(file)
        }
    assert written == differing


def _last_two(table: Path) -> list[int]:
    written = [commit["version"] for commit in DeltaTable(str(table)).history() if "userMetadata" in commit]
    return sorted(written)[-2:]


def test_nothing_is_left_behind(two: Two) -> None:
    assert not (two.output / "silver" / "work").exists()


def test_a_run_against_itself(console: Console, two: Two) -> None:
    run = two.found["to"]
    said = console.run("diff", "--output", two.output, "--from", run, "--to", run)
    assert said.code == 0, said.err
    assert "What changed: nothing" in said.out
    assert "Cells that differ: 0" in said.out


def test_versions_of_the_table_name_their_runs(console: Console, two: Two) -> None:
    earlier, later = _last_two(two.output / "gold" / "postnatal")
    said = console.run("diff", "--output", two.output, "--from", earlier, "--to", earlier)
    assert said.code == 0, said.err
    assert two.found["from"] in said.out
    assert later != earlier


@pytest.mark.parametrize(
    ("earlier", "message"),
    [("20200101T000000Z-00000000", "There is no run 20200101T000000Z-00000000"), ("0", "No run wrote version 0")],
)
def test_an_unknown_run(console: Console, two: Two, earlier: str, message: str) -> None:
    said = console.run("diff", "--output", two.output, "--from", earlier, "--to", two.found["to"])
    assert said.code == 2
    assert message in said.err
    assert len(said.messages) == 1
