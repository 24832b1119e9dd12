"""The counts of one year of gold as tables: for each quantity its finest counts and all the figures that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.reserved import LABELS
from claimatlas.errors import InputError
from claimatlas.protection.frames import NOWHERE, Counts, Frame, Mask, frame_of_places
from claimatlas.protection.quantities import Quantity, denominator_of, numerator_of
from claimatlas.tables.schemas import ALL

UNKNOWN = LABELS[1]
NOT_COMPUTABLE, PROVISIONAL = "not_computable", "provisional"
Split = tuple[str, ...]
Row = tuple[str, str, Split]
"""Level, place, and the value of each column of dimensions."""


@dataclass
class IndicatorYear:
    """An indicator's rows of gold in a year: numerator and denominator by place and split."""

    indicator: Indicator
    status: str
    rows: dict[Row, tuple[int | None, int | None]] = field(default_factory=dict)


@dataclass(eq=False)
class Measure:
    """A quantity with its counts. planned, hidden: of its figures.

    sensitive: figures that may not be shown. small: those of which the count itself must not be told. gaps: for what it
    lies within, the figures of which the difference must not be told.
    """

    quantity: Quantity
    frame: Frame
    atoms: Counts
    cells: Counts
    planned: Mask
    hidden: Mask
    sensitive: Mask
    small: Mask
    gaps: dict[Quantity, Mask] = field(default_factory=dict)

    @property
    def watched(self) -> Mask:
        """The planned figures, and all others that must not be told."""
        return self.planned | self.frame.unplaced | self.small

    @property
    def shown(self) -> Mask:
        """The figures that a reader sees."""
        return self.planned & ~self.hidden


def indicator_years(rows: Iterable[Mapping[str, Any]], configuration: Configuration) -> dict[str, IndicatorYear]:
    """The rows of gold by indicator.

    Raises:
        InputError: gold has an indicator that is not declared.
    """
    declared = {indicator.id: indicator for indicator in configuration.indicators}
    names = configuration.dimensions.names
    found: dict[str, IndicatorYear] = {}
    for row in rows:
        name = row["indicator_id"]
        if name not in declared:
            raise InputError(f"gold has the indicator {name}, which indicators/ does not declare.")
        year = found.setdefault(name, IndicatorYear(declared[name], row["status"]))
        split = tuple(row[column] for column in names)
        year.rows[row["geo_level"], row["geo_code"], split] = (row["numerator"], row["denominator"])
    return dict(sorted(found.items()))


def published_values(
    configuration: Configuration, publication: Publication, population: Population, dimension: str
) -> tuple[str, ...]:
    """The values of a dimension as they are published, each once."""
    merged = publication.published_as.get(dimension, {})
    values = configuration.dimensions.values(dimension, population)
    return tuple(dict.fromkeys(merged.get(value, value) for value in values))


class TableBuilder:
    """Makes the measures of a year."""

    def __init__(self, configuration: Configuration, publication: Publication, year: int) -> None:
        self.configuration, self.publication, self.year = configuration, publication, year
        self.types = tuple(configuration.services.delivery_types)
        self._frames: dict[tuple[Population, str, tuple[str, ...]], Frame] = {}

    def measures(self, years: Mapping[str, IndicatorYear]) -> dict[Quantity, Measure]:
        """The measures that the indicators' numerators and denominators are.

        Raises:
            InputError: no indicator has a quantity in the detail of all that have it; gold does not add up.
        """
        sources: dict[Quantity, list[tuple[IndicatorYear, int]]] = {}
        for year in years.values():
            sources.setdefault(denominator_of(year.indicator, self.types), []).append((year, 1))
            if year.status != NOT_COMPUTABLE:
                sources.setdefault(numerator_of(year.indicator, self.types), []).append((year, 0))
        return {quantity: self._measure(quantity, found) for quantity, found in sorted(sources.items())}

    def base_level(self, indicator: Indicator) -> str:
        """The smallest level of an indicator's domiciles."""
        return [level for level in self.configuration.settings.geography.levels if level in indicator.levels][-1]

    def frame(self, population: Population, base: str, dimensions: Sequence[str]) -> Frame:
        """The frame with the places of a level as leaves, and these dimensions."""
        key = (population, base, tuple(dimensions))
        if key not in self._frames:
            levels = self.configuration.settings.geography.levels
            kept = levels[: levels.index(base) + 1]
            vintage = self.configuration.geography.vintage(self.year)
            found = {tuple(place.parents[level] for level in kept) for place in vintage.values()}
            places = [
                (codes[-1] or f"{NOWHERE}{'/'.join(codes)}", dict(zip(kept, codes, strict=True))) for codes in found
            ]
            values = [published_values(self.configuration, self.publication, population, name) for name in dimensions]
            self._frames[key] = frame_of_places(kept, sorted(places, key=lambda place: place[0]), dimensions, values)
        return self._frames[key]

    def _measure(self, quantity: Quantity, sources: Sequence[tuple[IndicatorYear, int]]) -> Measure:
        levels = self.configuration.settings.geography.levels
        wanted = {name for year, _ in sources for name in year.indicator.dimensions}
        deepest = max(levels.index(self.base_level(year.indicator)) for year, _ in sources)
        covering = [
            (year, part)
            for year, part in sources
            if wanted <= set(year.indicator.dimensions) and levels.index(self.base_level(year.indicator)) == deepest
        ]
        if not covering:
            names = ", ".join(year.indicator.id for year, _ in sources)
            raise InputError(
                f"The indicators {names} share a count, and none of them has all levels and dimensions of it: declare "
                "one that has, or leave them out of the plan."
            )
        year, part = covering[0]
        dimensions = [name for name in self.configuration.dimensions.of(quantity.population) if name in wanted]
        frame = self.frame(quantity.population, levels[deepest], dimensions)
        atoms = self._atoms(frame, year, part)
        cells = frame.cells(atoms)
        nothing = np.zeros(cells.shape, dtype=bool)
        return Measure(quantity, frame, atoms, cells, nothing, nothing.copy(), nothing.copy(), nothing.copy())

    def _atoms(self, frame: Frame, year: IndicatorYear, part: int) -> Counts:
        """The finest counts: those of leaves as gold has them, those of no place as what is left of the larger unit."""
        by_unit = self._finest(frame, year, part)
        atoms = np.zeros((len(frame.leaves), len(frame.atoms)), dtype=np.int64)
        smallest = frame.units[-1].level
        is_known = np.zeros(len(frame.leaves), dtype=bool)
        for position in reversed(range(len(frame.units))):
            unit = frame.units[position]
            leaves = list(unit.leaves)
            if unit.level == NOWHERE:
                continue
            if unit.level == smallest and len(leaves) == 1:
                atoms[leaves[0]] = by_unit[position]
                is_known[leaves[0]] = True
                continue
            rest = [leaf for leaf in leaves if not is_known[leaf]]
            if rest:
                atoms[rest[0]] = by_unit[position] - atoms[leaves].sum(axis=0)
                is_known[rest] = True
        if (atoms < 0).any():
            raise InputError(
                f"gold does not add up: {year.indicator.id} of {self.year} has less in a place than in its parts."
            )
        return atoms

    def _finest(self, frame: Frame, year: IndicatorYear, part: int) -> Counts:
        names = self.configuration.dimensions.names
        columns = [names.index(name) for name in frame.dimensions]
        others = [position for position in range(len(names)) if position not in columns]
        merged = [self.publication.published_as.get(name, {}) for name in frame.dimensions]
        atom_position = {atom: position for position, atom in enumerate(frame.atoms)}
        found = np.zeros((len(frame.units), len(frame.atoms)), dtype=np.int64)
        for (level, code, split), counts in year.rows.items():
            unit = frame.unit_position.get((level, code))
            values = [split[column] for column in columns]
            if unit is None or ALL in values or any(split[column] != ALL for column in others):
                continue
            atom = tuple(names.get(value, value) for names, value in zip(merged, values, strict=True))
            if atom not in atom_position:
                raise InputError(f"gold has a value that no dimension declares: {atom}, of {year.indicator.id}.")
            found[unit, atom_position[atom]] += counts[part] or 0
        return found


def levels_of(indicator: Indicator, configuration: Configuration) -> list[str]:
    """The levels of an indicator's domiciles, without sector and hospital."""
    return [level for level in configuration.settings.geography.levels if level in indicator.levels]
