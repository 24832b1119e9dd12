"""How far apart each figure is in the solutions found so far: every solution tells of all figures at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from claimatlas.auditing.lattice import Count, Lattice, Mask
from claimatlas.auditing.programs import Model, Reals

EPSILON = 1e-5
"""Less than this beside a whole number is rounding."""


@dataclass
class Reach:
    """The least and the greatest of each figure of a table (a count, or a difference of two) so far."""

    least: Reals
    greatest: Reals

    def take(self, figures: Reals) -> None:
        """Take one more solution."""
        np.minimum(self.least, figures, out=self.least)
        np.maximum(self.greatest, figures, out=self.greatest)

    def width(self) -> Reals:
        """How many whole numbers lie between, less one."""
        return np.floor(self.greatest + EPSILON) - np.ceil(self.least - EPSILON)

    def within(self, low: int, high: int) -> Mask:
        """Whether every whole number between them is from low to high."""
        return np.asarray((np.ceil(self.least - EPSILON) >= low) & (np.floor(self.greatest + EPSILON) <= high))


class Solutions:
    """Tables of every figure of a lattice, as the solutions of programs make them."""

    def __init__(self, lattice: Lattice, model: Model) -> None:
        self.lattice, self.model = lattice, model
        self.known = [
            np.where(column >= 0, 0, count.low[:, splits]).astype(float)
            for count, column, splits in zip(lattice.counts, model.column, model.splits, strict=True)
        ]
        self.tables: list[Count] = [*lattice.counts, *(order.gap for order in lattice.orders)]
        self.reach = [
            Reach(np.full(table.low.shape, np.inf), np.full(table.low.shape, -np.inf)) for table in self.tables
        ]
        self.figures: list[Reals] = [np.zeros(count.low.shape) for count in lattice.counts]

    def part_known(self, table: int, node: int, split: int) -> float:
        """How much of a figure, or of a difference, is known."""
        first = len(self.lattice.counts)
        if table < first:
            spread = self.model.spread[table]
            return float(
                self.known[table][node, split] if spread is None else self.known[table][node] @ spread[:, split]
            )
        order = self.lattice.orders[table - first]
        whole = self.part_known(order.whole, node, int(order.splits[1][split]))
        return whole - self.part_known(order.part, node, int(order.splits[0][split]))

    def take(self, solution: Reals, counts: Sequence[int] | None = None) -> None:
        """Take a solution; counts: the ones that are not as they were in the last that all changed in."""
        changed = set(range(len(self.lattice.counts)) if counts is None else counts)
        for number in changed:
            column = self.model.column[number]
            values = self.known[number].copy()
            values[column >= 0] = solution[column[column >= 0]]
            spread = self.model.spread[number]
            self.figures[number] = values if spread is None else values @ spread
            self.reach[number].take(self.figures[number])
        for number, order in enumerate(self.lattice.orders, start=len(self.lattice.counts)):
            if order.part in changed or order.whole in changed:
                own = np.ix_(range(order.nodes), order.splits[0]), np.ix_(range(order.nodes), order.splits[1])
                self.reach[number].take(self.figures[order.whole][own[1]] - self.figures[order.part][own[0]])
