"""The cheapest figures to hide so that a figure which is still too narrow becomes wide enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from claimatlas.protection.frames import Counts, Mask
from claimatlas.protection.layers import Layers
from claimatlas.protection.marking import Marks
from claimatlas.protection.programs import Program
from claimatlas.protection.rooms import UNBOUNDED, Room
from claimatlas.protection.tables import Measure
from claimatlas.protection.worlds import Aim, Moving, Pool, position_of, widen

Floats = npt.NDArray[np.float64]
Figure = tuple[int, int]
_EPSILON = 1e-6
_SCALE = 128.0
_POOL, _LARGE_POOL = 16, 48


@dataclass
class Repair:
    """What a repair works on: a measure that moves, with its room, and the figures that must become wide.

    bounds: of all that changes, as `Pool` has them. sign: of the target's change when the measure's figure rises.
    kept: figures that may not be hidden.
    """

    measure: Measure | Layers
    room: Room
    bounds: list[Moving]
    aim: Aim
    sign: int
    weights: Counts
    marks: Marks
    kept: Mask

    def look(self, leaves: Sequence[int], unit: int, split: int) -> bool:
        """Look for worlds that make the target wide enough, with nothing more hidden; whether there are."""
        pool = Pool(self.measure, self.room, leaves, self.bounds)
        pattern = next((p for p, units in enumerate(pool.units) if unit in units), None)
        position = pool.position(self.aim, split)
        if pattern is None or pool.fixed[pattern, position]:
            return False
        program = pool.program()
        weights = np.zeros(pool.fixed.shape)
        weights[pattern, position] = 1.0
        for sign in (-1.0, 1.0):
            pool.add(program.least(pool.costs(sign * weights)))
            if self._is_wide(unit, split):
                return True
        return False

    def mend(self, unit: int, split: int) -> bool:
        """Hide figures until the target is wide enough; whether it is."""
        for leaves in self.pools(unit, split):
            if self._mend_in(Pool(self.measure, self.room, leaves, self.bounds), unit, split):
                return True
        return False

    def pools(self, unit: int, split: int) -> Iterator[list[int]]:
        """Leaves to move, ever more: the neighbours, then the largest of larger places, then all."""
        frame = self.measure.frame
        own = set(frame.units[unit].leaves)
        # Leaves count by how far they can move in the target's own split: of a rare value few can.
        holds = frame.holds[position_of(self.measure, self.bounds, self.aim, split)]
        sizes = self.room.sizes(self.measure, holds, int(self.aim.needed.max()))
        # A place by itself comes last: what moves there alone changes every larger place too.
        around = sorted((set(u.leaves) for u in frame.units if own < set(u.leaves)), key=len)
        if len(own) > 1:
            around.append(own)
        seen: list[list[int]] = []
        # Few leaves make quick programs. More are looked at before a repair may hide what is to be kept.
        for most, nearby in product((_POOL, _LARGE_POOL), around or [set(range(len(frame.leaves)))]):
            ranked = sorted(nearby, key=lambda leaf: (-int(sizes[leaf]), leaf))
            inside = [leaf for leaf in ranked if leaf in own][:6]
            leaves = sorted({*ranked[:most], *inside})
            if leaves not in seen:
                seen.append(leaves)
                yield leaves
        every = list(range(len(frame.leaves)))
        if every not in seen and len(every) <= 60:
            yield every

    def _mend_in(self, pool: Pool, unit: int, split: int) -> bool:
        pattern = next((p for p, units in enumerate(pool.units) if unit in units), None)
        if pattern is None:
            return False
        if self._move(pool, pattern, unit, split, self._changes(unit, split)):
            return self._is_wide(unit, split) or self._in_whole_numbers(pool, pattern, split, unit)
        # One way is too short: first all the way down, then up by what is still needed.
        now = int(self.aim.bounds.cells[unit, split])
        if int(self.aim.bounds.least[unit, split]) == 0 or not self._move(
            pool, pattern, unit, split, [-self.sign * now]
        ):
            return False
        fresh = Pool(self.measure, self.room, pool.leaves.tolist(), self.bounds)
        return self._move(fresh, pattern, unit, split, self._changes(unit, split)) and self._is_wide(unit, split)

    def _move(self, pool: Pool, pattern: int, unit: int, split: int, changes: Sequence[int]) -> bool:
        """Hide what the cheapest of these changes of the target changes; whether one of them can be."""
        best = self._cheapest(pool, pattern, split, changes)
        if best is None:
            return False
        _, rows, values = best
        for shown_pattern, shown_split in rows:
            for shown in pool.units[shown_pattern]:
                if self.measure.shown[shown, shown_split]:
                    self.marks.hide(self.measure.figure(shown, shown_split))
        fresh = Pool(self.measure, self.room, pool.leaves.tolist(), self.bounds)
        fresh.add(values)
        if rows:
            widen(fresh, self.aim, most=2)
        return True

    def _changes(self, unit: int, split: int) -> list[int]:
        """By how much the target must rise, or fall, for its bounds to be wide enough."""
        bounds, needed = self.aim.bounds, int(self.aim.needed[unit, split])
        now = int(bounds.cells[unit, split])
        if self.aim.is_unplanned(unit, split):
            return [-self.sign * now, self.sign * (self.aim.k - now)] if now else [self.sign]
        rise = int(bounds.least[unit, split]) + needed - now
        fall = int(bounds.greatest[unit, split]) - needed - now
        changes = [rise] if now + fall < 0 else [rise, fall]
        return [self.sign * change for change in changes]

    def _cheapest(
        self, pool: Pool, pattern: int, split: int, changes: Sequence[int]
    ) -> tuple[float, list[Figure], Floats] | None:
        """The cheapest change of the target: its cost, the shown figures that it changes, and the move."""
        shown = self._shown(pool)
        size, number = int(pool.moves.sum()), len(shown)
        program, costs = self._program(pool, shown, pool.columns(pattern, pool.position(self.aim, split)))
        best: tuple[float, list[Figure], Floats] | None = None
        for change in changes:
            program.bound_row(number, float(change), float(change))
            much = np.ones(len(costs))
            for _ in range(2):
                # A figure costs once, however much it changes: so those that change get cheaper the second time.
                values = program.least(costs / much)
                if values is None:
                    break
                much = np.maximum(values, 1.0)
                changed = np.nonzero(values[size::2] + values[size + 1 :: 2] > _EPSILON)[0].tolist()
                price = float(sum(costs[size + 2 * position] for position in changed))
                if best is None or price < best[0] - _EPSILON:
                    best = (price, [shown[position] for position in changed], values[:size])
        return best

    def _shown(self, pool: Pool) -> list[Figure]:
        """The shown figures, by pattern and split, that hold a column of the program."""
        rows = np.argwhere(pool.fixed)
        columns = pool.columns_of(rows)
        return [(p, s) for (p, s), found in zip(rows.tolist(), columns, strict=True) if len(found)]

    def _prices(self, pool: Pool) -> Floats:
        """What it costs to hide the shown figures of each pattern and split."""
        costs = np.where(self.measure.shown, self.weights, 0)
        return np.array([costs[units].sum(axis=0) for units in pool.units], dtype=float) / _SCALE

    def _program(self, pool: Pool, shown: Sequence[Figure], target: npt.NDArray[np.int64]) -> tuple[Program, Floats]:
        """The program in which a shown figure may change at its cost; the target's row follows those of the shown."""
        size, number = int(pool.moves.sum()), len(shown)
        low = np.concatenate([pool.low[pool.moves], np.zeros(2 * number)])
        high = np.concatenate([pool.high[pool.moves], np.full(2 * number, 1e7)])
        costs, prices = np.zeros(size + 2 * number), self._prices(pool)
        rows, signs, bounds = [], [], []
        found = pool.columns_of(np.array(shown, dtype=np.int64).reshape(-1, 2))
        for position, ((p, s), columns) in enumerate(zip(shown, found, strict=True)):
            up, down = size + 2 * position, size + 2 * position + 1
            rows.append(np.concatenate([columns, [up, down]]))
            signs.append(np.concatenate([np.ones(len(columns)), [-1.0, 1.0]]))
            bounds.append((0.0, 0.0))
            costs[[up, down]] = prices[p, s]
            if self.kept[pool.units[p], s].any():
                high[[up, down]] = 0.0
        rows.append(target)
        signs.append(np.ones(len(target)))
        bounds.append((0.0, 0.0))
        for p, s in zip(*np.nonzero((pool.least_change > -UNBOUNDED) | (pool.most_change < UNBOUNDED)), strict=True):
            columns = pool.columns(int(p), int(s))
            if len(columns):
                rows.append(columns)
                signs.append(np.ones(len(columns)))
                bounds.append((float(pool.least_change[p, s]), float(pool.most_change[p, s])))
        return Program(low, high, rows, bounds, signs), costs

    def _in_whole_numbers(self, pool: Pool, pattern: int, split: int, unit: int) -> bool:
        """Where the cheapest move is no whole one: look for one among the figures that are hidden now."""
        pool = Pool(self.measure, self.room, pool.leaves.tolist(), self.bounds)
        program = pool.program()
        weights = np.zeros(pool.fixed.shape)
        weights[pattern, pool.position(self.aim, split)] = 1.0
        for whole in (False, True):
            for sign in (-1.0, 1.0):
                pool.add(program.least(pool.costs(sign * weights), whole=whole))
                if self._is_wide(unit, split):
                    return True
        return False

    def _is_wide(self, unit: int, split: int) -> bool:
        return not self.aim.narrow[unit, split]
