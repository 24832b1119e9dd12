"""A cell's value and interval, also where its counts do not give it alone.

A standardised rate is shown where all counts of its strata are: it follows from them. A median is shown of 2k members
or more. The plan has medians at one level, so no two groups share a member, and nothing else counts the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from claimatlas.configuration.indicators import MEDIAN, Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.conventions import Stratum, directly_standardised
from claimatlas.protection.intervals import Interval, interval_of, rounded, value_of
from claimatlas.protection.plan import Figure, PlannedCell
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.tables import Measure


@dataclass(frozen=True)
class Told:
    """The value of a cell and its interval; nothing where there is none."""

    value: float | None = None
    interval: Interval = (None, None)


def shown(measures: Mapping[Quantity, Measure], figure: Figure) -> int | None:
    """A figure, if a reader sees it."""
    quantity, unit, split = figure
    measure = measures[quantity]
    is_shown = measure.planned[unit, split] and not measure.hidden[unit, split]
    return int(measure.cells[unit, split]) if is_shown else None


def told(
    cell: PlannedCell,
    indicator: Indicator,
    counts: tuple[int | None, int | None],
    measures: Mapping[Quantity, Measure],
    publication: Publication,
) -> Told | None:
    """What the published row says of a cell besides its counts; nothing where its value is hidden.

    ``counts``: numerator and denominator as they are shown.
    """
    numerator, denominator = counts
    if denominator is None or (numerator is None and cell.numerator is not None):
        return None
    if indicator.unit == MEDIAN:
        # At least k members have no more than it, and k no less. Without members there is none.
        is_of_many = publication.sure_count(denominator) >= 2 * publication.k
        return Told(cell.median) if cell.median is None or is_of_many else None
    if numerator is None:
        # It is not computable.
        return Told()
    if indicator.standardised is not None and denominator:
        return _rate(cell, indicator, measures)
    return Told(value_of(indicator, numerator, denominator), interval_of(indicator, numerator, denominator))


def _rate(cell: PlannedCell, indicator: Indicator, measures: Mapping[Quantity, Measure]) -> Told | None:
    strata = []
    for one in cell.strata:
        numerator, denominator = shown(measures, one.numerator), shown(measures, one.denominator)
        if numerator is None or denominator is None:
            return None
        strata.append(Stratum(one.weight, numerator, denominator))
    if not strata:
        return None
    value, low, high = directly_standardised(strata, indicator.scale)
    return Told(rounded(value), (rounded(low), rounded(high)))
