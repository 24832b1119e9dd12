"""The figures and differences that programs aim at, and how far apart each is in the solutions found so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.lattice import NO_BOUND, Count, Counts, Lattice, Mask
from claimatlas.auditing.programs import Indices, Model, Reals

EPSILON = 1e-5
"""Less than this beside a whole number is rounding."""


@dataclass
class Terms:
    """Sums of unknowns: ``start`` of each in ``index`` and ``value``, and what is known of it."""

    start: Indices
    index: Indices
    value: Reals
    known: Reals

    @property
    def owner(self) -> Indices:
        """Of each term the sum that it is part of."""
        return np.repeat(np.arange(len(self.known)), np.diff(self.start))

    def at(self, solution: Reals) -> Reals:
        """The sums in a solution."""
        parts = self.value * solution[self.index]
        return self.known + np.bincount(self.owner, parts, len(self.known))

    def some(self, chosen: Indices) -> Terms:
        """Some of the sums."""
        lengths = np.diff(self.start)[chosen]
        start = np.concatenate([[0], np.cumsum(lengths)])
        position = np.arange(int(start[-1])) - np.repeat(start[:-1] - self.start[chosen], lengths)
        return Terms(start, self.index[position], self.value[position], self.known[chosen])


@dataclass
class Targets:
    """What is aimed at. where: table (counts, then differences), node and split of each.

    low, high: whole-number bounds that nothing passes. least, greatest: in the solutions found so far. few: what each
    must get down to in one of them, unless nothing can: above it, it is a full group.
    """

    where: Indices
    terms: Terms
    low: Counts
    high: Counts
    least: Reals
    greatest: Reals
    few: Counts

    def widen(self, chosen: Indices, values: Reals) -> None:
        """Take the values of some in one more solution."""
        self.least[chosen] = np.minimum(self.least[chosen], values)
        self.greatest[chosen] = np.maximum(self.greatest[chosen], values)

    def open(self, needed: int, *, exact: bool) -> Mask:
        """Those of which it is not known yet whether they are wide, determined, or surely from 1 to ``needed``.

        exact: nor those whose bounds no solution reaches.
        """
        width, possible = self._width(), self.high - self.low
        is_wide = (width < needed) & (possible >= needed)
        is_loose = (width < np.minimum(needed, possible)) & exact
        return np.asarray(self.unproved(needed) | is_wide | is_loose)

    def unproved(self, needed: int) -> Mask:
        """Those that may be determined, or surely from 1 to ``needed``: a reader could have a proof."""
        least, greatest = np.ceil(self.least - EPSILON), np.floor(self.greatest + EPSILON)
        is_determined = (greatest - least < 1) & (self.low < self.high)
        is_small = (least >= 1) & (greatest <= needed) & ~((self.low >= 1) & (self.high <= needed))
        is_full = (least > self.few) & (self.low <= self.few)
        return np.asarray(is_determined | is_small | is_full)

    def _width(self) -> Reals:
        """How far apart the whole numbers are that the solutions found lie between."""
        return np.asarray(np.floor(self.greatest + EPSILON) - np.ceil(self.least - EPSILON))


def tables_of(lattice: Lattice) -> list[Count]:
    """The tables of all counts, then of all differences."""
    return [*lattice.counts, *(order.gap for order in lattice.orders)]


def targets_of(lattice: Lattice, model: Model, masks: Sequence[Mask]) -> Targets:
    """Write down the targets; masks: of each table. Those that the model cannot move are left out."""
    tables = tables_of(lattice)
    found = [_of_count(lattice, model, number, np.argwhere(masks[number])) for number in range(len(lattice.counts))]
    for table, order in enumerate(lattice.orders, start=len(lattice.counts)):
        cells = np.argwhere(masks[table])
        whole = _of_count(lattice, model, order.whole, np.stack([cells[:, 0], order.splits[1][cells[:, 1]]], axis=1))
        part = _of_count(lattice, model, order.part, np.stack([cells[:, 0], order.splits[0][cells[:, 1]]], axis=1))
        found.append(_less(whole, part))
    where = np.concatenate([np.insert(np.argwhere(mask), 0, table, axis=1) for table, mask in enumerate(masks)]).astype(
        np.int64
    )
    terms = Terms(
        np.concatenate([[0], np.cumsum(np.concatenate([np.diff(one.start) for one in found]))]).astype(np.int64),
        np.concatenate([one.index for one in found]),
        np.concatenate([one.value for one in found]),
        np.concatenate([one.known for one in found]),
    )
    kept = np.nonzero(np.diff(terms.start) > 0)[0]
    where, terms = where[kept], terms.some(kept)
    low = np.array([tables[table].low[node, split] for table, node, split in where], dtype=np.int64)
    high = np.array([tables[table].high[node, split] for table, node, split in where], dtype=np.int64)
    few = _few(lattice, where)
    return Targets(where, terms, low, high, np.full(len(kept), np.inf), np.full(len(kept), -np.inf), few)


def _few(lattice: Lattice, where: Indices) -> Counts:
    """What each target must get down to, lest it is a full group; of most of them nothing."""
    tables = [np.full(table.low.shape, NO_BOUND, dtype=np.int64) for table in tables_of(lattice)]
    for some in lattice.either:
        tables[some.order.part][some.cells] = some.few
    return np.array([tables[table][node, split] for table, node, split in where], dtype=np.int64)


def write_bounds(lattice: Lattice, targets: Targets) -> None:
    """Give the bounds that were found to the lattice."""
    tables = tables_of(lattice)
    for (table, node, split), low, high in zip(targets.where, targets.low, targets.high, strict=True):
        own = tables[table]
        own.low[node, split] = max(int(own.low[node, split]), int(low))
        own.high[node, split] = min(int(own.high[node, split]), int(high))


def _of_count(lattice: Lattice, model: Model, number: int, cells: npt.NDArray[np.int64]) -> Terms:
    """Figures of a count, each by node and split, as sums of unknowns."""
    count, column, splits = lattice.counts[number], model.column[number], model.splits[number]
    own = column[cells[:, 0]]
    held = count.holds[cells[:, 1]] if model.is_finest else cells[:, 1, None] == splits[None, :]
    is_open = held & (own >= 0)
    known = np.where(held & (own < 0), count.low[cells[:, 0]][:, splits], 0).sum(axis=1)
    lengths = is_open.sum(axis=1)
    index = own[is_open]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Terms(start, index, np.ones(len(index)), known.astype(float))


def _less(whole: Terms, part: Terms) -> Terms:
    """Differences of sums, pair by pair."""
    owner = np.concatenate([whole.owner, part.owner])
    order = np.argsort(owner, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.diff(whole.start) + np.diff(part.start))]).astype(np.int64)
    index = np.concatenate([whole.index, part.index])[order]
    value = np.concatenate([whole.value, -part.value])[order]
    return Terms(start, index, value, whole.known - part.known)
