"""How far the finest counts of a measure can move, for the sake of all that it lies within, holds, or is one with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from claimatlas.errors import InputError
from claimatlas.protection.frames import Counts, Mask
from claimatlas.protection.layers import Layers
from claimatlas.protection.links import Link, Links
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.tables import Measure

UNBOUNDED = 10**7
"""More than anything moves: a bound that is none."""


@dataclass
class Room:
    """How far the finest counts of a measure can move, one by one, while all other measures keep their links.

    low, high: of each atom's change. rows: bounds of the change of a figure, by unit and split.
    """

    low: Counts
    high: Counts
    rows: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def bound(self, row: tuple[int, int], low: int, high: int) -> None:
        """Bound a figure's change more closely."""
        before = self.rows.get(row, (-UNBOUNDED, UNBOUNDED))
        self.rows[row] = (max(before[0], low), min(before[1], high))

    def scarce(self, atoms: Mask, most: int) -> Counts:
        """How far the counts of each leaf can move, each by ``most`` at most, in the direction in which fewer can.

        Of a share near 100 % hardly any count can rise: what a world takes away in one place it must find room for in
        another.
        """
        up = np.minimum(self.high, most)[:, atoms].sum(axis=1)
        down = np.minimum(-self.low, most)[:, atoms].sum(axis=1)
        return np.asarray(up if up.sum() < down.sum() else down)

    def sizes(self, measure: Measure | Layers, atoms: Mask, most: int) -> Counts:
        """By what leaves are chosen to move: by how far they can, then by how many they count."""
        return np.asarray(self.scarce(atoms, most) * (1 + measure.atoms.sum()) + measure.atoms.sum(axis=1))


def room_of(
    measure: Measure,
    measures: Mapping[Quantity, Measure],
    links: Links,
    along: Quantity | None = None,
    still: Quantity | None = None,
) -> tuple[Room, list[Measure]]:
    """How a measure may move, and which others move by the same.

    What lies within it moves along where it is most of it, or is ``along``; else, and where it is ``still``, it stays.
    """
    movers = [measure]
    room = Room(-measure.atoms, np.where(measure.possible, UNBOUNDED, 0))
    if measure.quantity.is_magnitude:
        # Where there is nobody there is nothing to sum.
        room.high = np.where(measure.atoms == 0, 0, room.high)
    _keep_parts(room, measure, Moves(measures, links, along, still, movers))
    _keep_figures(room, measure, measures, links)
    _keep_wholes(room, movers, measures, links)
    stays = bool((room.low <= 0).all() and (room.high >= 0).all())
    if not (stays and all(low <= 0 <= high for low, high in room.rows.values())):
        raise InputError(f"gold has a count that is above one that it lies within: {measure.quantity}.")
    return room, movers


@dataclass(frozen=True)
class Moves:
    """How the measures of a year may move together; ``movers``: those that do, in the order in which they are met.

    apart: parts that move by themselves, so that nothing is bounded for their sake.
    """

    measures: Mapping[Quantity, Measure]
    links: Links
    along: Quantity | None = None
    still: Quantity | None = None
    movers: list[Measure] = field(default_factory=list)
    apart: Collection[Quantity] = ()


def _keep_wholes(room: Room, movers: Sequence[Measure], measures: Mapping[Quantity, Measure], links: Links) -> None:
    """Bound how far all that moves may rise, for the sake of what it lies within and stays, in the same frame.

    What moves along may lie within more than one count, of which only one moves.
    """
    moving = {one.quantity for one in movers}
    for one in movers:
        room.high = np.where(one.possible, room.high, 0)
        for link in links.above(one.quantity):
            if link.same_frame and link.whole not in moving:
                room.high = np.minimum(room.high, measures[link.whole].atoms - one.atoms)


def _keep_parts(room: Room, measure: Measure, moves: Moves) -> None:
    """Bound how far a measure may fall, for the sake of what lies within it in the same frame."""
    for link in moves.links.below(measure.quantity):
        if not link.same_frame or link.part in moves.apart:
            continue
        part = moves.measures[link.part]
        if _moves_along(part, measure, moves.along, moves.still):
            moves.movers.append(part)
            inner = falls_of(part, moves)
            room.low = np.maximum(room.low, inner.low)
            for row, (low, high) in inner.rows.items():
                room.bound(row, low, high)
        else:
            room.low = np.maximum(room.low, part.atoms - measure.atoms)


def falls_of(measure: Measure, moves: Moves) -> Room:
    """How far a measure may fall, and how far its figures may change; what moves along with it joins the movers."""
    room = Room(-measure.atoms, measure.atoms)
    _keep_parts(room, measure, moves)
    # Layers of one chain change by themselves: what is left is shared out between them.
    _keep_figures(room, measure, moves.measures, moves.links, 2 if moves.apart else 1)
    return room


def _moves_along(part: Measure, whole: Measure, along: Quantity | None, still: Quantity | None) -> bool:
    if part.quantity == still:
        return False
    is_most = 2 * int(part.atoms.sum()) > int(whole.atoms.sum())
    is_asked = along is not None and (part.quantity == along or along.lies_within(part.quantity))
    return (is_most or is_asked) and not bool((part.shown & ~whole.shown).any())


def _keep_figures(
    room: Room, measure: Measure, measures: Mapping[Quantity, Measure], links: Links, shared_by: int = 1
) -> None:
    """Bound the figures that a link to another frame, a twin or a square holds.

    shared_by: how many figures of a square may change by themselves.
    """
    for link in links.above(measure.quantity):
        if link.whole.is_magnitude and _follows(measures[link.whole], measure, link):
            continue
        for (unit, split), upper in link.pairs:
            room.bound((unit, split), -UNBOUNDED, int(measures[link.whole].cells[upper] - measure.cells[unit, split]))
    for link in links.below(measure.quantity):
        for inner, (unit, split) in link.pairs:
            room.bound((unit, split), int(measures[link.part].cells[inner] - measure.cells[unit, split]), UNBOUNDED)
    for quantity, unit, split in links.twins:
        if quantity == measure.quantity:
            room.bound((unit, split), 0, 0)
    for square in links.squares:
        most = square.slack(measures) // shared_by
        for (quantity, unit, split), may_fall in zip(square.figures, (True, False, False, True), strict=True):
            if quantity == measure.quantity:
                room.bound((unit, split), -UNBOUNDED if may_fall else -most, most if may_fall else UNBOUNDED)


def _follows(whole: Measure, part: Measure, link: Link) -> bool:
    """Whether a sum over persons can change as their number does: it is hidden wherever that is."""
    pairs = {upper: inner for inner, upper in link.pairs}
    shown = [(int(unit), int(split)) for unit, split in np.argwhere(whole.shown)]
    return all(row in pairs and bool(part.shown[pairs[row]]) for row in shown)
