"""Random raw tables in narrow ranges, so that ties, equal days and boundaries are frequent.

Two ways to draw the same tables: `random_tables(random.Random(seed))`, and the Hypothesis strategy
`tables_strategy()`, which shrinks. Both choose every value with one function `pick`, from a short pool in
which a value that stands several times is more frequent.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from reference.model import Malformed, Row, Tables
from reference.parse import COLUMNS

Pick = Callable[[Sequence[Any]], Any]

#: The year in the middle: 2016 first sectors, 2018/2019 and 2024/2025 changes of codes, 2023 most often.
MIDDLE_YEARS = (2023, 2023, 2023, 2024, 2016, 2018, 2019, 2025)

#: In the population of the middle year and of the year before, always and without a flaw.
RESIDENT = "resident"
BENEFICIARIES = (RESIDENT, "b1", "b2", "b3", "b4", "b5", "b6", "007")
PROVIDERS = (None, "p1", "p2", "10")
HOSPITALS = (None, "h1", "h1", "h2", "h10", " h2 ")

DELIVERY_OFFSETS = (0, 0, 0, 0, 25, 25, 50, 51, 1, 21, 29, 30, 31, 60, 61, 179, 180, 181, -30, -31)
CONTACT_OFFSETS = (1, 0, 1, 2, 41, 42, 42, 43, 10, 20, 30, -1, -1, -100, -269, -270, -270, -271)
EXAM_OFFSETS = (0, 0, 1, 2, -1, 180)

#: (code, profession, competence) that fit each other; `mixed` draws the three apart.
DELIVERIES = (424093, 424104, 422225, 423500, 424023, 422656, 423651)
CONTACTS = (
    (101032, None, 1),
    (103110, 1, 8),
    (103316, None, 4),
    (101673, None, 3),  # from August 2022
    (101135, None, 3),  # to July 2022
    (102012, 1, 34),
    (102535, None, 978),
    (101695, None, 146),
    (422030, 40, None),
    (428433, 40, 40),
    (422796, 40, None),  # midwife_postnatal
    (428735, 40, None),  # midwife_postnatal from December 2023
    (561595, 50, None),
    (564550, 55, None),
    (102071, None, 580),
    (102012, None, 580),  # in the gynaecologist's and in the specialist's list
)
PRENATAL = (424056, 461731, 460353)
IMAGING = (589013, 589024, 589013, 590295, 589035)
OUTSIDE = (100000, 999999, 101031, 422251, 424094, 433075)
PROFESSIONS = (None, 1, 40, 49, 50, 55, 56)
COMPETENCES = (None, 0, 1, 8, 9, 34, 146, 340, 978, 580, 999)
QUANTITIES = ("1", "1", "1", "1", "1", "1", "+1", "1", "2", "3", "-1", "-1", "-2")

#: 71047 -> 72042 and the recode 55039 -> 51068 in 2019; 11007 -> 11002 and 82003 -> 82039 in 2025.
MUNICIPALITIES = (
    "11001",
    "11001",
    "21004",
    "62063",
    "11002",
    "11007",
    "55039",
    "51068",
    "71047",
    "72042",
    "82003",
    "82039",
    " 11001",
    None,
    None,
    "99999",
    "1100",
)
SECTORS = (
    None,
    "11001A00-",
    "11001A00-",
    "21004B1AZ",
    "72042ZZZZ",
    "110010123",
    "11001a00-",
    "11001A0",
    "21004B1AZ9",
    "ZZZZ",
)
SEXES = ("1", "m", "Male", "2", "2", "f", "FEMALE", " F ", None, "x", "3")
BOOLEANS = ("true", "FALSE", "1", "0", "T", "f", "Yes", "no", None, "")

#: Texts that no value of the kind can have, and null.
BAD = {
    "text": (None, "", "  "),
    "date": (None, "2023-02-30", "01/03/2023", "2023-3-1", "20230301", "x", "2023-03-01 00:00:00"),
    "code": (None, "42409A", "4240931", "42409", "0", "-424093", "99999999999", "424093.0"),
    "int": (None, "1.0", "x", "2147483648", "-2147483649", "1e3", "--1", "+"),
    "bool": (None, "maybe", "y", "2", "vrai"),
    "sex": (None, "?"),
}
#: Texts that parse and break another rule, or stand at its edge (as of 22 November 2026).
ODD = {
    "service_date": ("2004-12-31", "2005-01-01", "2026-11-22", "2026-11-23"),
    "booking_date": ("2016-01-01", "2022-12-30", "2026-12-31"),
    "quantity": ("0", "+0", "-0"),
    "discharge_date": ("2015-01-01", "2022-12-30", "2030-01-01"),
    "provider_competence": ("1000", "-1"),
}
CLAIM_IDS = ("c1", "c2", 'c"3,x', " c1 ")
MALFORMED = (Malformed("garbage"), Malformed("," * 15), Malformed("a,b,c," + "d," * 15))


def fixed_days(middle: int) -> tuple[date, ...]:
    """Days around which deliveries and contacts lie: edges of the year, of February, and others."""
    return (
        date(middle, 3, 1),
        date(middle - 1, 12, 20),
        date(middle - 1, 12, 31),
        date(middle, 1, 1),
        date(middle, 2, 28),
        date(middle, 6, 15),
        date(middle, 12, 31),
    )


def births(middle: int) -> tuple[str | None, ...]:
    """Birth dates: 29 February, birthdays on and after the days of fixed_days, after the year, none."""
    leap = (middle - 20) // 4 * 4
    return (
        f"{middle - 20}-03-01",
        f"{middle - 20}-03-02",
        f"{middle - 40}-12-31",
        f"{middle - 25}-01-01",
        f"{leap}-02-29",
        f"{leap}-02-29",
        f"{middle - 11}-06-15",
        f"{middle - 56}-01-01",
        f"{middle}-07-01",
        f"{middle + 2}-01-01",
        None,
    )


def text_of(number: int | None) -> str | None:
    """A number as text."""
    return None if number is None else str(number)


def spoil(table: str, row: Row, pick: Pick) -> Any:
    """The row with one bad text, or a malformed line."""
    kinds: list[tuple[str, str]] = [(column, kind) for column, kind, _ in COLUMNS[table]]
    column, kind = pick([*kinds, ("malformed", "")])
    if column == "malformed":
        return pick(MALFORMED)
    bad = BAD[kind] + ODD.get(column, ())
    row[column] = pick(bad)
    return row


def claim(pick: Pick, people: Sequence[str], days: Sequence[date], flaws: Sequence[bool]) -> Any:
    """One claim line; `echo` marks one that repeats the service of the line before (see finish_claims)."""
    kind = pick(("delivery", "delivery", "contact", "contact", "contact", "prenatal", "imaging", "mixed"))
    profession: int | None
    competence: int | None
    if kind == "delivery":
        code, profession, competence = pick(DELIVERIES), pick(PROFESSIONS), pick(COMPETENCES)
        offset = pick(DELIVERY_OFFSETS)
    elif kind == "contact":
        code, profession, competence = pick(CONTACTS)
        offset = pick(CONTACT_OFFSETS)
    elif kind == "prenatal":
        code, profession, competence = pick(PRENATAL), None, pick(COMPETENCES)
        offset = pick(CONTACT_OFFSETS)
    elif kind == "imaging":
        code, profession, competence = pick(IMAGING), None, pick(COMPETENCES)
        offset = pick(EXAM_OFFSETS)
    else:
        code = pick((*OUTSIDE, *(contact[0] for contact in CONTACTS)))
        profession, competence = pick(PROFESSIONS), pick(COMPETENCES)
        offset = pick(CONTACT_OFFSETS)
    day = pick(days) + timedelta(offset)
    booked = pick((None, None, None, 0, 1, 30, 400))
    row = {
        "claim_id": pick((None,) * 40 + CLAIM_IDS),
        "beneficiary_id": pick(people),
        "service_date": day.isoformat(),
        "nomenclature_code": str(code),
        "quantity": pick(QUANTITIES),
        "provider_id": pick(PROVIDERS),
        "provider_profession": text_of(profession),
        "provider_competence": text_of(competence),
        "hospital_id": pick(HOSPITALS),
        "booking_date": None if booked is None else (day + timedelta(booked)).isoformat(),
        "echo": pick((False, False, False, True)),
    }
    return spoil("claims", row, pick) if pick(flaws) else row


def finish_claims(rows: list[Any]) -> list[Any]:
    """Give each claim without an id its own, and let each echo repeat the service of the line before it."""
    finished: list[Any] = []
    before: Row | None = None
    for number, row in enumerate(rows):
        if isinstance(row, Malformed):
            finished.append(row)
            continue
        line = {column: value for column, value in row.items() if column != "echo"}
        line["claim_id"] = line["claim_id"] if line["claim_id"] is not None else f"n{number}"
        if row["echo"] and before is not None:
            for column in ("beneficiary_id", "service_date", "nomenclature_code", "provider_id"):
                line[column] = before[column]
            if line["booking_date"] is not None and line["service_date"] is not None:
                line["booking_date"] = max(line["booking_date"], line["service_date"])
        finished.append(line)
        before = line
    return finished


def person(pick: Pick, beneficiary: str, year: int, middle: int, flaws: Sequence[bool]) -> Any:
    """One row of the population."""
    row = {
        "beneficiary_id": beneficiary,
        "year": str(year),
        "birth_date": pick(births(middle)),
        "sex": pick(SEXES),
        "increased_reimbursement": pick(BOOLEANS),
        "municipality_31_december": pick(MUNICIPALITIES),
        "municipality_30_june": pick(MUNICIPALITIES),
        "sector_31_december": pick(SECTORS),
        "sector_30_june": pick(SECTORS),
    }
    if pick(flaws) and (beneficiary != RESIDENT or year == middle + 1):
        return spoil("population", row, pick)
    return row


def population(pick: Pick, people: Sequence[str], middle: int, flaws: Sequence[bool]) -> list[Any]:
    """Rows of three years, some missing, some doubled; the resident has one in the first two years."""
    rows: list[Any] = []
    for beneficiary in dict.fromkeys((RESIDENT, *people)):
        for year in (middle - 1, middle, middle + 1):
            must = beneficiary == RESIDENT and year <= middle
            times = 1 if must else pick((1, 1, 1, 1, 1, 0, 2))
            rows.extend(person(pick, beneficiary, year, middle, flaws) for _ in range(times))
    return rows


def stay(pick: Pick, people: Sequence[str], days: Sequence[date], flaws: Sequence[bool]) -> Any:
    """One hospital stay around a delivery day: same day, several nights, over before, begun after."""
    admission = pick(days) + timedelta(pick((0, 0, -1, -3, 1, 30)))
    discharge = admission + timedelta(pick((0, 1, 3, 5, 5, 40)))
    row = {
        "stay_id": pick(("s1", "s2", "s3")),
        "beneficiary_id": pick(people),
        "admission_date": admission.isoformat(),
        "discharge_date": discharge.isoformat(),
        "hospital_id": pick(HOSPITALS),
    }
    return spoil("hospital_stays", row, pick) if pick(flaws) else row


def without(rows: list[Any], column: str | None) -> list[Any]:
    """The rows without one optional column."""
    if column is None:
        return rows
    kept: list[Any] = []
    for row in rows:
        malformed = isinstance(row, Malformed)
        kept.append(row if malformed else {name: row[name] for name in row if name != column})
    return kept


def optional_columns(table: str) -> tuple[str | None, ...]:
    """None many times, then each column that may be absent."""
    columns = [column for column, _, may_be_null in COLUMNS[table] if may_be_null]
    return (None,) * (4 * len(columns)) + tuple(columns)


def draw_tables(pick: Pick, many: Callable[[Callable[[Pick], Any]], list[Any]], flawed: bool) -> Tables:
    """Tables with every value chosen by `pick`, and as many rows of a kind as `many` wants."""
    flaws = (False,) * 24 + (True,) if flawed else (False,)
    middle = pick(MIDDLE_YEARS)
    people = BENEFICIARIES[: pick((2, 1, 1, 3, 8))]
    around = fixed_days(middle)
    days = tuple(pick(around) for _ in range(pick((1, 2, 3))))
    claims = many(lambda one: claim(one, people, days, flaws))
    tables: Tables = {
        "claims": without(finish_claims(claims), pick(optional_columns("claims"))),
        "population": without(population(pick, people, middle, flaws), pick(optional_columns("population"))),
    }
    if pick((True, True, True, True, False)):
        stays = many(lambda one: stay(one, people, days, flaws))
        tables["hospital_stays"] = without(stays, pick(optional_columns("hospital_stays")))
    return tables


def random_tables(rng: random.Random, *, flawed: bool = True, max_rows: int = 80) -> Tables:
    """Random tables from a seeded generator; without flaws no row is spoilt on purpose."""

    def many(make: Callable[[Pick], Any]) -> list[Any]:
        return [make(rng.choice) for _ in range(rng.randint(0, max_rows))]

    return draw_tables(rng.choice, many, flawed)


@st.composite
def one_row(draw: st.DrawFn, make: Callable[[Pick], Any]) -> Any:
    """A row whose values Hypothesis chooses."""
    return make(lambda pool: draw(st.sampled_from(pool)))


@st.composite
def tables_strategy(draw: st.DrawFn, *, flawed: bool = True, max_rows: int = 25) -> Tables:
    """Hypothesis strategy for random tables; it shrinks to few rows with each pool's first values."""

    def many(make: Callable[[Pick], Any]) -> list[Any]:
        return draw(st.lists(one_row(make), max_size=max_rows))

    return draw_tables(lambda pool: draw(st.sampled_from(pool)), many, flawed)


def years_of(tables: Tables) -> tuple[int, ...]:
    """The years that these tables can be asked for: those with a sound row of the resident."""
    rows = [row for row in tables["population"] if not isinstance(row, Malformed)]
    years = sorted({int(row["year"]) for row in rows if row["beneficiary_id"] == RESIDENT and sound(row)})
    return tuple(years[:2])


def sound(row: Row) -> bool:
    """Has the row a year that can be read?"""
    return (row["year"] or "").isdigit()


@st.composite
def settings_strategy(draw: st.DrawFn) -> dict[str, Any]:
    """Overrides of the settings; nothing stops at the gate."""
    return draw_settings(lambda pool: draw(st.sampled_from(pool)))


def random_settings(rng: random.Random) -> dict[str, Any]:
    """Overrides of the settings from a seeded generator; nothing stops at the gate."""
    return draw_settings(rng.choice)


NEVER_STOPPING = (
    "rows_without_provider",
    "people_in_no_population",
    "lines_in_no_population",
    "people_not_in_population",
    "people_with_service_not_in_population",
    "mothers_not_in_population",
    "people_with_stay_not_in_population",
    "people_spelled_twice",
    "hospitals_spelled_twice",
    "contacts_without_provider",
    "implausible_quantity",
    "unknown_value",
    "place_does_not_exist",
    "implausible_age",
    "midnight_elsewhere",
    "mother_of_implausible_age",
    "mother_who_is_a_man",
    "negative_lines_without_match",
)
"""Of random tables much does not go together."""


def draw_settings(pick: Pick) -> dict[str, Any]:
    """Choices of the named decisions, defaults most often."""
    settings: dict[str, Any] = {"max_rejected_share": 1} | {f"checks.input.{name}.stop": 1 for name in NEVER_STOPPING}
    for name, pool in (
        ("episode_rule", ("chained", "anchored")),
        ("episode_type", ("first", "highest_priority")),
        ("midwife_codes", ("source", "source_and_postnatal")),
        ("postnatal_window.first_day", (1, 1, 1, 0, 2)),
        ("postnatal_window.last_day", (42, 42, 42, 41, 43)),
        ("prenatal_window.first_day", (270, 270, 270, 269, 271)),
        ("prenatal_window.last_day", (1, 1, 1, 0, 2)),
        ("episode_gap_days", (30, 30, 30, 29, 31)),
        ("implausible_interval_days", (180, 180, 179, 181)),
    ):
        value = pick(pool)
        if value != pool[0]:
            settings[name] = value
    return settings
