"""The plain-Python reference against cases worked out by hand from the specification."""

import csv
import math
import random
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from reference import DELIVERY_COLUMNS, InputError, Malformed, compute
from reference import io as reference_io
from reference.cells import age_category, completed_years, wilson
from reference.domicile import Geography
from reference.generators import (
    random_settings,
    random_tables,
    settings_strategy,
    tables_strategy,
    years_of,
)
from reference.model import INDICATORS, CodeLists
from reference.other_hand import YEARS, write_input
from reference.parse import parse_bool, parse_date, parse_int

CONF = Path(__file__).parents[2] / "conf"
ALL = [indicator.id for indicator in INDICATORS]
NONE: list[str] = []

CAESAREAN, CAESAREAN_2, VAGINAL, VAGINAL_2, HOME = "424093", "424104", "422225", "423500", "422656"
GP, GYNAECOLOGIST, MIDWIFE, PHYSIOTHERAPIST, SPECIALIST = "101032", "102012", "422030", "561595", "102071"
EXAM, EXAM_2 = "589013", "589024"


# --- Small builders -----------------------------------------------------------------------------------


def claims_of(*rows):
    """Claims of `w` from (date, code, {other columns}); each line its own id."""
    lines = []
    for number, (day, code, *more) in enumerate(rows):
        line = {
            "claim_id": f"c{number}",
            "beneficiary_id": "w",
            "service_date": str(day),
            "nomenclature_code": code,
            "quantity": "1",
        }
        line.update(more[0] if more else {})
        lines.append(line)
    return lines


def person(beneficiary="w", year=2023, **columns):
    row = {
        "beneficiary_id": beneficiary,
        "year": str(year),
        "birth_date": "1993-05-01",
        "sex": "f",
        "increased_reimbursement": "no",
        "municipality_31_december": "11001",
    }
    row.update(columns)
    return row


def run(claims, population=None, years=(2023,), indicators=NONE, stays=None, **options):
    tables = {"claims": claims, "population": [person()] if population is None else population}
    if stays is not None:
        tables["hospital_stays"] = stays
    overrides = {"max_rejected_share": 1, **options.pop("settings", {})}
    return compute(tables, years, conf_dir=CONF, settings=overrides, indicators=indicators, **options)


def people(*years, **columns):
    return [person(year=year, **columns) for year in years]


def one_delivery(claims, population=None, **options):
    (delivery,) = run(claims, population, **options).deliveries
    return delivery


def cell(result, indicator, code="01000", level="country", year=2023, **dimensions):
    values = {"age_category": "all", "increased_reimbursement": "all", "delivery_type": "all", "sex": "all"}
    values.update(dimensions)
    return result.cells[indicator, year, level, code, *values.values()]


# --- The shipped code lists (sections 3.1 and 4) ----------------------------------------------------


def test_code_lists_are_the_source_pages():
    lists = CodeLists.read(CONF).periods
    assert set(lists["delivery_caesarean"]) == {424093, 424104}
    assert set(lists["delivery_vaginal_hospital"]) == {
        422225, 423500, 422671, 423673, 423010, 423021, 424012, 424023, 424071, 424082,
    }  # fmt: skip
    assert set(lists["delivery_home"]) == {422656, 423651}
    assert set(lists["midwife"]) == {
        422030, 428094, 428116, 422052, 428131, 428153, 422870, 422973, 428175, 428190,
        422892, 428212, 428234, 422096, 428374, 428396, 422111, 428411, 422133, 428433,
    }  # fmt: skip
    assert set(lists["midwife_postnatal"]) == {422796, 422995, 428735}
    assert set(lists["physiotherapist"]) == {
        561595, 561610, 561632, 561654, 561676, 564550, 561702, 561713, 561724,
    }  # fmt: skip
    assert "gestational_diabetes_test" not in lists


# --- Section 2: which claim lines count ------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "deliveries"),
    [
        pytest.param([("1", {})], 1, id="one line"),
        pytest.param([("1", {}), ("-1", {})], 0, id="taken back"),
        pytest.param([("2", {}), ("-1", {})], 1, id="one of two taken back"),
        pytest.param([("1", {}), ("-2", {})], 0, id="more taken back than given"),
        pytest.param([("-1", {})], 0, id="only a negative line"),
        pytest.param([("1", {"provider_id": "p"}), ("-1", {"provider_id": "q"})], 1, id="another provider's"),
        pytest.param([("1", {"provider_id": "p"}), ("-1", {})], 1, id="null provider is a key of its own"),
        pytest.param([("1", {"provider_id": ""}), ("-1", {"provider_id": " "})], 0, id="both null"),
        pytest.param([("1", {}), ("-1", {"hospital_id": "h"})], 0, id="hospital is outside the key"),
        pytest.param([("1", {}), ("-1", {"service_date": "2023-03-02"})], 1, id="another day's"),
        pytest.param([("1", {}), ("-1", {"nomenclature_code": CAESAREAN_2})], 1, id="another code's"),
        pytest.param([("1", {}), ("-1", {"beneficiary_id": "v"})], 1, id="another beneficiary's"),
    ],
)
def test_corrections(lines, deliveries):
    rows = [("2023-03-01", CAESAREAN, {"quantity": quantity, **more}) for quantity, more in lines]
    assert len(run(claims_of(*rows)).deliveries) == deliveries


def test_hospital_comes_from_positive_lines_lowest_in_text_order():
    lines = [("-1", "h0"), ("1", None), ("1", "h2"), ("1", "h10")]
    rows = [("2023-03-01", CAESAREAN, {"quantity": q, "hospital_id": h}) for q, h in lines]
    assert one_delivery(claims_of(*rows))["hospital_id"] == "h10"


@pytest.mark.parametrize(
    ("lines", "met"),
    [
        ([("1", "40")], True),
        ([("1", "50")], False),
        ([("1", None)], False),
        ([("1", "50"), ("1", "40")], True),
        ([("2", "50"), ("-1", "40")], False),
    ],
)
def test_profession_rule_is_met_by_one_positive_line(lines, met):
    rows = [("2023-03-05", MIDWIFE, {"quantity": q, "provider_profession": p}) for q, p in lines]
    delivery = one_delivery(claims_of(("2023-03-01", CAESAREAN), *rows))
    assert delivery["contact_midwife"] is met


@pytest.mark.parametrize(
    ("code", "day", "held"),
    [
        (101673, "2022-07-31", False),
        (101673, "2022-08-01", True),
        (101673, "2040-01-01", True),
    ],
)
def test_code_belongs_to_a_list_from_valid_from(code, day, held):
    assert CodeLists.read(CONF).holds(("gp_digicont",), code, date.fromisoformat(day)) is held


def test_code_belongs_to_a_list_until_valid_to():
    lists = CodeLists.read(CONF)
    assert lists.holds(("gp_digicont_nr",), 101135, date(2022, 7, 31))
    assert not lists.holds(("gp_digicont_nr",), 101135, date(2022, 8, 1))
    assert not lists.holds(("gp_digicont_nr",), 101135, date(2020, 3, 13))


def test_beneficiary_outside_the_population():
    claims = claims_of(
        ("2023-03-01", CAESAREAN, {"beneficiary_id": "x"}),
        ("2023-03-02", EXAM, {"beneficiary_id": "x"}),
        ("2023-03-03", EXAM, {"beneficiary_id": "x", "quantity": "2"}),
        ("2023-03-03", EXAM, {"beneficiary_id": "x", "quantity": "-2"}),
    )
    result = run(claims, indicators=ALL)
    (delivery,) = result.deliveries
    assert (delivery["age"], delivery["age_category"]) == (None, "unknown")
    assert (delivery["increased_reimbursement"], delivery["municipality"]) == ("unknown", None)
    assert delivery["domicile_source"] == "unknown"
    assert result.flow["imaging_lines_not_in_population"] == {2023: 3}
    assert result.flow["imaging_services_not_in_population"] == {2023: 1}
    assert result.flow["deliveries_not_in_population"] == {2023: 1}
    assert cell(result, "stat_013_023")["numerator"] == 0
    unknown = {"age_category": "unknown", "increased_reimbursement": "unknown"}
    assert cell(result, "cube_007_001a_denom", **unknown)["numerator"] == 1
    assert cell(result, "cube_007_001a_denom", "02000", "region")["denominator"] == 0


# --- Section 3: delivery episodes ------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["chained", "anchored"])
@pytest.mark.parametrize(
    ("days", "chained", "anchored"),
    [
        pytest.param(["2023-03-01", "2023-03-30"], [2023], [2023], id="day 29"),
        pytest.param(["2023-03-01", "2023-03-31"], [2023], [2023], id="day 30"),
        pytest.param(["2023-03-01", "2023-04-01"], [2023, 2023], [2023, 2023], id="day 31"),
        pytest.param(["2023-03-01", "2023-03-26", "2023-04-20"], [2023], [2023, 2023], id="days 0 25 50"),
        pytest.param(["2022-12-20", "2023-01-10"], [2022], [2022], id="across the year's start"),
        pytest.param(["2022-11-25", "2022-12-20", "2023-01-15"], [2022], [2022, 2023], id="days 0 25 51"),
        pytest.param(["2023-03-01", "2023-03-01"], [2023], [2023], id="same day"),
    ],
)
def test_table_of_section_3(days, chained, anchored, rule):
    claims = claims_of(*((day, CAESAREAN) for day in days))
    result = run(claims, people(2022, 2023), (2022, 2023), settings={"episode_rule": rule})
    assert [row["year"] for row in result.deliveries] == (chained if rule == "chained" else anchored)
    # The run record has both, whatever the setting.
    for year in (2022, 2023):
        assert result.flow["episodes"][year]["chained"] == chained.count(year)
        assert result.flow["episodes"][year]["anchored"] == anchored.count(year)


def test_home_and_caesarean_on_one_day():
    delivery = one_delivery(claims_of(("2023-03-01", HOME), ("2023-03-01", CAESAREAN)))
    assert (delivery["delivery_type"], delivery["billings"]) == ("caesarean", 1)


def test_january_does_not_count_an_episode_of_december():
    claims = claims_of(("2022-12-20", CAESAREAN), ("2023-01-10", CAESAREAN))
    assert run(claims, people(2023)).deliveries == []
    delivery = one_delivery(claims, people(2022), years=(2022,))
    assert (delivery["billings"], delivery["last_billing_date"]) == (2, date(2023, 1, 10))


@pytest.mark.parametrize("order", [1, -1])
def test_ties_within_a_priority(order):
    lines = [
        (VAGINAL, {"hospital_id": None}),
        (VAGINAL_2, {"hospital_id": "h2"}),
        (VAGINAL, {"hospital_id": "h3", "provider_id": "p"}),
        (HOME, {"hospital_id": "h1"}),
    ]
    rows = [("2023-03-01", code, more) for code, more in lines][::order]
    delivery = one_delivery(claims_of(*rows))
    assert (delivery["delivery_type"], delivery["hospital_id"]) == ("vaginal_hospital", "h2")


@pytest.mark.parametrize(
    ("choice", "kind", "hospital"), [("first", "home", None), ("highest_priority", "caesarean", "h1")]
)
def test_episode_type(choice, kind, hospital):
    claims = claims_of(
        ("2023-03-01", HOME),
        ("2023-03-03", VAGINAL, {"hospital_id": "h0"}),
        ("2023-03-04", CAESAREAN, {"hospital_id": "h1"}),
        ("2023-03-05", CAESAREAN, {"hospital_id": "h0"}),
    )
    delivery = one_delivery(claims, settings={"episode_type": choice})
    assert (delivery["delivery_type"], delivery["hospital_id"]) == (kind, hospital)
    assert delivery["delivery_date"] == date(2023, 3, 1)
    assert (delivery["billings"], delivery["last_billing_date"]) == (4, date(2023, 3, 5))


@pytest.mark.parametrize(("apart", "flagged"), [(179, True), (180, False), (181, False)])
def test_implausible_interval(apart, flagged):
    first = date(2022, 11, 1)
    claims = claims_of((first, CAESAREAN), (first + timedelta(apart), CAESAREAN))
    result = run(claims, people(2022, 2023), (2022, 2023))
    assert [row["implausible_interval"] for row in result.deliveries] == [flagged, flagged]
    # Judged over all claims that were read, not only those of the year.
    assert run(claims).deliveries == result.deliveries[1:]


def test_delivery_rows_have_the_columns_of_section_8():
    assert set(one_delivery(claims_of(("2023-03-01", CAESAREAN)))) == set(DELIVERY_COLUMNS)


# --- Section 4: contacts, windows, stays -------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "counts"), [(-1, False), (0, False), (1, True), (2, True), (41, True), (42, True), (43, False)]
)
def test_postnatal_window(offset, counts):
    day = date(2023, 3, 1) + timedelta(offset)
    claims = claims_of(("2023-03-01", CAESAREAN), (day, GP, {"provider_competence": "1"}))
    delivery = one_delivery(claims)
    assert delivery["contact_gp"] is counts
    assert delivery["first_contact_date"] == (day if counts else None)


@pytest.mark.parametrize(
    ("offset", "counts"), [(271, False), (270, True), (269, True), (2, True), (1, True), (0, False)]
)
def test_prenatal_window(offset, counts):
    day = date(2023, 12, 1) - timedelta(offset)
    claims = claims_of(
        ("2023-12-01", CAESAREAN), (day, GP, {"provider_competence": "1"}), (day, "424056"), (day, "461731")
    )
    delivery = one_delivery(claims)
    assert delivery["prenatal_contact"] is counts
    assert delivery["prenatal_technical"] is counts
    assert delivery["contact_gp"] is False


@pytest.mark.parametrize(("day", "counts"), [("2024-02-11", True), ("2024-02-12", False)])
def test_delivery_of_31_december_is_followed_until_11_february(day, counts):
    claims = claims_of(("2023-12-31", CAESAREAN), (day, GP, {"provider_competence": "1"}))
    assert one_delivery(claims)["contact_gp"] is counts


def test_windows_are_settings():
    claims = claims_of(("2023-12-01", CAESAREAN), ("2023-12-01", GP, {"provider_competence": "1"}))
    options = {"postnatal_window.first_day": 0, "prenatal_window.last_day": 0}
    delivery = one_delivery(claims, settings=options)
    assert (delivery["contact_gp"], delivery["prenatal_contact"]) == (True, True)


def test_a_contact_counts_for_every_delivery_whose_window_holds_it():
    claims = claims_of(
        ("2023-03-01", CAESAREAN), ("2023-04-02", CAESAREAN), ("2023-04-10", GP, {"provider_competence": "1"})
    )
    assert [row["contact_gp"] for row in run(claims).deliveries] == [True, True]


@pytest.mark.parametrize(
    ("code", "profession", "competence", "groups"),
    [
        (GP, None, "1", {"gp"}),
        (GP, None, "008", {"gp"}),
        (GP, None, "9", set()),
        (GP, None, None, set()),
        ("103110", "1", "8", {"gp"}),
        (GYNAECOLOGIST, None, "34", {"gynaecologist"}),
        (GYNAECOLOGIST, None, "978", {"gynaecologist"}),
        (GYNAECOLOGIST, None, "35", {"specialist"}),
        (GYNAECOLOGIST, None, "0", {"specialist"}),
        (GYNAECOLOGIST, None, "3", set()),
        (GYNAECOLOGIST, None, None, set()),
        (SPECIALIST, None, "580", {"specialist"}),
        (SPECIALIST, None, "340", set()),
        (SPECIALIST, None, None, set()),
        (MIDWIFE, "40", None, {"midwife"}),
        (MIDWIFE, "41", None, set()),
        (MIDWIFE, None, "40", set()),
        (PHYSIOTHERAPIST, "50", None, {"physiotherapist"}),
        (PHYSIOTHERAPIST, "55", None, {"physiotherapist"}),
        (PHYSIOTHERAPIST, "49", None, set()),
        (PHYSIOTHERAPIST, "56", None, set()),
        ("100000", "40", "1", set()),
    ],
)
def test_contact_groups(code, profession, competence, groups):
    more = {"provider_profession": profession, "provider_competence": competence}
    delivery = one_delivery(claims_of(("2023-03-01", CAESAREAN), ("2023-03-05", code, more)))
    assert {name[8:] for name in DELIVERY_COLUMNS if name.startswith("contact_") and delivery[name]} == groups


def test_midwife_codes():
    claims = claims_of(("2023-03-01", CAESAREAN), ("2023-03-05", "422796", {"provider_profession": "40"}))
    assert one_delivery(claims)["contact_midwife"] is False
    result = run(claims, settings={"midwife_codes": "source_and_postnatal"})
    assert result.deliveries[0]["contact_midwife"] is True
    expected = {2023: {"source": 1, "source_and_postnatal": 0}}
    assert result.flow["deliveries_without_midwife_contact"] == expected
    assert run(claims).flow["deliveries_without_midwife_contact"] == expected


@pytest.mark.parametrize(
    ("stays", "nights"),
    [
        pytest.param([], None, id="none"),
        pytest.param([("2023-03-01", "2023-03-01", "h")], 0, id="same day"),
        pytest.param([("2023-02-20", "2023-03-01", "h")], 0, id="leaves on the day"),
        pytest.param([("2023-02-27", "2023-03-05", "h")], 4, id="several nights"),
        pytest.param([("2023-02-20", "2023-02-28", "h")], None, id="over before"),
        pytest.param([("2023-03-02", "2023-03-05", "h")], None, id="begun after"),
        pytest.param([("2023-03-01", "2023-03-03", "h"), ("2023-03-03", "2023-03-09", "k")], 2, id="transfer"),
        pytest.param([("2023-03-01", "2023-03-03", "h"), ("2023-03-01", "2023-03-09", "k")], 2, id="hospital"),
        pytest.param([("2023-03-01", "2023-03-03", "k"), ("2023-03-01", "2023-03-09", None)], 8, id="latest"),
        pytest.param([("2023-03-01", "2023-03-03", "h"), ("2023-02-27", "2023-03-04", "h")], 3, id="both h"),
    ],
)
def test_nights_after_delivery(stays, nights):
    rows = [
        {"stay_id": "s", "beneficiary_id": "w", "admission_date": a, "discharge_date": d, "hospital_id": h}
        for a, d, h in stays
    ]
    delivery = one_delivery(claims_of(("2023-03-01", CAESAREAN, {"hospital_id": "h"})), stays=rows)
    assert delivery["nights_after_delivery"] == nights


# --- Section 5: domicile and geography ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "december", "june", "municipality", "source"),
    [
        pytest.param(2023, "11001", "21004", "11001", "31_december", id="31 December wins"),
        pytest.param(2023, None, "21004", "21004", "30_june", id="30 June when it is unknown"),
        pytest.param(2023, " ", " 21004 ", "21004", "30_june", id="blank is unknown"),
        pytest.param(2023, None, None, None, "unknown", id="both unknown"),
        pytest.param(2023, "99999", "21004", "21004", "30_june", id="a code that does not exist"),
        pytest.param(2023, "99999", "00000", None, "unknown", id="two codes that do not exist"),
        pytest.param(2024, "82039", "21004", "21004", "30_june", id="82039 in 2024 has two predecessors"),
        pytest.param(2024, "82039", "82003", "82003", "30_june", id="82039 in 2024, then its predecessor"),
        pytest.param(2025, "82003", "21004", "82039", "31_december", id="forward"),
        pytest.param(2025, "71047", None, "72042", "31_december", id="a 2018 code in 2025"),
        pytest.param(2025, "11007", None, "11002", "31_december", id="absorbed"),
        pytest.param(2024, "11007", None, "11007", "31_december", id="not yet absorbed"),
        pytest.param(2018, "51068", None, "55039", "31_december", id="a recode carried backward"),
        pytest.param(2018, "72042", None, None, "unknown", id="a merger is not carried backward"),
    ],
)
def test_domicile(year, december, june, municipality, source):
    homes = {"municipality_31_december": december, "municipality_30_june": june}
    delivery = one_delivery(claims_of((f"{year}-03-01", CAESAREAN)), [person(year=year, **homes)], years=(year,))
    assert (delivery["municipality"], delivery["domicile_source"]) == (municipality, source)


def test_codes_are_carried_through_a_chain_of_changes():
    municipalities = [
        {"municipality": code, "first_year": first, "last_year": last}
        for code, first, last in [("1", "2006", "2018"), ("2", "2019", "2024"), ("3", "2025", "9999")]
    ]
    changes = [
        {"old": "2", "new": "3", "first_year": "2025"},
        {"old": "1", "new": "2", "first_year": "2019"},
    ]
    geography = Geography(municipalities, changes)
    assert [geography.carry("1", year) for year in (2018, 2019, 2024, 2025)] == ["1", "2", "2", "3"]
    assert [geography.carry("3", year) for year in (2018, 2019, 2024, 2025)] == ["1", "2", "2", "3"]
    assert [geography.carry("2", year) for year in (2018, 2019, 2025)] == ["1", "2", "3"]
    assert geography.carry("4", 2020) is None
    # A second predecessor at one step stops the way back, not the way forward.
    geography.municipalities.append({"municipality": "1b", "first_year": "2006", "last_year": "2018"})
    geography.changes.append({"old": "1b", "new": "2", "first_year": "2019"})
    geography = Geography(geography.municipalities, geography.changes)
    assert (geography.carry("3", 2019), geography.carry("3", 2018)) == ("2", None)
    assert geography.carry("1b", 2025) == "3"


def test_every_code_is_in_its_vintage_or_carried():
    geography = Geography.read(CONF)
    assert [len(geography.vintage(year)) for year in (2006, 2018, 2019, 2024, 2025)] == [
        589,
        589,
        581,
        581,
        565,
    ]
    assert all(geography.carry(code, 2025) for code in geography.vintage(2006))
    # In 2019 seven codes are mergers, of 15, which cannot be carried back; 11 are recodes, which can.
    assert sum(geography.carry(code, 2018) is not None for code in geography.vintage(2019)) == 581 - 7


def test_units_of_a_vintage():
    levels = [level for level, _ in Geography.read(CONF).units(2023)]
    counts = {level: levels.count(level) for level in ("country", "region", "province", "municipality")}
    assert counts == {"country": 1, "region": 3, "province": 10, "municipality": 581}
    places = dict(Geography.read(CONF).places("21004", 2023))
    assert places == {
        "country": "01000",
        "region": "04000",
        "arrondissement": "21000",
        "municipality": "21004",
    }


def test_domicile_counts_of_the_run():
    population = [
        person("a"),
        person("b", municipality_31_december=None, municipality_30_june="12030"),
        person("c", municipality_31_december="82039", municipality_30_june=None),
    ]
    result = run(claims_of(("2023-03-01", CAESAREAN, {"beneficiary_id": "b"})), population)
    counts = {"31_december": 1, "30_june": 1, "unknown": 1}
    assert result.flow["persons_by_domicile_source"] == {2023: counts}
    counts = {"31_december": 0, "30_june": 1, "unknown": 0}
    assert result.flow["deliveries_by_domicile_source"] == {2023: counts}
    assert result.flow["municipality_codes_carried"] == {2023: 1}
    assert result.flow["municipality_codes_not_carried"] == {2023: 1}


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("11001A00-", True),
        ("11001A000", True),
        ("11001ZZZZ", True),
        ("99999B1AZ", True),
        (" 11001A00- ", True),
        ("11001a00-", False),
        ("11001A00", False),
        ("11001A00-0", False),
        ("11001AA0-", False),
        ("x11001A00-", False),
    ],
)
def test_sector_pattern(code, used):
    result = run([], [person(sector_31_december=code)], indicators=["stat_013_023"])
    sectors = {key[3] for key in result.cells if key[2] == "sector"}
    assert sectors == ({code.strip()} if used else set())
    assert result.warnings["sector_off_pattern"] == (0 if used else 1)
    assert cell(result, "stat_013_023", "11001", "municipality")["denominator"] == 1


def test_sector_is_that_of_the_date_that_gave_the_domicile():
    population = [
        person("a", sector_31_december="11001A00-", sector_30_june="11001A01-"),
        person("b", municipality_31_december=None, sector_31_december="11001A02-", sector_30_june="11001A03-"),
        person("c", municipality_31_december=None, municipality_30_june="21004", sector_30_june="11001A04-"),
        person("d", sector_31_december=None, sector_30_june="11001A05-"),
    ]
    result = run([], population, indicators=ALL)
    sectors = {key for key in result.cells if key[2] == "sector"}
    assert {key[0] for key in sectors} == {"stat_013_023", "stat_013_024"}
    # b has no municipality on either date: no sector. d's 30 June is not asked.
    assert {key[3] for key in sectors} == {"11001A00-", "11001A04-"}


@pytest.mark.parametrize(("year", "rows"), [(2015, 0), (2016, 1)])
def test_sectors_from_2016(year, rows):
    result = run([], [person(year=year, sector_31_december="11001A00-")], (year,), ["stat_013_023"])
    assert sum(key[2] == "sector" for key in result.cells) == rows


def test_own_sector_table(tmp_path):
    table = tmp_path / "sectors.csv"
    table.write_text(
        "sector,municipality,first_year,last_year\n"
        "11001A00-,11001,2019,2024\n11001A01-,11001,2019,2024\n11001A02-,11001,2025,9999\n"
    )
    population = [person("a", sector_31_december="11001A00-"), person("b", sector_31_december="11001A02-")]
    options = {"geography.sector_table": str(table)}
    result = run([], population, indicators=["stat_013_023"], settings=options)
    sectors = {key[3]: row["denominator"] for key, row in result.cells.items() if key[2] == "sector"}
    assert sectors == {"11001A00-": 1, "11001A01-": 0}
    assert result.warnings["sector_off_pattern"] == 1


# --- Section 6: parsing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-02-28", date(2023, 2, 28)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2023-02-29", None),
        ("2023-02-30", None),
        ("2023-2-3", None),
        ("20230203", None),
        ("03/02/2023", None),
        ("2023-02-03 00:00:00", date(2023, 2, 3)),
        ("2023-02-03T23:59:59", date(2023, 2, 3)),
        ("2023-02-03T00:00:00+00:00", date(2023, 2, 3)),
        ("2023-02-03T25:00:00", None),
        ("\u0662023-02-03", None),
    ],
)
def test_dates(text, expected):
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("+1", 1),
        ("-1", -1),
        ("001", 1),
        ("-0", 0),
        ("2147483647", 2**31 - 1),
        ("2147483648", None),
        ("-2147483648", -(2**31)),
        ("-2147483649", None),
        ("1.0", 1),
        ("1.5", None),
        ("1e3", None),
        ("--1", None),
        ("+", None),
        ("1 2", None),
        ("\u0661", None),
    ],
)
def test_integers(text, expected):
    assert parse_int(text) == expected


def test_booleans():
    assert [parse_bool(text) for text in ("true", "1", "T", "YES")] == [True] * 4
    assert [parse_bool(text) for text in ("False", "0", "f", "no")] == [False] * 4
    assert [parse_bool(text) for text in ("oui", "J", "1.0", "Nee", "N")] == [True, True, True, False, False]
    assert [parse_bool(text) for text in ("on", "2", "-1")] == [None] * 3


def test_sexes():
    texts = ["1", "m", "MALE", "2", "F", " female ", "3", "x", None]
    rows = [person(f"p{number}", sex=text) for number, text in enumerate(texts)]
    result = run([], rows)
    expected = ["male"] * 3 + ["female"] * 3 + [None] * 3
    assert [row["sex"] for row in result.accepted["population"]] == expected
    assert result.rejected == []
    assert result.warnings["unknown_sex"] == 3


def test_text_is_trimmed_and_empty_is_null():
    (line,) = run(claims_of((" 2023-03-01 ", f" {CAESAREAN}", {"hospital_id": "  "}))).accepted["claims"]
    assert line == {
        "claim_id": "c0",
        "beneficiary_id": "w",
        "service_date": date(2023, 3, 1),
        "nomenclature_code": 424093,
        "quantity": 1,
        "provider_id": None,
        "provider_profession": None,
        "provider_competence": None,
        "hospital_id": None,
        "booking_date": None,
    }


# --- Section 7: validation -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({}, ()),
        ({"claim_id": None}, ("missing_claim_id",)),
        ({"claim_id": " ", "quantity": ""}, ("missing_claim_id", "missing_quantity")),
        ({"service_date": "2023-02-30"}, ("unparseable_service_date",)),
        ({"service_date": "2023-02-30", "booking_date": "2020-01-01"}, ("unparseable_service_date",)),
        ({"booking_date": "x"}, ("unparseable_booking_date",)),
        ({"provider_profession": "4O"}, ("unparseable_provider_profession",)),
        ({"provider_competence": "1.5"}, ("unparseable_provider_competence",)),
        ({"provider_competence": "1.0"}, ()),
        ({"provider_competence": "1000"}, ()),
        ({"quantity": "99999999999"}, ("unparseable_quantity",)),
        ({"quantity": "-0"}, ("zero_quantity",)),
        ({"service_date": "2004-12-31"}, ("service_date_out_of_range",)),
        ({"service_date": "2005-01-01"}, ()),
        ({"service_date": "2026-11-22"}, ()),
        ({"service_date": "2026-11-23"}, ("service_date_out_of_range",)),
        ({"booking_date": "2023-02-28"}, ("service_date_out_of_range",)),
        ({"booking_date": "2023-03-01"}, ()),
        ({"booking_date": "2030-01-01"}, ("booking_date_out_of_range",)),
        ({"booking_date": "2023-12-31"}, ()),
        ({"nomenclature_code": "99999"}, ("invalid_nomenclature_code",)),
        ({"nomenclature_code": "100000"}, ()),
        ({"nomenclature_code": "999999"}, ()),
        ({"nomenclature_code": "1000000"}, ("invalid_nomenclature_code",)),
        ({"nomenclature_code": "99999999999999999999"}, ("invalid_nomenclature_code",)),
        ({"nomenclature_code": "-424093"}, ("invalid_nomenclature_code",)),
        ({"nomenclature_code": "42409A"}, ("unparseable_nomenclature_code",)),
        (
            {
                "quantity": "0",
                "nomenclature_code": "1",
                "service_date": "2000-01-01",
                "beneficiary_id": "",
                "booking_date": "?",
                "provider_profession": "?",
            },
            (
                "missing_beneficiary_id",
                "unparseable_provider_profession",
                "unparseable_booking_date",
                "service_date_out_of_range",
                "invalid_nomenclature_code",
                "zero_quantity",
            ),
        ),
    ],
)
def test_reasons_of_a_claim(changed, reasons):
    (line,) = claims_of(("2023-03-01", CAESAREAN, changed))
    result = run([line])
    assert result.rejected == ([("claims", line, reasons)] if reasons else [])
    assert len(result.accepted["claims"]) == (0 if reasons else 1)
    assert result.rejected_share["claims"] == (1.0 if reasons else 0.0)


def test_reasons_of_population_and_stays():
    bad_person = person("b", birth_date="1990-13-01", increased_reimbursement="maybe")
    bad_year = person("b", year="x")
    stay = {"stay_id": "s", "beneficiary_id": "w", "admission_date": "2023-03-02"}
    before = {**stay, "discharge_date": "2023-03-01"}
    same = {**stay, "discharge_date": "2023-03-02"}
    unparseable = {**stay, "discharge_date": "x"}
    result = run([], [person(), bad_person, bad_year], stays=[before, same, same, stay, unparseable])
    assert result.rejected == [
        ("population", bad_person, ("unparseable_birth_date", "unparseable_increased_reimbursement")),
        ("population", bad_year, ("unparseable_year",)),
        ("hospital_stays", before, ("discharge_before_admission",)),
        ("hospital_stays", stay, ("missing_discharge_date",)),
        ("hospital_stays", unparseable, ("unparseable_discharge_date",)),
    ]
    assert len(result.accepted["hospital_stays"]) == 2


def test_malformed_rows_take_no_further_reason():
    result = run([Malformed("a,b"), *claims_of(("2023-03-01", CAESAREAN))])
    assert result.rejected == [("claims", Malformed("a,b"), ("malformed_row",))]
    assert result.rejected_share == {"claims": 0.5, "population": 0.0}


def test_gate():
    claims = claims_of(*(("2023-03-01", CAESAREAN) for _ in range(99)), ("2023-03-01", "1"))
    assert run(claims, settings={"max_rejected_share": 0.01}).gate_passed
    assert not run(claims[1:], settings={"max_rejected_share": 0.01}).gate_passed


def doubles(*changes):
    """Which of the claims with one id stays, by its place."""
    lines = [
        {**line, "claim_id": "c", "provider_id": f"p{number}", **changed}
        for number, (line, changed) in enumerate(
            zip(claims_of(*(("2023-03-01", CAESAREAN) for _ in changes)), changes, strict=True)
        )
    ]
    result = run(lines)
    rejected = [row for _, row, reasons in result.rejected if reasons == ("duplicate_claim_id",)]
    (kept,) = [number for number, line in enumerate(lines) if line not in rejected]
    assert len(result.rejected) == len(lines) - 1
    return kept


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        pytest.param(({}, {}), 0, id="first provider"),
        pytest.param(({"booking_date": "2023-04-01"}, {"booking_date": "2023-04-02"}), 1, id="latest booking"),
        pytest.param(({}, {"booking_date": "2023-04-02"}), 1, id="null booking is the earliest"),
        pytest.param(({"service_date": "2023-03-02"}, {"service_date": "2023-03-01"}), 1, id="first date"),
        pytest.param(({"nomenclature_code": "999999"}, {}), 1, id="first code"),
        pytest.param(({"quantity": "10"}, {"quantity": "9"}), 1, id="quantity as a number"),
        pytest.param(({"provider_id": None}, {"provider_id": "z"}), 1, id="null provider last"),
        pytest.param(({"provider_id": "p10"}, {"provider_id": "p9"}), 0, id="provider as text"),
        pytest.param(
            (
                {"provider_id": "p", "provider_profession": None},
                {"provider_id": "p", "provider_profession": "9"},
            ),
            1,
            id="null profession last",
        ),
        pytest.param(
            (
                {"provider_id": "p", "provider_competence": "10"},
                {"provider_id": "p", "provider_competence": "9"},
            ),
            1,
            id="first competence",
        ),
        pytest.param(
            ({"provider_id": "p", "hospital_id": None}, {"provider_id": "p", "hospital_id": "z"}),
            1,
            id="null hospital last",
        ),
        pytest.param(
            ({"provider_id": "p", "beneficiary_id": "b"}, {"provider_id": "p", "beneficiary_id": "a"}),
            1,
            id="first beneficiary",
        ),
        pytest.param(({"service_date": "2023-03-03"}, {"claim_id": " c "}, {}), 1, id="ids are trimmed"),
    ],
)
def test_duplicate_claims(changes, kept):
    assert doubles(*changes) == kept


def test_duplicates_are_judged_among_the_rows_without_another_reason():
    lines = claims_of(
        ("2023-03-01", CAESAREAN, {"claim_id": "c", "booking_date": "2024-01-01", "quantity": "0"}),
        ("2023-03-01", CAESAREAN, {"claim_id": "c"}),
    )
    result = run(lines)
    assert [reasons for _, _, reasons in result.rejected] == [("zero_quantity",)]
    assert len(result.accepted["claims"]) == 1


def test_identical_rows_are_duplicates_too():
    (line,) = claims_of(("2023-03-01", CAESAREAN))
    result = run([line, dict(line), dict(line)])
    assert len(result.accepted["claims"]) == 1
    assert [reasons for _, _, reasons in result.rejected] == [("duplicate_claim_id",)] * 2


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ({"birth_date": None}, {}, 1),
        ({"birth_date": "1993-05-02"}, {}, 1),
        ({"sex": "1"}, {"sex": "2"}, 1),
        ({"sex": "x"}, {"sex": "m"}, 1),
        ({"increased_reimbursement": "1"}, {"increased_reimbursement": "0"}, 1),
        ({"increased_reimbursement": None}, {"increased_reimbursement": "true"}, 1),
        ({"municipality_31_december": None}, {"municipality_31_december": "99999"}, 1),
        ({"sector_30_june": "b"}, {"sector_30_june": "a"}, 1),
        ({}, {"municipality_30_june": "11001"}, 1),
    ],
)
def test_duplicate_beneficiary_years(first, second, kept):
    rows = [person(**first), person(**second)]
    result = run([], rows)
    assert result.rejected == [("population", rows[1 - kept], ("duplicate_beneficiary_year",))]


def test_warnings():
    claims = claims_of(
        ("2023-03-01", CAESAREAN),
        ("2023-03-01", CAESAREAN, {"beneficiary_id": "man"}),
        ("2023-03-01", CAESAREAN, {"beneficiary_id": "old"}),
        ("2023-03-01", CAESAREAN, {"beneficiary_id": "girl"}),
        ("2023-03-01", "424094"),
    )
    population = [
        person(),
        person("man", sex="1"),
        person("old", birth_date="1967-03-01", municipality_31_december="82039"),
        person("girl", birth_date="2011-03-01", municipality_30_june="10000"),
        person("unborn", birth_date="2024-01-01"),
        person("newborn", birth_date="2023-12-31", sector_31_december="?", sector_30_june="?"),
        person("odd", sex="3"),
    ]
    assert run(claims, population).warnings == {
        "unknown_sex": 1,
        "birth_date_after_year": 1,
        "sector_off_pattern": 1,
        "wrong_check_digit": 1,
        "municipality_outside_vintage": 2,
        "delivery_of_a_man": 1,
        "age_at_delivery_out_of_range": 1,
    }


def test_input_errors():
    with pytest.raises(InputError, match="before 2006"):
        run([], people(2005), (2005,))
    with pytest.raises(InputError, match="no population row"):
        run([], people(2022))
    with pytest.raises(InputError, match="unknown setting"):
        run([], settings={"postnatal_window.days": 42})
    with pytest.raises(InputError, match="unknown setting"):
        run([], settings={"episode_rules.x": 42})
    with pytest.raises(InputError, match="episode_rule"):
        run([], settings={"episode_rule": "fixed"})
    with pytest.raises(InputError, match="population is missing"):
        compute({"claims": []}, [2023], conf_dir=CONF)
    with pytest.raises(InputError, match="unknown indicator"):
        run([], indicators=["cube_007_999z"])


# --- Section 8: cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2004-02-29", "2023-02-28", 18),
        ("2004-02-29", "2023-03-01", 19),
        ("2004-02-29", "2024-02-28", 19),
        ("2004-02-29", "2024-02-29", 20),
        ("2003-03-01", "2023-02-28", 19),
        ("2003-03-01", "2023-03-01", 20),
        ("2023-03-01", "2023-03-01", 0),
        ("2023-03-02", "2023-03-01", None),
    ],
)
def test_age_in_completed_years(born, day, age):
    assert completed_years(date.fromisoformat(born), date.fromisoformat(day)) == age


def test_age_categories():
    claims = claims_of(("2023-02-28", CAESAREAN))
    delivery = one_delivery(claims, [person(birth_date="2003-03-01")])
    assert (delivery["age"], delivery["age_category"]) == (19, "<20")
    for birth, label in [("2003-02-28", "20-24"), ("1983-02-28", "40+"), ("2023-03-01", "unknown")]:
        assert one_delivery(claims, [person(birth_date=birth)])["age_category"] == label
    population = [person("a", birth_date="2005-12-31"), person("b", birth_date="2006-01-01"), person("c")]
    result = run([], population, indicators=["cube_013_023"])
    assert cell(result, "cube_013_023", age_category="18-24")["denominator"] == 1
    assert cell(result, "cube_013_023", age_category="0-17")["denominator"] == 1
    assert age_category(None, []) == "unknown"


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [
        # z^2 = 3.8414588206941236: 0 of n gives [0, z^2 / (n + z^2)], n of n its mirror image.
        (0, 10, 0.0, 27.75327998628898),
        (10, 10, 72.24672001371101, 100.0),
        (1, 1, 20.654931437723745, 100.0),
        (0, 1, 0.0, 79.34506856227626),
        # Newcombe (1998), score method: 81/263, 15/148, 0/20 and 1/29, printed with four decimals.
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
        (5, 10, 23.66, 76.34),
    ],
)
def test_wilson(numerator, denominator, low, high):
    assert wilson(numerator, denominator) == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 3), (5, 10), (81, 263), (1, 100000)])
def test_wilson_bounds_are_as_far_from_the_proportion_as_their_own_standard_error(numerator, denominator):
    share = numerator / denominator
    for bound in (bound / 100 for bound in wilson(numerator, denominator)):
        error = math.sqrt(bound * (1 - bound) / denominator)
        assert abs(share - bound) == pytest.approx(1.959963984540054 * error)


def test_wilson_at_the_ends_is_within_0_and_100():
    for denominator in range(1, 300):
        assert wilson(0, denominator)[0] == pytest.approx(0, abs=1e-12)
        assert wilson(denominator, denominator)[1] == pytest.approx(100)
        assert wilson(0, denominator)[0] >= 0
        assert wilson(denominator, denominator)[1] <= 100


POSTNATAL = {"cube_007_008a", "cube_007_008b", "cube_007_009a"}


@pytest.mark.parametrize(
    ("last", "provisional"),
    [
        ("2023-12-30", set(ALL)),
        ("2023-12-31", POSTNATAL),
        ("2024-02-10", POSTNATAL),
        ("2024-02-11", set()),
    ],
)
@pytest.mark.parametrize("by_option", [True, False])
def test_status(last, provisional, by_option):
    if by_option:
        claims = claims_of(("2024-06-30", "100000"))
        result = run(claims, indicators=ALL, stays=[], complete_through=date.fromisoformat(last))
    else:
        # A line that is rejected reaches nowhere.
        claims = claims_of((last, "100000"), ("2024-12-31", "1"))
        result = run(claims, indicators=ALL, stays=[])
    statuses = {(key[0], row["status"]) for key, row in result.cells.items()}
    expected = {(name, "provisional" if name in provisional else "final") for name in ALL}
    expected -= {("cube_007_004a", "final"), ("cube_007_004a", "provisional")}
    expected.add(("cube_007_004a", "not_computable"))
    assert statuses == expected


def test_status_follows_the_window():
    options = {"postnatal_window.last_day": 41}
    claims = claims_of(("2024-02-10", "100000"))
    result = run(claims, indicators=["cube_007_008a"], settings=options)
    assert cell(result, "cube_007_008a")["status"] == "final"


def test_cube_and_zero_rows():
    claims = claims_of(
        ("2023-03-01", CAESAREAN),
        ("2023-03-02", VAGINAL, {"beneficiary_id": "v"}),
        ("2023-03-03", GP, {"beneficiary_id": "v", "provider_competence": "1"}),
    )
    population = [
        person(),
        person("v", birth_date=None, increased_reimbursement="yes", municipality_31_december="21004"),
    ]
    result = run(claims, population, indicators=["cube_007_008a", "cube_007_001a_denom"])
    assert cell(result, "cube_007_008a")["value"] == 50.0
    assert cell(result, "cube_007_008a", delivery_type="caesarean")["value"] == 100.0
    assert cell(result, "cube_007_008a", delivery_type="vaginal")["value"] == 0.0
    assert cell(result, "cube_007_008a", "02000", "region")["denominator"] == 1
    assert cell(result, "cube_007_008a", "04000", "region", age_category="unknown")["numerator"] == 0
    zero = cell(result, "cube_007_008a", "03000", "region")
    assert zero == {
        "numerator": 0,
        "denominator": 0,
        "value": None,
        "ci_low": None,
        "ci_high": None,
        "status": "provisional",
        "geo_vintage": 2023,
    }
    assert cell(result, "cube_007_001a_denom", "03000", "region")["value"] == 0
    assert cell(result, "cube_007_001a_denom")["value"] == 2
    assert cell(result, "cube_007_001a_denom")["ci_low"] is None
    # Two deliveries without a common value: 2 ^ 3 choices each, the one of `all` everywhere in common.
    per_indicator = [key for key in result.cells if key[0] == "cube_007_008a"]
    at_country = [key for key in per_indicator if key[2] == "country"]
    assert len(at_country) == 2 * 8 - 1
    assert sum(key[2] == "municipality" for key in per_indicator) == 581 + 2 * 7
    assert sum(key[2] == "province" for key in per_indicator) == 10 + 7
    assert {key[7] for key in per_indicator} == {"all"}


def test_imaging():
    claims = claims_of(
        ("2023-03-01", EXAM, {"quantity": "3"}),
        ("2023-03-01", EXAM, {"quantity": "-1"}),
        ("2023-12-31", EXAM_2),
        ("2024-01-01", EXAM),
        ("2022-12-31", EXAM),
        ("2023-05-05", EXAM, {"beneficiary_id": "v"}),
        ("2023-05-05", EXAM, {"beneficiary_id": "v", "quantity": "-3"}),
    )
    population = [person(), person("v", sex="1", municipality_31_december=None), person("u", sex=None)]
    result = run(claims, population, indicators=ALL)
    # 33.33 %: Wilson for 1 of 3.
    share = cell(result, "stat_013_023")
    assert (share["numerator"], share["denominator"]) == (1, 3)
    assert share["value"] == pytest.approx(100 / 3)
    assert (share["ci_low"], share["ci_high"]) == pytest.approx((6.149, 79.234), abs=0.0005)
    volume = cell(result, "stat_013_024")
    assert (volume["numerator"], volume["value"], volume["ci_low"]) == (3, 100.0, None)
    assert cell(result, "cube_013_023", sex="female")["numerator"] == 1
    assert cell(result, "cube_013_023", sex="male")["denominator"] == 1
    assert cell(result, "cube_013_023", sex="unknown")["denominator"] == 1
    assert cell(result, "stat_013_023", "11001", "municipality")["denominator"] == 2
    assert {key[4:] for key in result.cells if key[0] == "stat_013_023"} == {("all",) * 4}


def hospital_cells():
    claims = claims_of(
        ("2023-03-01", CAESAREAN, {"beneficiary_id": "a", "hospital_id": "h1"}),
        ("2023-03-01", VAGINAL, {"beneficiary_id": "b", "hospital_id": "h1"}),
        ("2023-03-01", VAGINAL, {"beneficiary_id": "c"}),
        ("2023-03-01", HOME, {"beneficiary_id": "d", "hospital_id": "h2"}),
        ("2023-03-03", GP, {"beneficiary_id": "b", "provider_competence": "1"}),
    )
    stays = [
        {"stay_id": who, "beneficiary_id": who, "admission_date": "2023-03-01", "discharge_date": leaves}
        for who, leaves in [("a", "2023-03-06"), ("c", "2023-03-03"), ("d", "2023-03-20")]
    ]
    return run(claims, [person(who) for who in "abcd"], indicators=ALL, stays=stays)


def test_hospital_deliveries():
    result = hospital_cells()
    keys = {key for key in result.cells if key[0] == "cube_007_006b"}
    assert {key[2:4] for key in keys} == {("country", "01000"), ("hospital", "h1")}
    country, hospital = cell(result, "cube_007_006b"), cell(result, "cube_007_006b", "h1", "hospital")
    assert (country["numerator"], country["denominator"]) == (1, 3)
    assert (hospital["numerator"], hospital["denominator"], hospital["value"]) == (1, 2, 50.0)
    assert hospital["geo_vintage"] == 2023
    without = cell(result, "cube_007_008b", delivery_type="vaginal")
    assert (without["numerator"], without["denominator"]) == (1, 2)
    assert cell(result, "cube_007_008b", "h1", "hospital", delivery_type="caesarean")["value"] == 100.0
    assert cell(result, "cube_007_001a_denom", delivery_type="vaginal")["denominator"] == 3


def test_length_of_stay():
    result = hospital_cells()
    mean = cell(result, "cube_007_007a")
    assert (mean["numerator"], mean["denominator"], mean["value"], mean["ci_low"]) == (7, 2, 3.5, None)
    assert cell(result, "cube_007_007a", delivery_type="vaginal")["value"] == 2.0
    assert cell(result, "cube_007_007a", "11001", "municipality")["denominator"] == 2


def test_length_of_stay_without_stays_is_not_computable():
    result = run(claims_of(("2023-03-01", CAESAREAN)), indicators=["cube_007_007a"])
    assert len(result.cells) == len(Geography.read(CONF).units(2023))
    assert {key[4:] for key in result.cells} == {("all",) * 4}
    row = cell(result, "cube_007_007a", "11001", "municipality")
    assert row["status"] == "not_computable"
    assert [row[name] for name in ("numerator", "denominator", "value", "ci_low")] == [None] * 4
    # An empty table of stays is there: computable, nobody has a known stay.
    row = cell(run([], indicators=["cube_007_007a"], stays=[]), "cube_007_007a")
    assert (row["numerator"], row["denominator"], row["value"], row["status"]) == (0, 0, None, "provisional")


def test_empty_code_list_is_not_computable_in_the_cells_of_its_denominator():
    claims = claims_of(("2023-03-01", CAESAREAN))
    result = run(claims, indicators=["cube_007_004a", "cube_007_001a_denom"])
    tests = {key[1:]: row for key, row in result.cells.items() if key[0] == "cube_007_004a"}
    counts = {key[1:]: row for key, row in result.cells.items() if key[0] == "cube_007_001a_denom"}
    assert tests.keys() == counts.keys()
    for key, row in tests.items():
        assert row["denominator"] == counts[key]["denominator"]
        assert [row[name] for name in ("numerator", "value", "ci_low", "ci_high")] == [None] * 4
        assert row["status"] == "not_computable"


def copy_of_conf(folder):
    for path in CONF.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(CONF)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


@pytest.mark.parametrize(("valid_to", "value"), [("", 100.0), ("2022-12-31", 0.0)])
def test_code_list_with_rows_is_computable(tmp_path, valid_to, value):
    copy_of_conf(tmp_path)
    path = tmp_path / "codelists" / "gestational_diabetes_test.csv"
    with path.open("a", newline="") as file:
        row = ["gestational_diabetes_test", "433075", "", "", "", "", valid_to, "a test", "memory"]
        csv.writer(file).writerow(row)
    tables = {
        "claims": claims_of(("2023-03-01", CAESAREAN), ("2023-02-01", "433075")),
        "population": [person()],
    }
    result = compute(tables, [2023], conf_dir=tmp_path, indicators=["cube_007_004a"])
    assert cell(result, "cube_007_004a")["value"] == value
    assert result.deliveries[0]["prenatal_gdm_test"] is (value > 0)


def test_default_indicators_are_the_declared_ones():
    tables = {"claims": [], "population": [person()]}
    declared = {path.stem for path in (CONF / "indicators").glob("*.yaml")}
    result = compute(tables, [2023], conf_dir=CONF)
    assert {key[0] for key in result.cells} == declared


def test_left_edge():
    def edge(day):
        return run(claims_of((day, "100000"))).flow["left_edge_open"][2023]

    assert edge("2022-12-02") == {"deliveries": False, "prenatal": True}
    assert edge("2022-12-03") == {"deliveries": True, "prenatal": True}
    assert edge("2022-04-06") == {"deliveries": False, "prenatal": False}
    assert edge("2022-04-07") == {"deliveries": False, "prenatal": True}


# --- Generators and files -------------------------------------------------------------------------------


def check_invariants(tables, years, result):
    for table, rows in tables.items():
        rejected = sum(name == table for name, _, _ in result.rejected)
        assert len(result.accepted[table]) + rejected == len(rows)
    for key, row in result.cells.items():
        if row["numerator"] is not None and key[0] not in ("stat_013_024", "cube_007_007a"):
            assert 0 <= row["numerator"] <= row["denominator"]
        if row["ci_low"] is not None:
            assert 0 <= row["ci_low"] <= row["value"] + 1e-9
            assert row["value"] - 1e-9 <= row["ci_high"] <= 100
    for year in years:
        deliveries = [row for row in result.deliveries if row["year"] == year]
        assert cell(result, "cube_007_001a_denom", year=year)["denominator"] == len(deliveries)
        of_municipalities = sum(
            row["denominator"]
            for key, row in result.cells.items()
            if key[:3] == ("cube_007_001a_denom", year, "municipality") and set(key[4:]) == {"all"}
        )
        assert of_municipalities == sum(row["municipality"] is not None for row in deliveries)


@pytest.mark.parametrize("seed", range(10))
def test_order_of_rows_never_matters(seed):
    rng = random.Random(seed)
    tables = random_tables(rng)
    overrides = random_settings(rng)
    years = years_of(tables)
    result = compute(tables, years, conf_dir=CONF, settings=overrides, indicators=ALL)
    check_invariants(tables, years, result)
    shuffled = {table: rng.sample(rows, len(rows)) for table, rows in tables.items()}
    again = compute(shuffled, years, conf_dir=CONF, settings=overrides, indicators=ALL)
    assert (again.cells, again.deliveries) == (result.cells, result.deliveries)
    assert (again.flow, again.warnings) == (result.flow, result.warnings)


def test_random_tables_depend_on_the_seed_alone():
    assert random_tables(random.Random(3)) == random_tables(random.Random(3))
    assert random_tables(random.Random(3)) != random_tables(random.Random(4))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(tables=tables_strategy(), overrides=settings_strategy())
def test_hypothesis_tables(tables, overrides):
    years = years_of(tables)
    result = compute(tables, years, conf_dir=CONF, settings=overrides, indicators=ALL)
    check_invariants(tables, years, result)


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_csv_round_trip(tmp_path, seed, files):
    tables = random_tables(random.Random(seed))
    reference_io.write_csv(tables, tmp_path, files=files)
    back = reference_io.read_csv(tmp_path)
    years = years_of(tables)
    overrides = {"max_rejected_share": 1}
    first = compute(tables, years, conf_dir=CONF, settings=overrides)
    second = compute(back, years, conf_dir=CONF, settings=overrides)
    assert (second.cells, second.deliveries) == (first.cells, first.deliveries)
    assert sorted(reasons for _, _, reasons in second.rejected) == sorted(reasons for _, _, reasons in first.rejected)


def test_parquet_columns_have_types_where_every_value_parses(tmp_path):
    claims = claims_of(
        ("2023-03-01", CAESAREAN, {"provider_competence": "1"}),
        ("2023-03-02", CAESAREAN, {"provider_competence": "x", "hospital_id": None}),
    )
    tables = {"claims": claims, "population": [person(increased_reimbursement="Yes")]}
    reference_io.write_parquet_typed(tables, tmp_path)
    schema = pq.read_schema(tmp_path / "claims" / "part-000.parquet")
    assert [str(schema.field(name).type) for name in ("service_date", "quantity", "provider_competence")] == [
        "date32[day]",
        "int64",
        "string",
    ]
    population = pq.read_table(tmp_path / "population" / "part-000.parquet").to_pylist()
    assert population[0]["increased_reimbursement"] is True
    reference_io.write_parquet_typed(tables, tmp_path, timestamps=True)
    schema = pq.read_schema(tmp_path / "claims" / "part-000.parquet")
    assert str(schema.field("service_date").type) == "timestamp[us]"
    with pytest.raises(ValueError, match="malformed"):
        reference_io.write_parquet_typed({"claims": [Malformed("x")]}, tmp_path)


def test_input_by_another_hand(tmp_path):
    tables = write_input(tmp_path, beneficiaries=300)
    assert reference_io.read_csv(tmp_path).keys() == tables.keys()
    assert len(list((tmp_path / "claims").iterdir())) == 4
    result = compute(tables, YEARS, conf_dir=CONF, indicators=ALL)
    assert result.gate_passed
    assert result.rejected
    assert compute(reference_io.read_csv(tmp_path), YEARS, conf_dir=CONF, indicators=ALL).cells == result.cells
    for name in ALL:
        row = cell(result, name)
        if name != "cube_007_004a":
            assert row["numerator"] > 0, name
            assert math.isfinite(row["value"])
