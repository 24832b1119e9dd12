"""Places and how their codes change: the vintage of each year, and the carrying of codes to it.

Facts: Statbel (REFNIS), reworked; see ``conf/geography/README.md``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable

from claimatlas.configuration.documents import read_csv
from claimatlas.configuration.reserved import NAME_OF_PLACE, YEARS_OF_PLACES
from claimatlas.configuration.settings import GeographySettings
from claimatlas.errors import InputError

FILE = "geography/municipalities.csv"
CHANGES = "geography/changes.csv"


@dataclass(frozen=True)
class Place:
    """A code of the smallest level, and the larger places it lies in while the code is valid.

    ``first_year`` and ``last_year`` are the first and last 1 January on which the code is valid.
    """

    code: str
    first_year: int
    last_year: int
    parents: dict[str, str]


@dataclass(frozen=True)
class Geography:
    """All places of the smallest level with their parents, and the successors of ended codes."""

    levels: tuple[str, ...]
    places: dict[str, Place]
    successors: dict[str, str]
    predecessors: dict[str, tuple[str, ...]]
    _carried: dict[tuple[str, int], str | None] = field(default_factory=dict, compare=False, repr=False)

    def vintage(self, year: int) -> dict[str, Place]:
        """The places whose code is valid on 1 January of ``year``, by code."""
        return {code: place for code, place in self.places.items() if place.first_year <= year <= place.last_year}

    def carry(self, code: str, year: int) -> str | None:
        """``code`` in the vintage of ``year``, or ``None`` when it cannot be carried there.

        Forward always, through every change; backward when the code has exactly one predecessor.
        """
        key = (code, year)
        if key not in self._carried:
            self._carried[key] = self._carry(code, year)
        return self._carried[key]

    def _carry(self, code: str, year: int) -> str | None:
        place = self.places.get(code)
        if place is None:
            return None
        if place.last_year < year:
            successor = self.successors.get(code)
            return self.carry(successor, year) if successor else None
        if place.first_year > year:
            before = self.predecessors.get(code, ())
            return self.carry(before[0], year) if len(before) == 1 else None
        return code

    def units(self, year: int) -> list[tuple[str, str]]:
        """Every (level, code) of the vintage of ``year``."""
        found = {
            (level, place.parents[level])
            for place in self.vintage(year).values()
            for level in self.levels
            if place.parents[level]
        }
        return sorted(found)


def load_geography(folder: Traversable, settings: GeographySettings) -> Geography:
    """Read the places and their changes.

    Raises:
        InputError: a row that cannot be understood, with its file and line.
    """
    smallest = settings.domicile_level
    columns = (smallest, *YEARS_OF_PLACES, *reversed(settings.levels[:-1]))
    places: dict[str, Place] = {}
    lines: dict[str, int] = {}
    for line, row in read_csv(folder, FILE, columns, also=NAME_OF_PLACE):
        where = f"{FILE}, line {line}"
        code = row[smallest]
        if not code or code in places:
            raise InputError(f"{where}: the code {code!r} is empty or stands twice.")
        if not row[settings.country_level]:
            raise InputError(f"{where}: {code} lies in no {settings.country_level}.")
        parents = {level: row[level] for level in settings.levels}
        places[code] = Place(code, _year(where, row["first_year"]), _year(where, row["last_year"]), parents)
        lines[code] = line
    _check_one_country(places, lines, settings.country_level)
    successors: dict[str, str] = {}
    predecessors: dict[str, list[str]] = defaultdict(list)
    for line, row in read_csv(folder, CHANGES, ("old", "new", "first_year")):
        where = f"{CHANGES}, line {line}"
        old, new, first_year = row["old"], row["new"], _year(where, row["first_year"])
        if old not in places or new not in places:
            raise InputError(f"{where}: {old if old not in places else new} is not in {FILE}.")
        if old == new:  # The code goes on with a larger territory: nothing to carry.
            continue
        if old in successors:
            raise InputError(f"{where}: {old} has two successors; a split cannot be carried.")
        if places[old].last_year >= first_year or places[new].first_year > first_year:
            raise InputError(f"{where}: the years of {old} and {new} in {FILE} do not fit {first_year}.")
        successors[old] = new
        predecessors[new].append(old)
    return Geography(
        settings.levels,
        places,
        successors,
        {code: tuple(sorted(olds)) for code, olds in predecessors.items()},
    )


def _check_one_country(places: dict[str, Place], lines: dict[str, int], level: str) -> None:
    """The national value is one: whoever has an unknown domicile counts in it, and places are compared with it."""
    by_country: dict[str, list[Place]] = defaultdict(list)
    for place in places.values():
        country = place.parents[level]
        for other in (other for name, others in by_country.items() if name != country for other in others):
            first, last = max(place.first_year, other.first_year), min(place.last_year, other.last_year)
            if first <= last:
                raise InputError(
                    f"{FILE}, line {lines[place.code]}: {level}: {place.code} lies in {country}, and {other.code} of "
                    f"line {lines[other.code]} in {other.parents[level]}; in {first} the {level} has two codes, and it "
                    "may only have one."
                )
        by_country[country].append(place)


def _year(where: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise InputError(f"{where}: {text[:40]!r} is not a year.")
    return int(text)
