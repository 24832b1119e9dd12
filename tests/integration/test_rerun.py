"""Rerunning: a year is replaced whole, other years stay, an empty result empties."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from comparison import (
    CONF,
    DELIVERIES,
    GOLD,
    RUNS,
    SILVER,
    assert_output_equals_reference,
    last_record,
    read,
    without,
)
from deltalake import DeltaTable
from integration.conftest import Run
from integration.console import Console, Said
from reference import Result, Tables, compute
from reference.io import write_csv

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

FIRST_DAY = "2021-12-15"
DELIVERY_CODES = ("424104", "423021", "424023", "422671", "422656")


def reduced(tables: Tables) -> Tables:
    """Another extract: nothing before mid-December 2021, no delivery in 2022, half of those of 2023, no stays."""
    claims = [
        row
        for row in tables["claims"]
        if row["service_date"] >= FIRST_DAY
        and not (row["nomenclature_code"] in DELIVERY_CODES and is_gone(row["service_date"], row["beneficiary_id"]))
    ]
    population = [row for row in tables["population"] if row["year"] != "2021"]
    return {"claims": claims, "population": population}


def is_gone(day: str, who: str) -> bool:
    return day < "2023" or int(who or "0") % 2 == 0


@dataclass(frozen=True)
class Rerun:
    """The tables before and after a run on other claims."""

    before: Path
    after: Path
    said: Said
    expected: Result


@pytest.fixture(scope="module")
def rerun(console: Console, archived: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rerun]:
    """2022 and 2023 again, from other claims, where 2021, 2022 and 2023 are."""
    folder = tmp_path_factory.mktemp("rerun")
    output = shutil.copytree(archived.output, folder / "output")
    tables = reduced(archived.tables)
    write_csv(tables, folder / "input")
    said = console.run(
        *("run-year", "--input", folder / "input", "--output", output, "--year", "2022-2023"),
        *("--replace", "--complete-through", "2023-12-31"),
    )
    assert said.code == 0, said.err
    expected = compute(tables, [2022, 2023], conf_dir=CONF, complete_through=date(2023, 12, 31))
    yield Rerun(archived.output, output, said, expected)


def test_the_years_are_what_the_new_claims_say(rerun: Rerun) -> None:
    assert_output_equals_reference(None, rerun.after, rerun.expected, [2022, 2023])


def test_an_empty_year_is_emptied_and_a_smaller_one_replaced_whole(rerun: Rerun) -> None:
    per_year = [
        [len(read(root, DELIVERIES, "year", f"year = {year}")) for year in (2022, 2023)]
        for root in (rerun.before, rerun.after)
    ]
    assert per_year[0][0] > 0
    assert per_year[1][0] == 0
    assert 0 < per_year[1][1] < per_year[0][1]
    left = read(rerun.after, "gold/postnatal", where="year = 2022")
    assert left
    # These claims come without stays: of the length of stay not even the denominator is known.
    assert {row["denominator"] for row in left if row["indicator_id"] != "cube_007_007a"} == {0}
    assert {row["denominator"] for row in left if row["indicator_id"] == "cube_007_007a"} == {None}


@pytest.mark.parametrize("table", [*GOLD, DELIVERIES])
def test_the_other_year_is_untouched(rerun: Rerun, table: str) -> None:
    kept = read(rerun.after, table, where="year = 2021")
    assert kept
    assert without(kept) == without(read(rerun.before, table, where="year = 2021"))


def test_each_year_names_its_run(rerun: Rerun) -> None:
    run_ids = {
        (row["year"], row["run_id"]) for table in GOLD for row in read(rerun.after, table, "DISTINCT year, run_id")
    }
    newest = last_record(rerun.after)["run_id"]
    assert {(year, run_id == newest) for year, run_id in run_ids} == {(2021, False), (2022, True), (2023, True)}
    assert len(read(rerun.after, RUNS, "run_id")) == 3


def test_the_left_edge_that_is_open_is_said(rerun: Rerun) -> None:
    # Claims start on 15 December 2021: both looks back from 1 January 2022 reach further.
    first = last_record(rerun.after)["silver"]["first_service_date"]
    assert first >= FIRST_DAY
    notes = sorted(line for line in rerun.said.err.splitlines() if "left edge" in line)
    assert len(notes) == 2
    for note, what, needed in zip(notes, ("deliveries", "prenatal"), ("2021-12-02", "2021-04-06"), strict=True):
        assert note.startswith(f"Note: 2022: the left edge is open for {what}")
        assert first in note
        assert needed in note


def test_what_is_provisional_is_said(rerun: Rerun) -> None:
    lines = [line.split() for line in rerun.said.err.splitlines()]
    status = {(words[0], words[1]): words[-1] for words in lines if len(words) > 3 and words[1] in ("2022", "2023")}
    assert status["cube_007_008a", "2022"] == "final"
    assert status["cube_007_008a", "2023"] == status["cube_007_009a", "2023"] == "provisional"
    assert status["cube_007_001a_denom", "2023"] == status["stat_013_023", "2023"] == "final"


def test_the_table_of_stays_is_emptied(rerun: Rerun) -> None:
    assert read(rerun.after, "silver/hospital_stays") == []
    assert read(rerun.before, "silver/hospital_stays") != []


class TestTheTables:
    @pytest.mark.parametrize("table", [*SILVER, "silver/rejected", DELIVERIES, *GOLD, RUNS])
    def test_partitioning_and_properties_stay(self, rerun: Rerun, table: str) -> None:
        before, after = (DeltaTable(str(root / table)).metadata() for root in (rerun.before, rerun.after))
        assert after.partition_columns == before.partition_columns
        assert after.id == before.id
        kept = [
            {name: value for name, value in metadata.configuration.items() if not name.startswith("claimatlas.")}
            for metadata in (before, after)
        ]
        assert kept[0] == kept[1]

    @pytest.mark.parametrize(
        ("table", "columns"),
        [
            *[(table, ["year"]) for table in (*SILVER, DELIVERIES)],
            ("silver/rejected", ["table"]),
            *[(table, ["year", "geo_level"]) for table in GOLD],
            (RUNS, []),
        ],
    )
    def test_partitions_are_those_of_the_specification(self, rerun: Rerun, table: str, columns: list[str]) -> None:
        assert DeltaTable(str(rerun.after / table)).metadata().partition_columns == columns

    @pytest.mark.parametrize("table", [*SILVER, "silver/rejected", DELIVERIES, *GOLD, RUNS])
    def test_the_protocol_is_plain(self, rerun: Rerun, table: str) -> None:
        protocol = DeltaTable(str(rerun.after / table)).protocol()
        assert protocol.min_reader_version == 1
        assert not protocol.reader_features
        assert protocol.min_writer_version < 7
        assert not protocol.writer_features

    @pytest.mark.parametrize("table", [*GOLD, RUNS])
    def test_published_versions_are_kept_for_years(self, rerun: Rerun, table: str) -> None:
        configuration = DeltaTable(str(rerun.after / table)).metadata().configuration
        assert configuration["delta.logRetentionDuration"] == "interval 3650 days"
        assert configuration["delta.deletedFileRetentionDuration"] == "interval 3650 days"

    @pytest.mark.parametrize("table", GOLD)
    def test_what_was_published_can_be_read_again(self, rerun: Rerun, archived: Run, table: str) -> None:
        now = DeltaTable(str(rerun.after / table))
        earlier = DeltaTable(str(archived.output / table))
        assert now.version() == earlier.version() + 1
        now.load_as_version(earlier.version())
        assert set(now.file_uris()) == {str(rerun.after / table / name) for name in relative_files(earlier)}


def relative_files(table: DeltaTable) -> list[str]:
    """The table's files, from its root."""
    root = table.table_uri.removeprefix("file://").rstrip("/")
    return [uri.removeprefix("file://").removeprefix(root + "/") for uri in table.file_uris()]
