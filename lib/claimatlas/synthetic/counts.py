"""Gold of a plausible country without claims: its cells are drawn as counts, to test the steps after gold.

A year of national size is drawn in seconds, so that publication can be tested at that size. Cells of hospitals are
drawn where the configuration has a register of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import AGE, Population
from claimatlas.configuration.documents import read_csv
from claimatlas.configuration.indicators import Indicator, values_of_members
from claimatlas.configuration.settings import HOSPITAL, SECTOR, CellTables
from claimatlas.conventions import DRAWN_RUN
from claimatlas.errors import InputError
from claimatlas.protection.frames import Counts, Frame, Mask, Unit, frame_of_places
from claimatlas.protection.quantities import EVERY, EVERYBODY, Quantity, denominator_of, numerator_of, parents_of
from claimatlas.synthetic.country import CountShares, count_shares
from claimatlas.synthetic.drawn_comparisons import comparison_rows
from claimatlas.synthetic.places import WEIGHTS
from claimatlas.tables.schemas import ALL, COMPARISONS, DELIVERY_CELLS, cell_tables, configured, releases_table

_UNKNOWN_SHARE = 0.003
_INHABITANTS_PER_SECTOR = 600
_SHARE_OF_MEMBERS = 0.6
"""Of the members of a population, where a denominator is restricted."""
_RATES = {"with_any": 0.95, "without_any": 0.16, "service": 0.004}


@dataclass(frozen=True)
class Drawn:
    """The finest counts of one quantity: leaves by atoms by delivery type (one type where there is none)."""

    frame: Frame
    by_type: Counts


@dataclass(frozen=True)
class _Year:
    """One year of one population, and the random generator of its counts.

    ``by_line``: what was drawn of a numerator for each value of a dimension of the claim lines, the values last.
    """

    configuration: Configuration
    population: Population
    year: int
    random: np.random.Generator
    by_line: dict[tuple[Quantity, str], Counts] = field(default_factory=dict)

    @cached_property
    def given(self) -> CountShares:
        """What the configuration says that is drawn by."""
        return count_shares(self.configuration.folder)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of deliveries."""
        return tuple(self.configuration.services.delivery_types)


def drawn_indicators(configuration: Configuration) -> list[Indicator]:
    """The indicators whose cells can be drawn: a median or a standardised rate does not follow from its counts."""
    return [indicator for indicator in configuration.indicators if indicator.follows_from_its_counts]


def write_counts(configuration: Configuration, folder: str, years: Sequence[int], people: int, seed: int) -> int:
    """Draw the gold of some years and write it as one release; gives back the number of its cells.

    It has the indicators of ``drawn_indicators``.

    ``people``: beneficiaries a year.

    Raises:
        InputError: the folder has gold already, or the packages for it are not there.
    """
    if Path(folder, "gold").exists():
        raise InputError(f"--output {folder}: there is gold in it already; give a new folder.")
    rows: dict[Population, list[tuple[Any, ...]]] = {"beneficiary_years": [], "deliveries": []}
    for year in years:
        for population in rows:
            rows[population] += _rows_of_year(configuration, population, year, people, seed)
    country = configuration.settings.geography.country_level
    everything = (row for of_population in rows.values() for row in of_population)
    columns = configured(DELIVERY_CELLS, configuration).column_names
    cells = (dict(zip(columns, row, strict=True)) for row in everything)
    compared = list(comparison_rows(cells, drawn_indicators(configuration), country, DRAWN_RUN))
    _write(folder, configuration, rows, compared)
    return sum(map(len, rows.values()))


def _rows_of_year(
    configuration: Configuration, population: Population, year: int, people: int, seed: int
) -> Iterator[tuple[Any, ...]]:
    indicators = [i for i in drawn_indicators(configuration) if i.population == population and i.first_year <= year]
    if not indicators:
        return
    random = np.random.Generator(np.random.PCG64([seed, year, len(population)]))
    of = _Year(configuration, population, year, random)
    drawn = _draw(of, people, indicators)
    for indicator in indicators:
        yield from _rows_of_indicator(of, indicator, drawn)
    if any(SECTOR in indicator.levels for indicator in indicators):
        yield from _sector_rows(of, indicators, drawn)
    of_hospitals = [indicator for indicator in indicators if HOSPITAL in indicator.levels]
    register = configuration.hospitals
    if of_hospitals and register is not None and register.of(year):
        # Dice of their own: everything else is drawn as it is without a register.
        random = np.random.Generator(np.random.PCG64([seed, year, len(HOSPITAL)]))
        yield from _hospital_rows(replace(of, random=random), of_hospitals, drawn, register.of(year))


def _frame(of: _Year) -> Frame:
    configuration, population = of.configuration, of.population
    levels = configuration.settings.geography.levels
    places = [(code, place.parents) for code, place in sorted(configuration.geography.vintage(of.year).items())]
    dimensions = configuration.dimensions
    names = [name for name in dimensions.of(population) if name != dimensions.of_delivery_type]
    return frame_of_places(levels, places, names, [dimensions.values(name, population) for name in names])


def _draw(of: _Year, people: int, indicators: Sequence[Indicator]) -> dict[Quantity, Drawn]:
    """Every quantity without its restriction to types, by (kind, names, stay)."""
    configuration, population, random = of.configuration, of.population, of.random
    frame = _frame(of)
    number = people if population == "beneficiary_years" else round(people * of.given.deliveries / of.given.inhabitants)
    kinds = of.types if population == "deliveries" else ("",)
    shares = _shares(of, frame, _leaf_shares(configuration, frame), kinds)
    every = random.multinomial(number, (shares / shares.sum()).ravel()).reshape(shares.shape).astype(np.int64)
    by_denominator = {denominator_of(one, of.types).bare: one for one in indicators}
    bare = {*by_denominator, *(numerator_of(one, of.types).bare for one in indicators)}
    # A sum is drawn upon the number of those who have something.
    bare |= {replace(quantity, kind="service") for quantity in bare if quantity.kind == "quantity"}
    whole = Quantity(population, EVERY)
    drawn: dict[Quantity, Counts] = {whole: every}
    stay = replace(whole, with_stay=True)
    drawn[stay] = random.binomial(every, 0.985).astype(np.int64)
    for quantity in sorted(one for one in by_denominator if one.members != EVERYBODY):
        there = _SHARE_OF_MEMBERS * _can_be(by_denominator[quantity], frame, configuration)
        drawn[quantity] = random.binomial(drawn[quantity.of_everybody], there[None, :, None]).astype(np.int64)
    parents = parents_of(sorted(bare | {whole}))
    counted = sorted(
        (q for q in bare if q not in drawn and not q.is_magnitude),
        key=lambda q: (q.members, *_rank(q, parents)),
    )
    for quantity in counted:
        within = [drawn[parent] for parent in parents[quantity] if parent in drawn] or [every]
        rate = _RATES[quantity.kind] * (0.35 if parents[quantity] != (whole,) and quantity.kind == "without_any" else 1)
        most = np.asarray(np.minimum.reduce(within))
        same = None if quantity.members == EVERYBODY else drawn.get(quantity.of_everybody)
        if same is None:
            drawn[quantity] = random.binomial(most, rate).astype(np.int64)
            continue
        # Some of those of everybody who are counted: no more of these than there are can be others.
        members = replace(quantity, kind=EVERY, names=())
        others = drawn[members.of_everybody] - drawn[members]
        drawn[quantity] = np.clip(random.binomial(same, _SHARE_OF_MEMBERS), np.maximum(same - others, 0), most)
    for quantity in sorted(q for q in bare if q.is_magnitude):
        persons = drawn[replace(quantity, kind=EVERY if quantity.kind == "nights" else "service")]
        drawn[quantity] = persons + random.poisson(persons * (2.1 if quantity.kind == "nights" else 0.25))
    return {quantity: Drawn(frame, counts) for quantity, counts in drawn.items()}


def _can_be(indicator: Indicator, frame: Frame, configuration: Configuration) -> Mask:
    """Whether a member of a denominator can be of a finest cell."""
    held = [values_of_members(indicator, name, configuration.dimensions) for name in frame.dimensions]
    return np.array([all(value in of for value, of in zip(atom, held, strict=True)) for atom in frame.atoms])


def _rank(quantity: Quantity, parents: dict[Quantity, tuple[Quantity, ...]]) -> tuple[int, Quantity]:
    """The depth of a quantity below the whole: wholes are drawn before their parts."""
    above = [parent for parent in parents[quantity] if not parent.is_magnitude]
    return (1 + max((_rank(parent, parents)[0] for parent in above), default=-1), quantity)


def _leaf_shares(configuration: Configuration, frame: Frame) -> np.ndarray[Any, np.dtype[np.float64]]:
    weights = dict.fromkeys(frame.leaves, 0.0)
    rows = read_csv(configuration.folder, WEIGHTS, ("municipality", "inhabitants"))
    for _, row in rows if configuration.folder.joinpath(*WEIGHTS.split("/")).is_file() else ():
        for code in (code for code in weights if code):
            if code == row["municipality"]:
                weights[code] += float(row["inhabitants"])
                break
        else:
            carried = next((c for c, p in configuration.geography.predecessors.items() if row["municipality"] in p), "")
            if carried in weights and carried:
                weights[carried] += float(row["inhabitants"])
    known = sum(weights.values()) or float(len(weights))
    found = [weights[leaf] or (known * _UNKNOWN_SHARE if not leaf else known / len(weights)) for leaf in frame.leaves]
    return np.array(found)


def _shares(of: _Year, frame: Frame, leaves: Any, kinds: Sequence[str]) -> Any:  # noqa: ANN401
    by_atom = np.ones(1)
    for name, values in zip(frame.dimensions, frame.values, strict=True):
        by_atom = np.multiply.outer(by_atom, _value_shares(of, name, len(values))).ravel()
    given = of.given.delivery_types
    by_type = np.array([given.get(kind, 1 / len(kinds)) for kind in kinds])
    return np.einsum("l,a,t->lat", leaves, by_atom, by_type)


def _value_shares(of: _Year, name: str, number: int) -> Any:  # noqa: ANN401
    """The last value is the unknown one; ages rise and fall, others begin with their declared share."""
    known = number - 1
    if of.configuration.dimensions.declared[name].source == AGE:
        shares = np.exp(-(((np.arange(known) - (known - 1) / 2) / 1.25) ** 2) / 2)
    else:
        first = of.given.first_value.get(name, 1 / known)
        shares = np.array([first, *[(1 - first) / max(known - 1, 1)] * (known - 1)])
    shares = shares / shares.sum() * (1 - _UNKNOWN_SHARE)
    return np.append(shares, of.given.unknown.get(name, _UNKNOWN_SHARE / 10))


def _rows_of_indicator(of: _Year, indicator: Indicator, drawn: dict[Quantity, Drawn]) -> Iterator[tuple[Any, ...]]:
    frame, numerators = _by_dimension(of.configuration, indicator, numerator_of(indicator, of.types), drawn)
    _, denominators = _by_dimension(of.configuration, indicator, denominator_of(indicator, of.types), drawn)
    lower = frame.cells(denominators)
    for of_lines, counted in ({}, numerators), *_by_line(of, indicator, numerators):
        upper = frame.cells(counted)
        for split, position in frame.split_position.items():
            named = dict(zip(frame.dimensions, split, strict=True))
            if any(value != ALL and name not in indicator.dimensions for name, value in named.items()):
                continue
            is_total = not of_lines and all(value == ALL for value in split)
            for unit, place in enumerate(frame.units):
                if place.level in indicator.levels and (is_total or lower[unit, position]):
                    counts = (int(upper[unit, position]), int(lower[unit, position]))
                    cell = of.configuration.dimensions.split({**named, **of_lines})
                    yield _row(indicator, of.year, place, cell, counts)


def _by_line(of: _Year, indicator: Indicator, numerators: Counts) -> Iterator[tuple[dict[str, str], Counts]]:
    """The numerator of each value of the indicator's dimension of the claim lines: they add up to it.

    Indicators that count the same have the same.
    """
    dimensions = of.configuration.dimensions
    for name in (name for name in indicator.dimensions if name in dimensions.of_lines):
        values = dimensions.values(name, of.population)
        key = (numerator_of(indicator, of.types), name)
        if key not in of.by_line:
            of.by_line[key] = of.random.multinomial(numerators, _value_shares(of, name, len(values))).astype(np.int64)
        for position, value in enumerate(values):
            yield {name: value}, of.by_line[key][..., position]


def _by_dimension(
    configuration: Configuration, indicator: Indicator, quantity: Quantity, drawn: dict[Quantity, Drawn]
) -> tuple[Frame, Counts]:
    """A quantity's atoms with the types as a dimension, in the order of the population's dimensions."""
    found = drawn[quantity.bare]
    kinds = configuration.services.delivery_types
    type_of = configuration.dimensions.of_delivery_type
    if type_of is None or type_of not in configuration.dimensions.of(indicator.population):
        counted = [n for n, name in enumerate(kinds) if not quantity.types or name in quantity.types]
        return found.frame, found.by_type[:, :, counted if indicator.population == "deliveries" else [0]].sum(axis=2)
    labels = configuration.dimensions.values(type_of, indicator.population)
    by_label = np.zeros((*found.by_type.shape[:2], len(labels)), dtype=np.int64)
    for position, (name, kind) in enumerate(kinds.items()):
        if not quantity.types or name in quantity.types:
            by_label[:, :, labels.index(kind.dimension)] += found.by_type[:, :, position]
    frame = Frame(
        found.frame.leaves, found.frame.units, (*found.frame.dimensions, type_of), (*found.frame.values, labels)
    )
    return frame, by_label.reshape(len(frame.leaves), -1)


def _sector_rows(of: _Year, indicators: Sequence[Indicator], drawn: dict[Quantity, Drawn]) -> Iterator[tuple[Any, ...]]:
    random, types = of.random, of.types
    if of.year < of.configuration.settings.geography.sector_first_year:
        return
    totals = {quantity: found.by_type.sum(axis=(1, 2)) for quantity, found in drawn.items()}
    frame = next(iter(drawn.values())).frame
    total = of.configuration.dimensions.split({})
    for position, leaf in enumerate(frame.leaves[:-1]):
        whole = Quantity(of.population, EVERY)
        number = max(1, int(totals[whole][position]) // _INHABITANTS_PER_SECTOR)
        people = random.multinomial(int(totals[whole][position]), np.full(number, 1 / number))
        counts: dict[Quantity, Any] = {whole: people}
        for quantity in sorted(q for q in drawn if q.kind == "service"):
            counts[quantity] = random.multivariate_hypergeometric(people, int(totals[quantity][position]))
        for quantity in sorted(q for q in drawn if q.kind == "quantity"):
            persons = counts[Quantity(whole.population, "service", quantity.names)]
            more = int(totals[quantity][position]) - int(persons.sum())
            counts[quantity] = persons + random.multinomial(more, persons / max(persons.sum(), 1)) if more else persons
        for indicator in indicators:
            if SECTOR not in indicator.levels:
                continue
            upper, lower = counts[numerator_of(indicator, types)], counts[denominator_of(indicator, types)]
            for sector in range(number):
                code = f"{leaf}A{sector:03d}" if sector < 1000 else f"{leaf}B{sector - 1000:03d}"
                counted = (int(upper[sector]), int(lower[sector]))
                yield _row(indicator, of.year, Unit(SECTOR, code, ()), total, counted)


def _hospital_rows(
    of: _Year, indicators: Sequence[Indicator], drawn: dict[Quantity, Drawn], codes: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """The rows of hospitals with deliveries: each has its share of the country's, a few have no hospital."""
    country = of.configuration.settings.geography.country_level
    old = next(iter(drawn.values())).frame
    whole = next(unit.code for unit in old.units if unit.level == country)
    places = [(code, {country: whole, HOSPITAL: code}) for code in codes]
    frame = frame_of_places((country, HOSPITAL), places, old.dimensions, old.values)
    shares = of.random.lognormal(0.0, 0.6, len(codes))
    shares = np.append(shares / shares.sum() * (1 - _UNKNOWN_SHARE), _UNKNOWN_SHARE)
    found: dict[Quantity, Counts] = {}
    parents = parents_of(sorted(drawn))
    for quantity in sorted(drawn, key=lambda one: (one.is_magnitude, *_rank(one, parents))):
        total = drawn[quantity].by_type.sum(axis=0)
        if quantity == Quantity(quantity.population, EVERY):
            found[quantity] = np.moveaxis(of.random.multinomial(total, shares), -1, 0).astype(np.int64)
            continue
        every = found[Quantity(quantity.population, EVERY)]
        above = [found[parent] for parent in parents[quantity] if parent in found] or [every]
        own = np.zeros_like(every)
        for cell in np.ndindex(*total.shape):
            inside = above[0][(slice(None), *cell)]
            if quantity.is_magnitude:
                own[(slice(None), *cell)] = of.random.multinomial(total[cell], inside / max(inside.sum(), 1))
            else:
                own[(slice(None), *cell)] = of.random.multivariate_hypergeometric(inside, int(total[cell]))
        found[quantity] = own
    by_hospital = {quantity: Drawn(frame, counts) for quantity, counts in found.items()}
    denominator = len(of.configuration.dimensions.names) + 4
    for indicator in indicators:
        for row in _rows_of_indicator(of, indicator, by_hospital):
            if row[-1] == HOSPITAL and row[denominator]:
                yield row


def _row(
    indicator: Indicator, year: int, place: Unit, split: tuple[str, ...], counts: tuple[int, int]
) -> tuple[Any, ...]:
    numerator, denominator = counts
    value = float(numerator) if indicator.unit == "count" else None
    if value is None and denominator:
        value = indicator.scale * numerator / denominator
    return (
        *(indicator.id, place.code, year, *split, numerator, denominator, value, None, None),
        *("final", DRAWN_RUN, year, place.level),
    )


def _write(
    folder: str,
    configuration: Configuration,
    rows: Mapping[Population, list[tuple[Any, ...]]],
    compared: list[tuple[Any, ...]],
) -> None:
    """Write the tables with the columns that gold has, then the release that names them."""
    from claimatlas.tables.local_table import write_rows  # noqa: PLC0415 - deltalake is not needed for claims

    tables = cell_tables(configuration.settings.tables or CellTables())
    versions = [
        write_rows(folder, configured(table, configuration), found) if found else None
        for table, found in zip(tables, rows.values(), strict=True)
    ]
    versions.append(write_rows(folder, COMPARISONS, compared) if compared else None)
    release = (1, DRAWN_RUN, datetime.now(UTC), *versions, "drawn counts")
    write_rows(folder, releases_table(tables), [release])
