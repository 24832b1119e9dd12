"""Ids written in two ways, contacts without a provider, odd quantities: counted, told with their column, bounded."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from claimatlas.checks.findings import Finding
from claimatlas.checks.input import judge_input
from claimatlas.checks.input_counts import count_input
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.population.services import IMPLAUSIBLE, quantities_of_beneficiaries, services_of_years
from claimatlas.runs.context import RunContext, SilverFacts
from pyspark.sql import SparkSession

YEAR = 2023
GP, MIDWIFE, IMAGING, DELIVERY = 101032, 422030, 589013, 423010
CLAIMS = (
    "beneficiary_id string, year int, service_date date, nomenclature_code int, quantity int, provider_id string, "
    "provider_profession int, provider_competence int, hospital_id string"
)
Line = tuple[Any, ...]


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration()


def line(person: str, code: int = GP, year: int = YEAR, **other: Any) -> Line:
    """A claim line on 1 June; by default a contact with a GP."""
    values = {"quantity": 1, "provider": "p", "profession": 10, "competence": 3, "hospital": None, **other}
    return (person, year, date(year, 6, 1), code, *values.values())


def counted(
    spark: SparkSession,
    configuration: Configuration,
    lines: Sequence[Line],
    people: Sequence[tuple[str, int]] = (),
    stays: Sequence[tuple[str, int, str | None]] = (),
) -> dict[str, dict[str, int]]:
    tables = {
        "silver/claims": spark.createDataFrame(list(lines), CLAIMS),
        "silver/population": spark.createDataFrame(list(people), "beneficiary_id string, year int"),
        "silver/hospital_stays": spark.createDataFrame(
            list(stays), "beneficiary_id string, year int, hospital_id string"
        ),
    }
    counts: dict[str, dict[str, int]] = {}
    store = SimpleNamespace(read=lambda table: tables[table.name], spark=spark)
    record = SimpleNamespace(count=counts.__setitem__, note=print)
    silver = SilverFacts(population_years=tuple(sorted({year for _, year in people})))
    count_input(RunContext(store, configuration, (YEAR,), record), silver)  # type: ignore[arg-type]
    return counts


def found(configuration: Configuration, counts: Mapping[str, Mapping[str, int]], share: str) -> list[Finding]:
    silver = SilverFacts.of({"lines_by_year": {str(YEAR): 5}})
    return [one for one in judge_input(counts, silver, [YEAR], configuration) if one.subject["share"] == share]


# --- Ids written in two ways ---------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), [("0012", "12"), ("00a12", "A12"), ("12", "12.0"), ("000", "0")])
def test_an_id_that_a_program_changed_is_one_person(
    spark: SparkSession, configuration: Configuration, one: str, other: str
) -> None:
    """Also where both are in the population: then each table goes together, and a mother lacks her former contacts."""
    people = [(one, YEAR - 1), (other, YEAR), ("ann", YEAR)]
    counts = counted(spark, configuration, [line(one, year=YEAR - 1), line(other)], people)
    assert counts[f"people.{YEAR}"]["people"] == 2
    assert counts[f"people.{YEAR}"]["people_spelled_twice"] == 1
    (finding,) = found(configuration, counts, "people_spelled_twice")
    assert finding.ok
    said = "2023: 1 of 2 people (50.00 %) have a beneficiary_id in claims, hospital_stays or population that differs"
    assert finding.sentence.startswith(said)


@pytest.mark.parametrize(("one", "other"), [("12", "120"), ("1.0x", "1x"), ("a", "b"), ("0.5", "5"), ("10", "010x")])
def test_other_ids_are_other_people(spark: SparkSession, configuration: Configuration, one: str, other: str) -> None:
    counts = counted(spark, configuration, [line(one)], [(one, YEAR), (other, YEAR)])
    assert counts[f"people.{YEAR}"]["people_spelled_twice"] == 0
    assert found(configuration, counts, "people_spelled_twice") == []


def test_more_people_than_the_bound_stop_a_run(configuration: Configuration) -> None:
    people = {f"people.{YEAR}": {"people": 1000, "people_spelled_twice": 70}}
    (finding,) = found(configuration, people, "people_spelled_twice")
    assert not finding.ok
    assert finding.bound == configuration.settings.checks.input.people_spelled_twice.stop


def test_a_hospital_may_be_written_in_another_way_in_another_table(
    spark: SparkSession, configuration: Configuration
) -> None:
    births = [line("ann", DELIVERY, hospital="010"), line("eva", DELIVERY, hospital="020")]
    births += [line("bea", DELIVERY, hospital="010")]
    stays = [("ann", YEAR, "10"), ("eva", YEAR, "020"), ("eva", YEAR, None)]
    counts = counted(spark, configuration, births, stays=stays)
    expected = {"hospitals": 3, "hospitals_spelled_twice": 1}
    expected |= {"rows_with_hospital": 5, "rows_with_hospital_spelled_twice": 1}
    assert counts[f"hospitals.{YEAR}"] == expected
    (finding,) = found(configuration, counts, "hospitals_spelled_twice")
    assert "1 of 5 rows of claims that indicators read, and of hospital_stays, with a hospital" in finding.sentence
    assert finding.sentence.endswith("(hospitals so written: 1).")


# --- Contacts without what tells providers apart -------------------------------------------------


def test_contacts_that_lack_what_tells_providers_apart(spark: SparkSession, configuration: Configuration) -> None:
    # Those of a gynaecologist, and of a GP with a midwife's code, count nowhere, and rightly so.
    lines = [line("ann"), line("ann", competence=None), line("ann", competence=34), line("ann", DELIVERY)]
    # The rule of midwives reads the profession alone.
    lines += [line("ann", MIDWIFE, profession=40, competence=None), line("ann", MIDWIFE)]
    lines += [line("ann", MIDWIFE, profession=None)]
    counts = counted(spark, configuration, lines)[f"contact_lines.{YEAR}"]
    assert (counts["contacts"], counts["contacts_without_provider"]) == (6, 2)
    assert (counts["gp"], counts["gp_without_provider"]) == (3, 1)
    assert (counts["midwife"], counts["midwife_without_provider"]) == (3, 1)
    (finding,) = found(configuration, {f"contact_lines.{YEAR}": counts}, "contacts_without_provider")
    assert finding.ok
    assert "2 of 6 claim lines with a code of contacts (33.33 %) count in no group" in finding.sentence
    assert "no provider_profession or provider_competence." in finding.sentence


def test_a_bound_stops_a_run_for_a_small_group_too(configuration: Configuration) -> None:
    lines = {"contacts": 10_000, "contacts_without_provider": 100, "gp": 9_900, "gp_without_provider": 0}
    counts = {f"contact_lines.{YEAR}": lines | {"midwife": 100, "midwife_without_provider": 100}}
    (told,) = found(configuration, counts, "contacts_without_provider")
    assert told.ok
    bounded = load_configuration(None, ["checks.input.contacts_without_provider.stop=0.5"])
    every, midwives = found(bounded, counts, "contacts_without_provider")
    assert every.ok
    assert not midwives.ok
    assert "100 of 100 claim lines with a code of contacts of the group midwife" in midwives.sentence


def test_the_year_before_is_judged_as_windows_reach_into_it(spark: SparkSession, configuration: Configuration) -> None:
    lines = [line("ann"), *[line("ann", year=YEAR - 1, competence=None)] * 30]
    counts = counted(spark, configuration, lines, [("ann", YEAR)])
    (finding,) = found(configuration, counts, "contacts_without_provider")
    assert finding.subject["year"] == YEAR - 1
    assert finding.sentence.startswith(f"{YEAR - 1}: 30 of 30 claim lines with a code of contacts (100.00 %)")


# --- Unknown values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("domicile_unknown", "have no known domicile."),
        ("unknown_age_category", "have no known age_category (birth_date)."),
        ("unknown_increased_reimbursement", "have no known increased_reimbursement."),
    ],
)
@pytest.mark.parametrize("whom", ["beneficiaries", "deliveries"])
def test_values_that_nobody_gave_are_told(configuration: Configuration, whom: str, key: str, said: str) -> None:
    of = {unknown: {f"{whom}.{YEAR}": {whom: 1000, key: unknown}} for unknown in (20, 21, 1000)}
    assert found(configuration, of[20], "unknown_value") == []
    (few,) = found(configuration, of[21], "unknown_value")
    assert few.sentence == f"{YEAR}: 21 of 1,000 {whom} (2.10 %) {said}"
    # No national figure moves: it is told and stops nothing, unless a bound says so.
    (every,) = found(configuration, of[1000], "unknown_value")
    assert every.ok
    bounded = load_configuration(None, ["checks.input.unknown_value.stop=0.5"])
    assert [one.ok for one in found(bounded, of[1000], "unknown_value")] == [False]


# --- Quantities ----------------------------------------------------------------------------------


def test_units_beyond_the_plausible_quantity_are_told(spark: SparkSession, configuration: Configuration) -> None:
    most = configuration.settings.plausible_quantity
    lines = [line("ann", IMAGING, quantity=most), line("eva", IMAGING, quantity=most + 1)]
    # Taken back, and together with another line of the same service, it is plausible again.
    lines += [line("bea", IMAGING, quantity=most + 1), line("bea", IMAGING, quantity=-1), line("ann", quantity=500)]
    claims = spark.createDataFrame(lines, CLAIMS)
    services = services_of_years(claims, configuration, [YEAR])
    rows = quantities_of_beneficiaries(services, configuration).collect()
    implausible = {row["beneficiary_id"]: row[f"{IMPLAUSIBLE}imaging_therapeutic"] for row in rows}
    assert implausible == {"ann": 0, "eva": most + 1, "bea": 0}


def test_units_that_would_move_a_volume_stop_a_run(configuration: Configuration) -> None:
    counts = {f"beneficiary_services.{YEAR}": {"quantity_imaging_therapeutic": 1000}}
    assert found(configuration, counts, "implausible_quantity") == []
    counts[f"beneficiary_services.{YEAR}"][f"{IMPLAUSIBLE}imaging_therapeutic"] = 40
    (finding,) = found(configuration, counts, "implausible_quantity")
    assert finding.ok
    counts[f"beneficiary_services.{YEAR}"][f"{IMPLAUSIBLE}imaging_therapeutic"] = 90
    (finding,) = found(configuration, counts, "implausible_quantity")
    assert not finding.ok
    said = "90 of 1,000 units of imaging_therapeutic (9.00 %) come from services with a quantity above 9"
    assert said in finding.sentence
