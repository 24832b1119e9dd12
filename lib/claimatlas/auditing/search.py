"""The attack by linear programs: how close the bounds of each hidden figure come, all places and counts together.

Few programs tell of many figures: each solution moves as many narrow figures as it can, and every figure keeps the
least and the greatest that it was in any solution. So programs for one figure alone are left for those that stay
narrow.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from claimatlas.auditing.lattice import Lattice, Mask
from claimatlas.auditing.pools import chosen_of, components_of, pools_of, with_inner_places
from claimatlas.auditing.programs import Model, Reals
from claimatlas.auditing.reach import EPSILON, Solutions
from claimatlas.auditing.solving import Program

_DIRECT = 4000
"""Up to so many unknowns, programs are over all of them at once."""
_PLACES = 90
_STALLS = 3
_ROUNDS = 40


@dataclass
class Effort:
    """How many programs it took, and how long each step."""

    programs: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


class Search:
    """Narrows the bounds of targets, or finds solutions that are k-1 apart."""

    def __init__(
        self,
        lattice: Lattice,
        model: Model,
        targets: Sequence[Mask],
        needed: int,
        progress: Callable[[str], None],
        *,
        exact: bool = False,
    ) -> None:
        """targets: of each count, then of each difference, the figures that are aimed at; needed: k-1.

        exact: find the bounds of all that are not wide; else only what they tell.
        """
        self.lattice, self.model, self.targets, self.needed = lattice, model, targets, needed
        self.solutions = Solutions(lattice, model)
        self.tables = self.solutions.tables
        self.progress, self.exact = progress, exact
        self.effort = Effort()
        self.at: Reals = np.zeros(model.size)

    def run(self) -> Effort:
        """Search until each target is wide, or its bounds are found."""
        label = components_of(self.model)
        names, sizes = np.unique(label[self._asked()]), np.bincount(label, minlength=1)
        small = [name for name in names.tolist() if sizes[name] <= _DIRECT]
        with self._step("first solution"):
            for name in names.tolist():
                self._start(label == name, is_large=name not in small)
            self.solutions.take(self.at)
        with self._step("small parts"):
            for name in small:
                self._direct(label == name)
        large = np.isin(label, names) & ~np.isin(label, small)
        if large.any():
            self._large(large)
        return self.effort

    def open(self, table: int) -> Mask:
        """The targets of a table of which it is not known yet whether they are wide, determined, or surely small."""
        own, reach = self.tables[table], self.solutions.reach[table]
        width, possible = reach.width(), own.high - own.low
        is_wide = (width < self.needed) & (possible >= self.needed)
        is_determined = (width < 1) & (possible >= 1)
        is_small = reach.within(1, self.needed) & ~((own.low >= 1) & (own.high <= self.needed))
        is_loose = (width < np.minimum(self.needed, possible)) & self.exact
        return np.asarray(self.targets[table] & (is_wide | is_determined | is_small | is_loose))

    def count_open(self) -> int:
        """How many there are."""
        return sum(int(self.open(table).sum()) for table in range(len(self.tables)))

    def _asked(self) -> Mask:
        """The unknowns that an open target consists of."""
        costs = np.zeros(self.model.size)
        for table in range(len(self.tables)):
            weights = self._spread(table, self._unsettled(table).astype(float))
            for count, spread, _ in weights:
                own = self.model.column[count]
                costs[own[own >= 0]] += self._by_unknown(count, spread)[own >= 0]
        return costs > 0

    def _unsettled(self, table: int) -> Mask:
        """The targets that the bounds alone leave open."""
        own = self.tables[table]
        return np.asarray(self.targets[table] & (own.low < own.high))

    def _start(self, chosen: Mask, *, is_large: bool) -> None:
        """One solution of a part; of a large one somewhere in the middle, from where everything can move."""
        program = Program(self.model, chosen, None, interior=is_large)
        self.at[program.columns] = program.least(np.zeros(len(program.columns)))
        self.effort.programs += 1

    def _direct(self, chosen: Mask) -> None:
        program = Program(self.model, chosen, None)
        touched, inside = self._touched(chosen), self._moved_by(chosen)
        self._rounds(program, touched, inside)
        self._singles(program, touched, inside, is_solution=True, is_bound=True)
        self.effort.programs += program.runs

    def _moved_by(self, chosen: Mask) -> list[Mask]:
        """Of every table the figures that the chosen unknowns are part of."""
        found = []
        for column, spread in zip(self.model.column, self.model.spread, strict=True):
            own = np.zeros(column.shape, dtype=bool)
            own[column >= 0] = chosen[column[column >= 0]]
            found.append(own if spread is None else np.asarray(own.astype(float) @ spread > 0))
        for order in self.lattice.orders:
            one, other = (np.ix_(range(order.nodes), splits) for splits in order.splits)
            found.append(found[order.part][one] | found[order.whole][other])
        return found

    def _touched(self, chosen: Mask) -> list[int]:
        """The counts that have unknowns among the chosen."""
        return [number for number, own in enumerate(self.model.column) if bool(chosen[own[own >= 0]].any())]

    def _large(self, large: Mask) -> None:
        """Search a part that is too large for one program: place by place, one count at a time, then all together."""
        every = range(len(self.lattice.counts))
        with self._step("count by count"):
            for number in every:
                for pool in pools_of(self.lattice, [number], _PLACES):
                    self._inside(pool, large)
        with self._step("figure by figure"):
            for number in every:
                for pool in pools_of(self.lattice, [number], _PLACES):
                    self._closely(pool, large)
        with self._step("counts together"):
            for numbers in self._linked():
                for pool in pools_of(self.lattice, numbers, _PLACES):
                    self._closely(pool, large)
        with self._step("all together"):
            self._whole(large)

    def _inside(self, pool: Sequence[tuple[int, Mask]], large: Mask) -> None:
        """Search a pool, with everything else as it is."""
        counts, nodes = [number for number, _ in pool], self._nodes(pool)
        chosen = chosen_of(self.model, pool) & large
        if not self._open_in(self._scope(counts), nodes) or not chosen.any():
            return
        program = Program(self.model, chosen, self.at)
        self._rounds(program, counts, nodes)
        self.effort.programs += program.runs

    def _closely(self, pool: Sequence[tuple[int, Mask]], large: Mask) -> None:
        """Look how far each narrow figure of a pool can move at most, and then whether it can move so far."""
        counts, nodes = [number for number, _ in pool], self._nodes(pool)
        chosen = chosen_of(self.model, with_inner_places(self.lattice, pool)) & large
        scope = self._whole_scope(counts)
        for at in (None, self.at) if chosen.any() else ():
            if self._open_in(scope, nodes):
                program = Program(self.model, chosen, at)
                if at is not None:
                    self._rounds(program, counts, nodes)
                self._singles(program, counts, nodes, is_solution=at is not None, is_bound=at is None)
                self.effort.programs += program.runs

    def _whole(self, large: Mask) -> None:
        """What is open still: programs over everything, two for each figure."""
        nodes = [np.ones(table.low.shape, dtype=bool) for table in self.tables]
        counts = self._touched(large)
        if self._open_in(self._whole_scope(counts), nodes):
            program = Program(self.model, large, None, interior=True)
            self._singles(program, counts, nodes, is_solution=True, is_bound=True)
            self.effort.programs += program.runs

    def _linked(self) -> list[list[int]]:
        """The counts that bound each other, by any chain of links; those that nothing bounds are left out."""
        group = list(range(len(self.lattice.counts)))
        pairs = [(order.part, order.whole) for order in self.lattice.orders]
        pairs += [(one[0], other[0]) for one, other in self.lattice.twins]
        for one, other in pairs:
            first, second = group[one], group[other]
            group = [first if name == second else name for name in group]
        found: dict[int, list[int]] = {}
        for number, name in enumerate(group):
            found.setdefault(name, []).append(number)
        return [numbers for numbers in found.values() if len(numbers) > 1]

    def _nodes(self, pool: Sequence[tuple[int, Mask]]) -> list[Mask]:
        """Of every table the figures of a pool's places: a difference has those of its counts."""
        nodes = [np.zeros(len(table.low), dtype=bool) for table in self.tables]
        for number, mask in pool:
            nodes[number] |= mask
        for table, order in enumerate(self.lattice.orders, start=len(self.lattice.counts)):
            nodes[table] = nodes[order.part][: order.nodes] | nodes[order.whole][: order.nodes]
        return [np.broadcast_to(mask[:, None], table.low.shape) for mask, table in zip(nodes, self.tables, strict=True)]

    def _scope(self, counts: Sequence[int]) -> list[int]:
        """The tables that change with these counts."""
        own = set(counts)
        gaps = [
            table
            for table, order in enumerate(self.lattice.orders, start=len(self.lattice.counts))
            if order.part in own or order.whole in own
        ]
        return [*counts, *gaps]

    def _whole_scope(self, counts: Sequence[int]) -> list[int]:
        """The tables that consist of these counts, and no others."""
        own, first = set(counts), len(self.lattice.counts)
        return [
            table
            for table in self._scope(counts)
            if table < first
            or {self.lattice.orders[table - first].part, self.lattice.orders[table - first].whole} <= own
        ]

    def _open_in(self, scope: Sequence[int], nodes: Sequence[Mask]) -> int:
        return sum(int(self.open(table)[nodes[table]].sum()) for table in scope)

    def _rounds(self, program: Program, counts: Sequence[int], nodes: Sequence[Mask]) -> None:
        """Move all narrow targets at once, up and down by drawn weights, until hardly one more becomes wide."""
        random = np.random.Generator(np.random.PCG64(1))
        scope = self._scope(counts)
        stalls = 0
        before = self._open_in(scope, nodes)
        found = [self.at[program.columns]]
        for turn in range(_ROUNDS):
            if not before or stalls >= _STALLS:
                break
            costs = np.zeros(self.model.size)
            for table in scope:
                mask = self.open(table) & nodes[table]
                weights = mask * random.integers(1, 8, mask.shape) if turn >= 2 else mask.astype(float)
                self._add_costs(costs, table, weights * (-1.0 if turn % 2 == 0 else 1.0))
            found.append(self._solve(program, costs, counts))
            left = self._open_in(scope, nodes)
            stalls = stalls + 1 if left > 0.98 * before else 0
            before = left
        # Between solutions everything can move both ways: a better place for the next search.
        self.at[program.columns] = np.mean(found, axis=0)

    def _add_costs(self, costs: Reals, table: int, weights: Reals) -> None:
        """Add a weighted sum of the figures of a table to the costs of the unknowns."""
        if not weights.any():
            return
        for count, spread, sign in self._spread(table, weights):
            by_unknown = self._by_unknown(count, spread)
            own = self.model.column[count]
            is_open = own >= 0
            costs[own[is_open]] += sign * by_unknown[is_open]

    def _by_unknown(self, count: int, weights: Reals) -> Reals:
        """Weights of the figures of a count as weights of what they are made of."""
        spread = self.model.spread[count]
        return weights if spread is None else np.asarray(weights @ spread.T)

    def _spread(self, table: int, weights: Reals) -> list[tuple[int, Reals, float]]:
        """Weights of the figures of a table as weights of counts, each with a sign."""
        number = len(self.lattice.counts)
        if table < number:
            return [(table, weights, 1.0)]
        order = self.lattice.orders[table - number]
        terms = []
        for count, splits, sign in ((order.whole, order.splits[1], 1.0), (order.part, order.splits[0], -1.0)):
            spread = np.zeros(self.lattice.counts[count].low.shape)
            spread[np.ix_(range(order.nodes), splits)] = weights
            terms.append((count, spread, sign))
        return terms

    def _solve(self, program: Program, costs: Reals, counts: Sequence[int]) -> Reals:
        solution = self.at.copy()
        found = program.least(costs[program.columns])
        solution[program.columns] = found
        self.solutions.take(solution, counts)
        return found

    def _singles(
        self, program: Program, counts: Sequence[int], nodes: Sequence[Mask], *, is_solution: bool, is_bound: bool
    ) -> None:
        """Aim at each narrow target alone; is_bound: nothing else could move it further, so this is its bound."""
        for table in self._whole_scope(counts):
            for node, split in np.argwhere(self.open(table) & nodes[table]):
                for sign in (1.0, -1.0):
                    if self.open(table)[node, split]:
                        self._single(program, counts, (table, int(node), int(split)), sign, is_solution, is_bound)

    def _single(
        self,
        program: Program,
        counts: Sequence[int],
        target: tuple[int, int, int],
        sign: float,
        is_solution: bool,
        is_bound: bool,
    ) -> None:
        table, node, split = target
        weights = np.zeros(self.tables[table].low.shape)
        weights[node, split] = sign
        costs = np.zeros(self.model.size)
        self._add_costs(costs, table, weights)
        chosen = costs[program.columns]
        found = program.least(chosen)
        if is_solution:
            solution = self.at.copy()
            solution[program.columns] = found
            self.solutions.take(solution, counts)
        if is_bound:
            known = self.solutions.part_known(table, node, split)
            self._bound(target, sign, known + sign * float(chosen @ found))

    def _bound(self, target: tuple[int, int, int], sign: float, moved: float) -> None:
        """Take what a program says as a bound of a figure: the whole number within."""
        table, node, split = target
        own = self.tables[table]
        if sign > 0:
            own.low[node, split] = max(int(own.low[node, split]), math.ceil(moved - EPSILON))
        else:
            own.high[node, split] = min(int(own.high[node, split]), math.floor(moved + EPSILON))

    def figures(self, number: int) -> Reals:
        """The figures of a count in a solution."""
        self.solutions.take(self.at)
        return self.solutions.figures[number]

    def _step(self, name: str) -> _Step:
        return _Step(self, name)


class _Step:
    """Takes the time of a step, and what is open after it."""

    def __init__(self, search: Search, name: str) -> None:
        self._search, self._name = search, name

    def __enter__(self) -> None:
        self._begin = time.monotonic()

    def __exit__(self, *_: object) -> None:
        effort = self._search.effort
        effort.seconds[self._name] = effort.seconds.get(self._name, 0.0) + time.monotonic() - self._begin
        effort.left[self._name] = self._search.count_open()
        self._search.progress(f"{self._name}: {effort.left[self._name]:,} figures narrow so far")
