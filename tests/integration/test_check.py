"""`check`: a whole output is within its bounds, a damaged one is not, and looking changes nothing."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from claimatlas.tables.releases import publish
from claimatlas.tables.store import Store
from comparison import DELIVERIES, last_record, read
from deltalake import DeltaTable
from integration.conftest import Run
from integration.console import Console, Said
from integration.inputs import fingerprint
from pyspark.sql import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Bounds for an input of few people, whose figures vary by chance.
BOUNDS = {
    "largest_drift_between_years": 100,
    "largest_unknown_domicile": 1,
    "least_lines_of_month": 30,
    "least_share_of_month": 0.4,
}
REGION = {"indicator_id": "cube_007_008a", "year": 2022, "geo_level": "region", "geo_code": "02000"}
EVERYBODY = "age_category = 'all' and increased_reimbursement = 'all' and delivery_type = 'all'"


def check(console: Console, output: Path, *more: object, **bounds: float) -> Said:
    settings = [text for name, value in (BOUNDS | bounds).items() for text in ("--set", f"checks.{name}={value}")]
    return console.run("check", "--output", output, *settings, *more)


def out_of_bounds(said: Said) -> list[dict[str, Any]]:
    return [finding for finding in json.loads(said.out)["findings"] if not finding["ok"]]


def test_a_whole_output_is_within_its_bounds_and_only_read(console: Console, submitted: Run) -> None:
    before = fingerprint(submitted.output)
    said = check(console, submitted.output, "--year", "2022-2023")
    assert said.code == 0, said.everything
    assert said.out.splitlines()[0] == "Checked: 2022, 2023"
    assert said.out.splitlines()[-1].startswith("Within the bounds: all of ")
    assert "!" not in said.out
    assert said.messages == []
    assert fingerprint(submitted.output) == before
    people = {row["beneficiary_id"] for row in read(submitted.output, "silver/population", "beneficiary_id")}
    assert not set(said.out.replace(",", " ").split()) & people


def test_the_figures_are_those_of_the_tables(console: Console, submitted: Run) -> None:
    said = check(console, submitted.output, "--year", "2022", "--json", largest_unknown_domicile=0.01)
    assert said.code == 3
    assert "claimatlas: Beyond the bounds: " in said.err
    found = json.loads(said.out)
    assert (found["years"], found["within_bounds"]) == ([2022], False)
    by_check: dict[str, list[dict[str, Any]]] = {}
    for finding in found["findings"]:
        by_check.setdefault(finding["check"], []).append(finding)

    deliveries = [row for row in read(submitted.output, DELIVERIES) if row["year"] == 2022]
    unknown = sum(1 for row in deliveries if row["domicile_source"] == "unknown")
    people = last_record(submitted.output)["counts"]["beneficiaries.2022"]
    assert {f["subject"]["population"]: (f["measured"], f["cases"], f["ok"]) for f in by_check["unknown_domicile"]} == {
        "deliveries": (unknown / len(deliveries), len(deliveries), False),
        "beneficiaries": (people["domicile_unknown"] / people["beneficiaries"], people["beneficiaries"], True),
    }
    claims = read(submitted.output, "silver/claims", "year, service_date, booking_date")
    months = Counter((row["service_date"].year, row["service_date"].month) for row in claims)
    of_all = {f["subject"]["month"]: f for f in by_check["completeness"] if f["subject"]["group"] == "all lines"}
    for month in range(1, 13):
        # The claims of 2020 start with March.
        held = [months[year, month] for year in (2020, 2021) if (year, month) >= min(months)]
        mean = sum(held) / len(held)
        assert (month in of_all) == (mean >= BOUNDS["least_lines_of_month"])
        if month in of_all:
            assert of_all[month]["cases"] == months[2022, month]
            assert of_all[month]["measured"] == pytest.approx(months[2022, month] / mean)
    assert len(of_all) > 3
    without = next(f for f in by_check["run_out"] if f["subject"] == {"year": 2022, "share": "without_booking_date"})
    of_year = [row for row in claims if row["year"] == 2022]
    assert without["cases"] == len(of_year)
    assert without["measured"] == sum(1 for row in of_year if row["booking_date"] is None) / len(of_year) > 0

    compared = {(f["subject"]["indicator_id"], f["subject"]["sum"]) for f in by_check["sums"]}
    assert {("cube_007_008b", "hospital"), ("stat_013_023", "sector"), ("cube_013_023", "sex")} <= compared
    # Both populations have someone without a place, whom the country counts all the same.
    assert {("cube_007_001a_denom", "places_and_unknown"), ("stat_013_023", "places_and_unknown")} <= compared
    assert all(finding["ok"] for finding in by_check["sums"])
    # The first year of gold, by its first run: there is nothing to move from.
    assert "drift" not in by_check


def test_a_changed_cell_is_found(spark: SparkSession, console: Console, copied: Path) -> None:
    where = " and ".join(f"{name} = {value!r}" for name, value in REGION.items())
    changed = DeltaTable(str(copied / "gold/postnatal")).update(
        updates={"numerator": "numerator + 1"}, predicate=f"{where} and {EVERYBODY}"
    )
    assert changed["num_updated_rows"] == 1
    publish(Store(spark, str(copied)), "another hand", "changed")
    said = check(console, copied, "--year", "2022", "--json")
    assert said.code == 3
    wrong = out_of_bounds(said)
    assert {(f["check"], f["subject"]["indicator_id"], f["subject"]["geo_level"]) for f in wrong} == {
        ("sums", "cube_007_008a", "region")
    }
    assert {f["subject"]["sum"] for f in wrong} == {
        "places",
        "age_category",
        "increased_reimbursement",
        "delivery_type",
    }
    (message,) = said.messages
    assert message.startswith("claimatlas: Beyond the bounds: 4 of ")
    assert "cube_007_008a 2022, region: 1 of " in message
    assert "the first 02000: numerator / denominator " in message


def test_a_missing_month_is_found(console: Console, copied: Path) -> None:
    claims = DeltaTable(str(copied / "silver/claims"))
    gone = claims.delete("year = 2023 and service_date >= '2023-04-01' and service_date <= '2023-04-30'")
    assert gone["num_deleted_rows"] > 0
    said = check(console, copied)
    assert said.code == 3
    assert "completeness" in said.messages[0]
    assert "all lines, 2023-04: 0 lines, 0.0 % of the mean of this month in the earlier years" in said.err
    (shares,) = [line for line in said.out.splitlines() if line.split()[:3] == ["all", "lines", "2023"]]
    assert shares.split()[6] == "0!"


@pytest.mark.long
def test_a_value_that_another_run_moved_is_found(console: Console, copied: Path) -> None:
    earlier = last_record(copied)["run_id"]
    short = ("--set", "postnatal_window.last_day=3")
    ran = console.run("run-year", "--output", copied, "--year", "2022", *short)
    assert ran.code == 0, ran.err
    said = check(console, copied, "--year", "2022", "--json")
    assert said.code == 3
    drift = {f["subject"]["indicator_id"]: f for f in json.loads(said.out)["findings"] if f["check"] == "drift"}
    assert {f["subject"]["against"] for f in drift.values()} == {f"run {earlier}"}
    values = {
        row["indicator_id"]: row["value"]
        for row in read(copied, "gold/postnatal", where=f"year = 2022 and geo_level = 'country' and {EVERYBODY}")
    }
    assert drift["cube_007_008a"]["subject"]["now"] == values["cube_007_008a"]
    assert not drift["cube_007_008a"]["ok"]
    assert drift["cube_007_001a_denom"]["measured"] == drift["stat_013_023"]["measured"] == 0
    assert {f["check"] for f in out_of_bounds(said)} == {"drift"}


def test_where_there_is_nothing_to_check(console: Console, small_silver: Path, tmp_path: Path) -> None:
    said = console.run("check", "--output", tmp_path / "nothing")
    assert said.code == 2
    assert said.messages == [
        f"claimatlas: There are no tables to check in {tmp_path / 'nothing'}: run the main job first."
    ]
    assert not (tmp_path / "nothing").exists()
    said = console.run("check", "--output", small_silver, "--year", "2020")
    assert said.code == 2
    assert "neither claims nor cells of 2020" in said.err
    assert "it holds 2021, 2022, 2023." in said.err


def test_silver_alone(console: Console, small_silver: Path) -> None:
    said = console.run("check", "--output", small_silver)
    assert said.code == 0, said.everything
    assert "Note: There are no cells of these years: sums and drift are not checked." in said.out
