"""Protects the tables of a year: closes, looks for other worlds, and repairs until every hidden figure is wide enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from claimatlas.configuration.publication import Publication
from claimatlas.protection.closing import close
from claimatlas.protection.costs import weights_of
from claimatlas.protection.frames import Counts, Mask
from claimatlas.protection.links import Links
from claimatlas.protection.marking import Marks
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.repair import Repair
from claimatlas.protection.tables import Measure
from claimatlas.protection.worlds import Aim, Bounds, Pool, pools_of, room_of, widen


@dataclass
class Audit:
    """The bounds of all figures of a year, and what must become of them."""

    measures: Mapping[Quantity, Measure]
    links: Links
    marks: Marks
    publication: Publication
    progress: Callable[[str], None] = lambda message: None
    bounds: dict[Quantity, Bounds] = field(default_factory=dict)
    weights: dict[Quantity, Counts] = field(default_factory=dict)
    repaired: int = 0

    def __post_init__(self) -> None:
        for quantity, measure in self.measures.items():
            self.bounds[quantity] = Bounds.of(measure)
            self.weights[quantity] = weights_of(measure.frame, measure.cells, len(self.links.below(quantity)))

    @property
    def order(self) -> list[Quantity]:
        """The quantities, each after those that it lies within."""
        return sorted(self.measures, key=lambda one: (sum(one.lies_within(other) for other in self.measures), one))

    def is_known(self, quantity: Quantity) -> bool:
        """Whether readers know the count from elsewhere, so that nobody need protect it."""
        is_whole = quantity.kind == "all" and not quantity.with_stay
        return is_whole and quantity.population in self.publication.known_within

    def close(self) -> int:
        """Close every equation of every measure; gives back how many figures that hid."""
        total = 0
        while True:
            hidden = sum(
                close(self.measures[one], self._slacks(one), self.weights[one], self.marks, self.publication.k)
                for one in self.order
            )
            total += hidden
            if not hidden:
                return total

    def protect(self, until: float) -> bool:
        """Find worlds and repair until nothing is too narrow; whether that was reached before the time ``until``."""
        while True:
            before = sum(int(measure.hidden.sum()) for measure in self.measures.values())
            for quantity in self.order:
                self._protect_one(quantity, until)
            if time.monotonic() > until or not any(self.aim(one).narrow.any() for one in self.order):
                break
            if before == sum(int(measure.hidden.sum()) for measure in self.measures.values()):
                break
        return not any(self.aim(one).narrow.any() for one in self.order)

    def aim(self, quantity: Quantity) -> Aim:
        """What must become wide: hidden planned figures that are sensitive, or that a reader could take for one."""
        measure = self.measures[quantity]
        targets = measure.hidden & measure.planned
        if quantity.is_magnitude or self.is_known(quantity):
            targets = targets & measure.sensitive
        else:
            targets = targets & (measure.sensitive | self._may_be_sensitive(quantity))
        return Aim(self.bounds[quantity], targets, self._needed(quantity))

    def _may_be_sensitive(self, quantity: Quantity) -> Mask:
        close_to = 2 * self.publication.k - 1
        found = np.zeros(self.measures[quantity].cells.shape, dtype=bool)
        for slack in self._slacks(quantity):
            found |= slack < close_to
        return found

    def _slacks(self, quantity: Quantity) -> list[Counts]:
        """The figures, and by how much they are below each count of the same frame that they lie within."""
        measure = self.measures[quantity]
        wholes = [self.measures[link.whole] for link in self.links.above(quantity) if link.same_frame]
        return [measure.cells, *(whole.cells - measure.cells for whole in wholes)]

    def _needed(self, quantity: Quantity) -> Counts:
        """The width that each figure needs: k-1, or as much as a smaller whole allows that readers know or see."""
        measure = self.measures[quantity]
        needed = np.full(measure.cells.shape, self.publication.k - 1, dtype=np.int64)
        for link in self.links.above(quantity):
            if link.same_frame:
                whole = self.measures[link.whole]
                known = np.ones_like(whole.shown) if self.is_known(link.whole) else whole.shown
                needed = np.where(known, np.minimum(needed, whole.cells), needed)
        return np.asarray(needed)

    def _protect_one(self, quantity: Quantity, until: float) -> None:
        self._search(quantity, quantity)
        wholes = [link.whole for link in self.links.above(quantity) if link.same_frame and not self.is_known(link.whole)]
        for whole in wholes:
            if self.aim(quantity).narrow.any():
                self._search(whole, quantity)
        for unit, split in self._narrow(quantity, until):
            for mover in (quantity, *wholes):
                if self._repair(mover, quantity).mend(unit, split):
                    self.repaired += 1
                    break
        left = int(self.aim(quantity).narrow.sum())
        hidden = int(self.measures[quantity].hidden.sum())
        self.progress(f"{'_'.join((quantity.kind, *quantity.names))[:60]}: {hidden} figures hidden, {left} still narrow")

    def _narrow(self, quantity: Quantity, until: float) -> Iterator[tuple[int, int]]:
        """The figures that are still narrow when their turn comes, as long as there is time."""
        for unit, split in np.argwhere(self.aim(quantity).narrow):
            if time.monotonic() > until:
                return
            if self.aim(quantity).narrow[unit, split]:
                yield int(unit), int(split)

    def _search(self, mover: Quantity, quantity: Quantity) -> None:
        """Look for worlds in which ``mover`` moves, and ``quantity`` with it."""
        measure = self.measures[mover]
        room, movers = room_of(measure, self.measures, self.links, quantity)
        if self.measures[quantity] not in movers:
            return
        bounds = [self.bounds[one.quantity] for one in movers]
        aim = self.aim(quantity)
        for leaves in pools_of(measure.frame, measure.atoms.sum(axis=1)):
            widen(Pool(measure, room, leaves, bounds), aim)

    def _repair(self, mover: Quantity, quantity: Quantity) -> Repair:
        measure = self.measures[mover]
        room, movers = room_of(measure, self.measures, self.links, quantity)
        bounds = [self.bounds[one.quantity] for one in movers]
        return Repair(measure, room, bounds, self.aim(quantity), self.weights[mover], self.marks)
