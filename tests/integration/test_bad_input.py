"""Wrong usage and bad input of every kind: one clear message, exit code 2, and nothing written.

No output appears where there was none, and one that is there stays byte for byte as it is.
"""

import gzip
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from comparison import REJECTED, SILVER, content, read
from integration.console import Console, Said
from integration.inputs import SMALL_CLAIMS, SMALL_POPULATION, fingerprint, write_small

pytestmark = pytest.mark.integration

Spoil = Callable[[Path], list[str] | None]
CLAIM = {
    "claim_id": "c",
    "beneficiary_id": "ann",
    "service_date": "2022-01-01",
    "nomenclature_code": 424104,
    "quantity": 1,
}


def parquet(path: Path, rows: int = 1, **changes: object) -> bytes:
    """A Parquet file of claims with some columns changed; its bytes."""
    path.parent.mkdir(exist_ok=True)
    noise = random.Random(1)
    columns = {name: [value] * rows for name, value in {**CLAIM, **changes}.items()}
    columns["claim_id"] = [f"c{noise.random()}" for _ in range(rows)]
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def rewrite(folder: Path, old: str, new: str, table: str = "claims", encoding: str = "utf-8") -> None:
    """Change a text throughout a table of the small input."""
    text = {"claims": SMALL_CLAIMS, "population": SMALL_POPULATION}[table]
    assert old in text
    (folder / f"{table}.csv").write_bytes(text.replace(old, new).encode(encoding))


# --- What is found before anything is read whole ------------------------------------------------------


def no_claims(folder: Path) -> None:
    (folder / "claims.csv").unlink()


def no_population(folder: Path) -> None:
    (folder / "population.csv").unlink()


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def no_file_of_that_name(folder: Path) -> list[str]:
    return ["--claims", str(folder / "nothing.csv")]


def no_such_catalog_table(folder: Path) -> list[str]:
    return ["--claims", "somewhere.claims"]


def no_column(folder: Path) -> None:
    rewrite(folder, "nomenclature_code", "code")


def no_column_of_stays(folder: Path) -> None:
    (folder / "hospital_stays.csv").write_text("stay_id,beneficiary_id,admission_date\n", encoding="utf-8")


def a_column_twice(folder: Path) -> None:
    rewrite(folder, ",quantity\n", ",quantity,quantity\n")


def other_headers(folder: Path) -> None:
    (folder / "claims").mkdir()
    (folder / "claims.csv").rename(folder / "claims" / "a.csv")
    names = SMALL_CLAIMS.splitlines()[0].split(",")
    (folder / "claims" / "b.csv").write_text(",".join(reversed(names)) + "\n", encoding="utf-8")


def two_formats(folder: Path) -> None:
    parquet(folder / "claims" / "b.parquet")
    (folder / "claims.csv").rename(folder / "claims" / "a.csv")


def another_format(folder: Path) -> None:
    (folder / "claims").mkdir()
    (folder / "claims.csv").rename(folder / "claims" / "claims.xlsx")


def two_places(folder: Path) -> None:
    (folder / "claims").mkdir()
    shutil.copy(folder / "claims.csv", folder / "claims" / "a.csv")


def an_empty_file(folder: Path) -> None:
    (folder / "claims.csv").write_bytes(b"")


def an_empty_file_among_others(folder: Path) -> None:
    (folder / "claims").mkdir()
    (folder / "claims.csv").rename(folder / "claims" / "a.csv")
    (folder / "claims" / "b.csv").write_bytes(b"")


def an_empty_line_for_a_header(folder: Path) -> None:
    (folder / "claims.csv").write_bytes(b"\n")


def an_empty_folder(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    (folder / "claims").mkdir()


def a_header_not_utf_8(folder: Path) -> None:
    rewrite(folder, ",quantity\n", ",quantity,médecin\n", encoding="latin-1")


def a_date_as_a_number(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    parquet(folder / "claims.parquet", service_date=20220101.0)


def a_code_as_a_date(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    parquet(folder / "claims.parquet", nomenclature_code=pa.scalar(0, pa.date32()).as_py())


def half_a_parquet_file(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    data = parquet(folder / "claims.parquet")
    (folder / "claims.parquet").write_bytes(data[: len(data) // 2])


def half_a_parquet_file_of_population(folder: Path) -> None:
    (folder / "population.csv").unlink()
    path = folder / "population.parquet"
    pq.write_table(pa.table({"beneficiary_id": ["ann"], "year": [2022]}), path)
    path.write_bytes(path.read_bytes()[:-20])


def no_parquet_at_all(folder: Path) -> None:
    (folder / "claims.csv").rename(folder / "claims.parquet")


def another_type_in_each_file(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    parquet(folder / "claims" / "a.parquet")
    parquet(folder / "claims" / "b.parquet", quantity="1")


def no_gzip_at_all(folder: Path) -> None:
    (folder / "claims.csv").rename(folder / "claims.csv.gz")


def a_broken_delta_log(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    log = folder / "claims" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020d}.json").write_text("{nonsense", encoding="utf-8")


def a_year_before_the_first(folder: Path) -> list[str]:
    return ["--year", "2005"]


def a_year_without_people(folder: Path) -> list[str]:
    return ["--year", "2019"]


def nobody(folder: Path) -> None:
    (folder / "population.csv").write_text(SMALL_POPULATION.splitlines()[0] + "\n", encoding="utf-8")


def an_unknown_setting(folder: Path) -> list[str]:
    return ["--set", "episode_rul=anchored"]


def an_unknown_part_of_a_setting(folder: Path) -> list[str]:
    return ["--set", "postnatal_window.days=42"]


def a_setting_without_a_value(folder: Path) -> list[str]:
    return ["--set", "episode_rule"]


def a_value_that_is_not_allowed(folder: Path) -> list[str]:
    return ["--set", "episode_rule=anchord"]


def a_share_above_one(folder: Path) -> list[str]:
    return ["--set", "max_rejected_share=2"]


def an_unknown_mapping(folder: Path) -> list[str]:
    return ["--set", "mapping=nowhere"]


def no_configuration(folder: Path) -> list[str]:
    return ["--conf", str(folder / "nowhere")]


EARLY: dict[Spoil, str] = {
    no_claims: "The input has no table claims",
    no_population: "The input has no table population",
    no_folder: "There is no input folder",
    no_file_of_that_name: "claims: there is no file or folder",
    no_such_catalog_table: "claims: somewhere.claims cannot be read",
    no_column: "claims: the input has no column nomenclature_code",
    no_column_of_stays: "hospital_stays: the input has no column discharge_date",
    a_column_twice: "claims.csv a name stands twice: see the columns 5, 6",
    other_headers: "claims/b.csv differs from that of",
    two_formats: "claims mixes csv and parquet files",
    another_format: "claims.xlsx is neither a .parquet nor a .csv file",
    two_places: "claims: found claims and claims.csv",
    an_empty_file: "claims.csv is empty",
    an_empty_file_among_others: "claims/b.csv has no header",
    an_empty_line_for_a_header: "claims.csv has no header",
    an_empty_folder: "claims holds no file",
    a_header_not_utf_8: "claims.csv is not a UTF-8",
    a_date_as_a_number: "claims: the column service_date is of type double",
    a_code_as_a_date: "claims: the column nomenclature_code is of type date",
    half_a_parquet_file: "claims",
    half_a_parquet_file_of_population: "population",
    no_parquet_at_all: "claims",
    another_type_in_each_file: "claims",
    no_gzip_at_all: "claims",
    a_broken_delta_log: "claims",
    a_year_before_the_first: "The year 2005 is before 2006",
    a_year_without_people: "The population has no row for 2019; it holds 2021, 2022, 2023",
    nobody: "population: the input has no row",
    an_unknown_setting: "--set episode_rul: there is no setting of this name",
    an_unknown_part_of_a_setting: "--set postnatal_window.days: there is no setting of this name",
    a_setting_without_a_value: "--set episode_rule: expected NAME=VALUE",
    a_value_that_is_not_allowed: "episode_rule: Input should be 'chained' or 'anchored'",
    a_share_above_one: "max_rejected_share: Input should be less than or equal to 1",
    an_unknown_mapping: "There is no mapping 'nowhere'",
    no_configuration: "The configuration folder",
}


def the_message(said: Said) -> str:
    """The one message of a failure of the input, after the checks that all of them share."""
    assert said.code == 2, said.everything
    assert said.out == ""
    assert not said.has_trace(), said.err
    assert len(said.messages) == 1, said.err
    assert said.messages[0].startswith("claimatlas: ")
    return said.messages[0]


def run(console: Console, source: Path, output: Path, more: list[str] | None) -> Said:
    years = [] if more and "--year" in more else ["--year", "2022"]
    return console.run("run-year", "--input", source, "--output", output, *years, *(more or []))


@pytest.mark.parametrize("spoil", EARLY, ids=lambda spoil: spoil.__name__)
def test_one_message_and_nothing_written(console: Console, tmp_path: Path, spoil: Spoil) -> None:
    source = write_small(tmp_path / "input")
    said = run(console, source, tmp_path / "new", spoil(source))
    assert EARLY[spoil] in the_message(said)
    assert not (tmp_path / "new").exists()


# One of each stage at which a mistake shows: configuration, places, headers, schemas, files, years.
@pytest.mark.parametrize(
    "spoil",
    [an_unknown_setting, no_claims, other_headers, a_date_as_a_number, half_a_parquet_file, a_year_without_people],
    ids=lambda spoil: spoil.__name__,
)
def test_an_output_that_is_there_stays(console: Console, small_silver: Path, tmp_path: Path, spoil: Spoil) -> None:
    source = write_small(tmp_path / "input")
    before = fingerprint(small_silver)
    said = run(console, source, small_silver, spoil(source))
    assert EARLY[spoil] in the_message(said)
    assert fingerprint(small_silver) == before


@pytest.mark.parametrize("command", ["run-year", "deliveries", "indicators"])
def test_no_input_and_no_silver(console: Console, tmp_path: Path, command: str) -> None:
    said = console.run(command, "--output", tmp_path / "new", "--year", "2022")
    assert "There is no silver in" in the_message(said)
    assert not (tmp_path / "new").exists()


def test_a_year_that_silver_does_not_have(console: Console, small_silver: Path) -> None:
    before = fingerprint(small_silver)
    said = console.run("run-year", "--output", small_silver, "--year", "2022", "2024")
    assert "The population in silver has no row for 2024" in the_message(said)
    assert fingerprint(small_silver) == before


def test_indicators_before_deliveries(console: Console, small_copied: Path) -> None:
    said = console.run("indicators", "--output", small_copied, "--year", "2022")
    assert "is missing or out of date for 2022 (made from other silver" in the_message(said)
    assert not (small_copied / "gold" / "imaging").exists()


@pytest.mark.long
def test_indicators_of_deliveries_of_another_configuration(console: Console, small_copied: Path) -> None:
    key = ["--output", small_copied, "--year", "2022"]
    said = console.run("deliveries", *key, "--set", "episode_rule=anchored")
    assert said.code == 0, said.err
    said = console.run("indicators", *key)
    assert "silver/deliveries of 2022 from this silver and with this configuration" in the_message(said)
    assert not (small_copied / "gold" / "postnatal").exists()


def test_ingest_without_input(console: Console, tmp_path: Path) -> None:
    said = console.run("ingest", "--output", tmp_path / "new")
    assert "Give --input" in the_message(said)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run-year", "--year", "22", "--output", "new"], "'22' is not a year"),
        (["run-year", "--year", "2023-2021", "--output", "new"], "ends before it starts"),
        (["run-year", "--year", "2022", "--as-of", "2022-02-30", "--output", "new"], "not a date of the calendar"),
        (["run-year", "--year", "2022", "--complete-through", "1/2/2023", "--output", "new"], "not a date YYYY-MM-DD"),
        (["run-year", "--year", "2022"], "--output"),
        (["run-year", "--output", "new"], "--year"),
        (["run-years"], "there is no command 'run-years'"),
        ([], "say which command"),
    ],
)
def test_wrong_usage(console: Console, arguments: list[str], message: str) -> None:
    said = console.run(*arguments)
    assert said.code == 2
    assert message in said.err
    assert "usage: " in said.err
    assert said.out == ""
    assert not said.has_trace()


# --- What is found while the rows are read ------------------------------------------------------------


def claims_not_utf_8(folder: Path) -> None:
    rewrite(folder, "c1,ann,", "c1,Anaïs,", encoding="latin-1")


def people_not_utf_8(folder: Path) -> None:
    rewrite(folder, "ann,2022,", "Zoë,2022,", "population", encoding="latin-1")


def a_year_whose_people_are_rejected(folder: Path) -> None:
    rewrite(folder, ",2022,19", ",2022,birth 19", "population")


def a_damaged_page(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    data = bytearray(parquet(folder / "claims.parquet", rows=5000))
    data[2000:40000] = b"\xff" * 38000
    (folder / "claims.parquet").write_bytes(bytes(data))


def half_a_gzip(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    noise = random.Random(1)
    lines = "".join(f"x{noise.random()},ann,2022-01-05,424104,1\n" for _ in range(3000))
    data = gzip.compress((SMALL_CLAIMS + lines).encode())
    (folder / "claims.csv.gz").write_bytes(data[: len(data) // 2])


def test_rows_that_are_not_utf_8_are_rejected(console: Console, tmp_path: Path) -> None:
    source = write_small(tmp_path / "input")
    claims_not_utf_8(source)
    people_not_utf_8(source)
    said = console.run("ingest", "--input", source, "--output", tmp_path / "new", "--set", "max_rejected_share=1")
    assert said.code == 0, said.err
    assert "unparseable_beneficiary_id 1" in said.err
    rejected = read(tmp_path / "new", REJECTED)
    assert sorted((row["table"], *row["reasons"]) for row in rejected) == [
        ("claims", "unparseable_beneficiary_id"),
        ("population", "unparseable_beneficiary_id"),
    ]


@pytest.mark.long
def test_a_year_whose_people_are_all_rejected(
    console: Console, small_silver: Path, small_copied: Path, tmp_path: Path
) -> None:
    source = write_small(tmp_path / "input")
    a_year_whose_people_are_rejected(source)
    message = "The population has no row for 2022; it holds 2021, 2023"
    assert message in the_message(run(console, source, tmp_path / "new", None))
    assert not (tmp_path / "new").exists()
    assert message in the_message(run(console, source, small_copied, None))
    tables = (*SILVER, REJECTED, "gold/runs")
    assert content(small_copied, tables) == content(small_silver, tables)


@pytest.mark.slow
class TestFoundLate:
    @pytest.mark.long
    @pytest.mark.parametrize("spoil", [a_damaged_page], ids=lambda spoil: spoil.__name__)
    def test_a_new_output_does_not_appear(self, console: Console, tmp_path: Path, spoil: Spoil) -> None:
        source = write_small(tmp_path / "input")
        spoil(source)
        said = console.run("ingest", "--input", source, "--output", tmp_path / "new")
        assert source.name in the_message(said)
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("spoil", [half_a_gzip], ids=lambda spoil: spoil.__name__)
    def test_the_tables_that_are_there_stay(
        self, console: Console, small_silver: Path, small_copied: Path, tmp_path: Path, spoil: Spoil
    ) -> None:
        source = write_small(tmp_path / "input")
        spoil(source)
        said = console.run("ingest", "--input", source, "--output", small_copied)
        assert "claims" in the_message(said)
        tables = (*SILVER, REJECTED, "gold/runs")
        assert content(small_copied, tables) == content(small_silver, tables)
        # And silver is whole: the next job gets as far as its years.
        said = console.run("run-year", "--output", small_copied, "--year", "2019")
        assert "The population in silver has no row for 2019" in said.err
