"""A count beside a larger one that it lies within: what of the pair is sensitive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.publication import Publication
from claimatlas.protection.frames import Counts, Mask
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.slices import Cells
from claimatlas.protection.tables import Measure, YearTables


def is_small(counts: Counts, k: int) -> Mask:
    """Whether a count is 1 to k-1."""
    return np.asarray((counts >= 1) & (counts < k))


def is_dominated(sums: Counts, members: Counts | int, publication: Publication) -> Mask:
    """Whether one member could give too much of a sum; members: how many give something at most."""
    rule = publication.dominance
    others = np.maximum(members - 1, 0) * rule.least_of_member
    return np.asarray((sums > 0) & (sums - others > rule.share * sums))


def is_known(quantity: Quantity, publication: Publication) -> bool:
    """Whether readers know the count from elsewhere: the size of a whole population, or of its ages and sexes."""
    is_whole = quantity.kind == "all" and not quantity.with_stay and not quantity.members.by_claims
    return is_whole and quantity.population in publication.known_within


@dataclass(frozen=True)
class Share:
    """A count and a larger one, figure by figure: where they stand in their tables.

    cells, upper: the figures of the one and of the other. rest: where both are of one table, the figures of what is
    left of the larger one. whole_count: the larger count, whose table may be another's.
    """

    part: Measure
    whole: Measure
    cells: Cells
    upper: Cells
    whole_count: Quantity
    rest: Cells | None = None

    @classmethod
    def between(cls, tables: YearTables, whole: Quantity, part: Quantity, indicator: Indicator) -> Share | None:
        """Of two counts of a year; nothing where both are one, or gold has not both."""
        if part == whole or not (tables.has(part) and tables.has(whole)):
            return None
        cells, upper = tables.common(part, whole, indicator)
        one, other = tables.measure(part), tables.measure(whole)
        rest = tables.rest(one.frame, cells, upper) if one is other else None
        return cls(one, other, cells, upper, whole, rest)

    @property
    def is_of_one_table(self) -> bool:
        """Whether both stand in one table: their difference then is one of its figures, marked as any other."""
        return self.rest is not None

    @property
    def gap(self) -> Counts:
        """By how much the larger count is larger."""
        return np.asarray(self.whole.cells[self.upper] - self.part.cells[self.cells])

    def mark(self, side: str, publication: Publication) -> None:
        """Mark what a share of the two would tell; ``side``: of what a full group may not be told."""
        part, k = self.part, publication.k
        counts, whole = part.cells[self.cells], self.whole.cells[self.upper]
        # A figure of a small group would tell the group.
        part.sensitive[self.cells] |= is_small(whole, k)
        if part.quantity.is_magnitude:
            self._mark_small(is_dominated(counts, whole, publication))
            return
        gap = is_small(whole - counts, k)
        if is_known(self.whole.quantity, publication):
            # Readers know the few that there are: that none of them is counted tells what a shown zero may tell.
            gap &= (counts > 0) | (whole >= k)
        if side == "numerator":
            gap |= (whole > 0) & (counts == whole)
        elif side == "complement":
            self._mark_small((whole > 0) & (counts == 0))
        self.mark_gap(gap)

    def mark_gap(self, gap: Mask) -> None:
        """Mark where the difference must not be told."""
        part = self.part
        part.sensitive[self.cells] |= gap
        if self.rest is not None:
            part.small[self.rest] |= gap
            return
        # Of other figures than the same ones of one table, the difference is no table of its own.
        is_table = part.frame is not self.whole.frame or np.array_equal(self.cells[1], self.upper[1])
        name = self.whole.quantity if is_table else self.whole_count
        found = part.gaps.setdefault(name, np.zeros(part.cells.shape, dtype=bool))
        found[self.cells] |= gap

    def _mark_small(self, figures: Mask) -> None:
        self.part.small[self.cells] |= figures
        self.part.sensitive[self.cells] |= figures
