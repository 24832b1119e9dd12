"""What figures would lack of an input stops a run where it can move a national figure, and is named where it cannot."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimatlas.checks.findings import Finding
from claimatlas.checks.input import judge_input
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.errors import InputError, QualityGateError
from claimatlas.ingest.contract import CLAIMS_INPUT
from claimatlas.ingest.inputs import InputPaths
from claimatlas.ingest.load.gate import midnights_in_utc, null_words_as_ids, rejected_together
from claimatlas.ingest.load.table import instants_of, refuse_instants
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.look import look_at_input, shortfalls_of_input
from claimatlas.ingest.shortfall import Shortfall, is_beyond, lower_end_of_share, require_enough
from claimatlas.runs.context import SilverFacts
from pyspark.sql import SparkSession
from shipped import POPULATION_INPUT
from statsmodels.stats.proportion import proportion_confint

CONTENT: dict[str, list[Any]] = {
    "claim_id": ["c"],
    "beneficiary_id": ["ann"],
    "service_date": ["2022-01-05"],
    "nomenclature_code": ["424104"],
    "quantity": ["1"],
    "provider_id": ["p"],
    "provider_profession": ["10"],
    "provider_competence": ["3"],
}
POPULATION = "beneficiary_id,year\nann,2022\n"
DELIVERY, OTHER = "423010", "101032"


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration()


def parquet(path: Path, rows: int, without: tuple[str, ...] = ()) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: pa.array(values * rows) for name, values in CONTENT.items() if name not in without}
    pq.write_table(pa.table(columns), path)


def shortfalls(folder: Path, configuration: Configuration, **paths: str) -> list[Shortfall]:
    (folder / "population.csv").write_text(POPULATION, encoding="utf-8")
    given = InputPaths(folder=str(folder), **paths)
    return shortfalls_of_input(look_at_input(given, configuration), given, configuration)


def stopped(found: list[Shortfall], configuration: Configuration) -> str:
    with pytest.raises(QualityGateError) as caught:
        require_enough(found, configuration)
    return str(caught.value)


# --- Shares --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("odd", "of"), [(1, 20), (3, 25), (4, 25), (50, 1000), (0, 30)])
def test_the_lower_end_is_that_of_wilson(odd: int, of: int) -> None:
    assert lower_end_of_share(odd, of) == pytest.approx(proportion_confint(odd, of, method="wilson")[0], abs=1e-12)


def test_a_share_of_few_stops_nothing_and_one_turns_a_bound_off(configuration: Configuration) -> None:
    bound = configuration.settings.checks.input.rejected_together
    assert is_beyond(bound, 20, 20, 20)
    assert not is_beyond(bound, 19, 19, 20)
    assert not is_beyond(bound, 3, 25, 20)
    assert is_beyond(bound, 4, 25, 20)
    assert not is_beyond(bound.model_copy(update={"stop": 1.0}), 25, 25, 20)


# --- Files that are not read ---------------------------------------------------------------------


@pytest.mark.parametrize("beside", ["claims_2021.parquet", "Claims.parquet", "claims-2/part-0.parquet", "claims.txt"])
def test_large_files_beside_a_table_stop_a_run(tmp_path: Path, configuration: Configuration, beside: str) -> None:
    parquet(tmp_path / "claims.parquet", 50)
    parquet(tmp_path / beside, 50)
    said = stopped(shortfalls(tmp_path, configuration), configuration)
    assert beside.partition("/")[0] in said
    assert said.startswith("Nothing was published: claims: ")
    assert "50.00 % of the bytes" in said
    assert "checks.input.files_not_read.stop" in said


def test_a_small_file_beside_a_table_is_only_noted(tmp_path: Path, configuration: Configuration) -> None:
    lines = ",".join(CONTENT) + "\n" + 2000 * (",".join(values[0] for values in CONTENT.values()) + "\n")
    (tmp_path / "claims.csv").write_text(lines, encoding="utf-8")
    (tmp_path / "claims_old.csv").write_text("x\n" * 500, encoding="utf-8")
    found = shortfalls(tmp_path, configuration)
    assert [shortfall.bound for shortfall in found] == ["files_not_read"]
    require_enough(found, configuration)


def test_a_table_that_is_named_has_nothing_beside_it(tmp_path: Path, configuration: Configuration) -> None:
    parquet(tmp_path / "claims.parquet", 5)
    parquet(tmp_path / "claims_2021.parquet", 50)
    assert shortfalls(tmp_path, configuration, claims=str(tmp_path / "claims.parquet")) == []


# --- Columns that files lack ---------------------------------------------------------------------


def test_files_without_a_column_of_providers_stop_a_run(tmp_path: Path, configuration: Configuration) -> None:
    parquet(tmp_path / "claims" / "2021.parquet", 80)
    parquet(tmp_path / "claims" / "2022.parquet", 20, without=("provider_competence",))
    said = stopped(shortfalls(tmp_path, configuration), configuration)
    assert "claims: provider_competence is unknown in 20 of 100 rows (20.00 %)" in said
    assert "checks.input.rows_without_provider.stop" in said


def test_a_column_of_providers_that_is_nowhere_is_noted_alone(tmp_path: Path, configuration: Configuration) -> None:
    """A column that may be null may be absent (section 6)."""
    names = [name for name in CONTENT if name != "provider_profession"]
    lines = [",".join(names), *[",".join(CONTENT[name][0] for name in names)] * 30]
    (tmp_path / "claims.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert shortfalls(tmp_path, configuration) == []


def test_who_accepts_any_share_of_rejected_rows_accepts_it_of_a_part(configuration: Configuration) -> None:
    found = [Shortfall("rejected_together", 40, 50, "claims: most.")]
    stopped(found, configuration)
    require_enough(found, load_configuration(None, ["max_rejected_share=1"]))


def test_a_column_that_no_national_figure_reads_may_be_missing(tmp_path: Path, configuration: Configuration) -> None:
    parquet(tmp_path / "claims" / "2021.parquet", 80)
    parquet(tmp_path / "claims" / "2022.parquet", 20, without=("provider_id",))
    assert shortfalls(tmp_path, configuration) == []


def test_the_bound_lets_files_without_the_column_through(tmp_path: Path) -> None:
    configuration = load_configuration(None, ["checks.input.rows_without_provider.stop=1"])
    parquet(tmp_path / "claims" / "2021.parquet", 80)
    parquet(tmp_path / "claims" / "2022.parquet", 20, without=("provider_competence",))
    found = shortfalls(tmp_path, configuration)
    assert len(found) == 1
    require_enough(found, configuration)


# --- Words as ids --------------------------------------------------------------------------------


def test_a_word_for_no_value_as_the_id_of_many_rows_stops_a_run(configuration: Configuration) -> None:
    loaded = Loaded("claims", read=200, accepted=200, words={"beneficiary_id": {"NULL": 20, "NA": 4}})
    said = stopped(null_words_as_ids(loaded), configuration)
    assert "claims: beneficiary_id is the text 'NA', 'NULL' in 24 of 200 rows (12.00 %)" in said
    assert "checks.input.null_text_as_person.stop" in said
    loaded.words = {"beneficiary_id": {"NULL": 12}, "hospital_id": {"NULL": 200}}
    require_enough(null_words_as_ids(loaded), configuration)


# --- Midnights of another zone -------------------------------------------------------------------


def test_midnights_of_another_zone_stop_a_run_where_a_bound_says_so(configuration: Configuration) -> None:
    """A day is cut from its time whatever the hour (section 6): without a bound they are only noted."""
    loaded = Loaded("claims", read=450, accepted=450, late={"service_date": 135})
    require_enough(midnights_in_utc(loaded), configuration)
    bounded = load_configuration(None, ["checks.input.midnight_elsewhere.stop=0.05"])
    said = stopped(midnights_in_utc(loaded), bounded)
    assert "claims: service_date has the time 22:00 or 23:00 without a zone in 135 of 450 rows (30.00 %)" in said
    assert "checks.input.midnight_elsewhere.stop" in said
    require_enough(midnights_in_utc(Loaded("claims", read=450, late={"service_date": 20})), bounded)


# --- Rejected together ---------------------------------------------------------------------------


def of_rejected(
    spark: SparkSession, configuration: Configuration, rejected: list[tuple[str, str, str]], sound: dict[str, int]
) -> list[Shortfall]:
    """``rejected``: reason, day and code of each row; ``sound``: accepted lines of 2022 by code."""
    rows = [
        ([reason], f'{{"Claim_ID":"x","SERVICE_DATE":"{day}","nomenclature_code":"{code}"}}')
        for reason, day, code in rejected
    ]
    loaded = Loaded("claims", read=10_000, rejected=len(rows), reasons={"unparseable_provider_competence": len(rows)})
    loaded.rejected_rows = spark.createDataFrame(rows, "reasons array<string>, row string")
    accepted = spark.createDataFrame(
        [(2022, int(code)) for code, number in sound.items() for _ in range(number)], "year int, nomenclature_code int"
    )
    by_year = {2022: 9_000, 2023: 900}
    return rejected_together(loaded, CLAIMS_INPUT, accepted, by_year, configuration)


REASON = "unparseable_provider_competence"


def test_few_rejected_rows_may_be_most_deliveries(spark: SparkSession, configuration: Configuration) -> None:
    rejected = [(REASON, "2022-03-01", f" {DELIVERY}.0 ")] * 20 + [(REASON, "2022-03-01", OTHER)] * 2
    found = of_rejected(spark, configuration, rejected, {DELIVERY: 10, OTHER: 800})
    said = stopped(found, configuration)
    assert "claims: of the lines of delivery_types." in said
    assert "in 2022 20 of 30 (66.67 %) were rejected" in said
    assert REASON in said
    assert "checks.input.rejected_together.stop" in said


def test_few_rejected_rows_of_every_kind_stop_nothing(spark: SparkSession, configuration: Configuration) -> None:
    rejected = [(REASON, "2022-03-01", DELIVERY)] * 3 + [(REASON, "2022-03-01", OTHER)] * 20
    require_enough(of_rejected(spark, configuration, rejected, {DELIVERY: 97, OTHER: 800}), configuration)


def test_rejected_rows_may_be_many_of_one_year(spark: SparkSession, configuration: Configuration) -> None:
    rejected = [(REASON, "2023-03-01 00:00:00", "999999")] * 90
    said = stopped(of_rejected(spark, configuration, rejected, {}), configuration)
    assert "claims: of the rows of 2023 90 of 990 (9.09 %) were rejected" in said
    # A year of which nothing was accepted has no figure: those before the first service date.
    outside = [("service_date_out_of_range", "1999-03-01", "999999")] * 90
    assert of_rejected(spark, configuration, outside, {}) == []


def test_rejected_rows_of_no_year_are_a_part_of_all(spark: SparkSession, configuration: Configuration) -> None:
    rejected = [("unparseable_service_date", "01/03/2022", DELIVERY)] * 20
    said = stopped(of_rejected(spark, configuration, rejected, {DELIVERY: 10}), configuration)
    assert "in all years 20 of 30 (66.67 %) were rejected" in said


def test_duplicates_are_not_lost(spark: SparkSession, configuration: Configuration) -> None:
    rejected = [("duplicate_claim_id", "2022-03-01", DELIVERY)] * 20
    assert of_rejected(spark, configuration, rejected, {DELIVERY: 10}) == []


def test_rejected_people_of_one_year_stop_a_run(spark: SparkSession, configuration: Configuration) -> None:
    loaded = Loaded("population", read=10_000, rejected=60, reasons={"unparseable_birth_date": 60})
    rows = [(["unparseable_birth_date"], '{"beneficiary_id":"x","year":2023.0}')] * 60
    loaded.rejected_rows = spark.createDataFrame(rows, "reasons array<string>, row string")
    accepted = spark.createDataFrame([], "beneficiary_id string, year int")
    found = rejected_together(loaded, POPULATION_INPUT, accepted, {2022: 9_500, 2023: 440}, configuration)
    assert "population: of the rows of 2023 60 of 500 (12.00 %) were rejected" in stopped(found, configuration)


def test_rejected_rows_of_a_year_beyond_whole_numbers_are_counted(
    spark: SparkSession, configuration: Configuration
) -> None:
    loaded = Loaded("population", read=10_000, rejected=60, reasons={"invalid_year": 60})
    rows = [(["invalid_year"], f'{{"beneficiary_id":"x","year":"{year}"}}') for year in ("99999999999", "1e300") * 30]
    loaded.rejected_rows = spark.createDataFrame(rows, "reasons array<string>, row string")
    accepted = spark.createDataFrame([], "beneficiary_id string, year int")
    require_enough(rejected_together(loaded, POPULATION_INPUT, accepted, {2022: 9_940}, configuration), configuration)


def test_a_code_list_counts_for_every_part_that_names_it(configuration: Configuration) -> None:
    services = configuration.services
    name, group = next((name, group) for name, group in services.contact_groups.items() if group.code_lists)
    shared = group.code_lists[0]
    kind = next(iter(services.beneficiary_services))
    services = services.model_copy(
        update={
            "beneficiary_services": {
                kind: services.beneficiary_services[kind].model_copy(update={"code_lists": (shared,)})
            }
        }
    )
    parts = services.code_lists_by_part()
    assert shared in parts["contact_groups", name]
    assert parts["beneficiary_services", kind] == (shared,)


# --- Instants ------------------------------------------------------------------------------------


def test_instants_of_every_table_are_named() -> None:
    loaded = Loaded("population", read=80, reasons={"instant_birth_date": 80, "missing_year": 3})
    said = instants_of(loaded)
    with pytest.raises(InputError, match=r"birth_date in 80 of 80 rows; claims: .* time_zone=Europe/Brussels"):
        refuse_instants([said, "claims: the days of service_date in 10 of the first 10 rows"])
    assert instants_of(Loaded("claims", read=1000, reasons={"instant_service_date": 10})) == ""


# --- Shares of a year ----------------------------------------------------------------------------


def judged(configuration: Configuration, **counts: dict[str, int]) -> list[Finding]:
    by_step = {name.replace("__", "."): of for name, of in counts.items()}
    return judge_input(by_step, SilverFacts.of({"lines_by_year": {"2023": 5}}), [2023], configuration)


def test_one_id_that_is_nobodys_may_have_many_lines(configuration: Configuration) -> None:
    people = {"with_claims": 150, "with_claims_in_population": 149, "with_claims_in_population_of_any_year": 149}
    lines = {"with_claims_lines": 400, "with_claims_lines_in_population_of_any_year": 300}
    found = {finding.subject["share"]: finding for finding in judged(configuration, people__2023=people | lines)}
    assert found["people_in_no_population"].ok
    assert not found["lines_in_no_population"].ok
    assert "100 of 400 claim lines that indicators read (25.00 %)" in found["lines_in_no_population"].sentence


def test_negative_lines_are_judged_among_services_of_their_kind(configuration: Configuration) -> None:
    exams = {"services": 100_000, "negative_lines_without_match": 40}
    deliveries = {"services": 60, "negative_lines_without_match": 45}
    exam, delivery = judged(configuration, beneficiary_services=exams, deliveries=deliveries)[::-1]
    assert exam.ok
    assert not delivery.ok
    assert "45 negative lines match no service" in delivery.sentence
    assert "there are 60 services of deliveries" in delivery.sentence


@pytest.mark.parametrize(
    ("key", "share"), [("not_in_population", 0.25), ("mother_recorded_as_male", 0.9), ("age_outside_plausible", 0.5)]
)
def test_mothers_stop_a_run_beyond_the_bound(configuration: Configuration, key: str, share: float) -> None:
    few, many = ({"deliveries": 1000, key: round(1000 * part)} for part in (share, share + 0.05))
    assert [finding.ok for finding in judged(configuration, deliveries__2023=few)] == [True]
    assert [finding.ok for finding in judged(configuration, deliveries__2023=many)] == [False]
