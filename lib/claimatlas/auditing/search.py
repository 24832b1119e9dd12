"""The attack by linear programs: how close the bounds of each hidden figure come, all places and counts together.

Few programs tell of many figures: each solution moves as many narrow figures as it can, and every figure keeps the
least and the greatest that it was in any solution. So programs for one figure alone are left for those that stay
narrow.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from claimatlas.auditing.lattice import Lattice, Mask
from claimatlas.auditing.pools import chosen_of, components_of, pools_of, with_inner_places
from claimatlas.auditing.programs import Indices, Model, Reals
from claimatlas.auditing.solving import Program
from claimatlas.auditing.targets import EPSILON, Targets, Terms

_DIRECT = 4000
"""Up to so many unknowns, programs are over all of them at once."""
_QUICK = 12_000
"""Up to so many unknowns, a program over part of them takes less than a second."""
_PLACES, _FEW_PLACES = 90, 14
_STALLS = 3
_ROUNDS = 40


@dataclass
class Effort:
    """How many programs it took, and of each step how long, and how many figures were open after it."""

    programs: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Aim:
    """What is asked: needed: how far apart the bounds of a wide target are. until: when the time is over.

    exact: to find the bounds of all that are not wide; else only what they tell.
    proofs_only: to aim at nothing but what a reader could have a proof of. at_once: to go on with programs over
    everything as soon as each count was searched alone: where hardly a figure is known as it is, they are quick.
    """

    needed: int
    exact: bool = False
    proofs_only: bool = False
    at_once: bool = False
    until: float = math.inf


class Search:
    """Narrows the bounds of targets, or finds solutions in which they are k-1 apart."""

    def __init__(
        self, lattice: Lattice, model: Model, targets: Targets, aim: Aim, progress: Callable[[str], None]
    ) -> None:
        """Take the targets; nothing is known of them yet but their bounds."""
        self.lattice, self.model, self.targets = lattice, model, targets
        self.needed, self.exact, self.until = aim.needed, aim.exact, aim.until
        self.proofs_only, self.at_once = aim.proofs_only, aim.at_once
        self.progress = progress
        self.effort = Effort()
        self.at: Reals = np.zeros(model.size)

    def run(self) -> Effort:
        """Search until each target is wide, or its bounds are found, or the time is over."""
        terms = self.targets.terms
        label = components_of(self.model, terms)
        unsettled = (self.targets.low < self.targets.high)[terms.owner]
        names = np.unique(label[terms.index[unsettled]]).tolist()
        sizes = np.bincount(label, minlength=1)
        small = [name for name in names if sizes[name] <= _DIRECT]
        with self._step("first solution"):
            for name in names:
                self._start(label == name, is_large=name not in small)
            every = np.arange(len(terms.known))
            self.targets.widen(every, terms.at(self.at))
        with self._step("small parts"):
            for name in small:
                self._direct(label == name)
        large = np.isin(label, names) & ~np.isin(label, small)
        if large.any():
            self._large(large)
        return self.effort

    def open(self) -> Mask:
        """The targets that are neither wide nor bounded closely enough to judge them."""
        return self.targets.open(self.needed, exact=self.exact)

    def count_open(self) -> int:
        """How many there are."""
        return int(self.open().sum())

    def count_unproved(self) -> int:
        """How many of them a reader could have a proof of."""
        return int(self.targets.unproved(self.needed).sum())

    def figures(self, number: int) -> Reals:
        """The figures of a count in a solution; where the model does not have them, their least."""
        found = self.lattice.counts[number].low.astype(float)
        where = self.targets.where
        own = where[:, 0] == number
        found[where[own, 1], where[own, 2]] = self.targets.terms.at(self.at)[own]
        return found

    def _start(self, chosen: Mask, *, is_large: bool) -> None:
        """One solution of a part; of a large one somewhere in the middle, from where everything can move."""
        program = Program(self.model, chosen, None, interior=is_large)
        self.at[program.columns] = program.least(np.zeros(len(program.columns)))
        self.effort.programs += 1

    def _direct(self, chosen: Mask) -> None:
        """Search a part with programs over all of it: what they cannot reach, nothing can."""
        own = self._moved_by(chosen, wholly=False)
        if not self._open_of(own).any():
            return
        program = Program(self.model, chosen, None)
        self._rounds(program, own)
        self._singles(program, own, is_solution=True, is_bound=True)
        self.effort.programs += program.runs

    def _large(self, large: Mask) -> None:
        """Search a part that is too large for one program: place by place, one count at a time, then all together."""
        alone = [[number] for number in range(len(self.lattice.counts))]
        with self._step("count by count"):
            for counts in alone:
                for pool in pools_of(self.lattice, counts, _PLACES):
                    self._inside(chosen_of(self.model, pool) & large, singles=False)
        if self.at_once:
            self._in_small_pools(large)
        else:
            self._figure_by_figure(alone, large)
        with self._step("all together"):
            # Two programs over everything for one figure are dear: they are for what may be a proof.
            own = self._moved_by(large, wholly=False)
            own = own[self.targets.unproved(self.needed)[own]]
            if len(own) and time.monotonic() < self.until:
                program = Program(self.model, large, None, interior=True)
                if self.at_once:
                    self._rounds(program, own)
                self._singles(program, own, is_solution=True, is_bound=True)
                self.effort.programs += program.runs

    def _in_small_pools(self, large: Mask) -> None:
        """Search some places of all counts that bound each other, where that is quick."""
        with self._step("counts together"):
            for counts in self._linked():
                for pool in pools_of(self.lattice, counts, _FEW_PLACES):
                    chosen = chosen_of(self.model, pool) & large
                    if chosen.sum() <= _QUICK:
                        self._inside(chosen, singles=False)

    def _figure_by_figure(self, alone: Sequence[list[int]], large: Mask) -> None:
        """Aim at each figure that is open, within its places and from outside: one count at a time, then all."""
        for step, groups in (("figure by figure", alone), ("counts together", self._linked())):
            with self._step(step):
                for counts in groups:
                    for pool in pools_of(self.lattice, counts, _PLACES):
                        chosen = chosen_of(self.model, with_inner_places(self.lattice, pool)) & large
                        aim = self._moved_by(chosen_of(self.model, pool) & large, wholly=True)
                        self._inside(chosen, singles=True, aim=aim)
                        self._outside(chosen, aim)

    def _inside(self, chosen: Mask, *, singles: bool, aim: Indices | None = None) -> None:
        """Search with everything but the chosen unknowns as it is."""
        own = self._moved_by(chosen, wholly=False)
        aim = own if aim is None else aim
        if not self._open_of(aim).any() or time.monotonic() > self.until:
            return
        program = Program(self.model, chosen, self.at)
        self._rounds(program, own, aim)
        if singles:
            self._singles(program, own, aim, is_solution=True, is_bound=False)
        self.effort.programs += program.runs

    def _outside(self, chosen: Mask, aim: Indices) -> None:
        """Bound what is open still, with everything else anywhere within its bounds."""
        if self._open_of(aim).any() and time.monotonic() < self.until:
            program = Program(self.model, chosen, None)
            self._singles(program, aim, is_solution=False, is_bound=True)
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

    def _moved_by(self, chosen: Mask, *, wholly: bool) -> Indices:
        """The targets that have one of the chosen unknowns; wholly: and no other."""
        terms = self.targets.terms
        inside = np.bincount(terms.owner, chosen[terms.index], len(terms.known))
        return np.nonzero(inside == np.diff(terms.start) if wholly else inside > 0)[0]

    def _open_of(self, chosen: Indices) -> Mask:
        return np.asarray(self._aimed_at(self.targets)[chosen])

    def _aimed_at(self, targets: Targets) -> Mask:
        return targets.unproved(self.needed) if self.proofs_only else targets.open(self.needed, exact=self.exact)

    def _rounds(self, program: Program, own: Indices, aim: Indices | None = None) -> None:
        """Move all narrow targets at once, up and down by drawn weights, until hardly one more becomes wide."""
        aim = own if aim is None else aim
        random = np.random.Generator(np.random.PCG64(1))
        moved, aimed = self.targets.terms.some(own), self.targets.terms.some(aim)
        owner = aimed.owner
        found = [self.at[program.columns]]
        stalls, before = 0, int(self._open_of(aim).sum())
        for turn in range(_ROUNDS):
            if not before or stalls >= _STALLS or time.monotonic() > self.until:
                break
            factors = random.integers(1, 8, len(aim)) if turn >= 2 else np.ones(len(aim))
            weights = self._open_of(aim) * factors * (-1.0 if turn % 2 == 0 else 1.0)
            costs = np.bincount(aimed.index, aimed.value * weights[owner], self.model.size).astype(float)
            found.append(self._solve(program, costs[program.columns], own, moved))
            left = int(self._open_of(aim).sum())
            stalls = stalls + 1 if left > 0.98 * before else 0
            before = left
        # Between solutions everything can move both ways: a better place for the next search.
        self.at[program.columns] = np.mean(found, axis=0)

    def _solve(self, program: Program, costs: Reals, own: Indices, moved: Terms) -> Reals:
        found = program.least(costs)
        solution = self.at.copy()
        solution[program.columns] = found
        self.targets.widen(own, moved.at(solution))
        return found

    def _singles(
        self, program: Program, own: Indices, aim: Indices | None = None, *, is_solution: bool, is_bound: bool
    ) -> None:
        """Aim at each narrow target alone; is_bound: nothing else could move it further, so this is its bound."""
        aim = own if aim is None else aim
        moved = self.targets.terms.some(own)
        for target in aim[self._open_of(aim)].tolist():
            for sign in (1.0, -1.0):
                if not self.open_one(target) or time.monotonic() > self.until:
                    continue
                one = self.targets.terms.some(np.array([target]))
                costs = np.zeros(self.model.size)
                costs[one.index] = sign * one.value
                chosen = costs[program.columns]
                found = self._solve(program, chosen, own, moved) if is_solution else program.least(chosen)
                if is_bound:
                    self._bound(target, sign, float(one.known[0]) + sign * float(chosen @ found))

    def open_one(self, target: int) -> bool:
        """Whether a target is open."""
        one = self.targets
        few = [target]
        alone = Targets(
            one.where, one.terms, one.low[few], one.high[few], one.least[few], one.greatest[few], one.few[few]
        )
        return bool(self._aimed_at(alone)[0])

    def _bound(self, target: int, sign: float, value: float) -> None:
        """Take what a program says as a bound of a figure: the whole number within."""
        if sign > 0:
            self.targets.low[target] = max(int(self.targets.low[target]), math.ceil(value - EPSILON))
        else:
            self.targets.high[target] = min(int(self.targets.high[target]), math.floor(value + EPSILON))

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Take the time of a step, and what is open after it."""
        begin = time.monotonic()
        yield
        self.effort.seconds[name] = time.monotonic() - begin
        self.effort.left[name] = int(self._aimed_at(self.targets).sum())
        self.progress(f"{name}: {self.effort.left[name]:,} figures open, {self.effort.programs:,} programs so far")
