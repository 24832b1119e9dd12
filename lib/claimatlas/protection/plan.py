"""The plan: every cell that may be published, and the figures that it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from claimatlas.configuration import Configuration
from claimatlas.configuration.publication import Publication
from claimatlas.errors import InputError
from claimatlas.protection.quantities import Quantity, Reading
from claimatlas.protection.tables import NOT_COMPUTABLE, PROVISIONAL, IndicatorYear, YearTables, levels_of
from claimatlas.tables.schemas import ALL

Figure = tuple[Quantity, int, int]
"""A figure of a measure, by quantity, unit and split."""


@dataclass(frozen=True)
class PlannedCell:
    """A cell that is published: its key, and the figures of its numerator (none: not computable) and denominator."""

    indicator: str
    level: str
    code: str
    split: dict[str, str]
    status: str
    numerator: Figure | None
    denominator: Figure


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
            counts = (None if year.status == NOT_COMPUTABLE else part, whole)
            cells = _of_level(year, level, depth, tables, counts)
            _require_gold(cells, year, tables, configuration.dimensions.names)
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
            denominator = _figure(tables, whole, (level, unit.code), named)
            numerator = None if part is None else _figure(tables, part, (level, unit.code), named)
            found.append(PlannedCell(year.indicator.id, level, unit.code, named, year.status, numerator, denominator))
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


def _figure(tables: YearTables, quantity: Quantity, place: tuple[str, str], split: Mapping[str, str]) -> Figure:
    measure = tables.measure(quantity)
    unit, position = measure.frame.unit_position[place], tables.split(quantity, split)
    measure.planned[unit, position] = True
    return measure.quantity, unit, position
