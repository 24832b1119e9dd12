"""What is not known yet as the unknowns of linear programs, and what is published as their rows.

The unknowns are the finest counts where they are few: then the programs know all that a reader can. Of a whole country
they are the hidden figures themselves, between the bounds that follow from all finest counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.lattice import NO_BOUND, Count, Lattice, Mask, Order, Square

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
_INFINITE = float("inf")


@dataclass
class Model:
    """Unknowns with bounds, and rows over them as flat arrays.

    column: of each count the unknown of each node and split of ``splits``; -1 where its value is known, or not asked.
    is_finest: whether those are the finest splits, of which all figures are sums.
    """

    column: list[Indices]
    splits: list[Indices]
    is_finest: bool
    low: Reals
    high: Reals
    rows: Rows

    @property
    def size(self) -> int:
        """How many unknowns there are."""
        return len(self.low)


@dataclass
class Rows:
    """Rows in compressed form: ``start`` of each in ``index`` and ``value``, and the bounds of its sum."""

    start: Indices
    index: Indices
    value: Reals
    low: Reals
    high: Reals


@dataclass
class _Builder:
    """Collects rows; what is known of a row goes to its bounds."""

    lattice: Lattice
    column: list[Indices]
    splits: list[Indices]
    lengths: list[int] = field(default_factory=list)
    indices: list[Indices] = field(default_factory=list)
    values: list[Reals] = field(default_factory=list)
    bounds: list[tuple[float, float]] = field(default_factory=list)

    def add(self, terms: Iterable[tuple[int, Indices, Indices, int]], low: float, high: float) -> None:
        """Add a row; each term is a count, nodes, positions among its splits, and a sign."""
        indices, values = [], []
        known = 0
        for number, nodes, splits, sign in terms:
            columns = self.column[number][nodes, splits]
            is_open = columns >= 0
            count = self.lattice.counts[number]
            known += sign * int(count.low[nodes, self.splits[number][splits]][~is_open].sum())
            indices.append(columns[is_open])
            values.append(np.full(int(is_open.sum()), float(sign)))
        own = np.concatenate(indices)
        if len(own):
            self.lengths.append(len(own))
            self.indices.append(own)
            self.values.append(np.concatenate(values))
            self.bounds.append((low - known, high - known))

    def rows(self) -> Rows:
        """All of them."""
        low, high = np.array(self.bounds, dtype=float).reshape(-1, 2).T
        return Rows(
            np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)]).astype(np.int64),
            np.concatenate([np.zeros(0, dtype=np.int64), *self.indices]),
            np.concatenate([np.zeros(0), *self.values]),
            low,
            high,
        )


def unknowns(lattice: Lattice) -> int:
    """How many finest counts are not known."""
    return sum(int((count.low < count.high)[:, count.finest].sum()) for count in lattice.counts)


def model_of(lattice: Lattice) -> Model:
    """Programs over the finest counts, after the bounds were carried through."""
    splits = [np.array(count.finest, dtype=np.int64) for count in lattice.counts]
    column, low, high = _unknowns(lattice, splits, [np.ones_like(count.planned) for count in lattice.counts])
    builder = _Builder(lattice, column, splits)
    for number, count in enumerate(lattice.counts):
        _add_places(builder, number, count)
        _add_shown(builder, number, count)
    for order in lattice.orders:
        _add_order(builder, order)
    for square in lattice.squares:
        _add_square(builder, square)
    for one, other in lattice.twins:
        builder.add([(*_terms(lattice, one), 1), (*_terms(lattice, other), -1)], 0.0, 0.0)
    return Model(column, splits, True, low, high, builder.rows())


def _unknowns(lattice: Lattice, splits: list[Indices], asked: list[Mask]) -> tuple[list[Indices], Reals, Reals]:
    """Number the figures that are asked and not known; with their bounds."""
    column, size = [], 0
    lows, tops = [np.zeros(0)], [np.zeros(0)]
    # What nothing bounds may be far above everything that is shown: a solver wants a number.
    cap = 1000.0 + 10.0 * max((int(count.low.max(initial=0)) for count in lattice.counts), default=0)
    for count, own, mask in zip(lattice.counts, splits, asked, strict=True):
        low, high = count.low[:, own], count.high[:, own]
        is_open = (low < high) & mask[:, own]
        numbers = np.full(low.shape, -1, dtype=np.int64)
        numbers[is_open] = np.arange(size, size + int(is_open.sum()))
        size += int(is_open.sum())
        column.append(numbers)
        lows.append(low[is_open].astype(float))
        tops.append(np.minimum(high[is_open].astype(float), cap))
    return column, np.concatenate(lows), np.concatenate(tops)


def _terms(lattice: Lattice, figure: tuple[int, int, int]) -> tuple[int, Indices, Indices]:
    number, node, split = figure
    splits = np.nonzero(lattice.counts[number].holds[split])[0]
    return number, np.full(len(splits), node), splits


def _add_places(builder: _Builder, number: int, count: Count) -> None:
    """A place is the sum of its parts, for each finest split."""
    for one in count.sums:
        parts = np.array(one.parts)
        for split in range(len(count.finest)):
            whole = (number, np.array([one.whole]), np.array([split]), 1)
            inside = (number, parts, np.full(len(parts), split), -1)
            builder.add([whole, inside], 0.0, 0.0 if one.is_closed else _INFINITE)


def _add_shown(builder: _Builder, number: int, count: Count) -> None:
    """What is shown of a place, or told of it by the method, but for sums of others that are shown as they are too."""
    implied = np.zeros(count.shown.shape, dtype=bool)
    exact = count.shown & ~count.bounded
    for whole, parts in count.by_dimension:
        implied[:, whole] |= exact[:, list(parts)].all(axis=1)
    implied[:, count.finest] = True
    for node, split in np.argwhere((count.shown | count.bounded) & ~implied):
        low, high = float(count.low[node, split]), float(count.high[node, split])
        splits = np.nonzero(count.holds[split])[0]
        builder.add([(number, np.full(len(splits), node), splits, 1)], low, high if high < NO_BOUND / 2 else _INFINITE)


def _add_order(builder: _Builder, order: Order) -> None:
    """A count is not above another, for each finest split that both have, of places without parts.

    Of other places and splits there is a row where the method tells the difference more closely.
    """
    part, whole = (builder.lattice.counts[number] for number in (order.part, order.whole))
    # Where there may be members in no part of a place, what holds of the parts says nothing of it.
    inner = {one.whole for one in order.gap.sums if one.is_closed}
    low, high = order.gap.low, order.gap.high
    # Where both have the same splits, what a gap can be at most follows from the rows.
    rows = {(node, split) for node in range(order.nodes) if node not in inner for split in order.gap.finest}
    rows.update((int(node), int(split)) for node, split in np.argwhere(order.gap.bounded))
    for node, split in sorted(rows):
        one = np.nonzero(part.holds[order.splits[0][split]])[0]
        other = np.nonzero(whole.holds[order.splits[1][split]])[0]
        least, most = float(low[node, split]), float(high[node, split])
        builder.add(
            [
                (order.whole, np.full(len(other), node), other, 1),
                (order.part, np.full(len(one), node), one, -1),
            ],
            least,
            most if most < NO_BOUND / 2 else _INFINITE,
        )


def _add_square(builder: _Builder, square: Square, asked: list[Mask] | None = None) -> None:
    """A difference is not above another, where the model has all four figures.

    asked: of each count the figures that the model has, or that are known; all, where its unknowns are the finest ones.
    """
    for node in range(square.nodes):
        for pair in zip(*(own.tolist() for own in square.splits), strict=True):
            terms = []
            for order, split, sign in ((square.members, pair[1], 1), (square.counted, pair[0], -1)):
                terms.append(((order.whole, node, int(order.splits[1][split])), sign))
                terms.append(((order.part, node, int(order.splits[0][split])), -sign))
            if asked is None:
                builder.add([(*_terms(builder.lattice, figure), sign) for figure, sign in terms], 0.0, _INFINITE)
            elif all(asked[number][place, split] for (number, place, split), _ in terms):
                alone = [(number, np.array([place]), np.array([split]), s) for (number, place, split), s in terms]
                builder.add(alone, 0.0, _INFINITE)


def published_model_of(lattice: Lattice) -> Model:
    """Programs over the hidden figures, and those of unknown domicile: each sum and each link that they stand in."""
    splits = [np.arange(len(count.splits)) for count in lattice.counts]
    asked = [count.planned.copy() for count in lattice.counts]
    for count, mask in zip(lattice.counts, asked, strict=True):
        mask[count.rest] = True
    column, low, high = _unknowns(lattice, splits, asked)
    builder = _Builder(lattice, column, splits)
    for number, (count, mask) in enumerate(zip(lattice.counts, asked, strict=True)):
        there = mask | (count.low == count.high)
        for whole, parts in count.by_dimension:
            inside = np.array(parts)
            for node in np.nonzero(there[:, whole] & there[:, inside].all(axis=1))[0]:
                terms = [(number, np.array([node]), np.array([whole]), 1)]
                builder.add([*terms, (number, np.full(len(inside), node), inside, -1)], 0.0, 0.0)
        for one in count.sums:
            inside = np.array(one.parts)
            for split in np.nonzero(there[one.whole] & there[inside].all(axis=0))[0]:
                terms = [(number, np.array([one.whole]), np.array([split]), 1)]
                terms.append((number, inside, np.full(len(inside), split), -1))
                builder.add(terms, 0.0, 0.0 if one.is_closed else _INFINITE)
    for order in lattice.orders:
        _add_published_order(builder, order, asked)
    known = [mask | (count.low == count.high) for count, mask in zip(lattice.counts, asked, strict=True)]
    for square in lattice.squares:
        _add_square(builder, square, known)
    for first, second in lattice.twins:
        terms = [(first[0], np.array([first[1]]), np.array([first[2]]), 1)]
        builder.add([*terms, (second[0], np.array([second[1]]), np.array([second[2]]), -1)], 0.0, 0.0)
    return Model(column, splits, False, low, high, builder.rows())


def _add_published_order(builder: _Builder, order: Order, asked: list[Mask]) -> None:
    """A difference of two figures lies within its bounds."""
    gap = order.gap
    one, other = order.cells
    for node, split in np.argwhere(asked[order.part][one] & asked[order.whole][other]):
        most = float(gap.high[node, split])
        where = [np.array([splits[split]]) for splits in order.splits]
        builder.add(
            [(order.whole, np.array([node]), where[1], 1), (order.part, np.array([node]), where[0], -1)],
            float(gap.low[node, split]),
            most if most < NO_BOUND / 2 else _INFINITE,
        )
