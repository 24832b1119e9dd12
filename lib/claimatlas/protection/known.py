"""Readers' knowledge of figures: of those that an earlier release showed, and of what ``--known`` says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from claimatlas.configuration.known_counts import KnownCounts
from claimatlas.protection.audit import Audit
from claimatlas.protection.frames import Counts, Frame
from claimatlas.protection.ledger import CellKey, ShownBefore, key_of_cell
from claimatlas.protection.plan import Figure, PlannedCell
from claimatlas.protection.quantities import EVERY, Quantity
from claimatlas.protection.rooms import UNBOUNDED
from claimatlas.tables.schemas import ALL


def know_what_was_shown(
    audit: Audit,
    cells: Sequence[PlannedCell],
    known: Mapping[CellKey, ShownBefore],
    year: int,
    dimensions: Sequence[str],
) -> None:
    """Let the attackers know every figure that a release showed, within the revision bound, or nearer if it is farther.

    A world is then only one in which each such figure stays as near to its former count as readers believe.
    """
    for cell in cells:
        before = known.get(key_of_cell(cell, year, dimensions))
        if before is None:
            continue
        _know(audit, cell.denominator, before.denominator)
        if cell.numerator is not None:
            _know(audit, cell.numerator, before.numerator)


def know_from_elsewhere(audit: Audit, known: KnownCounts, year: int, dimensions: Sequence[str]) -> None:
    """Let the attackers know the counts of a file within their bounds.

    Such a count, and what follows from it, has no more values than the file leaves it, whatever is hidden.

    Raises:
        InputError: gold has no such figure, or a count outside the bounds.
    """
    told: dict[Quantity, Counts] = {}
    for row in known.of(year):
        quantity = Quantity(row.population, EVERY)
        if quantity not in audit.measures:
            known.refuse(row, f"no denominator of {row.population} is published.")
        measure = audit.measures[quantity]
        named = {name: value for name, value in zip(dimensions, row.split, strict=True) if value != ALL}
        unit = measure.frame.unit_position.get((row.level, row.code))
        if unit is None or not set(named) <= set(measure.frame.dimensions):
            known.refuse(row, f"the denominators of {row.population} have no such figure.")
        split = measure.frame.split_position[tuple(named.get(name, ALL) for name in measure.frame.dimensions)]
        now = int(measure.cells[unit, split])
        if not row.low <= now <= row.high:
            known.refuse(row, "gold has a count outside low and high.")
        bounds = audit.known.setdefault(quantity, {})
        low, high = bounds.get((unit, split), (row.low - now, row.high - now))
        bounds[unit, split] = (max(low, row.low - now), min(high, row.high - now))
        widths = told.setdefault(quantity, np.full(measure.cells.shape, UNBOUNDED, dtype=np.int64))
        widths[unit, split] = row.high - row.low
    audit.told = {quantity: _spread(widths, audit.measures[quantity].frame) for quantity, widths in told.items()}


def _spread(widths: Counts, frame: Frame) -> Counts:
    """How far apart the values of every figure are at most: a sum is known as its parts are, a part as the rest is."""
    by_place = [
        (unit, parts)
        for unit, parts in enumerate(frame.children)
        if parts and sum(len(frame.units[part].leaves) for part in parts) == len(frame.units[unit].leaves)
    ]
    before = None
    while before is None or (widths < before).any():
        before = widths.copy()
        for whole, parts in frame.sums:
            _spread_sum(widths.T, whole, parts)
        for whole, parts in by_place:
            _spread_sum(widths, whole, parts)
    return widths


def _spread_sum(widths: Counts, whole: int, parts: Sequence[int]) -> None:
    total = widths[list(parts)].sum(axis=0)
    widths[whole] = np.minimum(widths[whole], total)
    for part in parts:
        widths[part] = np.minimum(widths[part], widths[whole] + total - widths[part])


def _know(audit: Audit, figure: Figure, former: int | None) -> None:
    if former is None:
        return
    quantity, unit, split = figure
    now = int(audit.measures[quantity].cells[unit, split])
    rule = audit.publication.revision_bound
    bound = max(rule.count, math.ceil(rule.share * former))
    # Where the count moved further than readers expect, the true world must stay among theirs.
    bound = max(bound, abs(now - former))
    audit.known.setdefault(quantity, {})[unit, split] = (former - bound - now, former + bound - now)
