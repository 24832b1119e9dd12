"""The finest counts that are not known yet as the unknowns of linear programs, and what is published as their rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.lattice import NO_BOUND, Count, Counts, Lattice, Order

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
_INFINITE = float("inf")


@dataclass
class Model:
    """Unknowns with bounds, and rows over them as flat arrays.

    column: of each count the unknown of each node and finest split; -1 where its value is known.
    """

    column: list[Indices]
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
    lengths: list[int] = field(default_factory=list)
    indices: list[Indices] = field(default_factory=list)
    values: list[Reals] = field(default_factory=list)
    bounds: list[tuple[float, float]] = field(default_factory=list)

    def add(self, terms: Iterable[tuple[int, Indices, Indices, int]], low: float, high: float) -> None:
        """Add a row; each term is a count, nodes, positions of finest splits, and a sign."""
        indices, values = [], []
        known = 0
        for number, nodes, splits, sign in terms:
            columns = self.column[number][nodes, splits]
            is_open = columns >= 0
            count = self.lattice.counts[number]
            finest = np.asarray(count.finest)
            known += sign * int(count.low[nodes, finest[splits]][~is_open].sum())
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


def model_of(lattice: Lattice) -> Model:
    """Write down the programs' unknowns and rows, after the bounds were carried through."""
    column, size, lows, highs_ = [], 0, [], []
    for count in lattice.counts:
        low, high = count.low[:, count.finest], count.high[:, count.finest]
        is_open = low < high
        own = np.full(low.shape, -1, dtype=np.int64)
        own[is_open] = np.arange(size, size + int(is_open.sum()))
        size += int(is_open.sum())
        column.append(own)
        lows.append(low[is_open])
        highs_.append(high[is_open])
    builder = _Builder(lattice, column)
    for number, count in enumerate(lattice.counts):
        _add_places(builder, number, count)
        _add_shown(builder, number, count)
    for order in lattice.orders:
        _add_order(builder, order)
    for one, other in lattice.twins:
        builder.add([(*_terms(lattice, one), 1), (*_terms(lattice, other), -1)], 0.0, 0.0)
    top = np.concatenate(highs_).astype(float)
    top[top >= NO_BOUND / 2] = _INFINITE
    return Model(column, np.concatenate(lows).astype(float), top, builder.rows())


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
    """What is shown of a place, but for sums of others that are shown too."""
    implied = np.zeros(count.shown.shape, dtype=bool)
    for whole, parts in count.by_dimension:
        implied[:, whole] |= count.shown[:, list(parts)].all(axis=1)
    implied[:, count.finest] = True
    for node, split in np.argwhere(count.shown & ~implied):
        value = float(count.low[node, split])
        splits = np.nonzero(count.holds[split])[0]
        builder.add([(number, np.full(len(splits), node), splits, 1)], value, value)


def _add_order(builder: _Builder, order: Order) -> None:
    """A count is not above another, for each finest split that both have, of places without parts."""
    part, whole = (builder.lattice.counts[number] for number in (order.part, order.whole))
    inner = {one.whole for one in order.gap.sums}
    low, high = order.gap.low, order.gap.high
    # Where both have the same splits, what a gap can be at most follows from the rows.
    for node in [node for node in range(order.nodes) if node not in inner]:
        for split in order.gap.finest:
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
