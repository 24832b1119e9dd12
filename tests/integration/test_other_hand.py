"""The main job by `spark-submit` on an extract that the product's generator did not make.

Every row of silver, every cell of gold and every count of the record against the plain-Python reference.
"""

import csv
import json
from pathlib import Path

import pytest
from comparison import (
    CONF,
    DELIVERIES,
    GOLD,
    REJECTED,
    SILVER,
    as_it_came,
    assert_cells_equal,
    assert_deliveries_equal,
    assert_record_equals,
    assert_rejected_equal,
    assert_silver_equals,
    bare,
    last_record,
    read,
    without,
)
from integration.conftest import Run
from reference import compute
from reference.parse import COLUMNS

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class TestFromTheCheckout:
    @pytest.mark.parametrize("table", GOLD)
    def test_every_cell(self, submitted: Run, table: str) -> None:
        rows = read(submitted.output, table)
        assert_cells_equal(rows, submitted.expected, table, submitted.years)
        assert {row["run_id"] for row in rows} == {last_record(submitted.output)["run_id"]}
        assert {row["year"] for row in rows} == set(submitted.years)

    def test_every_delivery(self, submitted: Run) -> None:
        assert len(submitted.expected.deliveries) > 40
        assert_deliveries_equal(read(submitted.output, DELIVERIES), submitted.expected.deliveries)

    @pytest.mark.parametrize("table", SILVER)
    def test_every_accepted_row(self, submitted: Run, table: str) -> None:
        assert_silver_equals(read(submitted.output, table), submitted.expected, table)

    def test_every_rejected_row_as_it_came(self, submitted: Run) -> None:
        assert len({reasons for _, _, reasons in submitted.expected.rejected}) >= 6
        assert_rejected_equal(read(submitted.output, REJECTED), submitted.expected)

    def test_each_rejected_row_names_a_file_that_holds_it(self, submitted: Run) -> None:
        held: dict[str, set[object]] = {}
        for path in submitted.source.rglob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                held[f"{path.parent.name}/{path.name}"] = {as_it_came(row) for row in csv.DictReader(file)}
        for row in read(submitted.output, REJECTED):
            file = "/".join(row["source_file"].split("/")[-2:])
            assert bare(json.loads(row["row"])) in held[file]
            assert file.split("/")[0] == row["table"]
        assert {row["run_id"] for row in read(submitted.output, REJECTED)} == {last_record(submitted.output)["run_id"]}

    def test_accepted_and_rejected_are_what_was_read(self, submitted: Run) -> None:
        rejected = read(submitted.output, REJECTED, "`table`")
        for table in COLUMNS:
            kept = len(read(submitted.output, f"silver/{table}", "year"))
            lost = sum(1 for row in rejected if row["table"] == table)
            assert kept + lost == len(submitted.tables[table])

    def test_every_count_of_the_record(self, submitted: Run) -> None:
        assert_record_equals(last_record(submitted.output), submitted.expected, submitted.years)

    def test_the_record_explains_the_run(self, submitted: Run) -> None:
        record = last_record(submitted.output)
        assert record["job"] == "run_year"
        assert record["outcome"] == "done"
        assert record["years"] == list(submitted.years)
        assert record["settings"]["episode_rule"] == "chained"
        assert {"settings", "code_lists", "geography", "indicators", "services"} <= record["hashes"].keys()
        assert record["input"]["claims"] == str(submitted.source / "claims")

    def test_what_the_person_sees(self, submitted: Run) -> None:
        said = submitted.said.everything
        assert not submitted.said.has_trace()
        percent = next(
            cell["value"]
            for key, cell in submitted.expected.cells.items()
            if key == ("cube_007_008a", 2022, "country", "01000", "all", "all", "all", "all")
        )
        line = next(line for line in said.splitlines() if line.startswith("cube_007_008a        2022"))
        assert f" {percent:.3f} " in line
        for table, rows in submitted.tables.items():
            rejected = submitted.expected.flow["rows_rejected"][table]
            assert f"{table}: {len(rows):,} rows read, {rejected:,} rejected" in said

    def test_nothing_else_lies_in_the_output(self, submitted: Run) -> None:
        found = {str(path.parent.relative_to(submitted.output)) for path in submitted.output.rglob("_delta_log")}
        assert found == {*SILVER, REJECTED, DELIVERIES, *GOLD, "gold/comparisons", "gold/releases", "gold/runs"}
        assert {path.name for path in submitted.output.iterdir()} == {"silver", "gold"}
        gold = {path.name for path in (submitted.output / "gold").iterdir()}
        assert gold == {"imaging", "postnatal", "comparisons", "releases", "runs"}
        assert not (submitted.output / "silver" / "work").exists()


@pytest.mark.long
class TestFromAnArchive:
    """`--py-files` with the zip that scripts/package.py builds, from the silver that is there."""

    def test_the_package_came_from_the_archive(self, archived: Run, archive: Path) -> None:
        line = next(line for line in archived.said.everything.splitlines() if line.startswith("package:"))
        assert archive.name in line

    @pytest.mark.parametrize("table", GOLD)
    def test_every_cell_of_the_new_year(self, archived: Run, table: str) -> None:
        rows = [row for row in read(archived.output, table) if row["year"] == 2021]
        assert_cells_equal(rows, archived.expected, table, [2021])

    def test_every_delivery_and_count_of_the_new_year(self, archived: Run) -> None:
        assert_deliveries_equal(read(archived.output, DELIVERIES, where="year = 2021"), archived.expected.deliveries)
        assert_record_equals(last_record(archived.output), archived.expected, [2021])

    @pytest.mark.parametrize("table", [*GOLD, DELIVERIES])
    def test_the_other_years_are_untouched(self, archived: Run, submitted: Run, table: str) -> None:
        # With `run_id`: they are the very rows of the earlier run.
        assert without(read(archived.output, table, where="year <> 2021")) == without(read(submitted.output, table))

    def test_silver_is_untouched(self, archived: Run, submitted: Run) -> None:
        for table in (*SILVER, REJECTED):
            assert without(read(archived.output, table)) == without(read(submitted.output, table))

    def test_a_year_alone_is_the_year_among_others(self, archived: Run, submitted: Run) -> None:
        together = compute(submitted.tables, [2021, *submitted.years], conf_dir=CONF)
        cells = {key: cell for key, cell in together.cells.items() if key[1] == 2021}
        assert cells == archived.expected.cells

    def test_the_record_comes_last(self, archived: Run) -> None:
        # Under `spark-submit` both streams arrive as one.
        printed = json.loads(archived.said.out[archived.said.out.index("\n{\n") :])
        kept = last_record(archived.output)
        assert printed["run_id"] == kept["run_id"]
        for name in ("counts", "settings", "hashes", "statuses", "warnings", "years", "silver"):
            assert printed[name] == kept[name]
        assert printed["silver"]["run_id"] != printed["run_id"]


@pytest.mark.parametrize("table", GOLD)
def test_polars_reads_the_same(submitted: Run, table: str) -> None:
    polars = pytest.importorskip("polars")
    rows = polars.read_delta(str(submitted.output / table)).to_dicts()
    assert without(rows) == without(read(submitted.output, table))
