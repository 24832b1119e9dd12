"""A small country with hospitals: drawn deliveries, gold of them, and every world that a reader could hold for true.

A world is a table of places and a table of hospitals that could be of the same deliveries: in the country both have as
many caesareans, and every delivery that only the table of places has is a delivery at home.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from claimatlas.tables.schemas import ALL
from integration.own_configuration import write_indicator

from publication.country import YEAR, configuration

TOWNS = {"a": "north"}
HOSPITALS = ("h1", "h2")
VALUES = ("caesarean", "vaginal")
FLAGS = ["contact_gp", "contact_midwife"]
INDICATORS = ("births", "nobody", "caesareans_by_hospital", "nobody_by_hospital")
SIDES = {
    **{"births": "none", "nobody": "numerator", "no_midwife": "numerator"},
    **{"caesareans_by_hospital": "none", "nobody_by_hospital": "numerator"},
}
DIFFERENCES = [{"whole": "births", "part": "caesareans_by_hospital", "of": "denominator"}]
REGISTER = "hospital,first_year,last_year,successor,name_fr,name_nl,name_en\n"


@dataclass(frozen=True)
class Delivery:
    """A delivery: town and hospital (empty: not known), type, and whether nobody was seen afterwards."""

    town: str
    hospital: str
    type: str
    nobody: bool

    @property
    def value(self) -> str:
        """The type as it is published."""
        return "caesarean" if self.type == "caesarean" else "vaginal"

    @property
    def in_hospital(self) -> bool:
        """Whether it is a hospital delivery."""
        return self.type != "home"


def conf_of(folder: Path, hospitals: Sequence[str] = HOSPITALS, **publication: object) -> Path:
    """The small country with two indicators by domicile, two by hospital, and a register of hospitals."""
    rules: dict[str, object] = {
        "plan": {"land": "all", "part": "all", "town": 1, "hospital": "all"},
        **{"sensitive_sides": SIDES, "differences": DIFFERENCES},
        **publication,
    }
    conf = configuration(folder, TOWNS, ["delivery_type"], **rules)
    common: dict[str, Any] = {"population": "deliveries", "levels": ["land", "hospital"], "unit": "percent"}
    common["denominator"] = {"delivery_types": ["caesarean", "vaginal_hospital"]}
    write_indicator(conf, "caesareans_by_hospital", numerator={"delivery_types": ["caesarean"]}, **common)
    write_indicator(
        conf, "nobody_by_hospital", numerator={"without_any": FLAGS}, dimensions=["delivery_type"], **common
    )
    write_register(conf, hospitals)
    return conf


def write_register(conf: Path, hospitals: Sequence[str]) -> None:
    """A register with these hospitals, valid for ever."""
    rows = "".join(f"{one},2006,,,Hôpital {one},Ziekenhuis {one},Hospital {one}\n" for one in hospitals)
    (conf / "hospitals.csv").write_text(REGISTER + rows, encoding="utf-8")


def deliveries(seed: int, most: int = 14) -> list[Delivery]:
    """Drawn deliveries; some have no hospital's id, and some no known town."""
    dice = random.Random(seed)
    found = []
    for hospital, value in product((*HOSPITALS, ""), ("caesarean", "vaginal_hospital")):
        number = dice.choice((0, dice.randint(0, most), dice.randint(0, most)))
        found += [(hospital, value)] * number
    found += [("", "home")] * dice.choice((0, 0, dice.randint(1, most)))
    rate = dice.choice((0.1, 0.5, 0.9))
    return [Delivery("" if dice.random() < 0.1 else "a", *one, dice.random() < rate) for one in found]


def gold_of(drawn: Sequence[Delivery], hospitals: Sequence[str] = HOSPITALS) -> list[tuple[Any, ...]]:
    """The rows of gold/postnatal: no row of a hospital where nobody gave birth."""
    places = [("land", "x", lambda one: True), ("part", "north", lambda one: one.town == "a")]
    places += [("town", "a", lambda one: one.town == "a")]
    houses = [("hospital", code, lambda one, code=code: one.hospital == code) for code in hospitals]
    rows = []
    for name in (*INDICATORS, "no_midwife"):
        by_hospital = name.endswith("by_hospital")
        for level, code, is_in in places[:1] + houses if by_hospital else places:
            for value in (ALL,) if name == "caesareans_by_hospital" else (*VALUES, ALL):
                inside = [one for one in drawn if is_in(one) and value in (ALL, one.value)]
                inside = [one for one in inside if one.in_hospital or not by_hospital]
                part = sum(is_counted(name, one) for one in inside)
                if inside or (value == ALL and level != "hospital"):
                    rows.append(_row(name, (level, code, value), part, len(inside)))
    return rows


def _row(name: str, place: tuple[str, str, str], part: int, whole: int) -> tuple[Any, ...]:
    level, code, value = place
    share = float(part) if name == "births" else (100 * part / whole if whole else None)
    split = (ALL, ALL, value, ALL)
    return (name, code, YEAR, *split, part, whole, share, None, None, "final", "drawn", YEAR, level)


def is_counted(name: str, one: Delivery) -> bool:
    """Whether a delivery is in an indicator's numerator."""
    if name == "births":
        return True
    return one.type == "caesarean" if name == "caesareans_by_hospital" else one.nobody


Shown = dict[tuple[int, str, str, str], int]
"""What is shown: of the larger count (0) or the smaller (1), by level, place and value."""


@dataclass(frozen=True)
class Side:
    """One of the two tables: its leaves (empty: of no known place), and the figures of each place that is published."""

    leaves: tuple[str, ...]
    units: Mapping[tuple[str, str], tuple[str, ...]]

    def rows(self, shown: Shown, leaf: str) -> list[tuple[int, str, int]]:
        """What is shown of a leaf by itself: larger (0) or smaller count (1), value, figure."""
        own = {unit for unit, inside in self.units.items() if inside == (leaf,)}
        return [(number, value, found) for (number, *unit, value), found in shown.items() if tuple(unit) in own]


BY_TOWN = Side(("a", ""), {("land", "x"): ("a", ""), ("part", "north"): ("a",), ("town", "a"): ("a",)})
BY_HOSPITAL = Side(
    (*HOSPITALS, ""),
    {("land", "x"): (*HOSPITALS, ""), **{("hospital", code): (code,) for code in HOSPITALS}},
)


def shown_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Shown, Shown]:
    """The shown figures of either table. The caesareans of one indicator are a value of the other's denominator."""
    towns: Shown = {}
    houses: Shown = {}
    for row in rows:
        name, level, code = row["indicator_id"], row["geo_level"], row["geo_code"]
        value = row["delivery_type"]
        found = houses if name.endswith("by_hospital") else towns
        numerator, denominator = row["numerator"], row["denominator"]
        if denominator is not None:
            found[0, level, code, value] = denominator
        if numerator is not None and name == "caesareans_by_hospital":
            found[0, level, code, "caesarean"] = numerator
        elif numerator is not None and name.startswith("nobody"):
            found[1, level, code, value] = numerator
    return towns, houses


Vectors = np.ndarray
"""Rows of four counts: caesareans and those seen by nobody, others and those seen by nobody."""
_BASE = 1 << 12


def figure(vectors: Vectors, number: int, value: str) -> np.ndarray:
    """The larger (0) or the smaller count (1) of a value."""
    if value == ALL:
        return vectors[:, number] + vectors[:, 2 + number]
    return vectors[:, number + 2 * VALUES.index(value)]


def keep(vectors: Vectors, rows: Sequence[tuple[int, str, int]]) -> Vectors:
    """Those that give what is shown."""
    for number, value, found in rows:
        vectors = vectors[figure(vectors, number, value) == found]
    return vectors


def options(truth: Sequence[int], room: int) -> Vectors:
    """Every four counts of one leaf, no farther from the truth than so much, each smaller one within its larger."""
    every = np.array(list(product(*(range(max(0, one - room), one + room + 1) for one in truth))), dtype=np.int64)
    return every[(every[:, 1] <= every[:, 0]) & (every[:, 3] <= every[:, 2])]


def sums(first: Vectors, second: Vectors) -> Vectors:
    """Every sum of one of each, once."""
    keys = np.unique((coded(first)[:, None] + coded(second)[None, :]).ravel())
    return np.stack([keys // _BASE**3, keys // _BASE**2 % _BASE, keys // _BASE % _BASE, keys % _BASE], axis=1)


def coded(vectors: Vectors) -> np.ndarray:
    """Four counts as one number, so that sums of numbers are sums of counts."""
    return vectors @ np.array([_BASE**3, _BASE**2, _BASE, 1], dtype=np.int64)


def partners(town: Vectors, house: Vectors) -> tuple[Vectors, Vectors, set[int]]:
    """Counts of the country of both tables that may be of the same deliveries; and how many can be at home.

    Caesareans agree, and whoever is in the table of places alone gave birth at home, seen by somebody or by nobody.
    """
    kept_town, kept_house, home = [], [], set()
    for caesareans in np.unique(house[:, :2], axis=0):
        one = town[(town[:, :2] == caesareans).all(axis=1)]
        other = house[(house[:, :2] == caesareans).all(axis=1)]
        whole = one[:, None, 2] - other[None, :, 2]
        nobody = one[:, None, 3] - other[None, :, 3]
        fit = (nobody >= 0) & (whole >= nobody)
        kept_town.append(one[fit.any(axis=1)])
        kept_house.append(other[fit.any(axis=0)])
        home |= set(whole[fit].tolist())
    return np.concatenate(kept_town), np.concatenate(kept_house), home


def truth_of(side: Side, drawn: Sequence[Delivery], leaf: str) -> tuple[int, int, int, int]:
    """The four counts of a leaf."""
    own = [one for one in drawn if (one.town if side is BY_TOWN else one.hospital) == leaf]
    own = [one for one in own if side is BY_TOWN or one.in_hospital]
    found = [[one.nobody for one in own if one.value == value] for value in VALUES]
    return len(found[0]), sum(found[0]), len(found[1]), sum(found[1])


def secrets(
    rows: Sequence[Mapping[str, Any]], drawn: Sequence[Delivery], k: int, room: int
) -> Iterator[tuple[str, int, int, int]]:
    """What must not be told, with its truth and its bounds over all worlds, by the rules as they are written.

    room: how far from the truth the finest counts of the worlds may be.
    """
    sides = (BY_TOWN, BY_HOSPITAL)
    shown = shown_of(rows)
    truths = [{leaf: truth_of(side, drawn, leaf) for leaf in side.leaves} for side in sides]
    leaves = [
        {leaf: keep(options(truth, room), side.rows(own, leaf)) for leaf, truth in of_side.items()}
        for side, own, of_side in zip(sides, shown, truths, strict=True)
    ]
    country = []
    for own, found in zip(shown, leaves, strict=True):
        of_land = [(number, value, count) for (number, level, _, value), count in own.items() if level == "land"]
        country.append(keep(_sum_of(list(found.values())), of_land))
    *country, home = partners(*country)
    at_home = sum(not one.in_hospital for one in drawn)
    assert at_home in home
    if 1 <= at_home < k:
        yield "at home", at_home, min(home), max(home)
    for truth, found, of_land in zip(truths, leaves, country, strict=True):
        total = tuple(np.array(list(truth.values())).sum(axis=0).tolist())
        yield from _secrets_of("land", total, of_land, k)
        for leaf, every in found.items():
            rest = _sum_of([other for name, other in found.items() if name != leaf])
            there = coded(of_land)
            is_world = [bool(np.isin(coded(rest) + one, there).any()) for one in coded(every)]
            yield from _secrets_of(f"leaf {leaf!r} of {len(found)}", truth[leaf], every[is_world], k)


def _sum_of(leaves: Sequence[Vectors]) -> Vectors:
    found = leaves[0]
    for other in leaves[1:]:
        found = sums(found, other)
    return found


def _secrets_of(place: str, truth: Sequence[int], found: Vectors, k: int) -> Iterator[tuple[str, int, int, int]]:
    own = np.array([truth], dtype=np.int64)
    assert (found == own).all(axis=1).any()
    for value in (*VALUES, ALL):
        whole, nobody = figure(found, 0, value), figure(found, 1, value)
        number, few = int(figure(own, 0, value)[0]), int(figure(own, 1, value)[0])
        for name, count, bounds in (("all", number, whole), ("nobody", few, nobody)):
            if 1 <= count < k:
                yield f"{name} {place} {value}", count, int(bounds.min()), int(bounds.max())
        if 1 <= number - few < k or (number and few == number):
            gap = whole - nobody
            yield f"seen {place} {value}", number - few, int(gap.min()), int(gap.max())
