"""Restricted denominators in a release: what all worlds of single members together tell, and what is refused.

The judge shares nothing with what hides and what attacks: a world is a number of members of each kind in each place
(young or not; with a midwife, without one, without anybody), and whole-number programs bound every sum of them.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("highspy", reason="the extra publish is not installed")

import deltalake
import highspy
from claimatlas.auditing.attack import Finding, attack
from claimatlas.auditing.figures import figures_of
from claimatlas.auditing.lattice import lattice_of
from claimatlas.auditing.run import rules_of
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.publication import Publication, load_publication
from claimatlas.errors import InputError
from claimatlas.protection.candidate import PublishingRules, rows_of_year
from claimatlas.protection.choosing import choose
from claimatlas.protection.run import prepare
from claimatlas.protection.tables import indicator_years
from claimatlas.synthetic.counts import write_counts
from examples import TEXT_CODES, editor_of
from integration.own_configuration import change, write_indicator
from publication.country import YEAR, K, configuration, units
from publication.hospitals import FLAGS, conf_of
from shipped import POSTNATAL

TOWNS = {"a": "north", "b": "north", "c": "north"}
Place = tuple[str, str, str]
"""Level, code, and value of the dimension."""
KINDS = tuple(product(("young", "other"), ("midwife", "doctor", "nobody")))
"""Of a member: whether the restricted denominator counts her, and whom she saw after the delivery."""
Member = tuple[str, str, tuple[str, str]]
"""Town, value of the dimension, and kind."""
Counted = Callable[[tuple[str, str]], bool]
COUNTS: dict[str, Counted] = {
    "births": lambda kind: True,
    "no_midwife": lambda kind: kind[1] != "midwife",
    "nobody": lambda kind: kind[1] == "nobody",
    "young": lambda kind: kind[0] == "young",
    "young_no_midwife": lambda kind: kind[0] == "young" and kind[1] != "midwife",
}
GAPS = (
    *(("births", "no_midwife"), ("births", "nobody"), ("no_midwife", "nobody")),
    *(("births", "young"), ("young", "young_no_midwife"), ("no_midwife", "young_no_midwife")),
)
SHARES = {("births", "no_midwife"), ("births", "nobody"), ("young", "young_no_midwife")}
"""Of these a full group must not be told."""
World = dict[Member, int]


@dataclass(frozen=True)
class Case:
    """What is published: by which column, with which values; ``empty``: those that no member can have.

    indicators: for each its count, and that of its denominator.
    """

    column: str
    values: tuple[str, ...]
    indicators: Mapping[str, tuple[str, str]]
    empty: tuple[str, ...] = ()

    @property
    def counts(self) -> set[str]:
        return {count for pair in self.indicators.values() for count in pair}

    @property
    def gaps(self) -> list[tuple[str, str]]:
        return [gap for gap in GAPS if set(gap) <= self.counts]


BESIDE_EVERYBODY = Case(
    "increased_reimbursement",
    ("yes", "other"),
    {
        "births": ("births", "births"),
        "no_midwife": ("no_midwife", "births"),
        "nobody": ("nobody", "births"),
        "young_no_midwife": ("young_no_midwife", "young"),
    },
)
ALONE = Case(
    "age_category",
    ("<20", "20-29", "30+", "unknown"),
    {"births": ("young", "young"), "no_midwife": ("young_no_midwife", "young")},
    empty=("30+", "unknown"),
)
"""Every denominator is restricted to those below 30: whoever is older, or of no known age, is not among them."""
YOUNG = {"ages": {"to": 29}}


def write_country(folder: Path, case: Case, **restriction: object) -> Path:
    """``restriction``: of the indicators whose denominator is restricted; else that to the young."""
    conf = configuration(folder, TOWNS, [case.column])
    denominator = restriction or YOUNG
    rules = yaml.safe_load((conf / "publication.yaml").read_text(encoding="utf-8"))
    if case is ALONE:
        classes = [{"label": "<20", "from": 0, "to": 19}, {"label": "20-29", "from": 20, "to": 29}]
        classes += [{"label": "30+", "from": 30}]
        change(conf / "settings.yaml", age_categories={"deliveries": classes})
        (conf / "indicators" / "nobody.yaml").unlink()
        for name in case.indicators:
            file = conf / "indicators" / f"{name}.yaml"
            file.write_text(f"{file.read_text(encoding='utf-8')}denominator: {json.dumps(denominator)}\n", "utf-8")
        sides = {name: rules["sensitive_sides"][name] for name in case.indicators}
        rules = {**rules, "sensitive_sides": sides, "differences": [], "published_as": {}}
        (conf / "publication.yaml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
        return conf
    write_indicator(
        conf, "young_no_midwife", numerator={"without_any": ["contact_midwife"]}, unit="percent",
        dimensions=[case.column], population="deliveries", levels=["land", "part", "town"], denominator=denominator,
    )  # fmt: skip
    differences = [
        {"whole": "births", "part": "young_no_midwife", "of": "denominator"},
        {"whole": "no_midwife", "part": "young_no_midwife", "of": "numerator"},
    ]
    change(
        conf / "publication.yaml",
        sensitive_sides={"young_no_midwife": "numerator"},
        differences=[*rules["differences"], *differences],
    )
    return conf


@dataclass(frozen=True)
class Country:
    case: Case
    configuration: Configuration
    publication: Publication


@pytest.fixture(scope="module", params=[BESIDE_EVERYBODY, ALONE], ids=["beside everybody", "alone"])
def country(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Country:
    loaded = load_configuration(str(write_country(tmp_path_factory.mktemp("members"), request.param)))
    return Country(request.param, loaded, load_publication(loaded))


def drawn(dice: random.Random, case: Case) -> World:
    """A few members of each kind in each town, nobody of no known town."""
    most = dice.choice((1, 2, 4))
    return {
        (leaf, value, kind): dice.randint(0, most) if leaf and value not in case.empty else 0
        for leaf, value, kind in everybody(case)
    }


def everybody(case: Case) -> Iterator[Member]:
    yield from product((*TOWNS, ""), case.values, KINDS)


def places(case: Case) -> Iterator[Place]:
    for (level, code, _), value in product(units(TOWNS), (*case.values, "all")):
        yield level, code, value


def members(case: Case, count: str, place: Place) -> list[Member]:
    """Those whom a figure counts."""
    level, code, value = place
    inside = next(towns for name, own, towns in units(TOWNS) if (name, own) == (level, code))
    return [
        (leaf, own, kind)
        for leaf, own, kind in everybody(case)
        if leaf in inside and value in ("all", own) and COUNTS[count](kind)
    ]


def truth(case: Case, world: World, count: str, place: Place) -> int:
    return sum(world[member] for member in members(case, count, place))


def gold(case: Case, world: World) -> list[dict[str, Any]]:
    rows = []
    for indicator, pair in case.indicators.items():
        for place in places(case):
            upper, lower = (truth(case, world, count, place) for count in pair)
            if lower or place[2] == "all":
                row = dict.fromkeys((column.name for column in POSTNATAL.columns), "all")
                row |= {"indicator_id": indicator, "geo_level": place[0], "geo_code": place[1], "year": YEAR}
                row |= {case.column: "no" if place[2] == "other" else place[2], "status": "final"}
                rows.append({**row, "numerator": upper, "denominator": lower})
    return rows


def protected(country: Country, world: World) -> list[dict[str, Any]]:
    rules = PublishingRules(country.configuration, country.publication)
    cells, audit = prepare(indicator_years(gold(country.case, world), country.configuration), rules, YEAR)
    choose(audit, time.monotonic() + 120, "drawn")
    return rows_of_year(cells, audit.measures, rules, YEAR, 1)


def attacked(country: Country, rows: Sequence[dict[str, Any]]) -> list[Finding]:
    """What the attacker finds."""
    conf, publication = country.configuration, country.publication
    found = figures_of(rows, conf, publication, YEAR)
    lattice = lattice_of(found, conf, publication, "deliveries", YEAR)
    return attack(found, lattice, rules_of(conf, publication, "deliveries")).findings


class Judge:
    """Every world that has the shown figures."""

    def __init__(self, case: Case, rows: Sequence[dict[str, Any]]) -> None:
        self.case = case
        self.solver = highspy.Highs()
        self.solver.silent()
        self.unknown = {
            member: self.solver.addIntegral(0, 0 if member[1] in case.empty else 60) for member in everybody(case)
        }
        for row in rows:
            place = (row["geo_level"], row["geo_code"], row[case.column])
            for name, column in zip(case.indicators[row["indicator_id"]], ("numerator", "denominator"), strict=True):
                if row[column] is not None:
                    self.solver.addConstr(self._sum(name, place) == row[column])

    def _sum(self, count: str, place: Place) -> Any:
        return sum(
            (self.unknown[member] for member in members(self.case, count, place)),
            start=highspy.highs.highs_linear_expression(),
        )

    def width(self, place: Place, count: str, less: str | None = None) -> int:
        """The most less the least that a count can be, or what it has beyond another."""
        asked = self._sum(count, place) - (self._sum(less, place) if less else 0)
        found = []
        for search in (self.solver.minimize, self.solver.maximize):
            search(asked)
            assert self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
            found.append(round(self.solver.getInfo().objective_function_value))
        return found[1] - found[0]


def broken(case: Case, rows: Sequence[dict[str, Any]], world: World) -> list[str]:
    """What all worlds together tell that must not be told."""
    judge = Judge(case, rows)
    found = []
    for place in places(case):
        for name in sorted(case.counts):
            if 1 <= truth(case, world, name, place) < K and judge.width(place, name) < K - 1:
                found.append(f"{name} {place}")
        for larger, smaller in case.gaps:
            whole, part = truth(case, world, larger, place), truth(case, world, smaller, place)
            is_full = (larger, smaller) in SHARES and whole == part > 0
            if (1 <= whole - part < K or is_full) and judge.width(place, larger, smaller) < K - 1:
                found.append(f"{larger} less {smaller} {place}")
    return found


def _publish(conf: Path, name: str, **declared: Any) -> None:
    """Declare an indicator of the small country, and let it be published."""
    common = {"population": "deliveries", "levels": ["land", "part", "town"], "unit": "percent"}
    write_indicator(conf, name, **{**common, **declared})
    change(conf / "publication.yaml", sensitive_sides={name: "numerator"})


MIDWIFE = {"without_any": ["contact_midwife"]}
WITH_MIDWIFE = {"with_any": ["contact_midwife"]}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]], str]] = {
    "two restrictions": (
        YOUNG,
        {"old": {"denominator": {"ages": {"from": 30}}, "numerator": MIDWIFE}},
        "young_no_midwife: its denominator and that of old restrict members in two ways",
    ),
    "a split by age": (
        YOUNG,
        {"by_age": {"dimensions": ["age_category"], "numerator": MIDWIFE}},
        "young_no_midwife: its denominator is restricted by ages, and by_age is split by age_category",
    ),
    "a type": (
        YOUNG,
        {"caesareans": {"numerator": {"delivery_types": ["caesarean"]}}},
        "caesareans: it counts some types or known stays, and the denominator of young_no_midwife is restricted",
    ),
    "a known stay": (
        YOUNG,
        {"stays": {"numerator": MIDWIFE, "denominator": {"with_known_stay": True}}},
        "stays: it counts some types or known stays, and the denominator of young_no_midwife is restricted",
    ),
    "the same service": (
        {"without_flag": "contact_midwife"},
        {},
        "young_no_midwife: its denominator is restricted by a service that no_midwife counts",
    ),
    "a code of a delivery": (
        {"with_flag": "had_caesarean"},
        {},
        "young_no_midwife: its denominator is restricted by a code of a delivery type",
    ),
    "those with and without": (
        YOUNG,
        {"midwife": {"numerator": WITH_MIDWIFE}},
        "no_midwife: midwife counts members with contact_midwife, and it those without",
    ),
    "those with of the part": (
        YOUNG,
        {"young_midwife": {"numerator": WITH_MIDWIFE, "denominator": YOUNG}},
        "young_midwife: it counts of a part what no_midwife counts of more members in another way",
    ),
    "a larger set of the part": (
        YOUNG,
        {"young_alone": {"numerator": {"without_any": ["contact_gp"]}, "denominator": YOUNG}},
        "young_alone: it counts of a part what nobody counts of more members in another way",
    ),
    "two sets of the part": (
        YOUNG,
        {
            "young_nobody": {
                "numerator": {"without_any": ["contact_gp", "contact_midwife"]},
                "denominator": YOUNG,
            }
        },
        "young_nobody: it and young_no_midwife count of a part what no_midwife counts of more members",
    ),
}
"""What is refused beside the indicators of the small country, by what is known of it."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_tells_more_of_the_members_is_refused(tmp_path: Path, name: str) -> None:
    restriction, others, message = REFUSED[name]
    conf = write_country(tmp_path, BESIDE_EVERYBODY, **restriction)
    change(
        conf / "services.yaml",
        delivery_flags={"had_caesarean": {"code_lists": ["delivery_caesarean"], "window": "postnatal"}},
    )
    for other, declared in others.items():
        _publish(conf, other, **declared)
    with pytest.raises(InputError, match=f"publication.yaml, line .*{message}, which cannot be protected yet"):
        load_publication(load_configuration(str(conf)))


def test_sums_of_a_part_and_of_all_are_refused(tmp_path: Path) -> None:
    edit = editor_of(TEXT_CODES, tmp_path)
    for name in ("scans", "scans_by_provider"):
        edit(f"indicators/{name}.yaml", dimensions=[])
    rules = yaml.safe_load((TEXT_CODES / "publication.yaml").read_text(encoding="utf-8"))
    crude = ("scanned", "scanned_standardised")
    hidden = [*(name for name in rules["not_published"] if name != "scans_by_provider"), *crude]
    sides = {name: side for name, side in rules["sensitive_sides"].items() if name not in crude}
    sides["scans_by_provider"] = "numerator"
    conf = edit("publication.yaml", sensitive_sides=sides, not_published=hidden, differences=[])
    said = "scans_by_provider: it counts of a part what scans counts of more members in another way"
    with pytest.raises(InputError, match=said):
        load_publication(load_configuration(str(conf)))
    # So is the number of those who have a service beside the sum over a part.
    sides["scanned_women"] = sides.pop("scans")
    hidden = [name for name in hidden if name != "scanned_women"]
    edit("indicators/scanned_women.yaml", dimensions=[], denominator=None)
    edit("publication.yaml", sensitive_sides=sides, not_published=[*hidden, "scans"])
    with pytest.raises(InputError, match=said.replace("what scans", "what scanned_women")):
        load_publication(load_configuration(str(conf)))


def test_two_restrictions_that_say_the_same_are_one(tmp_path: Path) -> None:
    edit = editor_of(TEXT_CODES, tmp_path)
    for name, sexes in (("scanned_women", ["female", "male"]), ("scans_by_provider", ["male", "female"])):
        edit(f"indicators/{name}.yaml", dimensions=[], denominator={"sexes": sexes, "ages": {"to": 70}})
    sides = {"births": "none", "scanned_women": "numerator", "scans_by_provider": "numerator"}
    rules = yaml.safe_load((TEXT_CODES / "publication.yaml").read_text(encoding="utf-8"))
    hidden = sorted({*rules["not_published"], *rules["sensitive_sides"]} - sides.keys())
    conf = edit("publication.yaml", sensitive_sides=sides, not_published=hidden, differences=[])
    assert load_publication(load_configuration(str(conf))).sensitive_sides == sides


def test_a_part_beside_hospitals_is_refused(tmp_path: Path) -> None:
    sides = {"births": "none", "nobody": "numerator", "no_midwife": "numerator", "nobody_by_hospital": "numerator"}
    conf = conf_of(tmp_path, sensitive_sides=sides, not_published=["caesareans_by_hospital"], differences=[])
    _publish(conf, "nobody_by_hospital", numerator={"without_any": FLAGS}, levels=["land", "hospital"])
    assert load_publication(load_configuration(str(conf))).has_hospitals
    _publish(conf, "young", numerator={"without_any": FLAGS}, denominator=YOUNG)
    with pytest.raises(InputError, match="young: its denominator is restricted, and figures by hospital are of"):
        load_publication(load_configuration(str(conf)))


def test_counts_of_members_are_drawn_within_those_of_everybody(tmp_path: Path) -> None:
    """``generate --counts``: no more members are counted, or left out, than there are."""
    loaded = load_configuration(str(write_country(tmp_path / "conf", BESIDE_EVERYBODY)))
    write_counts(loaded, str(tmp_path / "out"), [YEAR], 20_000, 3)
    rows = {}
    for row in deltalake.DeltaTable(tmp_path / "out" / "gold" / "postnatal").to_pyarrow_table().to_pylist():
        place = tuple(row[name] for name in ("geo_level", "geo_code", "increased_reimbursement"))
        rows[row["indicator_id"], place] = (row["numerator"], row["denominator"])
    met = 0
    for (name, place), (counted, there) in rows.items():
        if name == "young_no_midwife":
            every, everybody_there = rows["no_midwife", place]
            assert 0 <= counted <= there <= everybody_there
            assert 0 <= every - counted <= everybody_there - there
            met += 0 < there < everybody_there
    assert met > 5


SEEDS = [*range(10), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(10, 150))]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_sensitive_is_told(country: Country, seed: int) -> None:
    world = drawn(random.Random(seed), country.case)
    rows = protected(country, world)
    assert broken(country.case, rows, world) == []
    # Where nobody can be there is nothing to hide, and nothing hides behind it.
    empty = [row for row in rows if row[country.case.column] in country.case.empty]
    assert [row for row in empty if row["denominator"] != 0] == []
    assert [one for one in attacked(country, rows) if one.is_proof] == []


def test_what_is_shown_again_is_found(country: Country) -> None:
    """A hidden numerator with its denominator: where all worlds then tell something, the attacker finds something."""
    judged = opened = 0
    for seed in range(4):
        world = drawn(random.Random(seed), country.case)
        rows = protected(country, world)
        for position in [number for number, row in enumerate(rows) if row["numerator"] is None]:
            shown = [dict(row) for row in rows]
            place = (rows[position]["geo_level"], rows[position]["geo_code"], rows[position][country.case.column])
            upper, lower = country.case.indicators[rows[position]["indicator_id"]]
            shown[position]["numerator"] = truth(country.case, world, upper, place)
            for row in shown:
                own = (row["geo_level"], row["geo_code"], row[country.case.column])
                pair = country.case.indicators[row["indicator_id"]]
                if own == place and pair[1] == lower:
                    row["denominator"] = truth(country.case, world, lower, place)
                    if pair[0] == lower:
                        row["numerator"] = row["denominator"]
            is_broken = bool(broken(country.case, shown, world))
            judged, opened = judged + 1, opened + is_broken
            assert not is_broken or attacked(country, shown)
    assert judged > opened > 5


def test_the_attacker_knows_where_nobody_can_be(tmp_path: Path) -> None:
    """Everywhere a class is hidden, and one in which nobody is counted: what is left of a place tells the first."""
    loaded = load_configuration(str(write_country(tmp_path, ALONE)))
    country = Country(ALONE, loaded, load_publication(loaded))
    world = dict.fromkeys(everybody(ALONE), 0)
    for town, count in (("a", 2), ("b", 4), ("c", 9)):
        for value, more in (("<20", 0), ("20-29", 20)):
            world[town, value, ("young", "midwife")] = count + more
            world[town, value, ("young", "doctor")] = count + more
    names = [column.name for column in POSTNATAL.columns]
    rows = [{name: row[name] for name in names} | {"release": 1, "confidentiality": "F"} for row in gold(ALONE, world)]
    rows += [
        {**row, ALONE.column: value, "numerator": 0, "denominator": 0}
        for row in rows
        if row[ALONE.column] == "all"
        for value in ALONE.empty
    ]
    gone = {"numerator": None, "denominator": None, "confidentiality": "C"}
    by_class, by_both = (
        [row | (gone if row[ALONE.column] in values else {}) for row in rows]
        for values in (("<20", "20-29"), ("<20", "30+"))
    )
    assert attacked(country, by_class) == []
    assert [one for one in attacked(country, by_both) if one.is_proof]
