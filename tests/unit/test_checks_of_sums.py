"""Published counts that do not add up are found, each where it is wrong; those that do are left alone."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from claimatlas.checks.findings import Finding
from claimatlas.checks.gold import check_sums
from claimatlas.checks.nesting import parts_and_sums
from claimatlas.checks.sums import Members
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.indicators import Indicator
from pyspark.sql import SparkSession
from shipped import DIMENSIONS

SCHEMA = (
    "indicator_id string, year int, geo_level string, geo_code string, age_category string, "
    "increased_reimbursement string, delivery_type string, sex string, numerator bigint, denominator bigint"
)
DENOMINATOR, BY_HOSPITAL, BY_SECTOR = "cube_007_001a_denom", "cube_007_008b", "stat_013_023"
Cell = tuple[Any, ...]
Cells = dict[Cell, list[int | None]]
"""Numerator and denominator by indicator, level, code and dimensions."""

#: Antwerp, Brussels, Liège and nowhere: codes that were never changed.
MEMBERS = [
    ("11002", "h1", "11002A00-", "20-24", "yes", "caesarean", 1),
    ("11002", "h2", "11002A00-", "25-29", "no", "vaginal", 0),
    ("21004", "h1", "21004A00-", "25-29", "no", "vaginal", 1),
    ("21004", None, None, "unknown", "unknown", "vaginal", 0),
    ("62063", "h3", "62063A00-", "40+", "yes", "caesarean", 1),
    (None, "h3", None, "unknown", "unknown", "vaginal", 1),
]
UNKNOWN = 1


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration()


def published(configuration: Configuration) -> Cells:
    """The cells of three indicators as they must be, counted by hand."""
    counts: Counter[Cell] = Counter()
    for indicator in configuration.indicators:
        if indicator.id not in (DENOMINATOR, BY_HOSPITAL, BY_SECTOR):
            continue
        for place, hospital, sector, age, bim, kind, numerator in MEMBERS:
            parents = configuration.geography.places[place].parents if place else {"country": "01000"}
            where = {**parents, "hospital": hospital, "sector": sector}
            known = {"age_category": age, "increased_reimbursement": bim, "delivery_type": kind}
            values = [("all", known[name]) if name in indicator.dimensions else ("all",) for name in DIMENSIONS]
            for level, split in product(indicator.levels, product(*values)):
                if where.get(level):
                    counts[indicator.id, level, where[level], *split, 0] += numerator
                    counts[indicator.id, level, where[level], *split, 1] += 1
    return {key[:-1]: [counts[(*key[:-1], 0)], counts[key]] for key in counts if key[-1] == 1}


ALL_OF_IT = ("all", "all", "all", "all")
CAESAREANS = ("all", "all", "caesarean", "all")
VAGINAL = ("all", "all", "vaginal", "all")
Damage = Callable[[Cells], None]


def more(indicator: str, level: str, code: str, split: Cell = ALL_OF_IT, figure: int = 1, by: int = 1) -> Damage:
    def change(cells: Cells) -> None:
        counts = cells[indicator, level, code, *split]
        counts[figure] = (counts[figure] or 0) + by

    return change


def without(indicator: str, level: str, code: str, split: Cell = ALL_OF_IT) -> Damage:
    def change(cells: Cells) -> None:
        del cells[indicator, level, code, *split]

    return change


def empty(indicator: str) -> Damage:
    """As of an indicator that is not computable: numerators are null."""

    def change(cells: Cells) -> None:
        for key in cells:
            if key[0] == indicator:
                cells[key][0] = None

    return change


#: What is done to the cells, and which sums are then wrong, by level and kind.
CASES: list[tuple[Damage, set[tuple[str, str, str]]]] = [
    (lambda cells: None, set()),
    (empty(BY_HOSPITAL), set()),
    (
        more(DENOMINATOR, "region", "02000"),
        {(DENOMINATOR, "region", kind) for kind in ("places", *DIMENSIONS[:3])},
    ),
    (
        more(DENOMINATOR, "province", "10000", figure=0, by=-1),
        {(DENOMINATOR, "province", kind) for kind in ("places", *DIMENSIONS[:3])},
    ),
    (more(BY_SECTOR, "arrondissement", "62000"), {(BY_SECTOR, "arrondissement", "places")}),
    # One more in the country is one more of unknown domicile, unless it is known how many these are.
    (
        more(BY_SECTOR, "country", "01000"),
        {(BY_SECTOR, "country", kind) for kind in ("places_and_unknown", "members")},
    ),
    (more(BY_SECTOR, "country", "01000", figure=0), set()),
    (
        more(BY_SECTOR, "country", "01000", by=-2),
        {(BY_SECTOR, "country", kind) for kind in ("places", "places_and_unknown", "members")},
    ),
    (
        more(BY_SECTOR, "municipality", "21004"),
        {(BY_SECTOR, level, "places") for level in ("region", "arrondissement")}
        | {(BY_SECTOR, "country", "places_and_unknown")},
    ),
    (more(BY_SECTOR, "sector", "11002A00-"), set()),
    (more(BY_SECTOR, "sector", "11002A00-", by=3), {(BY_SECTOR, "country", "sector")}),
    # One vaginal delivery of the country has no hospital.
    (more(BY_HOSPITAL, "hospital", "h1", VAGINAL), {(BY_HOSPITAL, "hospital", "delivery_type")}),
    (
        more(BY_HOSPITAL, "hospital", "h1", VAGINAL, by=2),
        {(BY_HOSPITAL, "hospital", "delivery_type"), (BY_HOSPITAL, "country", "hospital")},
    ),
    (without(DENOMINATOR, "country", "01000", CAESAREANS), {
        (DENOMINATOR, "country", kind) for kind in ("places", *DIMENSIONS[:3])
    }),
    (
        without(DENOMINATOR, "municipality", "62063"),
        {(DENOMINATOR, "municipality", name) for name in DIMENSIONS[:3]}
        | {(DENOMINATOR, level, "places") for level in ("region", "province", "arrondissement")}
        | {(DENOMINATOR, "country", "places_and_unknown")},
    ),
]  # fmt: skip
FIRST_YEAR = 2007
"""Each case is a year of its own, so that Spark compares them all at once."""


@pytest.fixture(scope="module")
def found(spark: SparkSession, shipped: Configuration) -> list[Finding]:
    rows = []
    for number, (damage, _) in enumerate(CASES):
        cells = published(shipped)
        damage(cells)
        rows += [(key[0], FIRST_YEAR + number, *key[1:], *counts) for key, counts in cells.items()]
    years = range(FIRST_YEAR, FIRST_YEAR + len(CASES))
    counted = {
        (population, year): Members(len(MEMBERS), UNKNOWN)
        for population in ("deliveries", "beneficiary_years")
        for year in years
    }
    return check_sums(spark.createDataFrame(rows, SCHEMA).toArrow(), shipped, years, counted)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_just_the_sums_that_are_wrong_are_found(found: list[Finding], number: int) -> None:
    of_case = [finding for finding in found if finding.subject["year"] == FIRST_YEAR + number]
    wrong = {
        (finding.subject["indicator_id"], finding.subject["geo_level"], finding.subject["sum"])
        for finding in of_case
        if not finding.ok
    }
    assert wrong == CASES[number][1]
    assert all((finding.measured == 0) == finding.ok and finding.bound == 0 for finding in of_case)


def test_every_kind_of_sum_is_compared(found: list[Finding]) -> None:
    kinds = {(f.subject["indicator_id"], f.subject["sum"]) for f in found if f.subject["year"] == FIRST_YEAR}
    dimensions = {(DENOMINATOR, name) for name in DIMENSIONS[:3]}
    assert kinds == dimensions | {
        (DENOMINATOR, "places"),
        (DENOMINATOR, "places_and_unknown"),
        (DENOMINATOR, "members"),
        (BY_HOSPITAL, "hospital"),
        (BY_HOSPITAL, "delivery_type"),
        (BY_SECTOR, "places"),
        (BY_SECTOR, "places_and_unknown"),
        (BY_SECTOR, "members"),
        (BY_SECTOR, "sector"),
    }


def test_the_first_wrong_cell_is_named(found: list[Finding]) -> None:
    # Regions have 15, 14 and 8 cells with a member.
    (sentence,) = [
        finding.sentence
        for finding in found
        if finding.subject["year"] == FIRST_YEAR + 2 and finding.subject["sum"] == "places" and not finding.ok
    ]
    assert sentence == (
        f"{DENOMINATOR} 2009, region: 1 of 37 cells do not add up with their smallest places, the first 02000: "
        "numerator / denominator 1 / 3 is not the sum, 1 / 2."
    )


def test_parts_that_are_more_than_the_country(found: list[Finding]) -> None:
    (sentence,) = [finding.sentence for finding in found if finding.subject["sum"] == "sector" and not finding.ok]
    assert sentence == (
        f"{BY_SECTOR} 2017, country: 1 of 1 cells do not add up with the sectors, the first 01000: "
        "numerator / denominator 4 / 6 is less than the sum, 3 / 7."
    )


def test_members_that_are_in_no_cell(spark: SparkSession, shipped: Configuration) -> None:
    """Lost by everything that is published alike, so that only the count of the run tells."""
    cells = published(shipped)
    rows = [(key[0], 2023, *key[1:], *counts) for key, counts in cells.items() if key[0] == DENOMINATOR]
    counted = {("deliveries", 2023): Members(len(MEMBERS) + 1, UNKNOWN)}
    wrong = [f for f in check_sums(spark.createDataFrame(rows, SCHEMA).toArrow(), shipped, [2023], counted) if not f.ok]
    assert [finding.sentence for finding in wrong] == [
        f"{DENOMINATOR} 2023, country: 1 of 1 cells do not add up with the members that the run counted, the first "
        "01000: numerator / denominator 4 / 6 is not the sum, 4 / 7."
    ]


def test_places_that_are_no_whole_may_hold_more(spark: SparkSession, shipped: Configuration) -> None:
    """Brussels lies in no province: its region is not the sum of its provinces, the others are."""
    declared = next(indicator for indicator in shipped.indicators if indicator.id == BY_SECTOR)
    by_province: Indicator = declared.model_copy(update={"levels": ("country", "region", "province")})
    configuration = replace(shipped, indicators=(by_province,))
    places = [("country", "01000", 9), ("region", "02000", 3), ("region", "03000", 2), ("region", "04000", 4)]
    places += [("province", "10000", 2), ("province", "60000", 2)]
    rows = [(BY_SECTOR, 2023, level, code, *ALL_OF_IT, 0, count) for level, code, count in places]
    findings = check_sums(spark.createDataFrame(rows, SCHEMA).toArrow(), configuration, [2023])
    by_level = {finding.subject["geo_level"]: finding for finding in findings}
    assert by_level["country"].ok
    assert (by_level["region"].measured, by_level["region"].cases) == (1, 3)
    assert "02000: numerator / denominator 0 / 3 is not the sum, 0 / 2" in by_level["region"].sentence


def test_what_is_whole(shipped: Configuration) -> None:
    found = parts_and_sums(shipped.geography, "country", "municipality", 2023)
    whole = {key: is_whole for key, (_, is_whole) in found.items() if is_whole is not None}
    assert {key for key, is_whole in whole.items() if not is_whole} == {("country", "01000")}
    parents, is_whole = found["municipality", "21004"]
    assert is_whole is None
    # No province.
    assert parents == [("country", "01000", False), ("region", "04000", True), ("arrondissement", "21000", True)]
    assert set(whole) == {unit for unit in shipped.geography.units(2023) if unit[0] != "municipality"}


def test_a_part_in_two_places_counts_in_neither(shipped: Configuration) -> None:
    places = {
        code: replace(place, parents={**place.parents, "province": "10000"}) if code == "62063" else place
        for code, place in shipped.geography.places.items()
    }
    geography = replace(shipped.geography, places=places)
    found = parts_and_sums(geography, "country", "arrondissement", 2023)
    assert found["province", "60000"][1] is found["province", "10000"][1] is False
    assert found["province", "20001"][1] is True
    assert [parent[:2] for parent in found["arrondissement", "62000"][0]] == [("country", "01000"), ("region", "03000")]
