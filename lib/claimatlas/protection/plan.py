"""The plan: every cell that may be published, and the figures that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from claimatlas.configuration import Configuration
from claimatlas.configuration.publication import Publication
from claimatlas.errors import InputError
from claimatlas.protection.quantities import Quantity, denominator_of, numerator_of
from claimatlas.protection.tables import NOT_COMPUTABLE, PROVISIONAL, IndicatorYear, Measure, levels_of
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
    measures: Mapping[Quantity, Measure],
    configuration: Configuration,
    publication: Publication,
) -> list[PlannedCell]:
    """List every planned cell but those of sectors, and mark its figures as planned.

    A provisional indicator has the levels and splits of the provisional plan.

    Raises:
        InputError: an indicator without a rule; gold does not add up to its own totals.
    """
    found = []
    types = tuple(configuration.services.delivery_types)
    for name, year in years.items():
        if name not in publication.sensitive_sides:
            raise InputError(f"publication.yaml: sensitive_sides: {name} has no rule, so it cannot be published.")
        whole, part = denominator_of(year.indicator, types), numerator_of(year.indicator, types)
        for level in levels_of(year.indicator, configuration):
            depth = publication.splits(level, provisional=year.status == PROVISIONAL)
            numerators = None if year.status == NOT_COMPUTABLE else measures[part]
            found += _of_level(year, level, depth, measures[whole], numerators)
    return found


def _of_level(
    year: IndicatorYear, level: str, depth: int, denominators: Measure, numerators: Measure | None
) -> list[PlannedCell]:
    own = year.indicator.dimensions
    frame = denominators.frame
    kept = [
        split
        for split in frame.splits
        if sum(value != ALL for value in split) <= depth
        and all(value == ALL or name in own for name, value in zip(frame.dimensions, split, strict=True))
    ]
    found = []
    for unit in frame.units:
        if unit.level != level:
            continue
        for split in kept:
            named = dict(zip(frame.dimensions, split, strict=True))
            denominator = _figure(denominators, level, unit.code, named)
            numerator = None if numerators is None else _figure(numerators, level, unit.code, named)
            found.append(PlannedCell(year.indicator.id, level, unit.code, named, year.status, numerator, denominator))
    return found


def _figure(measure: Measure, level: str, code: str, split: Mapping[str, str]) -> Figure:
    frame = measure.frame
    unit = frame.unit_position[level, code]
    position = frame.split_position[tuple(split.get(name, ALL) for name in frame.dimensions)]
    measure.planned[unit, position] = True
    return measure.quantity, unit, position
