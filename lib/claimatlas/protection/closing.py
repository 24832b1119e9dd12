"""The first pass of secondary hiding: no sum may have just one hidden member, nor hidden parts of less than k."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from claimatlas.protection.frames import Counts
from claimatlas.protection.marking import Marks
from claimatlas.protection.tables import Measure

Row = tuple[int, int]


@dataclass(frozen=True)
class Equation:
    """A figure that is the sum of others; ``rest``: what belongs to no part, and is never published."""

    whole: Row
    parts: tuple[Row, ...]
    rest: int
    has_rest: bool


def equations_of(measure: Measure) -> Iterator[Equation]:
    """The sums whose members are all planned: by dimension, then by place; small places first."""
    frame, planned = measure.frame, measure.planned
    order = sorted(range(len(frame.units)), key=lambda unit: (len(frame.units[unit].leaves), unit))
    for unit in order:
        for whole, parts in frame.sums:
            if planned[unit, whole] and planned[unit, list(parts)].all():
                yield Equation((unit, whole), tuple((unit, part) for part in parts), 0, has_rest=False)
        children = frame.children[unit]
        covered = {leaf for child in children for leaf in frame.units[child].leaves}
        has_rest = bool(set(frame.units[unit].leaves) - covered)
        for split in np.nonzero(planned[unit])[0] if children else ():
            if planned[list(children), split].all():
                rest = int(measure.cells[unit, split] - measure.cells[list(children), split].sum())
                inner = tuple((child, int(split)) for child in children)
                yield Equation((unit, int(split)), inner, rest, has_rest)


def close(measure: Measure, slacks: Sequence[Counts], weights: Counts, marks: Marks, k: int) -> int:
    """Hide more until every equation is closed; gives back how many figures it hid.

    ``slacks``: the measure's figures, and by how much they are below each count that they lie within.
    """
    equations = list(equations_of(measure))
    hidden = 0
    changed = True
    while changed:
        changed = False
        for equation in equations:
            while (row := _missing(equation, measure, slacks, weights, k)) is not None:
                hidden += len(marks.hide((measure.quantity, *row)))
                changed = True
    return hidden


def _missing(equation: Equation, measure: Measure, slacks: Sequence[Counts], weights: Counts, k: int) -> Row | None:
    """The figure that an open equation must hide too; nothing where it is closed, or nothing is left to hide."""
    hidden = [row for row in equation.parts if measure.hidden[row]]
    number = len(hidden) + measure.hidden[equation.whole] + equation.has_rest
    if not hidden and not measure.hidden[equation.whole]:
        return None
    totals = [sum(int(slack[row]) for row in hidden) + equation.rest for slack in slacks]
    is_sensitive = any(measure.sensitive[row] for row in hidden)
    is_small = not measure.hidden[equation.whole] and is_sensitive and min(totals) < k
    if number > 1 and not is_small:
        return None
    shown = [row for row in equation.parts if not measure.hidden[row]]
    short = slacks[totals.index(min(totals))]
    shown = [row for row in shown if short[row] > 0] or shown
    shown = shown or [equation.whole]
    shown = [row for row in shown if not measure.hidden[row]]
    return min(shown, key=lambda row: (int(weights[row]), row), default=None)
