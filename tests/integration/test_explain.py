"""`explain`: every figure of the explanation is right, and no single person is in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from comparison import DELIVERIES, read
from integration.conftest import Run
from integration.console import Console

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def explain(console: Console, output: Path, *more: object) -> dict[str, Any]:
    said = console.run("explain", "--output", output, *more, "--json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_a_share_of_deliveries(console: Console, submitted: Run) -> None:
    found = explain(console, submitted.output, "--indicator", "cube_007_008a", "--year", "2022", "--geo", "01000")
    mine = read(submitted.output, DELIVERIES, where="year = 2022")
    flags = [name for name in mine[0] if name.startswith("contact_")]
    without = [row for row in mine if not any(row[flag] for flag in flags)]
    assert (found["cell"]["numerator"], found["cell"]["denominator"]) == (len(without), len(mine))
    inside = found["in_this_cell"]
    assert (inside["numerator"], inside["denominator"]) == (len(without), len(mine))
    for source in ("31_december", "30_june", "unknown"):
        assert inside[f"domicile_{source}"] == sum(1 for row in mine if row["domicile_source"] == source)
    assert inside["contact_midwife"] == sum(1 for row in mine if row["contact_midwife"])
    flow = dict(found["flow"])
    accepted = len(read(submitted.output, "silver/claims", "claim_id"))
    assert flow["claim lines accepted"] == accepted
    assert flow["claim lines read"] == accepted + flow["claim lines rejected"] == len(submitted.tables["claims"])
    assert flow["deliveries of 2022"] == len(mine)
    readings = submitted.expected.flow["episodes"][2022]
    assert found["other_readings"]["deliveries with episode_rule=chained"] == readings["chained"]
    assert found["other_readings"]["deliveries with episode_rule=anchored"] == readings["anchored"]
    assert readings["chained"] != readings["anchored"]
    assert found["claims"]["last_service_date"] == found["claims"]["complete_through"]
    assert found["indicator"]["observed_until"] == "2023-02-11"
    assert set(found["claims"]["versions"]) == {"silver/claims", "silver/population", "silver/hospital_stays"}
    assert "midwife" in found["configuration"]["code_lists"]
    assert "imaging_therapeutic" not in found["configuration"]["code_lists"]


def test_a_split_cell_of_a_small_place(console: Console, submitted: Run) -> None:
    where = "indicator_id = 'cube_007_009a' and year = 2023 and geo_level = 'municipality' and delivery_type != 'all'"
    rows = read(submitted.output, "gold/postnatal", where=f"{where} and age_category != 'all'")
    row = max(rows, key=lambda row: (row["denominator"], row["geo_code"], row["increased_reimbursement"]))
    split = {name: row[name] for name in ("age_category", "increased_reimbursement", "delivery_type")}
    options = [text for name, value in split.items() for text in ("--split", f"{name}={value}")]
    key = ["--indicator", "cube_007_009a", "--year", "2023", "--geo", row["geo_code"]]
    found = explain(console, submitted.output, *key, *options)
    assert {name: found["cell"][name] for name in split} == split
    for name in ("numerator", "denominator"):
        assert found["in_this_cell"][name] == found["cell"][name] == row[name]
    assert found["comparison"] is None


def test_imaging_by_region(console: Console, submitted: Run) -> None:
    key = ["--indicator", "stat_013_024", "--year", "2023", "--geo", "02000"]
    quick = explain(console, submitted.output, *key)
    assert quick["in_this_cell"] is None
    assert "--recount" in quick["no_recount_because"]
    found = explain(console, submitted.output, *key, "--recount")
    assert {name for name in found if found[name] != quick[name]} == {"in_this_cell", "no_recount_because"}
    inside = found["in_this_cell"]
    assert inside["numerator"] == found["cell"]["numerator"] == inside["quantity_imaging_therapeutic"]
    assert inside["denominator"] == inside["domicile_31_december"] + inside["domicile_30_june"]
    assert found["other_readings"] == {}


def test_a_hospital(console: Console, submitted: Run) -> None:
    rows = read(submitted.output, "gold/postnatal", where="indicator_id = 'cube_007_006b' and geo_level = 'hospital'")
    row = max(rows, key=lambda row: (row["denominator"], row["year"], row["geo_code"]))
    key = ["--indicator", "cube_007_006b", "--year", row["year"], "--geo", row["geo_code"]]
    found = explain(console, submitted.output, *key)
    assert found["in_this_cell"]["denominator"] == row["denominator"] > 0
    assert found["comparison"]["comparison"] in ("lower", "similar", "higher")


def test_what_is_not_computable_is_not_zero(console: Console, submitted: Run) -> None:
    key = ["--indicator", "cube_007_004a", "--year", "2022", "--geo", "01000"]
    found = explain(console, submitted.output, *key)
    inside = found["in_this_cell"]
    assert (inside["numerator"], inside["prenatal_gdm_test"]) == (None, None)
    assert inside["denominator"] == found["cell"]["denominator"] > 0
    said = console.run("explain", "--output", submitted.output, *key)
    assert "not_computable: cube_007_004a is not computable: the code list gestational_diabetes_test" in said.out


def test_no_person_is_in_an_explanation(console: Console, submitted: Run) -> None:
    said = console.run(
        "explain", "--output", submitted.output, "--indicator", "cube_007_008a", "--year", "2022", "--geo", "01000"
    )
    assert said.code == 0, said.err
    people = {row["beneficiary_id"] for row in read(submitted.output, "silver/population", "beneficiary_id")}
    births = {str(row["birth_date"]) for row in read(submitted.output, "silver/population", "birth_date")}
    words = set(said.everything.replace(",", " ").split())
    assert not words & people
    assert not words & births


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (["--indicator", "cube_007_008a", "--year", "2019", "--geo", "01000"], "it has the years 2022, 2023"),
        (["--indicator", "nothing", "--year", "2022", "--geo", "01000"], "it has no such indicator"),
        (["--indicator", "cube_007_008a", "--year", "2022", "--geo", "99999"], "There is no cell cube_007_008a, 2022"),
    ],
)
def test_no_such_cell(console: Console, submitted: Run, key: list[str], message: str) -> None:
    said = console.run("explain", "--output", submitted.output, *key)
    assert said.code == 2
    assert message in said.err
    assert len(said.messages) == 1


@pytest.mark.long
def test_after_another_ingest_nothing_is_counted_again(console: Console, copied: Path, submitted: Run) -> None:
    said = console.run("ingest", "--input", submitted.source, "--output", copied)
    assert said.code == 0, said.err
    found = explain(console, copied, "--indicator", "cube_007_008a", "--year", "2022", "--geo", "01000")
    assert found["in_this_cell"] is None
    assert "another ingest" in found["no_recount_because"]
    assert found["cell"]["denominator"] > 0
