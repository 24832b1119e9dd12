"""The counts of one year of gold as tables: for each quantity its finest counts and all the figures that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.hospitals import FILE as HOSPITALS
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication, published_values, published_values_of_members
from claimatlas.configuration.reserved import LABELS
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.errors import InputError
from claimatlas.protection.frames import NOWHERE, Counts, Frame, Mask, frame_of_places
from claimatlas.protection.quantities import Quantity, Reading
from claimatlas.protection.slices import (
    Cells,
    Shape,
    Slice,
    TypeDimension,
    Use,
    counted,
    find_slices,
    positions,
)
from claimatlas.tables.schemas import ALL

UNKNOWN = LABELS[1]
NOT_COMPUTABLE, PROVISIONAL = "not_computable", "provisional"
Split = tuple[str, ...]
Row = tuple[str, str, Split]
"""Level, place, and the value of each column of dimensions."""


@dataclass
class IndicatorYear:
    """An indicator's rows of gold in a year: numerator and denominator by place and split, and some values.

    values: those that do not follow from these counts, of a median or a standardised rate.
    """

    indicator: Indicator
    status: str
    rows: dict[Row, tuple[int | None, int | None]] = field(default_factory=dict)
    values: dict[Row, float | None] = field(default_factory=dict)


@dataclass(eq=False)
class Measure:
    """A quantity with its counts. planned, hidden: of its figures.

    sensitive: figures that may not be shown. small: those of which the count itself must not be told. possible: the
    finest counts that can be other than 0. counted: the figures that somebody may ask for. gaps: for what it lies
    within, the figures of which the difference must not be told.
    """

    quantity: Quantity
    frame: Frame
    atoms: Counts
    cells: Counts
    planned: Mask
    hidden: Mask
    sensitive: Mask
    small: Mask
    possible: Mask
    counted: Mask
    gaps: dict[Quantity, Mask] = field(default_factory=dict)
    per_split: ClassVar[int] = 1

    def figure(self, unit: int, split: int) -> tuple[Quantity, int, int]:
        """A figure with its quantity."""
        return self.quantity, unit, split

    def choice(self, _first: int, _last: int) -> int:
        """The choice of layers: there is one."""
        return 0

    def position(self, split: int, _choice: int) -> int:
        """Where a split stands: there is one choice of layers."""
        return split

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
        key = (row["geo_level"], row["geo_code"], split)
        year.rows[key] = (row["numerator"], row["denominator"])
        if not year.indicator.follows_from_its_counts:
            year.values[key] = row["value"]
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class YearTables:
    """The tables of a year: a measure for each count, and the counts that stand in the table of another."""

    measures: dict[Quantity, Measure]
    slices: dict[Quantity, Slice]
    types: TypeDimension

    def has(self, quantity: Quantity) -> bool:
        """Whether gold has the count in this year."""
        return quantity in self.measures or quantity in self.slices

    def measure(self, quantity: Quantity) -> Measure:
        """The table that has a count."""
        found = self.slices.get(quantity)
        return self.measures[found.host if found else quantity]

    def split(self, quantity: Quantity, named: Mapping[str, str]) -> int:
        """Where a split of a count stands in its table; a dimension that is not named is summed over."""
        frame, found = self.measure(quantity).frame, self.slices.get(quantity)
        chosen = dict(named)
        name = self.types.name
        if found and name:
            value = named.get(name, ALL)
            values = found.values if value == ALL else [value] if value in found.values else []
            chosen[name] = frame.choice(name, values)
        return frame.split_position[tuple(chosen.get(one, ALL) for one in frame.dimensions)]

    def common(self, part: Quantity, whole: Quantity, indicator: Indicator) -> tuple[Cells, Cells]:
        """The figures of a count, and those of a larger one at the same places and splits.

        They are all that the count's table has; of a count that stands in another's those of the indicator.
        """
        one, other = self.measure(part).frame, self.measure(whole).frame
        is_slice = part in self.slices or whole in self.slices
        units = [
            n
            for n, (unit, identity) in enumerate(zip(one.units, one.identities, strict=True))
            if identity in other.identity_position and (not is_slice or unit.level in indicator.levels)
        ]
        upper = [other.identity_position[one.identities[n]] for n in units]
        allowed = set(other.dimensions) & (set(indicator.dimensions) if is_slice else set(one.dimensions))
        plain = [one.named(one.splits[position]) for position in np.flatnonzero(one.plain).tolist()]
        named = [split for split in plain if all(value == ALL or name in allowed for name, value in split.items())]
        lower = [self.split(part, split) for split in named]
        return positions(units, lower), positions(upper, [self.split(whole, split) for split in named])

    def rest(self, frame: Frame, cells: Cells, upper: Cells) -> Cells:
        """Of two counts of one table the figures of what is left of the larger, as `common` has the two."""
        dimension = str(self.types.name)
        held = frame.choices[frame.dimensions.index(dimension)]
        splits = []
        for one, other in zip(cells[1].ravel().tolist(), upper[1].ravel().tolist(), strict=True):
            inside, outside = frame.named(frame.splits[one]), frame.named(frame.splits[other])
            values = [value for value in held[outside[dimension]] if value not in held[inside[dimension]]]
            chosen = {**outside, dimension: frame.choice(dimension, values)}
            splits.append(frame.split_position[tuple(chosen.values())])
        return positions(cells[0].ravel().tolist(), splits)


class TableBuilder:
    """Makes the measures of a year."""

    def __init__(self, configuration: Configuration, publication: Publication, year: int) -> None:
        self.configuration, self.publication, self.year = configuration, publication, year
        self.reading = Reading.of(configuration, publication)
        name = configuration.dimensions.of_delivery_type
        merged = publication.published_as.get(name, {}) if name else {}
        kinds = configuration.services.delivery_types
        self.dimension = TypeDimension(
            name, {one: merged.get(kind.dimension, kind.dimension) for one, kind in kinds.items()}
        )
        self._uses: list[Use] = []
        self._frames: dict[tuple[Population, str, tuple[str, ...]], Frame] = {}
        self.passed_over: set[str] = set()

    def tables(self, years: Mapping[str, IndicatorYear]) -> YearTables:
        """The measures that the indicators' numerators and denominators are.

        Raises:
            InputError: no indicator has a quantity in the detail of all that have it; gold does not add up.
        """
        sources: dict[Quantity, list[tuple[IndicatorYear, int]]] = {}
        for year in years.values():
            sources.setdefault(self.reading.denominator(year.indicator), []).append((year, 1))
            numerator = self.reading.numerator(year.indicator)
            if year.status != NOT_COMPUTABLE and numerator is not None:
                sources.setdefault(numerator, []).append((year, 0))
        slices = find_slices({one: self._shape(one, found) for one, found in sources.items()}, self.dimension)
        self._uses = self._uses_of(years, slices)
        measures = {one: self._measure(one, found) for one, found in sorted(sources.items()) if one not in slices}
        return YearTables(measures, slices, self.dimension)

    def _shape(self, quantity: Quantity, sources: Sequence[tuple[IndicatorYear, int]]) -> Shape:
        levels = self.configuration.settings.geography.levels
        depth = max(levels.index(self.base_level(year.indicator)) for year, _ in sources)
        return Shape(depth, frozenset(name for year, _ in sources for name in year.indicator.dimensions), quantity.by)

    def _uses_of(self, years: Mapping[str, IndicatorYear], slices: Mapping[Quantity, Slice]) -> list[Use]:
        """Where values of the delivery types are counted together, and where those that are left of a larger count."""
        found = []
        for year in years.values():
            indicator = year.indicator
            whole = self.reading.denominator(indicator)
            pair = (whole, self.reading.numerator(indicator) or whole)
            for values in self._together(pair, slices, is_split=self.dimension.name in indicator.dimensions):
                found.append(Use(values, tuple(indicator.levels), frozenset(indicator.dimensions)))
        declared = {indicator.id: indicator for indicator in self.configuration.indicators}
        for difference in self.publication.differences:
            larger, part = (
                self.reading.part(declared[name], difference.of) for name in (difference.whole, difference.part)
            )
            of = declared[difference.part]
            for values in self._together((larger, part), slices, is_split=False):
                found.append(Use(values, tuple(of.levels), frozenset(of.dimensions)))
        return found

    def _together(
        self, pair: tuple[Quantity, Quantity], slices: Mapping[Quantity, Slice], *, is_split: bool
    ) -> Iterator[tuple[str, ...]]:
        whole, part = pair
        for own in (slices[one] for one in pair if one in slices):
            yield own.values
            if is_split:
                yield ()
        if part in slices and part != whole:
            other = slices.get(whole)
            if (other.host if other else whole) == slices[part].host:
                held = other.values if other else tuple(dict.fromkeys(self.dimension.value_of.values()))
                yield tuple(value for value in held if value not in slices[part].values)

    def base_level(self, indicator: Indicator) -> str:
        """The smallest level of an indicator's domiciles."""
        return [level for level in self.configuration.settings.geography.levels if level in indicator.levels][-1]

    def frame(self, population: Population, base: str, dimensions: Sequence[str]) -> Frame:
        """The frame with the places of a level, or the hospitals, as leaves, and these dimensions."""
        key = (population, base, tuple(dimensions))
        if key not in self._frames:
            kept, found = self._hospitals() if base == HOSPITAL else self._places(base)
            places = [
                (codes[-1] or f"{NOWHERE}{'/'.join(codes)}", dict(zip(kept, codes, strict=True))) for codes in found
            ]
            values = [published_values(self.configuration, self.publication, population, name) for name in dimensions]
            frame = frame_of_places(kept, sorted(places, key=lambda place: place[0]), dimensions, values)
            self._frames[key] = replace(frame, groups=self._groups(frame))
        return self._frames[key]

    def _places(self, base: str) -> tuple[tuple[str, ...], set[tuple[str, ...]]]:
        """The levels down to one, and the codes of each place at them."""
        levels = self.configuration.settings.geography.levels
        kept = tuple(levels[: levels.index(base) + 1])
        vintage = self.configuration.geography.vintage(self.year)
        return kept, {tuple(place.parents[level] for level in kept) for place in vintage.values()}

    def _hospitals(self) -> tuple[tuple[str, ...], set[tuple[str, ...]]]:
        """The country and the hospitals of the register; whoever has none of these counts in the country alone.

        Raises:
            InputError: the register has no hospital of the year.
        """
        country = self.configuration.settings.geography.country_level
        vintage = self.configuration.geography.vintage(self.year)
        register = self.configuration.hospitals
        codes: set[tuple[str, ...]] = {
            (place.parents[country], code)
            for place in vintage.values()
            for code in (register.of(self.year) if register else ())
        }
        if not codes:
            raise InputError(f"{HOSPITALS}: there is no hospital of {self.year}, and the plan has figures by hospital.")
        return (country, HOSPITAL), codes

    def _groups(self, frame: Frame) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """The sets of values that need a name of their own: a value and all of them have one."""
        sets = sorted({use.values for use in self._uses})
        return tuple(
            tuple(one for one in sets if len(one) != 1 and set(one) != set(names))
            if name == self.dimension.name
            else ()
            for name, names in zip(frame.dimensions, frame.values, strict=True)
        )

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
        frame = self.frame(quantity.population, quantity.by or levels[deepest], dimensions)
        atoms = self._atoms(frame, year, part)
        cells = frame.cells(atoms)
        nothing = np.zeros(cells.shape, dtype=bool)
        masks = (nothing, nothing.copy(), nothing.copy(), nothing.copy())
        return Measure(
            *(quantity, frame, atoms, cells, *masks),
            possible=self._possible(frame, quantity, year.indicator),
            counted=counted(frame, self.dimension.name, self._uses),
        )

    def _possible(self, frame: Frame, quantity: Quantity, indicator: Indicator) -> Mask:
        """Whether a finest count can be other than 0: not for a type, an age or a sex that the quantity does not count.

        ``indicator``: one that counts it.
        """
        row = np.ones(len(frame.atoms), dtype=bool)
        for axis, name in enumerate(frame.dimensions):
            held = published_values_of_members(self.configuration, self.publication, indicator, name)
            if name == self.dimension.name:
                held = frozenset(one for one in frame.values[axis] if self.dimension.types_in((one,), quantity))
            row &= np.array([atom[axis] in held for atom in frame.atoms], dtype=bool)
        return np.repeat(row[None, :], len(frame.leaves), axis=0)

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
            if unit is None and level == frame.units[-1].level == HOSPITAL:
                self.passed_over.add(code)
            if unit is None or ALL in values or any(split[column] != ALL for column in others):
                continue
            atom = tuple(names.get(value, value) for names, value in zip(merged, values, strict=True))
            if atom not in atom_position:
                raise InputError(f"gold has a value that no dimension declares: {atom}, of {year.indicator.id}.")
            found[unit, atom_position[atom]] += counts[part] or 0
        return found


def levels_of(indicator: Indicator, configuration: Configuration, reading: Reading) -> list[str]:
    """The levels of an indicator's domiciles, and that of hospitals where figures by hospital are published."""
    levels = (*configuration.settings.geography.levels, *reading.apart)
    return [level for level in levels if level in indicator.levels]
