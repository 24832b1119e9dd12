"""Values that do not follow from their own counts: standardised rates, and medians judged by enumeration."""

import datetime as dt
import random
import statistics
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import yaml
from claimatlas.auditing.figures import Published, figures_of
from claimatlas.auditing.ranges import ranges_of
from claimatlas.auditing.values import medians_of_many_levels, values_that_tell
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.configuration.rates_and_medians import values_that_tell_more
from claimatlas.conventions import Stratum, directly_standardised
from claimatlas.errors import InputError
from claimatlas.protection.candidate import PublishingRules
from claimatlas.protection.ledger import refuse_other_medians
from claimatlas.protection.plan import PlannedCell
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from claimatlas.protection.values import told
from claimatlas.tables.local_table import write_rows
from claimatlas.tables.schemas import LEDGER
from examples import TEXT_CODES, Edit, editor_of
from reference import rates

MOST = 3
"""What a member can have at most in a world: more than any drawn one has, as readers know no most."""
MEDIAN, RATE, CRUDE = "scans_of_the_middle", "scanned_standardised", "scanned"
COUNT = Quantity("beneficiary_years", "all")
COUNTRY, REGION = "country", "region"


# --- Standardised rates -----------------------------------------------------------------------------------


def test_a_rate_equals_that_of_the_reference() -> None:
    rng = random.Random(1)
    kinds = set()
    for _ in range(500):
        strata = []
        for _ in range(rng.randint(1, 5)):
            of = rng.choice((0, 1, 3, 40, 100_000)) if rng.random() < 0.5 else rng.randint(1, 50)
            strata.append(Stratum(rng.choice((0.5, 20, 5_500)), rng.choice((0, of, rng.randint(0, of))), of))
        counted = {str(number): [one.numerator, one.denominator] for number, one in enumerate(strata)}
        weights = {str(number): one.weight for number, one in enumerate(strata)}
        found, expected = directly_standardised(strata, 1_000), rates.standardised(counted, weights, "per_1000")
        assert found == tuple(None if one is None else pytest.approx(one, rel=1e-9, abs=1e-9) for one in expected)
        kinds.add(tuple(one is None for one in found))
    assert kinds == {(False, False, False), (False, True, True), (False, True, False), (True, True, True)} & kinds
    assert len(kinds) >= 3


# --- Medians ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Country:
    """What each member has: of places that may have a median, and of single people elsewhere."""

    places: tuple[tuple[int, ...], ...]
    elsewhere: tuple[int, ...]

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The places, then everybody elsewhere alone."""
        return (*self.places, *((one,) for one in self.elsewhere))

    @property
    def everybody(self) -> list[int]:
        return [one for group in self.groups for one in group]


def drawn(rng: random.Random, k: int) -> Country:
    top = rng.randint(1, MOST - 1)

    def some(size: int) -> tuple[int, ...]:
        middle = rng.randint(0, top)
        return tuple(sorted(middle if rng.random() < 0.4 else rng.randint(0, top) for _ in range(size)))

    places = tuple(some(rng.randint(2 * k - 1, 2 * k + 2)) for _ in range(rng.randint(1, 2)))
    return Country(places, tuple(rng.randint(0, top) for _ in range(rng.choice((0, 0, 1, 1, 2)))))


def places_of(country: Country) -> list[tuple[str, str]]:
    return [(COUNTRY, "XX"), *((REGION, f"R{number}") for number, _ in enumerate(country.places))]


@cache
def histograms(size: int) -> tuple[tuple[int, ...], ...]:
    """All that ``size`` members can have together, as how many have 0, 1 and so on."""
    found = (one for one in product(range(size + 1), repeat=MOST + 1) if sum(one) == size)
    return tuple(found)


@cache
def median_of(histogram: tuple[int, ...]) -> float:
    return float(statistics.median([value for value, number in enumerate(histogram) for _ in range(number)]))


def worlds(country: Country, shown: frozenset[tuple[str, str]]) -> Any:
    """Everything that the groups can have that gives the shown medians: worlds by groups by values."""
    told = {
        number: statistics.median(one) for number, one in enumerate(country.places) if (REGION, f"R{number}") in shown
    }
    of_groups = [
        np.array([one for one in histograms(len(group)) if number not in told or median_of(one) == told[number]])
        for number, group in enumerate(country.groups)
    ]
    positions = np.indices([len(one) for one in of_groups]).reshape(len(of_groups), -1)
    found = np.stack([one[at] for one, at in zip(of_groups, positions, strict=True)], axis=1)
    if (COUNTRY, "XX") in shown:
        whole = found.sum(axis=1)
        kinds, which = np.unique(whole, axis=0, return_inverse=True)
        median = statistics.median(country.everybody)
        fits = np.array([median_of(tuple(one)) == median for one in kinds.tolist()])
        found = found[fits[which.ravel()]]
    return found


def publication_of(k: int) -> Publication:
    """What is asked of a plan here."""
    return Publication.model_construct(method="suppressed", k=k, published_as={}, sensitive_sides={})


Proved = set[tuple[str, int, tuple[int, ...]]]


def proved(country: Country, shown: frozenset[tuple[str, str]], k: int) -> Proved:
    """What medians tell of 1 to k-1 members: how many of some groups have at most, just, or more than a number.

    That everybody has at most what anybody can have, sizes tell by themselves.
    """
    all_worlds = worlds(country, shown)
    found: Proved = set()
    for mask in range(1, 2 ** len(country.groups)):
        some = tuple(one for one in range(len(country.groups)) if mask >> one & 1)
        just = all_worlds[:, some].sum(axis=1)
        at_most = just.cumsum(axis=1)
        counts = {"just": just, "at most": at_most[:, :-1], "more": at_most[:, -1:] - at_most}
        for what, numbers in counts.items():
            low, high = numbers.min(axis=0), numbers.max(axis=0)
            found |= {(what, int(value), some) for value in np.flatnonzero((low >= 1) & (high < k))}
    return found


def chosen(country: Country, k: int, least: int | None = None) -> frozenset[tuple[str, str]]:
    """The places whose median `told` shows; ``least``: as if groups of so many members were large enough."""
    median = cast(Indicator, SimpleNamespace(unit="median", standardised=None))
    found = set()
    for position, place in enumerate(country.places):
        key = (REGION, f"R{position}")
        cell = PlannedCell(MEDIAN, *key, {}, "final", None, (COUNT, position, 0), median=statistics.median(place))
        enough = k if least is None else least / 2
        said = told(cell, median, (None, len(place)), {}, publication_of(enough))
        if said is not None:
            assert said.value == statistics.median(place)
            found.add(key)
    return frozenset(found)


@pytest.mark.parametrize(("k", "draws"), [(2, 400), (3, 200)])
def test_no_median_tells_of_fewer_than_k_members(k: int, draws: int) -> None:
    """Every world is written down: what the shown medians prove of some groups is of nobody, or of k or more."""
    rng = random.Random(k)
    shown = hidden = 0
    for _ in range(draws):
        country = drawn(rng, k)
        found = chosen(country, k)
        assert proved(country, found, k) == set(), (country, found)
        shown, hidden = shown + len(found), hidden + len(country.places) - len(found)
    assert min(shown, hidden) > 20, (shown, hidden)


@pytest.mark.parametrize("k", [2, 3])
def test_the_enumeration_finds_what_other_rules_would_tell(k: int) -> None:
    """Medians of smaller groups, and that of the country beside those of places, tell of a few."""
    alone = Country((tuple([1] * (k - 1)),), ())
    assert chosen(alone, k) == frozenset()
    assert proved(alone, chosen(alone, k, least=1), k)
    rng = random.Random(k)
    by_country = 0
    for _ in range(200):
        country = drawn(rng, k)
        by_country += bool(proved(country, chosen(country, k) | {(COUNTRY, "XX")}, k))
    assert by_country > 3


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration(str(TEXT_CODES))


def row_of(indicator: str, level: str, code: str, **given: Any) -> dict[str, Any]:
    names = ("age_category", "delivery_type", "sex", "provider_kind")
    nothing = ("numerator", "denominator", "value", "ci_low", "ci_high", "value_low", "value_high")
    return {
        **{"indicator_id": indicator, "year": 2022, "geo_level": level, "geo_code": code, "release": 1},
        **dict.fromkeys(names, "all"),
        **dict.fromkeys(nothing),
        **{"status": "final", "confidentiality": "F", "reliability": "normal"},
        **given,
    }


def judged(rows: list[dict[str, Any]], configuration: Configuration) -> list[str]:
    publication = publication_of(2)
    return values_that_tell(rows, figures_of(rows, configuration, publication, 2022), configuration, publication)


def test_the_attacker_names_medians_that_tell_of_few(configuration: Configuration) -> None:
    rows = [
        row_of(MEDIAN, REGION, "N", denominator=4, value=1.0),
        row_of(MEDIAN, REGION, "S", denominator=3, value=1.0),
        row_of(MEDIAN, COUNTRY, "XX", value=1.0),
        row_of(MEDIAN, COUNTRY, "XX", denominator=9, value=1.0, age_category="18-64"),
        row_of(MEDIAN, REGION, "S", denominator=3, age_category="18-64", numerator=2),
    ]
    found = judged(rows, configuration)
    assert len(found) == 4
    for said in (
        "half of its 3 members may be fewer than 2",
        "of a split",
        "number of its members is hidden",
        "the sum",
    ):
        assert len([one for one in found if said in one and one.startswith(f"median: {MEDIAN}, 2022")]) == 1
    # What another indicator counts of the same services.
    rows = [rows[0], row_of("scans", REGION, "N", numerator=9, denominator=9, value=1.0)]
    assert judged(rows, configuration) == [f"median: {MEDIAN} is a median of what scans counts too"]


def test_the_attacker_knows_the_medians_of_all_releases(configuration: Configuration) -> None:
    """A country of twelve whose median is 1, and a release later those of its halves: they tell of one or two."""
    country = Country(((1,) * 6, (0, 0, 0, 0, 0, 1)), ())
    both = frozenset({(COUNTRY, "XX"), (REGION, "R0"), (REGION, "R1")})
    assert ("more", 0, (1,)) in proved(country, both, 3)
    rows = [row_of(MEDIAN, COUNTRY, "XX", denominator=12, value=1.0)]
    rows += [row_of(MEDIAN, REGION, code, denominator=6, value=1.0, release=2) for code in ("N", "S")]
    found = medians_of_many_levels(rows, configuration)
    assert found == [f"median: {MEDIAN}, 2022: it is shown by country and by region, whose places share members"]
    assert medians_of_many_levels(rows[1:], configuration) == []
    # Of another year other members are counted.
    assert medians_of_many_levels([{**rows[0], "year": 2021}, *rows[1:]], configuration) == []


# --- What the attacker says of values -----------------------------------------------------------------------


def rate_rows(**rate: Any) -> list[dict[str, Any]]:
    """The rate of a country with its strata: 1 of 10, 5 of 20 and 2 of 5, which comes to 250 per 1,000."""
    strata = {"0-17": (1, 10), "18-64": (5, 20), "65+": (2, 5)}
    rows = []
    for value, (numerator, denominator) in strata.items():
        whole = row_of(CRUDE, COUNTRY, "XX", numerator=numerator, denominator=denominator, age_category=value)
        rows.append({**whole, "value": round(100 * numerator / denominator, 4)})
    told = {"value": 250.0, "ci_low": 105.0499, "ci_high": 497.0513}
    return [*rows, row_of(RATE, COUNTRY, "XX", numerator=8, denominator=35, **{**told, **rate})]


def test_a_value_that_tells_a_hidden_count_is_named(configuration: Configuration) -> None:
    rows = rate_rows()
    assert judged(rows, configuration) == []
    # By other weights it is another rate, as a former release may have had.
    assert judged(rate_rows(value=260.0), configuration) == []
    # A shown rate of which a stratum is hidden tells the stratum.
    hidden = {**rows[1], "numerator": None, "value": None}
    said = "it is shown, and a count that it is made from is hidden"
    assert judged([rows[0], hidden, *rows[2:]], configuration) == [
        f"value: {RATE}, 2022, country XX, all/all/all/all; release 1: {said}"
    ]
    assert (
        judged([rows[0], hidden, rows[2], {**rows[3], "value": None, "ci_low": None, "ci_high": None}], configuration)
        == []
    )
    # A value beside hidden counts gives the counts away; so does an interval.
    for column in ("value", "ci_low"):
        open_row = {**rows[0], "numerator": None, "value": None, column: 10.0}
        assert [one for one in judged([open_row], configuration) if said in one]


# --- What a plan may name -----------------------------------------------------------------------------------


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    return editor_of(TEXT_CODES, tmp_path)


RULES = yaml.safe_load((TEXT_CODES / "publication.yaml").read_text(encoding="utf-8"))
WITH_MEDIAN = {
    "sensitive_sides": {"births": "none", "not_seen": "numerator", MEDIAN: "none"},
    "not_published": [CRUDE, RATE, "scans", "scanned_women", "scans_by_provider", "seen_twice_with_diabetes"],
    "differences": [],
    "plan": {"region": 1},
    "provisional_plan": {"region": 0},
}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            {
                "sensitive_sides": {name: side for name, side in RULES["sensitive_sides"].items() if name != CRUDE},
                "not_published": [*RULES["not_published"], CRUDE],
                "differences": [],
            },
            f"{RATE}: it is a standardised rate, and no published indicator counts the same at its levels by sex, age",
        ),
        ({"plan": {"country": 0, "region": 0}}, "the plan has figures by strata at none of its levels"),
        (
            {"published_as": {"age_category": {"0-17": "0-64", "18-64": "0-64"}}},
            "the strata 0-17 and 18-64 are published as one",
        ),
        ({**WITH_MEDIAN, "plan": {"country": 1, "region": 1}}, "a median by country and by region: leave it one of"),
        (
            {
                **WITH_MEDIAN,
                "sensitive_sides": {**WITH_MEDIAN["sensitive_sides"], "scans": "none"},
                "not_published": [name for name in WITH_MEDIAN["not_published"] if name != "scans"],
            },
            f"{MEDIAN}: it is a median of what scans counts too",
        ),
        (
            {**WITH_MEDIAN, "differences": [{"whole": MEDIAN, "part": MEDIAN, "of": "numerator"}]},
            "is a median, whose numerator is not published",
        ),
    ],
)
def test_what_cannot_be_protected_is_refused(edit: Edit, rules: dict[str, Any], said: str) -> None:
    conf = edit("publication.yaml", **rules)
    with pytest.raises(InputError) as refused:
        load_publication(load_configuration(str(conf)))
    assert said in str(refused.value)


def test_a_median_without_others_of_its_services_may_be_published(edit: Edit) -> None:
    conf = edit("publication.yaml", **WITH_MEDIAN)
    assert MEDIAN in load_publication(load_configuration(str(conf))).sensitive_sides


def test_a_median_of_many_levels_by_many_releases_is_refused(tmp_path: Path) -> None:
    """The country's in the provisional release, those of regions in the final one: readers have both."""
    day = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)

    def shown(level: str, numerator: int | None) -> tuple[Any, ...]:
        return (1, "hash", "someone", day, MEDIAN, 2022, level, "XX", "all", numerator, 12, "F", "sex")

    output = str(tmp_path)
    refuse_other_medians(output, {MEDIAN: ["region"]})
    write_rows(output, LEDGER, [shown("country", None)], append=True)
    refuse_other_medians(output, {MEDIAN: ["country"], "another": ["region"]})
    with pytest.raises(InputError, match=rf"{MEDIAN} is a median, and in release 1 it was by country: .*former levels"):
        refuse_other_medians(output, {MEDIAN: ["region"]})
    # As a mean its sum was shown.
    write_rows(output, LEDGER, [shown("region", 7)], append=True)
    with pytest.raises(InputError, match=r"it was no median: .*former unit"):
        refuse_other_medians(output, {MEDIAN: ["country", "region"]})


def gold_of_rate(value: float) -> dict[str, Any]:
    """A crude share by age class with a standardised rate: 1 of 10, 5 of 20 and 2 of 5, as ``rate_rows``."""
    rows = [row for row in rate_rows() if row["indicator_id"] == CRUDE]
    cells = [
        {**row, "geo_level": level, "geo_code": code, "sex": sex}
        for row in [*rows, *({**row, "age_category": "unknown", "numerator": 0, "denominator": 0} for row in rows[:1])]
        for level, code in ((COUNTRY, "XX"), (REGION, "N"), ("district", "N1"))
        for sex in ("all", "female")
    ]
    totals = [{**one, "age_category": "all", "numerator": 8, "denominator": 35} for one in cells[:6]]
    rates = [{**one, "indicator_id": RATE, "value": value} for one in totals]
    return indicator_years([*cells, *totals, *rates], load_configuration(str(TEXT_CODES)))


def test_rates_of_gold_by_other_weights_are_refused(configuration: Configuration) -> None:
    rules = PublishingRules(configuration, load_publication(configuration))
    cells, _ = prepare(gold_of_rate(250.0), rules, 2022)
    rates = [cell for cell in cells if cell.indicator == RATE]
    assert {(cell.level, "all" if cell.split["sex"] == "all" else "by sex") for cell in rates} == {
        ("country", "all"),
        ("country", "by sex"),
        ("region", "all"),
    }
    assert all(len(cell.strata) == 3 for cell in rates)
    with pytest.raises(InputError, match=f"{RATE}: its rates of gold are not those .* by another standard population"):
        prepare(gold_of_rate(251.0), rules, 2022)


def test_a_population_without_a_published_row_has_no_ranges() -> None:
    assert ranges_of(Published()) == {}


def test_a_rate_needs_its_strata_by_the_same_places() -> None:
    """Who is counted by hospital is counted in tables of their own, which a rate without hospitals is not of."""
    configuration = load_configuration(str(TEXT_CODES))
    rate, crude = (next(one for one in configuration.indicators if one.id == name) for name in (RATE, CRUDE))
    by_hospital = crude.model_copy(update={"levels": (*crude.levels, "hospital")})
    depths = {"country": 2, "region": 1}
    assert list(values_that_tell_more([rate, by_hospital], configuration, {}, depths)) == []
    found = list(values_that_tell_more([rate, by_hospital], configuration, {}, {**depths, "hospital": 1}))
    assert [name for name, said in found if "counts the same at its levels" in said] == [RATE]
