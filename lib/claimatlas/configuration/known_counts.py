"""``--known FILE``: counts that readers know from elsewhere, such as a register of births, within bounds.

A CSV file. ``population``, ``year``, ``geo_level``, ``geo_code``: whose number is known. Each dimension has a column:
a value as it is published, or ``all``. ``low`` and ``high``: whole numbers, both included, between which readers know
the number of members to lie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.documents import read_csv
from claimatlas.configuration.load import Configuration
from claimatlas.configuration.publication import Publication, published_values
from claimatlas.configuration.reserved import LABELS
from claimatlas.errors import InputError

PLACE = ("population", "year", "geo_level", "geo_code")
BOUNDS = ("low", "high")
_ALL = LABELS[0]


@dataclass(frozen=True)
class KnownCount:
    """The number of the members of a population at a place, with the value of every dimension, known within bounds."""

    population: Population
    year: int
    level: str
    code: str
    split: tuple[str, ...]
    low: int
    high: int
    line: int


@dataclass(frozen=True)
class KnownCounts:
    """The rows of one file, and its name for messages."""

    file: str = ""
    rows: tuple[KnownCount, ...] = ()

    def of(self, year: int) -> list[KnownCount]:
        """Those of a year."""
        return [row for row in self.rows if row.year == year]

    def refuse(self, row: KnownCount, why: str) -> NoReturn:
        """Say what is wrong with a row.

        Raises:
            InputError: with the file and the line.
        """
        raise InputError(f"--known {self.file}, line {row.line}: {why}")


def read_known_counts(file: str | None, configuration: Configuration, publication: Publication) -> KnownCounts:
    """Read the file; nothing without one.

    Raises:
        InputError: naming file, line and column.
    """
    if file is None:
        return KnownCounts()
    path = Path(file)
    if not path.is_file():
        raise InputError(f"--known {file}: there is no such file.")
    found: dict[tuple[object, ...], KnownCount] = {}
    for number, row in read_csv(path.parent, path.name, (*PLACE, *configuration.dimensions.names, *BOUNDS)):
        known = _row(file, number, row, configuration, publication)
        key = (known.population, known.year, known.level, known.code, known.split)
        if key in found:
            raise InputError(f"--known {file}, line {number}: line {found[key].line} has the same count.")
        found[key] = known
    return KnownCounts(file, tuple(found.values()))


def _row(
    file: str, number: int, row: Mapping[str, str], configuration: Configuration, publication: Publication
) -> KnownCount:
    def refuse(column: str, why: str) -> NoReturn:
        raise InputError(f"--known {file}, line {number}: {column} {row[column]!r}: {why}.")

    whole = {}
    for column in ("year", *BOUNDS):
        if not re.fullmatch("[0-9]{1,9}", row[column]):
            refuse(column, "a whole number of at most nine digits is wanted")
        whole[column] = int(row[column])
    populations: dict[str, Population] = {one.population: one.population for one in configuration.indicators}
    if row["population"] not in populations:
        refuse("population", f"there are {', '.join(sorted(populations))}")
    population = populations[row["population"]]
    geography = configuration.geography
    if row["geo_level"] not in geography.levels:
        refuse("geo_level", f"there are {', '.join(geography.levels)}")
    there = {place.parents[row["geo_level"]] for place in geography.vintage(whole["year"]).values()}
    if not row["geo_code"] or row["geo_code"] not in there:
        refuse("geo_code", f"there is no such place of {row['geo_level']} in {whole['year']}")
    split = {}
    for name in configuration.dimensions.names:
        value = row[name] or _ALL
        own = name in configuration.dimensions.of(population)
        values = published_values(configuration, publication, population, name) if own else ()
        if value not in (_ALL, *values):
            refuse(name, f"published are {', '.join(values)}" if own else f"{population} are not split by it")
        split[name] = value
    if whole["low"] > whole["high"]:
        refuse("low", f"it is above high, {whole['high']}")
    place = (population, whole["year"], row["geo_level"], row["geo_code"])
    return KnownCount(*place, configuration.dimensions.split(split), whole["low"], whole["high"], number)
