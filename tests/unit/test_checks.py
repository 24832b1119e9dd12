"""The judgement of the checks: each one fails when it must, and at its bound it does not."""

from collections.abc import Iterable
from datetime import date

import pytest
from claimatlas.checks.checks_stage import Checked
from claimatlas.checks.claims import ALL_LINES, code_groups, lines_by_month
from claimatlas.checks.completeness import MonthCounts, is_settled, judge_completeness
from claimatlas.checks.domicile import beneficiaries_by_domicile, by_domicile, judge_domicile
from claimatlas.checks.drift import NationalKey, NationalValue, judge_drift
from claimatlas.checks.findings import Finding, out_of_bounds
from claimatlas.checks.report import as_dict, as_text, verdict
from claimatlas.checks.runout import judge_run_out
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.settings import Checks
from claimatlas.errors import InputError
from claimatlas.tables.schemas import CLAIMS
from pyspark.sql import SparkSession
from shipped import POPULATION

BOUNDS = Checks()


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration()


# --- The bounds ----------------------------------------------------------------------------------


def test_a_configuration_without_bounds_has_the_shipped_ones(shipped: Configuration) -> None:
    assert shipped.settings.checks == BOUNDS


@pytest.mark.parametrize(
    "wrong",
    ["least_share_of_month=-1", "least_lines_of_month=0", "largest_unknown_domicile=2", "months_until_settled=1.5"],
)
def test_a_bound_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        load_configuration(overrides=[f"checks.{wrong}"])
    assert f"checks.{wrong.split('=', maxsplit=1)[0]}" in str(caught.value)


# --- Drift ---------------------------------------------------------------------------------------


def national(
    values: dict[int, float | None], status: str = "final", run: str = "new"
) -> dict[NationalKey, NationalValue]:
    return {("i", "01000", year): NationalValue(value, status, run) for year, value in values.items()}


def drift(now: dict[int, float | None], earlier: dict[int, float | None] | None = None) -> list[Finding]:
    return list(judge_drift(national(now), national(earlier or {}, run="old"), [2022, 2023], BOUNDS))


@pytest.mark.parametrize(
    ("value", "measured", "ok"),
    [(114.0, 0.14, True), (116.0, 0.16, False), (86.0, -0.14, True), (84.0, -0.16, False), (100.0, 0.0, True)],
)
def test_drift_against_the_year_before(value: float, measured: float, ok: bool) -> None:
    (found,) = drift({2022: 100.0, 2023: value})
    assert (found.measured, found.ok) == (pytest.approx(measured), ok)
    assert (found.subject["year"], found.subject["against"], found.bound) == (2023, "2022", 0.15)


@pytest.mark.parametrize(("value", "ok"), [(104.0, True), (106.0, False), (94.0, False)])
def test_drift_against_the_run_before(value: float, ok: bool) -> None:
    (found,) = drift({2022: value}, {2022: 100.0})
    assert (found.ok, found.subject["against"], found.bound) == (ok, "run old", 0.05)


def test_the_bound_itself_is_within() -> None:
    (found,) = judge_drift(
        national({2022: 4.0, 2023: 5.0}), {}, [2023], BOUNDS.model_copy(update={"largest_drift_between_years": 0.25})
    )
    assert found.ok


def test_nothing_is_said_without_an_earlier_value() -> None:
    assert drift({2021: 1.0, 2023: 9.0}) == []
    assert drift({2023: None, 2022: None}, {2022: None}) == []
    assert list(judge_drift(national({2022: 1.0, 2023: 9.0}), {}, [2022], BOUNDS)) == []


def test_a_value_that_goes_is_beyond_any_bound() -> None:
    (found,) = judge_drift(national({2023: None}, "not_computable"), national({2023: 7.0}, run="old"), [2023], BOUNDS)
    assert (found.ok, found.measured) == (False, None)
    assert found.sentence == "i 2023 is not computable; the value of run old is 7."
    (found,) = drift({}, {2023: 7.0})
    assert not found.ok
    assert "is not published any more" in found.sentence


def test_a_value_that_comes_is_said() -> None:
    (found,) = drift({2022: None, 2023: 7.0})
    assert (found.ok, found.sentence) == (True, "i 2023 has a value, 7; 2022 has none.")


def test_from_nothing_to_something_is_no_ratio() -> None:
    (found,) = drift({2022: 0.0, 2023: 7.0})
    assert (found.ok, found.measured) == (False, None)
    (found,) = drift({2022: 0.0, 2023: 0.0})
    assert (found.ok, found.measured) == (True, 0.0)


# --- Completeness --------------------------------------------------------------------------------

FIRST, LAST = date(2020, 1, 1), date(2023, 12, 31)


def months(number: int, *but: tuple[int, int, int]) -> MonthCounts:
    """The same number of lines in each month of four years, but for some (year, month, lines)."""
    changed = {(year, month): lines for year, month, lines in but}
    counts = {(year, month): number for year in range(2020, 2024) for month in range(1, 13)} | changed
    # A month without a line has no row.
    return {month: {ALL_LINES: lines} for month, lines in counts.items() if lines}


def thin(counts: MonthCounts, first: date = FIRST, last: date = LAST) -> list[tuple[object, object]]:
    found = judge_completeness(counts, [ALL_LINES], (first, last), [2020, 2021, 2022, 2023], BOUNDS)
    return [(finding.subject["year"], finding.subject["month"]) for finding in out_of_bounds(found)]


def test_a_missing_and_a_thin_month_are_found() -> None:
    assert thin(months(1000)) == []
    assert thin(months(1000, (2022, 5, 0))) == [(2022, 5)]
    assert thin(months(1000, (2022, 5, 799))) == [(2022, 5)]
    assert thin(months(1000, (2022, 5, 800))) == []


def test_a_missing_month_says_what_was_expected() -> None:
    counts = months(1000, (2022, 5, 0), (2020, 5, 2000))
    (found,) = out_of_bounds(judge_completeness(counts, [ALL_LINES], (FIRST, LAST), [2022], BOUNDS))
    assert (found.measured, found.cases, found.bound) == (0.0, 0, 0.8)
    assert found.sentence == (
        "all lines, 2022-05: 0 lines, 0.0 % of the mean of this month in the earlier years (1,500.0), where 80 % is "
        "the least."
    )


def test_the_first_year_and_the_last_months_are_not_judged() -> None:
    found = list(judge_completeness(months(1000), [ALL_LINES], (FIRST, LAST), range(2020, 2024), BOUNDS))
    judged = {(finding.subject["year"], finding.subject["month"]) for finding in found}
    assert {year for year, _ in judged} == {2021, 2022, 2023}
    # The claims end with December: those of three months before it are settled.
    assert max(judged) == (2023, 9)
    assert thin(months(1000, (2023, 10, 0))) == []
    assert thin(months(1000, (2023, 9, 0))) == [(2023, 9)]


@pytest.mark.parametrize(
    ("month", "last", "settled"),
    [
        ((2023, 9), date(2023, 12, 30), True),
        ((2023, 9), date(2023, 12, 29), False),
        ((2023, 11), date(2024, 2, 29), True),
        ((2023, 11), date(2024, 2, 28), False),
        ((2023, 12), date(2024, 3, 31), True),
    ],
)
def test_when_a_month_is_settled(month: tuple[int, int], last: date, settled: bool) -> None:
    assert is_settled(*month, last, 3) == settled


def test_months_before_the_first_claim_are_in_no_mean() -> None:
    counts = {month: groups for month, groups in months(1000).items() if month >= (2020, 7)}
    found = list(judge_completeness(counts, [ALL_LINES], (date(2020, 7, 3), LAST), [2021], BOUNDS))
    assert [(finding.subject["month"], finding.measured) for finding in found] == [
        (month, 1.0) for month in range(7, 13)
    ]


def test_few_lines_are_not_judged() -> None:
    assert thin(months(499, (2022, 5, 0))) == []
    assert thin(months(500, (2022, 5, 0))) == [(2022, 5)]


# --- Unknown domiciles and run-out ---------------------------------------------------------------


@pytest.mark.parametrize(("unknown", "ok"), [(20, True), (21, False), (0, True)])
def test_unknown_domiciles(unknown: int, ok: bool) -> None:
    (found,) = judge_domicile("deliveries", {2022: (1000, unknown), 2021: (1000, 999)}, [2022], BOUNDS)
    assert (found.ok, found.measured, found.cases) == (ok, unknown / 1000, 1000)


def booked(lines: int, without: int, after_12: int) -> dict[str, int]:
    return {"lines": lines, "booked": lines - without, "after_3": 300, "after_6": 200, "after_12": after_12}


def test_run_out_of_each_year_and_of_all() -> None:
    counts = {2021: booked(2000, 1000, 51), 2022: booked(1000, 0, 50), 2023: booked(1000, 0, 1000)}
    found = list(judge_run_out(counts, [2021, 2022], BOUNDS))
    late = {f.subject["year"]: f for f in found if f.subject["share"] == "after_12_months"}
    assert {year: (f.measured, f.ok) for year, f in late.items()} == {
        2021: (0.051, False),
        2022: (0.05, True),
        "all years": (0.0505, False),
    }
    without = {f.subject["year"]: f.measured for f in found if f.subject["share"] == "without_booking_date"}
    assert without == {2021: 0.5, 2022: 0.0, "all years": pytest.approx(1 / 3)}
    assert all(f.bound is None and f.ok for f in found if f.subject["share"] != "after_12_months")


def test_without_any_booking_date_nothing_is_judged() -> None:
    (found, overall) = judge_run_out({2022: {"lines": 9, "booked": 0}}, [2022], BOUNDS)
    assert (found.measured, found.ok, overall.subject["year"]) == (1.0, True, "all years")


# --- What is measured in silver ------------------------------------------------------------------


def test_lines_of_each_month(spark: SparkSession, shipped: Configuration) -> None:
    def line(service: str, booking: str | None, code: int = 101032) -> tuple[object, ...]:
        day = date.fromisoformat(service)
        known = {"service_date": day, "nomenclature_code": code, "year": day.year}
        known |= {"booking_date": date.fromisoformat(booking) if booking else None}
        return tuple(known.get(column.name) for column in CLAIMS.columns)

    rows = [
        line("2022-01-15", "2022-04-15"),
        line("2022-01-15", "2022-04-16"),
        line("2022-01-15", "2022-07-16", code=424104),
        line("2022-01-15", "2023-01-15", code=424104),
        line("2022-01-15", "2023-01-16"),
        line("2022-01-15", None, code=422030),
        # Three months after the last of November is the last of February.
        line("2022-11-30", "2023-02-28"),
        line("2022-11-30", "2023-03-01"),
    ]
    found = lines_by_month(spark.createDataFrame(rows, CLAIMS.schema), shipped).collect()
    by_month = {(row["year"], row["month"]): row for row in found}
    assert set(by_month) == {(2022, 1), (2022, 11)}
    january = by_month[2022, 1]
    assert [january[name] for name in ("booked", "after_3", "after_6", "after_12")] == [5, 4, 3, 1]
    assert {name: lines for name, lines in january["groups"].items() if lines} == {
        ALL_LINES: 6,
        "delivery_types.caesarean": 2,
        "contact_groups.midwife": 1,
        "contact_groups.gp": 3,
    }
    assert set(january["groups"]) == {ALL_LINES, *code_groups(shipped)}
    assert (by_month[2022, 11]["booked"], by_month[2022, 11]["after_3"]) == (2, 1)


def test_code_groups_are_the_families_of_lists(shipped: Configuration) -> None:
    groups = code_groups(shipped)
    assert groups["delivery_types.home"] == ("delivery_home",)
    assert groups["contact_groups.midwife"] == ("midwife",)
    assert groups["delivery_flags.prenatal_technical"] == ("prenatal_technical",)
    assert groups["beneficiary_services.imaging_therapeutic"] == ("imaging_therapeutic",)
    assert "delivery_flags.contact_gp" not in groups


def test_domiciles_of_beneficiaries(spark: SparkSession, shipped: Configuration) -> None:
    def person(year: int, december: str | None, june: str | None = None) -> tuple[object, ...]:
        known = {
            "beneficiary_id": "b",
            "year": year,
            "municipality_31_december": december,
            "municipality_30_june": june,
        }
        return tuple(known.get(column.name) for column in POPULATION.columns)

    rows = [person(2022, "11002"), person(2022, None, "11002"), person(2022, None), person(2022, "99999")]
    # Carried to the codes of 2019; a year that is not asked for.
    rows += [person(2019, "12030"), person(2021, None)]
    population = spark.createDataFrame(rows, POPULATION.schema)
    found = beneficiaries_by_domicile(population, shipped, [2019, 2022]).collect()
    assert {row["year"]: (row["members"], row["unknown"]) for row in found} == {2022: (4, 2), 2019: (1, 0)}
    deliveries = spark.createDataFrame([(2022, "unknown"), (2022, "30_june")], "year int, domicile_source string")
    assert [row.asDict() for row in by_domicile(deliveries).collect()] == [{"year": 2022, "members": 2, "unknown": 1}]


# --- The report ----------------------------------------------------------------------------------


def report(findings: Iterable[Finding]) -> str:
    return as_text(Checked((2022,), tuple(findings), ("A note.",)), BOUNDS)


def test_the_report_marks_what_is_beyond_a_bound() -> None:
    found = [*drift({2022: 100.0, 2023: 84.0}), *drift({2021: 4.0, 2022: 4.0})]
    found += judge_domicile("deliveries", {2022: (1000, 1)}, [2022], BOUNDS)
    found += judge_completeness(months(1000, (2022, 5, 0)), [ALL_LINES], (FIRST, LAST), [2022], BOUNDS)
    text = report(found)
    assert "-16.0!" in text
    assert "+0.0!" not in text
    assert f"  ! {found[0].sentence}" in text
    assert text.count("  ! ") == 2
    (shares,) = [line for line in text.splitlines() if line.startswith("    all lines")]
    assert shares.split() == ["all", "lines", "2022", *["100"] * 4, "0!", *["100"] * 7]
    assert text.splitlines()[-2:] == [
        "Note: A note.",
        "Beyond the bounds: 2 of 15 figures (drift 1, completeness 1).",
    ]
    plain = as_dict(Checked((2022,), tuple(found), ()))
    assert plain["within_bounds"] is False
    assert [finding["ok"] for finding in plain["findings"]].count(False) == 2


def test_the_report_of_what_is_within() -> None:
    found = list(judge_domicile("deliveries", {2022: (1000, 1)}, [2022], BOUNDS))
    assert "!" not in report(found)
    assert verdict(found) == "Within the bounds: all of 1 figures."
    assert as_dict(Checked((2022,), tuple(found), ()))["within_bounds"] is True


def test_only_the_first_sentences_stand_in_the_report() -> None:
    found = list(judge_domicile("deliveries", dict.fromkeys(range(2000, 2030), (10, 9)), range(2000, 2030), BOUNDS))
    text = report(found)
    assert text.count("is unknown, where") == 20
    assert "… and 10 more; --json has all." in text
    assert text.count("90.00!") == 30
