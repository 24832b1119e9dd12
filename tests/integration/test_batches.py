"""Batches: in whatever order they come, silver is what one ingest of everything would have made."""

import json
import random
import shutil
from pathlib import Path

import pytest
from chispa import assert_df_equality
from claimatlas.ingest import silver_marker
from claimatlas.ingest.contract import CLAIMS_INPUT
from claimatlas.ingest.merge.match import MAX_KEYS, match_by_key
from claimatlas.tables.schemas import CLAIMS, COMPARISONS, REJECTED
from claimatlas.tables.store import Store
from comparison import DELIVERIES, GOLD, SILVER, content, last_record, read, without
from integration.console import ROOT, Console
from integration.inputs import SMALL_CLAIMS, SMALL_POPULATION, fingerprint, write_small
from pyspark.sql import SparkSession
from reference.io import write_parquet_typed

pytestmark = pytest.mark.integration

HEADER = (
    "claim_id,beneficiary_id,service_date,nomenclature_code,quantity,provider_id,provider_profession,"
    "provider_competence,hospital_id,booking_date,remark"
)
POPULATION_HEADER = "beneficiary_id,year,birth_date,sex,municipality_31_december"
STAYS_HEADER = "stay_id,beneficiary_id,admission_date,discharge_date,hospital_id"
EVERYTHING = (*SILVER, REJECTED.name)
FIGURES = (DELIVERIES, *GOLD, COMPARISONS.name)


def random_lines(chance: random.Random) -> list[str]:
    """Claim lines of few ids, dates and values, so that equal lines, corrections and ties are frequent."""
    lines = []
    for _ in range(60):
        day = f"2022-{chance.randint(1, 3):02d}-{chance.choice(['01', '02', '31', '30'])}"
        booked = chance.choice(["", "2022-05-01", "2022-06-01"])
        code, quantity = chance.choice(["101032", "424104", "12"]), chance.choice(["1", "2", "0"])
        claim_id, who = f"c{chance.randint(1, 25)}", chance.choice(["ann", "bea"])
        lines.append(f"{claim_id},{who},{day},{code},{quantity},p1,10,3,{chance.choice(['', 'h1'])},{booked},note")
    return lines


def random_people(chance: random.Random) -> list[str]:
    return [f"{who},{chance.choice([2021, 2022, 2023])},199{chance.randint(0, 1)}-01-01,f,11002" for who in "abcab"]


def random_stays(chance: random.Random) -> list[str]:
    return [f"s{chance.randint(1, 3)},ann,2022-03-01,2022-03-0{chance.randint(1, 3)},h1" for _ in range(3)]


def write(folder: Path, claims: list[str], people: list[str] = [], stays: list[str] = []) -> Path:  # noqa: B006
    folder.mkdir(parents=True)
    for name, header, lines in (
        ("claims", HEADER, claims),
        ("population", POPULATION_HEADER, people),
        ("hospital_stays", STAYS_HEADER, stays),
    ):
        if lines:
            (folder / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def load_source(console: Console, source: Path, output: Path, *more: object) -> None:
    said = console.run("ingest", "--input", source, "--output", output, "--set", "max_rejected_share=1", *more)
    assert said.code == 0, said.err


def span_of(spark: SparkSession, output: Path) -> tuple[str, str]:
    facts = silver_marker.facts_of_silver(Store.at(spark, str(output)))
    return facts["first_service_date"], facts["last_service_date"]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_any_order_gives_what_one_ingest_gives(
    console: Console, tmp_path: Path, spark: SparkSession, seed: int
) -> None:
    chance = random.Random(seed)
    parts = [(random_lines(chance), random_people(chance), random_stays(chance)) for _ in range(3)]
    # Each batch sends some lines of the others again.
    for part in parts:
        for other in parts:
            for mine, theirs in zip(part, other, strict=True):
                mine.extend(chance.sample(theirs, 1))
    chance.shuffle(parts)
    once = write(
        tmp_path / "once", *(list(dict.fromkeys(line for part in parts for line in part[n])) for n in range(3))
    )
    load_source(console, once, tmp_path / "expected")
    for number, part in enumerate(parts):
        source = write(tmp_path / f"batch-{number}", *part)
        load_source(console, source, tmp_path / "output", *(["--add"] if number else []))
        counts = last_record(tmp_path / "output")["counts"]
        for name in SILVER:
            of_table = counts[f"ingest.{name.removeprefix('silver/')}"]
            assert of_table["read"] == of_table["accepted"] + of_table["rejected"] + of_table.get("resent", 0)
        days = [str(row["service_date"]) for row in read(tmp_path / "output", CLAIMS.name)]
        assert span_of(spark, tmp_path / "output") == (min(days), max(days))
    found = {name: without(read(tmp_path / "output", name), "batch") for name in SILVER[:2]}
    assert found == {name: without(read(tmp_path / "expected", name), "batch") for name in SILVER[:2]}
    stays = without(read(tmp_path / "output", SILVER[2]), "batch")
    assert set(stays) == set(without(read(tmp_path / "expected", SILVER[2]), "batch"))
    # Nothing is lost: every line is in silver or among the rejected ones, whichever batch brought it.
    accepted = {row["claim_id"] for row in read(tmp_path / "output", SILVER[0])}
    rejected = {
        json.loads(row["row"])["claim_id"]
        for row in read(tmp_path / "output", REJECTED.name)
        if row["table"] == "claims"
    }
    sent = {line.partition(",")[0] for part in parts for line in part[0]}
    assert accepted | rejected == sent

    # The last batch once more, under another name and in another order: nothing changes, not even a version.
    before = fingerprint(tmp_path / "output" / "silver")
    again = write(tmp_path / "again", *(chance.sample(lines, len(lines)) for lines in parts[-1]))
    (again / "claims.csv").rename(again / "renamed.csv")
    load_source(console, again, tmp_path / "output", "--add", "--claims", again / "renamed.csv")
    assert fingerprint(tmp_path / "output" / "silver") == before


@pytest.mark.parametrize("number", [3, MAX_KEYS + 1])
def test_rows_are_found_by_their_key_in_few_and_in_many(spark: SparkSession, tmp_path: Path, number: int) -> None:
    batch = spark.createDataFrame([("a", 1), ("b", 2), ("c", 3)], "claim_id string, quantity int")
    silver = spark.createDataFrame([("b", 7), ("c", 8), ("c", 9), ("d", 4)], "claim_id string, quantity int")
    store = Store(spark, str(tmp_path / "output"))
    matches = match_by_key(store, batch, silver, CLAIMS_INPUT, number)
    assert_df_equality(matches.batch, batch.where("claim_id > 'a'"), ignore_row_order=True)
    assert_df_equality(matches.silver, silver.where("claim_id < 'd'"), ignore_row_order=True)
    assert_df_equality(matches.new, batch.where("claim_id = 'a'"), ignore_row_order=True)


class TestOneBatch:
    def test_a_correction_takes_the_place_of_its_line(
        self, console: Console, small_copied: Path, tmp_path: Path
    ) -> None:
        lines = SMALL_CLAIMS.replace("c4,bea,2022-05-02,589013,2", "c4,bea,2021-05-02,589013,1").splitlines()
        source = tmp_path / "claims.csv"
        source.write_text("\n".join([lines[0], lines[4], "c99,ann,2022-04-01,101032,1"]) + "\n", encoding="utf-8")
        said = console.run("ingest", "--add", "--claims", source, "--output", small_copied)
        assert said.code == 0, said.err
        assert "2 rows read, 2 new, 0 sent before, 0 rejected; 1 corrected" in said.err
        rows = {row["claim_id"]: row for row in read(small_copied, CLAIMS.name)}
        assert len(rows) == 11
        assert (str(rows["c4"]["service_date"]), rows["c4"]["quantity"], rows["c4"]["batch"]) == (
            "2021-05-02",
            1,
            2,
        )
        assert rows["c1"]["batch"] == 1
        (gone,) = read(small_copied, REJECTED.name)
        assert (gone["table"], gone["reasons"]) == ("claims", ["duplicate_claim_id"])
        assert json.loads(gone["row"])["service_date"] == "2022-05-02"

    def test_the_span_shrinks_when_the_last_line_makes_way(
        self, console: Console, small_copied: Path, tmp_path: Path, spark: SparkSession
    ) -> None:
        assert span_of(spark, small_copied) == ("2021-05-02", "2023-08-02")
        source = tmp_path / "claims.csv"
        lines = [SMALL_CLAIMS.splitlines()[0], "c10,ann,2022-04-01,101032,1", "c99,ann,2021-04-01,101032,1"]
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        said = console.run("ingest", "--add", "--claims", source, "--output", small_copied)
        assert said.code == 0, said.err
        assert span_of(spark, small_copied) == ("2021-04-01", "2023-07-02")

    @pytest.mark.long
    def test_an_older_version_of_a_line_is_a_duplicate(
        self, console: Console, small_copied: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "claims.csv"
        header = SMALL_CLAIMS.splitlines()[0]
        source.write_text(f"{header}\nc1,ann,2022-03-02,424104,1\n", encoding="utf-8")
        said = console.run(
            "ingest", "--add", "--claims", source, "--output", small_copied, "--set", "max_rejected_share=1"
        )
        assert said.code == 0, said.err
        (lost,) = read(small_copied, REJECTED.name)
        assert json.loads(lost["row"]) == {
            "claim_id": "c1",
            "beneficiary_id": "ann",
            "service_date": "2022-03-02",
            "nomenclature_code": "424104",
            "quantity": "1",
        }

    def test_so_it_is_with_typed_columns(self, console: Console, small_copied: Path, tmp_path: Path) -> None:
        """Of which Spark once wrote every expression out, and never ended planning the look for the line."""
        line = {
            "claim_id": "c1",
            "beneficiary_id": "ann",
            "service_date": "2022-03-02",
            "nomenclature_code": "424104",
            "quantity": "1",
            "provider_id": None,
            "provider_profession": "10",
            "provider_competence": "3",
            "hospital_id": None,
            "booking_date": None,
        }
        write_parquet_typed({"claims": [line]}, tmp_path / "typed")
        arguments = ["ingest", "--add", "--input", tmp_path / "typed", "--output", small_copied]
        said = console.run(*arguments)
        assert said.code == 2
        assert "; quantity was string and is bigint" in said.err
        said = console.run(*arguments, "--set", "max_rejected_share=1", "--allow-schema-change")
        assert said.code == 0, said.err
        (lost,) = read(small_copied, REJECTED.name)
        assert lost["reasons"] == ["duplicate_claim_id"]
        assert {name: str(value) for name, value in json.loads(lost["row"]).items() if value is not None} == {
            name: text for name, text in line.items() if text is not None
        }

    @pytest.mark.parametrize(
        ("change", "said_of_it"),
        [
            # Spark hides a property in which it sees an address, as in this name.
            (("quantity\n", "quantity,FACTUURLIJN\n", "1\n", "1,x\n"), "FACTUURLIJN is new"),
            (("quantity", "number"), "claims: the input has no column quantity (it has claim_id,"),
        ],
    )
    def test_other_columns_are_named_and_refused(
        self,
        console: Console,
        small_silver: Path,
        small_copied: Path,
        tmp_path: Path,
        change: tuple[str, ...],
        said_of_it: str,
    ) -> None:
        text = f"{SMALL_CLAIMS.splitlines()[0]}\nc99,ann,2022-04-01,101032,1\n"
        for old, new in zip(change[::2], change[1::2], strict=True):
            text = text.replace(old, new)
        source = tmp_path / "claims.csv"
        source.write_text(text, encoding="utf-8")
        said = console.run("ingest", "--add", "--claims", source, "--output", small_copied)
        assert said.code == 2
        assert said_of_it in said.err
        assert content(small_copied, EVERYTHING) == content(small_silver, EVERYTHING)
        if "FACTUURLIJN" in said_of_it:
            said = console.run("ingest", "--add", "--allow-schema-change", "--claims", source, "--output", small_copied)
            assert said.code == 0, said.err
            assert "c99" in {row["claim_id"] for row in read(small_copied, CLAIMS.name)}
            said = console.run("ingest", "--add", "--claims", source, "--output", small_copied)
            assert said.code == 0, said.err
            assert "nothing new" in said.err

    def test_the_first_line_of_a_file_without_a_header_is_not_shown(
        self, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "population.csv"
        source.write_text("ann,2022,1989-01-01,f,11002\n", encoding="utf-8")
        said = console.run("ingest", "--add", "--population", source, "--output", small_copied)
        assert said.code == 2
        assert "is its first line a header?" in said.err
        assert "ann" not in said.err
        assert "1989" not in said.err
        assert content(small_copied, EVERYTHING) == content(small_silver, EVERYTHING)

    def test_a_year_that_no_population_has_changes_nothing(
        self, console: Console, small_copied: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "population.csv"
        source.write_text(f"{SMALL_POPULATION.splitlines()[0]}\nann,2022,1989-01-01,f,11002\n", encoding="utf-8")
        before = fingerprint(small_copied)
        said = console.run("run-year", "--add", "--population", source, "--output", small_copied, "--year", "2019")
        assert said.code == 2
        assert "The population has no row for 2019" in said.err
        assert fingerprint(small_copied) == before

    def test_a_column_that_is_renamed_and_mapped_is_the_same_column(
        self, console: Console, small_copied: Path, tmp_path: Path
    ) -> None:
        conf = Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))
        mapping = "description: a new name\nclaims: {quantity: Number}\n"
        (conf / "mappings" / "renamed.yaml").write_text(mapping, encoding="utf-8")
        header = SMALL_CLAIMS.splitlines()[0].replace("quantity", "number")
        source = tmp_path / "claims.csv"
        source.write_text(f"{header}\nc99,ann,2022-04-01,101032,1\n", encoding="utf-8")
        options = ["--conf", conf, "--set", "mapping=renamed"]
        said = console.run("ingest", "--add", "--claims", source, "--output", small_copied, *options)
        assert said.code == 0, said.err
        assert "c99" in {row["claim_id"] for row in read(small_copied, CLAIMS.name)}

    @pytest.mark.long
    def test_the_gate_changes_nothing(
        self, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "claims.csv"
        source.write_text(f"{SMALL_CLAIMS.splitlines()[0]}\nc98,ann,2022-02-30,101032,1\n", encoding="utf-8")
        for _ in range(2):
            said = console.run("ingest", "--add", "--claims", source, "--output", small_copied)
            assert said.code == 3
            assert "unparseable_service_date 1" in said.err
            assert content(small_copied, EVERYTHING) == content(small_silver, EVERYTHING)
            assert len(read(small_copied, "silver/refused")) == 1
        # Rows of a silver that was replaced do not stay.
        said = console.run("ingest", "--input", write_small(tmp_path / "input"), "--output", small_copied)
        assert said.code == 0, said.err
        assert read(small_copied, "silver/refused") == []

    def test_without_silver_there_is_nothing_to_add_to(self, console: Console, tmp_path: Path) -> None:
        said = console.run("ingest", "--add", "--input", write_small(tmp_path / "input"), "--output", tmp_path / "out")
        assert said.code == 2
        assert "There is no silver" in said.err

    def test_one_that_died_is_taken_back_by_the_next(
        self, spark: SparkSession, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path
    ) -> None:
        store = Store(spark, str(small_copied))
        silver_marker.begin(
            store, {table.name: store.version(table) for table in silver_marker.SILVER}, replacing=False
        )
        store.append(store.read(CLAIMS), CLAIMS, {})
        said = console.run("run-year", "--output", small_copied, "--year", "2022")
        assert said.code == 2
        assert "did not finish: give it again with --add" in said.err
        source = tmp_path / "claims.csv"
        source.write_text(SMALL_CLAIMS, encoding="utf-8")
        said = console.run("ingest", "--add", "--claims", source, "--output", small_copied)
        assert said.code == 0, said.err
        assert content(small_copied, EVERYTHING) == content(small_silver, EVERYTHING)

    def test_gold_follows(self, console: Console, published_copied: Path, tmp_path: Path) -> None:
        source = tmp_path / "claims.csv"
        source.write_text(f"{SMALL_CLAIMS.splitlines()[0]}\nc99,ann,2022-12-01,424104,1\n", encoding="utf-8")
        arguments = ("--output", published_copied, "--year", "2022")
        published = last_record(published_copied)["run_id"]
        said = console.run("run-year", "--add", "--claims", source, *arguments)
        assert said.code == 0, said.err
        assert last_record(published_copied)["increment"] == {"since_run": published, "beneficiaries": 1}
        where = "indicator_id = 'cube_007_001a_denom' AND geo_level = 'country' AND age_category = 'all' "
        where += "AND increased_reimbursement = 'all' AND delivery_type = 'all'"
        (cell,) = read(published_copied, "gold/postnatal", "value", where)
        assert cell["value"] == 3
        figures = content(published_copied, FIGURES)
        # The same by a run of everything.
        said = console.run("run-year", *arguments)
        assert said.code == 0, said.err
        assert "increment" not in last_record(published_copied)
        assert content(published_copied, FIGURES) == figures

    @pytest.mark.long
    def test_who_leaves_a_sector_and_who_is_nowhere(
        self, console: Console, published_copied: Path, tmp_path: Path
    ) -> None:
        """A sector loses its one inhabitant; somebody who is not in the population has an exam."""
        population, claims = tmp_path / "population.csv", tmp_path / "claims.csv"
        header = f"{SMALL_POPULATION.splitlines()[0]},sector_31_december\n"
        arguments = ("run-year", "--output", published_copied, "--year", "2022", "--allow-drift", "--add")
        for birth_date, sector in (("1980-02-01", "21004A00-"), ("1980-01-01", "21004A01-")):
            population.write_text(f"{header}cleo,2022,{birth_date},f,21004,{sector}\n", encoding="utf-8")
            said = console.run(*arguments, "--population", population, "--allow-schema-change")
            assert said.code == 0, said.err
            where = "geo_level = 'sector' AND indicator_id = 'stat_013_023'"
            cells = read(published_copied, "gold/imaging", "geo_code", where)
            assert [cell["geo_code"] for cell in cells] == [sector]
        claims.write_text(f"{SMALL_CLAIMS.splitlines()[0]}\nc99,zoe,2022-12-01,589013,1\n", encoding="utf-8")
        said = console.run(*arguments, "--claims", claims)
        assert said.code == 0, said.err
        record, figures = last_record(published_copied), content(published_copied, FIGURES)
        assert record["increment"]["beneficiaries"] == 1
        said = console.run(*arguments[:-1])
        assert said.code == 0, said.err
        assert content(published_copied, FIGURES) == figures
        whole = last_record(published_copied)["counts"]
        for step in whole:
            if step.startswith("benefic"):
                assert record["counts"][step] == whole[step], step

    @pytest.mark.long
    def test_everything_is_computed_where_the_published_run_cannot_be_carried_on(
        self, console: Console, small_copied: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "claims.csv"
        source.write_text(f"{SMALL_CLAIMS.splitlines()[0]}\nc99,ann,2022-12-01,424104,1\n", encoding="utf-8")
        assert console.run("run-year", "--output", small_copied, "--year", "2022").code == 0
        arguments = ("run-year", "--output", small_copied, "--add", "--claims", source)
        said = console.run(*arguments, "--year", "2021", "2022")
        assert said.code == 0, said.err
        assert last_record(small_copied)["increment"] == {
            "full_refresh_because": "what is published last was computed by another job, or for other years"
        }
        # Nothing was added, and somebody who starts a run again wants it to run.
        said = console.run(*arguments, "--year", "2021", "2022")
        assert said.code == 0, said.err
        assert "increment: a full run is needed: nothing was added since what is published was computed" in said.err
        assert console.run(*arguments[:3], "--full-refresh", "--year", "2022").code == 2
