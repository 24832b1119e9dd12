"""The audit: other worlds that a reader cannot tell from the true one.

A world is a table of whole, non-negative counts that gives every figure that is shown, keeps every link,
and differs from the true one. Two worlds in which a figure differs by k-1 prove that no reader can bound it more
closely, by linear algebra, by linear programs or by whole numbers. Each world is checked in exact arithmetic before it
counts; the solver only proposes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from claimatlas.protection.frames import Counts, Frame, Mask
from claimatlas.protection.layers import Layers
from claimatlas.protection.programs import Program, as_whole
from claimatlas.protection.rooms import UNBOUNDED, Room
from claimatlas.protection.tables import Measure

Positions = npt.NDArray[np.int32]
Worlds = npt.NDArray[np.object_]
_STALLS = 4
_MAX_ROUNDS = 60


class Moving(NamedTuple):
    """What changes in a world: its bounds, by which sign, and of layers by which choice of them."""

    bounds: Bounds
    sign: int = 1
    choice: int = 0


@dataclass(eq=False)
class World:
    """A world by its changes: ``units`` and ``splits`` are the figures that differ, ``change`` by how much.

    bounds: of all that changes. leaves: those that it was looked for in. per_split: of layers how many choices each
    split has; ``splits`` counts them all.
    """

    bounds: list[Moving]
    leaves: tuple[int, ...]
    units: Positions
    splits: Positions
    change: Positions
    per_split: int = 1

    def changes_of(self, one: Moving) -> tuple[Positions, Positions, Positions]:
        """By how much the figures of one of the bounds change: their units, their splits, the change."""
        if self.per_split == 1:
            return self.units, self.splits, one.sign * self.change
        at = self.splits % self.per_split == one.choice
        return self.units[at], self.splits[at] // self.per_split, one.sign * self.change[at]

    def keep(self, figures: Mask) -> None:
        """Forget the changes of other figures than these, which nobody asks for again."""
        kept = figures[self.units, self.splits]
        self.units, self.splits, self.change = self.units[kept], self.splits[kept], self.change[kept]

    def moves_shown(self) -> bool:
        """Whether it changes a figure that is shown now, so that a reader can tell it from the true one."""
        for one in self.bounds:
            if one.bounds.measure:
                units, splits, _ = self.changes_of(one)
                if one.bounds.measure.shown[units, splits].any():
                    return True
        return False


@dataclass(eq=False)
class Bounds:
    """The least and the greatest that each figure of a measure, or a gap of two, is in the worlds found so far.

    measure: whose figures they are; none for a gap. lower, upper: the world of the one and of the other.
    enough: how far from the truth a bound is far enough; beyond it the first world found stays.
    """

    cells: Counts
    least: Counts
    greatest: Counts
    lower: Worlds
    upper: Worlds
    measure: Measure | None = None
    enough: int = UNBOUNDED
    worlds: int = 0
    programs: int = 0

    @classmethod
    def of(cls, cells: Counts, measure: Measure | None = None, enough: int = UNBOUNDED) -> Bounds:
        """Before any other world."""
        nothing: Worlds = np.full(cells.shape, None, dtype=object)
        return cls(cells, cells.copy(), cells.copy(), nothing, nothing.copy(), measure, enough)

    def widen_by(self, world: World, one: Moving) -> None:
        """Widen by a world; ``one``: what it says of these bounds."""
        units, splits, change = world.changes_of(one)
        now = self.cells[units, splits] + change
        least, greatest = self.least[units, splits], self.greatest[units, splits]
        low = (now < least) & (self.cells[units, splits] - least < self.enough)
        high = (now > greatest) & (greatest - self.cells[units, splits] < self.enough)
        self.least[units[low], splits[low]] = now[low]
        self.greatest[units[high], splits[high]] = now[high]
        self.lower[units[low], splits[low]] = world
        self.upper[units[high], splits[high]] = world

    def forget(self) -> None:
        """Go back to before any world."""
        self.least, self.greatest = self.cells.copy(), self.cells.copy()
        self.lower[:], self.upper[:] = None, None

    @property
    def width(self) -> Counts:
        """How far apart they are."""
        return self.greatest - self.least


class Pool:
    """The worlds that differ in the counts of some leaves of a measure only, and of what moves along with it.

    bounds: of all that changes with it, the measure's own first, each with the sign of its change.
    """

    def __init__(self, measure: Measure | Layers, room: Room, leaves: Sequence[int], bounds: Sequence[Moving]) -> None:
        self.measure, self.room, self.bounds = measure, room, list(bounds)
        self.leaves = np.array(sorted(leaves), dtype=np.int64)
        self.low, self.high = room.low[self.leaves], room.high[self.leaves]
        self.shape = self.low.shape
        self.moves: Mask = self.low < self.high
        self.column = np.full(self.shape, -1, dtype=np.int64)
        self.column[self.moves] = np.arange(int(self.moves.sum()))
        self._group_units()

    def _group_units(self) -> None:
        """Units that hold the same leaves of the pool change by the same: they are one pattern."""
        inside = self.measure.frame.contains[:, self.leaves]
        patterns: dict[bytes, list[int]] = {}
        for unit in np.nonzero(inside.any(axis=1))[0].tolist():
            patterns.setdefault(inside[unit].tobytes(), []).append(int(unit))
        self.units = list(patterns.values())
        self.holds_leaf = np.array([inside[units[0]] for units in self.units])
        shown = self.measure.shown
        self.fixed = np.array([shown[units].any(axis=0) for units in self.units])
        splits = self.measure.cells.shape[1]
        self.least_change = np.full((len(self.units), splits), -UNBOUNDED, dtype=np.int64)
        self.most_change = np.full((len(self.units), splits), UNBOUNDED, dtype=np.int64)
        position: dict[int, int] = {unit: pattern for pattern, units in enumerate(self.units) for unit in units}
        for (unit, split), (low, high) in self.room.rows.items():
            if unit in position:
                row = (position[unit], split)
                self.least_change[row] = max(int(self.least_change[row]), low)
                self.most_change[row] = min(int(self.most_change[row]), high)

    def columns(self, pattern: int, split: int) -> npt.NDArray[np.int64]:
        """The columns of a program whose sum is the change of a figure."""
        chosen = np.outer(self.holds_leaf[pattern], self.measure.frame.holds[split])
        found = self.column[chosen]
        return found[found >= 0]

    def columns_of(self, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        """The same for many figures, each given by pattern and split."""
        if not len(rows):
            return []
        holds = self.holds_leaf[rows[:, 0]][:, :, None] & self.measure.frame.holds[rows[:, 1]][:, None, :]
        row, column = np.nonzero(holds.reshape(len(rows), -1)[:, self.moves.ravel()])
        return np.split(column, np.searchsorted(row, np.arange(1, len(rows))))

    def program(self) -> Program:
        """The program of all worlds of the pool."""
        rows = np.array(list(self._rows()), dtype=np.int64).reshape(-1, 2)
        columns = self.columns_of(rows)
        filled = [number for number, found in enumerate(columns) if len(found)]
        bounds = [(float(self._least(*row)), float(self._most(*row))) for row in rows[filled].tolist()]
        low, high = self.low[self.moves].astype(float), self.high[self.moves].astype(float)
        return Program(low, high, [columns[number] for number in filled], bounds)

    def _least(self, pattern: int, split: int) -> int:
        return 0 if self.fixed[pattern, split] else int(self.least_change[pattern, split])

    def _most(self, pattern: int, split: int) -> int:
        return 0 if self.fixed[pattern, split] else int(self.most_change[pattern, split])

    def _rows(self) -> Iterator[tuple[int, int]]:
        """The figures that hold a world: without those that are sums of others that do."""
        implied = np.zeros(self.fixed.shape, dtype=bool)
        for whole, parts in self.measure.frame.sums:
            implied[:, whole] |= self.fixed[:, list(parts)].all(axis=1)
        bounded = (self.least_change > -UNBOUNDED) | (self.most_change < UNBOUNDED)
        needed = (self.fixed & ~implied) | (bounded & ~self.fixed)
        yield from ((int(pattern), int(split)) for pattern, split in zip(*np.nonzero(needed), strict=True))

    def change_of_figures(self, change: Counts) -> Counts:
        """The change of every figure, by pattern and split."""
        by_pattern = self.holds_leaf.astype(np.int64) @ change
        return np.asarray(by_pattern @ self.measure.frame.holds.T.astype(np.int64))

    def is_world(self, change: Counts, figures: Counts) -> bool:
        """Whether a change leaves every shown figure as it is and keeps every bound: in whole numbers."""
        return bool(
            (change >= self.low).all()
            and (change <= self.high).all()
            and (figures[self.fixed] == 0).all()
            and (figures >= self.least_change).all()
            and (figures <= self.most_change).all()
        )

    def add(self, values: npt.NDArray[np.float64] | None) -> bool:
        """Take a solution as a world, if it is one."""
        whole = as_whole(values) if values is not None else None
        if whole is None:
            return False
        change = np.zeros(self.shape, dtype=np.int64)
        change[self.moves] = whole
        figures = self.change_of_figures(change)
        if not self.is_world(change, figures):
            return False
        self.bounds[0].bounds.worlds += 1
        rows = np.concatenate([np.full(len(units), pattern) for pattern, units in enumerate(self.units)])
        units = np.concatenate([np.array(units) for units in self.units])
        by_unit = figures[rows]
        row, splits = np.nonzero(by_unit)
        change = by_unit[row, splits].astype(np.int32)
        per_split = self.measure.per_split
        at = (units[row].astype(np.int32), splits.astype(np.int32))
        world = World(self.bounds, tuple(self.leaves.tolist()), *at, change, per_split)
        for one in self.bounds:
            one.bounds.widen_by(world, one)
        watched = [one.bounds.measure.watched for one in self.bounds if one.bounds.measure]
        world.keep(np.repeat(np.logical_or.reduce(watched), per_split, axis=1))
        return True

    def position(self, aim: Aim, split: int) -> int:
        """Where a split of what must become wide stands among those of the measure that moves."""
        return position_of(self.measure, self.bounds, aim, split)

    def narrow(self, aim: Aim) -> npt.NDArray[np.int64]:
        """How many figures that are not wide enough yet each pattern and split has."""
        figures = aim.narrow
        if self.measure.per_split > 1:
            spread = np.zeros((len(figures), self.fixed.shape[1]), dtype=bool)
            spread[:, self.position(aim, 0) :: self.measure.per_split] = figures
            figures = spread
        return self.by_pattern(figures)

    def costs(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The costs of the columns that make the least of a weighted sum of figures; weights by pattern and split."""
        by_atom = weights @ self.measure.frame.holds.astype(float)
        return np.asarray((self.holds_leaf.T.astype(float) @ by_atom)[self.moves])

    def by_pattern(self, figures: Mask) -> npt.NDArray[np.int64]:
        """How many of these figures each pattern and split has."""
        return np.array([figures[units].sum(axis=0) for units in self.units])


@dataclass(frozen=True)
class Aim:
    """The figures that must become wide: of these bounds those of ``targets``, each by ``needed``.

    unplanned: of the targets those that no table shows, hidden or not. Of them it is enough that nobody can prove what
    is sensitive: another world has 0, or ``k``; where it is 0 itself, another number.
    """

    bounds: Bounds
    targets: Mask
    needed: Counts
    unplanned: Mask | None = None
    k: int = 0

    @property
    def narrow(self) -> Mask:
        """Those that are not wide enough yet."""
        bounds = self.bounds
        narrow = bounds.width < self.needed
        if self.unplanned is not None:
            is_proved = np.where(
                bounds.cells > 0, (bounds.least > 0) & (bounds.greatest < self.k), bounds.greatest == 0
            )
            narrow = np.where(self.unplanned, is_proved, narrow)
        return np.asarray(self.targets & narrow)

    def is_unplanned(self, unit: int, split: int) -> bool:
        """Whether a target is one that no table shows."""
        return self.unplanned is not None and bool(self.unplanned[unit, split])

    def of(self, targets: Mask) -> Aim:
        """The same for some of the targets."""
        return replace(self, targets=targets)


def position_of(measure: Measure | Layers, bounds: Sequence[Moving], aim: Aim, split: int) -> int:
    """Where a split of what must become wide stands among the splits of a measure that moves."""
    if not isinstance(measure, Layers):
        return split
    return measure.position(split, next(one.choice for one in bounds if one.bounds is aim.bounds))


def widen(pool: Pool, aim: Aim, most: int = _MAX_ROUNDS) -> None:
    """Find worlds in which as many narrow targets as possible move at once, until hardly any more are found.

    What is left is for the repair, which aims at one figure at a time.
    """
    narrow = pool.narrow(aim)
    if not narrow.any() or not pool.moves.any():
        return
    program = pool.program()
    random = np.random.Generator(np.random.PCG64(1))
    stalls = 0
    for turn in range(most):
        weights = (narrow > 0).astype(float)
        if turn >= 2:
            weights *= random.integers(1, 8, weights.shape)
        pool.add(program.least(pool.costs(-weights if turn % 2 == 0 else weights)))
        left = pool.narrow(aim)
        stalls = stalls + 1 if left.sum() == narrow.sum() else 0
        narrow = left
        if not narrow.any() or stalls >= _STALLS:
            break
    pool.bounds[0].bounds.programs += program.runs


def pools_of(frame: Frame, sizes: Counts, most: int = 3) -> Iterator[list[int]]:
    """Leaves whose counts are moved together: those of a unit, or the largest of each of its parts.

    The smallest units come first.
    """
    children = frame.children
    order = sorted(range(len(frame.units)), key=lambda unit: (len(frame.units[unit].leaves), unit))
    for unit in order:
        leaves = frame.units[unit].leaves
        if len(leaves) == 1:
            continue
        inner = [frame.units[child].leaves for child in children[unit]]
        if all(len(part) == 1 for part in inner):
            yield list(leaves)
            continue
        chosen = {leaf for leaf in leaves if not any(leaf in part for part in inner)}
        for part in inner:
            chosen.update(sorted(part, key=lambda leaf: (-int(sizes[leaf]), leaf))[:most])
        yield sorted(chosen)
    if len(frame.units) == 1 or all(len(unit.leaves) == 1 for unit in frame.units):
        yield list(range(len(frame.leaves)))
