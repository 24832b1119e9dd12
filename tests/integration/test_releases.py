"""What is published: all tables of one run or none, and an earlier release again."""

import json
from pathlib import Path

import pytest
from claimatlas.runs.context import RunContext
from claimatlas.tables.releases import Published, newest_release, publish
from claimatlas.tables.schemas import RELEASES
from claimatlas.tables.store import Store
from comparison import content, read
from integration.console import Console
from integration.inputs import SMALL_CLAIMS
from pyspark.sql import SparkSession
from shipped import POSTNATAL, RELEASED

pytestmark = pytest.mark.integration

GOLD = tuple(table.name for table in RELEASED)
CELL = ("--indicator", "cube_007_001a_denom", "--year", "2022", "--geo", "01000")


def run_year(console: Console, output: Path, *more: object) -> None:
    said = console.run("run-year", "--output", output, *more)
    assert said.code == 0, said.err


def test_a_run_publishes_its_tables_together(small_published: Path) -> None:
    (release,) = read(small_published, RELEASES.name)
    runs = {row["run_id"] for name in GOLD for row in read(small_published, name)}
    assert {release["run_id"]} == runs
    for name in GOLD:
        version = release[f"{name.removeprefix('gold/')}_version"]
        assert read(small_published, name, version=version) == read(small_published, name)


def test_rows_that_nobody_published_are_not_seen_and_not_kept(
    spark: SparkSession, console: Console, published_copied: Path
) -> None:
    before = content(published_copied, GOLD)
    store = Store(spark, str(published_copied))
    # As a run leaves it that dies after its first table: the deliveries of 2022 are all gone from one of three.
    store.delete(POSTNATAL, "year = 2022")
    said = console.run("explain", "--output", published_copied, *CELL)
    assert said.code == 0, said.err
    assert "numerator    2\n" in said.out
    run_year(console, published_copied, "--year", "2023")
    now = {
        name: {row for row in rows if dict(row)["year"] == 2022}
        for name, rows in content(published_copied, GOLD).items()
    }
    assert now == {name: {row for row in rows if dict(row)["year"] == 2022} for name, rows in before.items()}
    assert {row["release"] for row in read(published_copied, RELEASES.name)} == {1, 2}


def test_a_reader_stays_with_the_release_that_it_found(spark: SparkSession, published_copied: Path) -> None:
    store = Store(spark, str(published_copied))
    found = Published.now(store)
    before = {table: set(found.read(table).collect()) for table in RELEASED}
    # Another run publishes between the reading of one table and that of the next.
    for table in RELEASED:
        store.delete(table, "true")
    publish(store, "another", "run")
    assert {table: set(found.read(table).collect()) for table in RELEASED} == before
    assert all(before.values())
    now = Published.now(store)
    assert [now.read(table).count() for table in RELEASED] == [0, 0, 0]


def test_a_rollback_publishes_what_was_before(spark: SparkSession, console: Console, published_copied: Path) -> None:
    refused = console.run("rollback", "--output", published_copied)
    assert refused.code == 2
    assert "There is no release before the newest" in refused.err
    before = content(published_copied, GOLD)
    store = Store(spark, str(published_copied))
    # Another run publishes.
    store.delete(POSTNATAL, "year = 2022")
    publish(store, "another", "run")
    assert content(published_copied, GOLD) != before
    said = console.run("rollback", "--output", published_copied)
    assert said.code == 0, said.err
    assert "release 3 publishes what release 1 did" in said.err
    assert content(published_copied, GOLD) == before
    newest = newest_release(store)
    assert newest is not None
    assert (newest["release"], newest["note"]) == (3, "rollback to release 1")
    assert newest["run_id"] == read(published_copied, RELEASES.name, "run_id", "release = 1")[0]["run_id"]
    unknown = console.run("rollback", "--output", published_copied, "--release", "9")
    assert unknown.code == 2
    assert "There is no release 9" in unknown.err
    assert "there are 1, 2, 3" in unknown.err


def test_the_releases_are_listed(spark: SparkSession, console: Console, published_copied: Path) -> None:
    (first,) = read(published_copied, RELEASES.name)
    publish(Store(spark, str(published_copied)), "another", "run")
    said = console.run("rollback", "--output", published_copied, "--list", "--json")
    assert said.code == 0, said.err
    listed = json.loads(said.out)
    assert [(release["release"], release["run_id"]) for release in listed] == [(2, "another"), (1, first["run_id"])]
    assert listed[1]["published_at"] == first["published_at"].isoformat(timespec="seconds")
    assert listed[1]["postnatal_version"] == first["postnatal_version"]
    lines = console.run("rollback", "--output", published_copied, "--list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "1"]
    assert len(read(published_copied, RELEASES.name)) == 2
    assert console.run("rollback", "--output", published_copied, "--json").code == 2


def test_nothing_to_go_back_to(console: Console, tmp_path: Path) -> None:
    said = console.run("rollback", "--output", tmp_path / "nowhere")
    assert said.code == 2
    assert not (tmp_path / "nowhere").exists()


class TestGate:
    """What may not be published is not, and who reads gold sees what was there."""

    LOWER = ("--set", "checks.least_denominator_of_jump=1", "--set", "checks.largest_drift_between_runs=0.05")

    @pytest.fixture
    def moved(self, spark: SparkSession, published_copied: Path) -> Path:
        """An output whose published number of deliveries is twice what its silver holds, by the same run."""
        store = Store(spark, str(published_copied))
        release = newest_release(store)
        assert release is not None
        spark.sql(
            f"UPDATE {store.identifier(POSTNATAL)} SET numerator = numerator * 2, denominator = denominator * 2, "
            "value = value * 2 WHERE indicator_id = 'cube_007_001a_denom' AND year = 2022"
        )
        publish(store, release["run_id"], "twice as many")
        return published_copied

    @pytest.mark.long
    def test_a_jump_without_a_reason(self, console: Console, moved: Path) -> None:
        before = content(moved, GOLD)
        said = console.run("run-year", "--output", moved, "--year", "2022", *self.LOWER)
        assert said.code == 3
        assert "Nothing was published" in said.err
        assert "cube_007_001a_denom 2022 moved by -50" in said.err
        assert "--allow-drift" in said.err
        assert content(moved, GOLD) == before
        assert {row["release"] for row in read(moved, RELEASES.name)} == {1, 2}
        run_year(console, moved, "--year", "2022", "--allow-drift", *self.LOWER)
        assert content(moved, GOLD) != before

    @pytest.mark.long
    def test_a_jump_by_a_batch(self, console: Console, published_copied: Path, tmp_path: Path) -> None:
        before, two_more = content(published_copied, GOLD), tmp_path / "claims.csv"
        lines = ["n0,ann,2022-09-01,424104,1", "n1,bea,2022-08-01,424104,1"]
        two_more.write_text("\n".join([SMALL_CLAIMS.splitlines()[0], *lines]) + "\n", encoding="utf-8")
        key = ("run-year", "--output", published_copied, "--year", "2022")
        said = console.run(*key, "--add", "--claims", two_more, *self.LOWER)
        assert said.code == 3
        assert "cube_007_001a_denom 2022 moved by +" in said.err
        assert content(published_copied, GOLD) == before
        assert {row["release"] for row in read(published_copied, RELEASES.name)} == {1}
        assert console.run(*key, "--allow-drift", *self.LOWER).code == 0
        assert content(published_copied, GOLD) != before

    @pytest.mark.long
    def test_a_jump_with_another_configuration(self, console: Console, moved: Path) -> None:
        other = ("--set", "postnatal_window.last_day=5", *self.LOWER)
        run_year(console, moved, "--year", "2023", *other)
        # That of another year is no reason.
        said = console.run("run-year", "--output", moved, "--year", "2022", *self.LOWER)
        assert said.code == 3
        assert "cube_007_001a_denom 2022 moved by -50" in said.err
        run_year(console, moved, "--year", "2022", *other)
        assert {row["release"] for row in read(moved, RELEASES.name)} == {1, 2, 3, 4}

    def test_sums_that_do_not_add_up(
        self,
        console: Console,
        spark: SparkSession,
        published_copied: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from claimatlas.cli import main
        from claimatlas.commands import stages

        before = content(published_copied, GOLD)

        def spoil(context: RunContext) -> None:
            # As a mistake in the cube would: one region counts a delivery too many.
            spark.sql(
                f"UPDATE {context.store.identifier(POSTNATAL)} SET numerator = numerator + 1, "
                "denominator = denominator + 1, "
                "value = value + 1 WHERE indicator_id = 'cube_007_001a_denom' AND geo_level = 'region' "
                "AND geo_code = '02000' AND age_category = 'all' AND increased_reimbursement = 'all' "
                "AND delivery_type = 'all' AND year = 2022"
            )

        monkeypatch.setattr(stages, "compare_places", spoil)
        assert main(["run-year", "--output", str(published_copied), "--year", "2022"]) == 3
        assert content(published_copied, GOLD) == before
