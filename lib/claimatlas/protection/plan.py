"""The plan: every cell that may be published, and the figures that it shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import MEDIAN
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.standards import Standard
from claimatlas.conventions import Stratum, directly_standardised
from claimatlas.errors import InputError
from claimatlas.protection.quantities import Quantity, Reading
from claimatlas.protection.tables import NOT_COMPUTABLE, PROVISIONAL, IndicatorYear, YearTables, levels_of
from claimatlas.tables.schemas import ALL

Figure = tuple[Quantity, int, int]
"""A figure of a measure, by quantity, unit and split."""


@dataclass(frozen=True)
class PlannedStratum:
    """A stratum of a standardised rate: its weight, and where its counts stand."""

    weight: float
    numerator: Figure
    denominator: Figure


@dataclass(frozen=True)
class PlannedCell:
    """A cell that is published: its key, and the figures of its numerator and denominator.

    numerator: none where nothing is computable, and of a median. strata: of a standardised rate; none where its table
    has no such figures. median: as gold has it.
    """

    indicator: str
    level: str
    code: str
    split: dict[str, str]
    status: str
    numerator: Figure | None
    denominator: Figure
    strata: tuple[PlannedStratum, ...] = ()
    median: float | None = None


def plan(
    years: Mapping[str, IndicatorYear],
    tables: YearTables,
    configuration: Configuration,
    publication: Publication,
) -> list[PlannedCell]:
    """List every planned cell, and mark its figures as planned. Hospitals are those of the register.

    A provisional indicator has the levels and splits of the provisional plan.

    Raises:
        InputError: an indicator without a rule; gold does not add up to its own totals.
    """
    found = []
    reading = Reading.of(configuration, publication)
    for name, year in years.items():
        if name not in publication.sensitive_sides:
            raise InputError(f"publication.yaml: sensitive_sides: {name} has no rule, so it cannot be published.")
        whole, part = reading.denominator(year.indicator), reading.numerator(year.indicator)
        for level in levels_of(year.indicator, configuration, reading):
            depth = publication.splits(level, provisional=year.status == PROVISIONAL)
            if year.indicator.unit == MEDIAN:
                depth = min(depth, 0)
            elif year.indicator.standardised is not None:
                # Where its strata are published.
                depth -= 1
            counts = (None if year.status == NOT_COMPUTABLE else part, whole)
            cells = _of_level(year, level, depth, tables, counts)
            _require_gold(cells, year, tables, configuration.dimensions.names)
            if year.indicator.unit == MEDIAN:
                cells = _with_medians(cells, year, len(configuration.dimensions.names))
            elif year.indicator.standardised is not None and counts[0] is not None:
                standard = _as_published(configuration.standards[year.indicator.standardised], publication)
                cells = _with_strata(cells, tables, (counts[0], whole), standard)
                _require_rates(cells, year, tables, configuration.dimensions.names)
            found += cells
    return found


def _of_level(
    year: IndicatorYear, level: str, depth: int, tables: YearTables, counts: tuple[Quantity | None, Quantity]
) -> list[PlannedCell]:
    own = year.indicator.dimensions
    part, whole = counts
    frame = tables.measure(whole).frame
    kept = [
        split
        for split, is_plain in zip(frame.splits, frame.plain.tolist(), strict=True)
        if is_plain
        and sum(value != ALL for value in split) <= depth
        and all(value == ALL or name in own for name, value in zip(frame.dimensions, split, strict=True))
    ]
    found = []
    for unit in frame.units:
        if unit.level != level:
            continue
        for split in kept:
            named = frame.named(split)
            denominator = _planned(tables, whole, (level, unit.code), named)
            numerator = None if part is None else _planned(tables, part, (level, unit.code), named)
            found.append(PlannedCell(year.indicator.id, level, unit.code, named, year.status, numerator, denominator))
    return found


def _with_medians(cells: Sequence[PlannedCell], year: IndicatorYear, dimensions: int) -> list[PlannedCell]:
    """The cells of a median with those of gold; ``dimensions``: how many columns of them gold has."""
    return [replace(cell, median=year.values.get((cell.level, cell.code, (ALL,) * dimensions))) for cell in cells]


def _with_strata(
    cells: Sequence[PlannedCell], tables: YearTables, counts: tuple[Quantity, Quantity], standard: Standard
) -> list[PlannedCell]:
    """The cells of a standardised rate with where the counts of their strata stand."""
    frames = [tables.measure(count).frame for count in counts]
    if any(standard.dimension not in frame.dimensions for frame in frames):
        # In this year no indicator is split by it.
        return list(cells)
    found = []
    for cell in cells:
        strata = []
        for value, weight in standard.strata.items():
            named = {**cell.split, standard.dimension: value}
            figures = [_figure(tables, count, (cell.level, cell.code), named) for count in counts]
            strata.append(PlannedStratum(weight, *figures))
        found.append(replace(cell, strata=tuple(strata)))
    return found


def _require_gold(
    cells: Sequence[PlannedCell], year: IndicatorYear, tables: YearTables, dimensions: Sequence[str]
) -> None:
    """Compare the figures with gold's, where no values are merged: a count that stands in several rows is one."""
    for cell in cells:
        row = year.rows.get((cell.level, cell.code, tuple(cell.split.get(name, ALL) for name in dimensions)))
        for figure, count in zip((cell.numerator, cell.denominator), row or (), strict=False):
            if figure is None or count is None:
                continue
            quantity, unit, split = figure
            if tables.measures[quantity].cells[unit, split] != count:
                raise InputError(
                    f"gold does not add up: {cell.indicator} has another count of {cell.level} {cell.code} than the "
                    "parts of it, or than another indicator that counts the same. Compute the year anew."
                )


def _require_rates(
    cells: Sequence[PlannedCell], year: IndicatorYear, tables: YearTables, dimensions: Sequence[str]
) -> None:
    """Compare rates with gold's, where no values are merged: gold may have been computed by other weights."""
    for cell in cells:
        key = (cell.level, cell.code, tuple(cell.split.get(name, ALL) for name in dimensions))
        if not cell.strata or (expected := year.values.get(key)) is None:
            continue
        counts = [
            Stratum(one.weight, _count(tables, one.numerator), _count(tables, one.denominator)) for one in cell.strata
        ]
        value, _, _ = directly_standardised(counts, year.indicator.scale)
        if value is None or not math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9):
            raise InputError(
                f"{cell.indicator}: its rates of gold are not those that its strata and {year.indicator.standardised} "
                "give: gold was computed by another standard population. Compute the year anew."
            )


def _count(tables: YearTables, figure: Figure) -> int:
    quantity, unit, split = figure
    return int(tables.measures[quantity].cells[unit, split])


def _as_published(standard: Standard, publication: Publication) -> Standard:
    """A standard population by the names that its strata are published by; none of them is merged with another."""
    names = publication.published_as.get(standard.dimension, {})
    return standard.model_copy(
        update={"weights": {names.get(value, value): weight for value, weight in standard.strata.items()}}
    )


def _planned(tables: YearTables, quantity: Quantity, place: tuple[str, str], split: Mapping[str, str]) -> Figure:
    """A figure that is published, if nothing hides it."""
    one, unit, position = found = _figure(tables, quantity, place, split)
    tables.measures[one].planned[unit, position] = True
    return found


def _figure(tables: YearTables, quantity: Quantity, place: tuple[str, str], split: Mapping[str, str]) -> Figure:
    measure = tables.measure(quantity)
    return measure.quantity, measure.frame.unit_position[place], tables.split(quantity, split)
