"""Protects the tables of a year: looks for other worlds, and hides more until every secret is wide enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from claimatlas.configuration.publication import Publication
from claimatlas.protection.costs import totals_of, weights_of
from claimatlas.protection.frames import Counts, Mask
from claimatlas.protection.layered_moves import can_be_layers, chain_of, moves_of_layers
from claimatlas.protection.layers import Layers
from claimatlas.protection.links import Links, links_of
from claimatlas.protection.marking import Marks
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.repair import Repair
from claimatlas.protection.rooms import Room, room_of
from claimatlas.protection.shares import is_known
from claimatlas.protection.tables import Measure
from claimatlas.protection.worlds import Aim, Bounds, Moving, Pool, pools_of, widen

_NEAR = 2
_EVERY_TOTAL, _LARGER_TOTALS, _NOTHING = 2, 1, 0
"""Which figures a repair may not hide."""


@dataclass(frozen=True)
class Mover:
    """A quantity that moves, so that a goal rises (sign 1) or falls; with or without one that lies within it.

    chain: the quantity and those that it lies within move in layers, each by itself.
    """

    quantity: Quantity
    sign: int
    along: Quantity | None = None
    still: Quantity | None = None
    chain: tuple[Quantity, ...] = ()


@dataclass(frozen=True)
class Movement:
    """What a mover moves: a table, how far it can move, and the bounds of all that changes with it."""

    measure: Measure | Layers
    room: Room
    bounds: list[Moving]


@dataclass(frozen=True)
class Goal:
    """Figures of a quantity that must become wide, and what may move for it.

    is_secret: they are sensitive. Others are hidden for their sake only: worlds are looked for, but nothing more is
    hidden for them, since nothing sensitive follows from them.
    """

    quantity: Quantity
    aim: Aim
    movers: tuple[Mover, ...]
    is_secret: bool = True


@dataclass(frozen=True)
class Costs:
    """How a repair weighs what it hides.

    are_alike: each figure costs the same; else those that readers look for first cost more. keep_totals: totals of
    places are hidden only where nothing else helps.
    """

    are_alike: bool = False
    keep_totals: bool = True


@dataclass(frozen=True)
class AuditState:
    """What a search has found: which figures it hides, and the worlds that prove the secrets."""

    hidden: Mapping[Quantity, Mask]
    links: Links
    bounds: Mapping[Quantity, Bounds]
    gaps: Mapping[tuple[Quantity, Quantity], Bounds]
    withheld: frozenset[Quantity]
    repaired: int


@dataclass
class Audit:
    """The bounds of all figures of a year, and what must become of them.

    known: how far a figure can change at most, by what readers know of it. told: how far apart the values of a figure
    are at most, by what they know from elsewhere alone. withheld: counts of which no figure is
    shown, so that nothing bounds any. notes: what of gold a person must look at. costs_by: how repairs weigh figures.
    """

    measures: Mapping[Quantity, Measure]
    links: Links
    marks: Marks
    publication: Publication
    progress: Callable[[str], None] = lambda message: None
    bounds: dict[Quantity, Bounds] = field(default_factory=dict)
    gaps: dict[tuple[Quantity, Quantity], Bounds] = field(default_factory=dict)
    weights: dict[Quantity, Counts] = field(default_factory=dict)
    known: dict[Quantity, dict[tuple[int, int], tuple[int, int]]] = field(default_factory=dict)
    told: dict[Quantity, Counts] = field(default_factory=dict)
    withheld: set[Quantity] = field(default_factory=set)
    repaired: int = 0
    notes: list[str] = field(default_factory=list)
    costs_by: Costs = field(default_factory=Costs)
    _rooms: dict[Mover, Movement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._forget_worlds()
        self._weigh()

    def state(self) -> AuditState:
        """What was found so far."""
        hidden = {quantity: measure.hidden.copy() for quantity, measure in self.measures.items()}
        return AuditState(
            hidden, self.links, dict(self.bounds), dict(self.gaps), frozenset(self.withheld), self.repaired
        )

    def restore(self, state: AuditState) -> None:
        """Go back to what was found before."""
        for quantity, hidden in state.hidden.items():
            self.measures[quantity].hidden[:] = hidden
        self.links, self.withheld, self.repaired = state.links, set(state.withheld), state.repaired
        self.bounds, self.gaps = dict(state.bounds), dict(state.gaps)
        self._rooms.clear()

    def begin_again(self, state: AuditState, costs: Costs) -> None:
        """Forget all that was found since a state of before any search, and weigh figures by other costs."""
        self.restore(state)
        self._forget_worlds()
        self.costs_by = costs
        self._weigh()

    def _weigh(self) -> None:
        for quantity, measure in self.measures.items():
            self.weights[quantity] = weights_of(measure.frame, measure.cells, are_alike=self.costs_by.are_alike)

    def _forget_worlds(self) -> None:
        enough = self.publication.k - 1
        for quantity, measure in self.measures.items():
            self.bounds[quantity] = Bounds.of(measure.cells, measure, enough)
        for part in self.measures:
            for whole in self.wholes(part):
                gap = self.measures[whole].cells - self.measures[part].cells
                self.gaps[part, whole] = Bounds.of(gap, enough=enough)

    @property
    def order(self) -> list[Quantity]:
        """The quantities, each after those that it lies within."""
        return sorted(self.measures, key=lambda one: (sum(one.lies_within(other) for other in self.measures), one))

    def wholes(self, quantity: Quantity) -> list[Quantity]:
        """All that a quantity lies within in its own frame, the nearest first."""
        frame = self.measures[quantity].frame
        found = [one for one in self.order if quantity.lies_within(one) and self.measures[one].frame is frame]
        return [one for one in found[::-1] if one not in self.withheld]

    def is_known(self, quantity: Quantity) -> bool:
        """Whether readers know the count from elsewhere, so that nobody need protect it."""
        return is_known(quantity, self.publication)

    def protect(self, until: float) -> bool:
        """Find worlds and repair until nothing is too narrow; whether that was reached before the time ``until``.

        Where nothing less helps, all figures of a count are hidden, and at last all of a population: then a reader sees
        nothing of it that would bound it.
        """
        before = {quantity: measure.hidden.copy() for quantity, measure in self.measures.items()}
        is_safe = self._protect_parts(until)
        if not is_safe and time.monotonic() < until and self.withhold_tied(before, self._open_populations()):
            is_safe = self._protect_parts(until)
        for hide_all in (self._hide_quantities, self._hide_populations):
            if not is_safe and time.monotonic() < until:
                hide_all()
                is_safe = self._protect_parts(until)
        return is_safe

    def withhold_tied(self, before: Mapping[Quantity, Mask], populations: Collection[str]) -> bool:
        """Hide all of what also stands in a larger table of these populations under another name; whether it was shown.

        What is tied to a small table can hardly move. Of a count that shows nothing a reader knows what follows from
        the larger table, and no more, so that it ties nothing. What was hidden to get round the ties is shown again:
        ``before`` is what was hidden at first.
        """
        tied = sorted(
            quantity
            for quantity in {figure[0] for figure in self.links.twins}
            if quantity.population in populations and self._is_smaller(quantity) and not self.known.get(quantity)
        )
        if not tied:
            return False
        for quantity, hidden in before.items():
            self.measures[quantity].hidden[:] = hidden
        self.withheld.update(tied)
        # Nothing looks after what is withheld: it stays hidden, also what was withheld earlier for another reason.
        for quantity in sorted(self.withheld):
            self._hide_all(quantity)
        left = {one: measure for one, measure in self.measures.items() if one not in self.withheld}
        self.links = links_of(left, self.links.types)
        self._rooms.clear()
        self.check_worlds()
        self.progress(f"{len(tied)} counts that also stand in another table are hidden wholly: too few to show them")
        return True

    def _is_smaller(self, quantity: Quantity) -> bool:
        """Whether a count that has a figure of another table has the smaller table of the two."""
        others = {other[0] for figure, others in self.links.twins.items() for other in others if figure[0] == quantity}
        size = {one: (self.measures[one].cells.size, one) for one in (quantity, *others)}
        return any(size[quantity] < size[other] for other in others)

    def _hide_quantities(self) -> None:
        """Hide all figures of the counts of which some are too narrow."""
        for quantity in sorted({goal.quantity for goal in self._open_goals()}):
            self._hide_all(quantity)

    def _hide_populations(self) -> None:
        """Hide all figures of the populations of which some are too narrow, unless readers saw some before."""
        for population in sorted(self._open_populations()):
            quantities = [one for one in self.order if one.population == population and not self.is_known(one)]
            for quantity in quantities:
                self._hide_all(quantity)
            if not any(self.known.get(quantity) for quantity in quantities):
                self.withheld.update(quantities)
                self.progress(f"{population}: too few to show a part of them, so all figures are hidden")

    def _hide_all(self, quantity: Quantity) -> None:
        for unit, split in np.argwhere(self.measures[quantity].shown).tolist():
            self.marks.hide((quantity, unit, split))

    def _open_goals(self) -> list[Goal]:
        return [goal for goal in self.all_goals() if goal.is_secret and goal.aim.narrow.any()]

    def _open_populations(self) -> set[str]:
        return {goal.quantity.population for goal in self._open_goals()}

    def _protect_parts(self, until: float) -> bool:
        while True:
            before = self._state()
            for quantity in self.order:
                for goal in self.goals(quantity):
                    self._reach(goal, until)
                self._tell(quantity)
            if not self.narrow() or time.monotonic() > until or self._state() == before:
                return not self.narrow()

    def check_worlds(self) -> bool:
        """Keep the worlds that no shown figure tells from the true one; whether they still prove every secret."""
        every = (*self.bounds.values(), *self.gaps.values())
        worlds = dict.fromkeys(world for one in every for world in (*one.lower.flat, *one.upper.flat) if world)
        for one in every:
            one.forget()
        for world in worlds:
            if not world.moves_shown():
                for moving in world.bounds:
                    moving.bounds.widen_by(world, moving)
        return not self.narrow()

    def narrow(self) -> int:
        """How many secret figures and differences a reader could still bound too closely."""
        return sum(int(goal.aim.narrow.sum()) for goal in self.all_goals() if goal.is_secret)

    def unclear(self) -> int:
        """How many hidden figures, none of them sensitive, have no worlds found for k values."""
        return sum(int(goal.aim.narrow.sum()) for goal in self.all_goals() if not goal.is_secret)

    def all_goals(self) -> list[Goal]:
        """The goals of all quantities."""
        return [goal for quantity in self.order for goal in self.goals(quantity)]

    def goals(self, quantity: Quantity) -> list[Goal]:
        """What must become wide: the hidden counts of a quantity, and the hidden gaps to what it lies within."""
        measure = self.measures[quantity]
        if self.is_known(quantity) or quantity in self.withheld:
            return []
        wholes = self.wholes(quantity)
        free = [whole for whole in wholes if not self.is_known(whole)]
        needed = self._needed(quantity)
        layers = self._layers_of(quantity, free)
        own = (Mover(quantity, 1), *(Mover(whole, 1, along=quantity) for whole in free), *layers)
        found = self._goals_of(quantity, self.bounds[quantity], measure.small, needed, own)
        for whole in wholes:
            # A gap is a secret where one of the two is hidden: for the links that are marked.
            if whole in measure.gaps:
                chains = [one for one in layers if whole in one.chain]
                movers = (Mover(quantity, -1), *self._movers_of_gap(quantity, whole), *chains)
                found += self._goals_of(quantity, self.gaps[quantity, whole], measure.gaps[whole], needed, movers)
        for whole, gap in measure.gaps.items():
            if whole not in wholes:
                # Of two frames nothing moves together: the difference is as wide as the smaller count.
                targets = gap & measure.hidden
                found.append(Goal(quantity, Aim(self.bounds[quantity], targets, needed), own))
        return found

    def _goals_of(
        self, quantity: Quantity, bounds: Bounds, secret: Mask, needed: Counts, movers: tuple[Mover, ...]
    ) -> list[Goal]:
        """The goal of the secret figures, and that of those which a reader could take for one."""
        measure = self.measures[quantity]
        unplanned = ~measure.planned & ~measure.frame.unplaced
        targets = secret & ~measure.shown
        if bounds is not self.bounds[quantity] or quantity.is_magnitude:
            # What is not published may follow from what is: of differences and sums the algebra sees to that alone.
            targets = targets & ~unplanned
        found = [Goal(quantity, Aim(bounds, targets, needed, unplanned, self.publication.k), movers)]
        if not quantity.is_magnitude:
            unclear = measure.hidden & ~secret & (bounds.cells < 2 * self.publication.k - 1)
            found.append(Goal(quantity, Aim(bounds, unclear, needed), movers[:1], is_secret=False))
        return found

    def _layers_of(self, quantity: Quantity, free: Sequence[Quantity]) -> list[Mover]:
        """The layers of a quantity and those of what it lies within that nobody knows, if they can move so."""
        chain = chain_of(quantity, free, self.measures)
        return [Mover(quantity, 1, chain=tuple(chain))] if can_be_layers(chain, self.links) else []

    def _movers_of_gap(self, part: Quantity, whole: Quantity) -> list[Mover]:
        """What else may move so that the gap of two counts changes: the larger, what lies between, what both lie in."""
        free = [one for one in self.wholes(part) if not self.is_known(one)]
        between = [Mover(one, -1, along=part) for one in free if one != whole and one.lies_within(whole)]
        outer = [Mover(one, 1, along=whole, still=part) for one in free if one == whole or whole.lies_within(one)]
        return [*between, *outer]

    def _state(self) -> tuple[int, int]:
        return sum(int(measure.hidden.sum()) for measure in self.measures.values()), self.narrow()

    def _needed(self, quantity: Quantity) -> Counts:
        """The width that each figure needs: k-1, or as much as a smaller whole allows that readers know or see."""
        measure = self.measures[quantity]
        needed = np.full(measure.cells.shape, self.publication.k - 1, dtype=np.int64)
        for one in self.wholes(quantity):
            whole = self.measures[one]
            known = np.ones_like(whole.shown) if self.is_known(one) else whole.shown
            if one in self.told:
                known = known | (self.told[one] < self.publication.k - 1)
            needed = np.where(known, np.minimum(needed, whole.cells), needed)
        return np.asarray(np.minimum(needed, self.told[quantity]) if quantity in self.told else needed)

    def _reach(self, goal: Goal, until: float) -> None:
        for mover in goal.movers:
            # Layers are many unknowns: they are for what the others leave.
            if goal.aim.narrow.any() and not mover.chain:
                self._search(mover, goal.aim)
        for unit, split in self._left(goal.aim, until) if goal.is_secret else ():
            self.repaired += self._mend(goal, unit, split)

    def _mend(self, goal: Goal, unit: int, split: int) -> bool:
        """Hide what makes a secret wide enough: no totals where that can be, those of larger places last."""
        for kept in self._tiers:
            for mover in goal.movers:
                if self._repair(mover, goal.aim, kept).mend(unit, split):
                    return True
        return False

    @property
    def _tiers(self) -> tuple[int, ...]:
        """What a repair may not hide at its first try, and at the next ones."""
        return (_EVERY_TOTAL, _LARGER_TOTALS, _NOTHING) if self.costs_by.keep_totals else (_NOTHING,)

    def _left(self, aim: Aim, until: float) -> Iterator[tuple[int, int]]:
        """The figures that are still narrow when their turn comes, as long as there is time."""
        for unit, split in np.argwhere(aim.narrow):
            if time.monotonic() > until:
                return
            if aim.narrow[unit, split]:
                yield int(unit), int(split)

    def _search(self, mover: Mover, aim: Aim) -> None:
        """Look for worlds in which something moves."""
        moving = self._moving(mover)
        if not any(one.bounds is aim.bounds for one in moving.bounds):
            return
        measure = moving.measure
        every = np.ones(len(measure.frame.atoms), dtype=bool)
        for leaves in pools_of(measure.frame, moving.room.sizes(measure, every, self.publication.k - 1)):
            widen(Pool(measure, moving.room, leaves, moving.bounds), aim)

    def _repair(self, mover: Mover, aim: Aim, kept: int) -> Repair:
        moving = self._moving(mover)
        measure = moving.measure
        if isinstance(measure, Layers):
            costs = measure.of_members([self.costs(one.quantity) for one in measure.chain])
        else:
            costs = self.costs(mover.quantity)
        only = np.repeat(self._kept(self.measures[mover.quantity], kept), measure.per_split, axis=1)
        return Repair(measure, moving.room, moving.bounds, aim, mover.sign, costs, self.marks, only)

    def costs(self, quantity: Quantity) -> Counts:
        """What hiding each figure would cost now: with it go the shown counts that lie within it."""
        along = np.ones(self.weights[quantity].shape, dtype=np.int64)
        for link in self.links.below(quantity):
            if link.same_frame:
                along += self.measures[link.part].shown
                for other in self.links.below(link.part):
                    along += self.measures[other.part].shown if other.same_frame else 0
        return np.asarray(self.weights[quantity] * along)

    def _kept(self, measure: Measure, kept: int) -> Mask:
        larger, every = totals_of(measure.frame)
        return np.asarray(every if kept == _EVERY_TOTAL else larger if kept == _LARGER_TOTALS else every & ~every)

    def reach_one(self, mover: Mover, aim: Aim, row: tuple[int, int], tried: Sequence[tuple[int, ...]]) -> bool:
        """Look for worlds of one figure, with nothing more hidden: first among these leaves; whether there are."""
        repair = self._repair(mover, aim, _NOTHING)
        if not any(one.bounds is aim.bounds for one in repair.bounds):
            return False
        near = [tuple(leaves) for leaves in islice(repair.pools(*row), _NEAR)]
        return any(repair.look(leaves, *row) for leaves in dict.fromkeys([*tried[:_NEAR], *near]))

    def mend_alone(
        self, mover: Mover, aim: Aim, bounds: Bounds, row: tuple[int, int], fixed: tuple[Quantity, int, int] | None
    ) -> bool:
        """Hide more until a figure of bounds of its own is wide enough, with another figure fixed; whether it is."""
        moving = self._moving_now(mover)
        if fixed is not None:
            moving.room.bound(fixed[1:], 0, 0)
        measure = self.measures[mover.quantity]
        costs = self.costs(mover.quantity)
        found = [*moving.bounds, Moving(bounds, mover.sign)]
        for kept in self._tiers:
            only = self._kept(measure, kept)
            if Repair(measure, moving.room, found, aim, mover.sign, costs, self.marks, only).mend(*row):
                return True
        return False

    def _moving(self, mover: Mover) -> Movement:
        """How far something can move, and the bounds of all that changes with it.

        What goes with a hidden figure is hidden with it, so this does not depend on what is hidden.
        """
        if mover not in self._rooms:
            self._rooms[mover] = self._moving_now(mover)
        return self._rooms[mover]

    def _moving_now(self, mover: Mover) -> Movement:
        if mover.chain:
            layers = Layers([self.measures[one] for one in mover.chain])
            moves = moves_of_layers(layers, self.measures, self.links)
            return self._movement(layers, moves.room, moves.along)
        measure = self.measures[mover.quantity]
        room, movers = room_of(measure, self.measures, self.links, mover.along, mover.still)
        return self._movement(measure, room, {one.quantity: 0 for one in movers})

    def _movement(self, measure: Measure | Layers, room: Room, last: Mapping[Quantity, int]) -> Movement:
        """What changes; ``last``: of each count that moves up to which layer it does, of a single measure always 0."""
        found = []
        for quantity, number in last.items():
            choice = measure.choice(0, number)
            found.append(Moving(self.bounds[quantity], 1, choice))
            for (unit, split), (low, high) in self.known.get(quantity, {}).items():
                room.bound((unit, measure.position(split, choice)), low, high)
        for (part, whole), bounds in self.gaps.items():
            inner, outer = last.get(part, -1), last.get(whole, -1)
            if inner != outer:
                first, end = sorted((inner, outer))
                found.append(Moving(bounds, 1 if outer > inner else -1, measure.choice(first + 1, end)))
        return Movement(measure, room, found)

    def _tell(self, quantity: Quantity) -> None:
        left = sum(int(goal.aim.narrow.sum()) for goal in self.goals(quantity) if goal.is_secret)
        hidden = int(self.measures[quantity].hidden.sum())
        self.progress(f"{quantity.label[:60]}: {hidden} figures hidden, {left} still narrow")
