"""Shows again what was hidden for others' sake and is not needed: every secret keeps worlds of its own.

The worlds that were found are the witnesses. A figure that no kept world changes can be shown, and no proof changes.
For each of the others, the dearest first, other worlds are looked for that do without it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from claimatlas.protection.audit import Audit, Goal
from claimatlas.protection.frames import Mask
from claimatlas.protection.plan import Figure
from claimatlas.protection.proof import is_open
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.worlds import Aim, World

Former = tuple[int, int, World | None, World | None]
"""Bounds of a figure, and the worlds of them."""
MAX_TRIED = 1000
"""How many figures are tried one by one, the dearest first."""
_MAX_WITH_ALGEBRA = 300
"""With more figures hidden for others' sake, those that the algebra had hidden stay so: it would take long."""
Secret = tuple[int, int, int]
"""A goal by its position, and the figure of it by unit and split."""


@dataclass
class Cleaning:
    """What is kept: the worlds, with the secrets that each one proves; ``own``: hidden for their own sake.

    with_algebra: what the linear algebra found is mended, and must stay so.
    """

    audit: Audit
    own: dict[Quantity, Mask]
    proves: dict[World, set[Secret]] = field(default_factory=dict)
    changed_by: dict[Figure, set[World]] = field(default_factory=dict)
    shown: int = 0
    with_algebra: bool = False

    def __post_init__(self) -> None:
        self.goals = [goal for goal in self.audit.all_goals() if goal.is_secret]

    def clean(self, until: float) -> int:
        """Show figures again that are not needed; gives back how many. It stops where the time is over."""
        self._choose()
        if not self.with_algebra:
            self._show_unused()
        # A number, not a time, ends it: the pattern may not depend on how fast a machine is.
        for figure in self._candidates()[:MAX_TRIED]:
            if time.monotonic() > until:
                break
            if self._is_hidden(figure) and self._may_show(figure):
                self._try(figure)
        self._settle()
        return self.shown

    @property
    def is_small(self) -> bool:
        """Whether few enough figures are hidden for others' sake that each trial can ask the algebra."""
        measures = self.audit.measures
        return sum(int((measures[one].hidden & ~own).sum()) for one, own in self.own.items()) <= _MAX_WITH_ALGEBRA

    def _choose(self) -> None:
        """Choose for each secret its worlds: those that must be, then among the others those that are there."""
        open_: list[tuple[Secret, list[World]]] = []
        for number, goal in enumerate(self.goals):
            for unit, split in np.argwhere(goal.aim.targets & (goal.aim.needed > 0)).tolist():
                options = self._options(goal, unit, split)
                if len(options) == 1:
                    self._keep((number, unit, split), options[0])
                elif options:
                    open_.append(((number, unit, split), [world for option in options for world in option]))
        for secret, worlds in open_:
            best = min(worlds, key=lambda world: (world not in self.proves, len(world.units)))
            self._keep(secret, [best])

    def _options(self, goal: Goal, unit: int, split: int) -> list[list[World]]:
        """The sets of worlds of which one is enough."""
        bounds, needed = goal.aim.bounds, int(goal.aim.needed[unit, split])
        now, low, high = (int(one[unit, split]) for one in (bounds.cells, bounds.least, bounds.greatest))
        lower, upper = bounds.lower[unit, split], bounds.upper[unit, split]
        if goal.aim.is_unplanned(unit, split):
            is_proved = ((lower, low == 0 < now), (upper, high >= (goal.aim.k if now else 1)))
            return [[world] for world, proves in is_proved if proves]
        single = [[world] for world, width in ((lower, now - low), (upper, high - now)) if width >= needed]
        return single or ([[lower, upper]] if high - low >= needed else [])

    def _keep(self, secret: Secret, worlds: Iterable[World]) -> None:
        for world in worlds:
            if world not in self.proves:
                self.proves[world] = set()
                for figure in self._changes(world):
                    self.changed_by.setdefault(figure, set()).add(world)
            self.proves[world].add(secret)

    def _drop(self, world: World) -> None:
        del self.proves[world]
        for figure in self._changes(world):
            self.changed_by[figure].discard(world)

    def _changes(self, world: World) -> Iterator[Figure]:
        """The figures that a world changes and that were hidden for others' sake."""
        for one in world.bounds:
            measure = one.bounds.measure
            if measure is not None:
                units, splits, _ = world.changes_of(one)
                at = measure.hidden[units, splits] & ~self.own[measure.quantity][units, splits]
                for unit, split in zip(units[at].tolist(), splits[at].tolist(), strict=True):
                    yield measure.quantity, unit, split

    def _is_hidden(self, figure: Figure) -> bool:
        quantity, unit, split = figure
        return bool(self.audit.measures[quantity].hidden[unit, split]) and not self.own[quantity][unit, split]

    def _candidates(self) -> list[Figure]:
        """What is hidden for others' sake, the dearest first; larger counts before those that lie within them."""
        found: list[tuple[int, int, Figure]] = []
        for rank, quantity in enumerate(self.audit.order):
            costs = self.audit.costs(quantity)
            for unit, split in np.argwhere(self.audit.measures[quantity].hidden & ~self.own[quantity]).tolist():
                found.append((-int(costs[unit, split]), rank, (quantity, unit, split)))
        return [figure for _, _, figure in sorted(found)]

    def _may_show(self, figure: Figure) -> bool:
        """Whether nothing that it goes with is hidden, but its twins."""
        return not any(self._is_hidden_at(other) for other in self.audit.marks.above(figure))

    def _is_hidden_at(self, figure: Figure) -> bool:
        quantity, unit, split = figure
        return bool(self.audit.measures[quantity].hidden[unit, split])

    def _together(self, figure: Figure) -> list[Figure] | None:
        """The figure and its twins; nothing where one of them must stay hidden."""
        group = [figure, *self.audit.links.twins.get(figure, ())]
        if any(self._is_hidden_at(one) and not self._is_hidden(one) for one in group):
            return None
        return group if all(self._may_show(one) for one in group) else None

    def _set(self, group: Iterable[Figure], *, hidden: bool) -> None:
        for quantity, unit, split in group:
            self.audit.measures[quantity].hidden[unit, split] = hidden

    def _show_unused(self) -> None:
        """Show what no kept world changes: larger counts first, as others are hidden with them."""
        for quantity in self.audit.order:
            measure = self.audit.measures[quantity]
            for unit, split in np.argwhere(measure.hidden & ~self.own[quantity]).tolist():
                group = self._together((quantity, unit, split))
                if group and not any(self.changed_by.get(one) for one in group):
                    self._set(group, hidden=False)
                    self.shown += len(group)

    def _try(self, figure: Figure) -> None:
        """Show a figure if the secrets whose worlds change it have others."""
        group = self._together(figure)
        if group is None:
            return
        worlds = {world for one in group for world in self.changed_by.get(one, ())}
        secrets = sorted({secret for world in worlds for secret in self.proves[world]})
        self._set(group, hidden=False)
        before = self._forget(secrets, worlds)
        again = self._prove_again(secrets, sorted(worlds, key=lambda world: world.leaves))
        if again and not (self.with_algebra and is_open(self.audit)):
            for world in worlds:
                self._drop(world)
            for number, unit, split in secrets:
                self._keep((number, unit, split), self._options(self.goals[number], unit, split)[0])
            self.shown += len(group)
            return
        self._set(group, hidden=True)
        self._restore(before)

    def _forget(self, secrets: list[Secret], worlds: set[World]) -> list[tuple[Secret, Former]]:
        """Take from the secrets the worlds that would tell, and what those had found; gives back what was there."""
        before: list[tuple[Secret, Former]] = []
        for secret in secrets:
            number, unit, split = secret
            one = self.goals[number].aim.bounds
            at = (unit, split)
            before.append((secret, (int(one.least[at]), int(one.greatest[at]), one.lower[at], one.upper[at])))
            if one.lower[at] is None or one.lower[at] in worlds or one.lower[at].moves_shown():
                one.least[at], one.lower[at] = one.cells[at], None
            if one.upper[at] is None or one.upper[at] in worlds or one.upper[at].moves_shown():
                one.greatest[at], one.upper[at] = one.cells[at], None
        return before

    def _restore(self, before: list[tuple[Secret, Former]]) -> None:
        for (number, unit, split), values in before:
            one = self.goals[number].aim.bounds
            at = (unit, split)
            one.least[at], one.greatest[at], one.lower[at], one.upper[at] = values

    def _prove_again(self, secrets: list[Secret], worlds: list[World]) -> bool:
        """Look for other worlds of these secrets; whether all have them."""
        tried = list(dict.fromkeys(world.leaves for world in worlds))
        for number in sorted({number for number, _, _ in secrets}):
            goal = self.goals[number]
            targets = np.zeros_like(goal.aim.targets)
            for _, unit, split in (secret for secret in secrets if secret[0] == number):
                targets[unit, split] = True
            aim = goal.aim.of(targets)
            if not self._widen(goal, aim, tried):
                return False
        return True

    def _widen(self, goal: Goal, aim: Aim, tried: list[tuple[int, ...]]) -> bool:
        for unit, split in np.argwhere(aim.narrow).tolist():
            if aim.narrow[unit, split] and not any(
                self.audit.reach_one(mover, aim, (unit, split), tried) for mover in goal.movers
            ):
                return False
        return True

    def _settle(self) -> None:
        """Keep the kept worlds alone: bounds are what they prove."""
        for one in (*self.audit.bounds.values(), *self.audit.gaps.values()):
            one.forget()
        for world in self.proves:
            for moving in world.bounds:
                moving.bounds.widen_by(world, moving)
