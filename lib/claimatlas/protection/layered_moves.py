"""How far the layers of a chain of counts can move, each by itself, while all other counts keep their links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from claimatlas.protection.frames import Counts
from claimatlas.protection.layers import Layers, joined
from claimatlas.protection.links import Links
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.rooms import UNBOUNDED, Moves, Room, falls_of
from claimatlas.protection.tables import Measure


@dataclass
class LayeredMoves:
    """What moves with the layers. along: each count that does, and up to which layer: it changes by their sum."""

    layers: Layers
    room: Room
    along: dict[Quantity, int] = field(default_factory=dict)


def chain_of(quantity: Quantity, wholes: Sequence[Quantity], measures: Mapping[Quantity, Measure]) -> list[Quantity]:
    """A count, and those that it lies within, each within the next; ``wholes``: the nearest first."""
    chain = [quantity]
    for whole in wholes:
        if chain[-1].lies_within(whole):
            chain.append(whole)
    return chain if all(measures[one].frame is measures[quantity].frame for one in chain) else [quantity]


def can_be_layers(chain: Sequence[Quantity], links: Links) -> bool:
    """Whether counts can move in layers: nothing else of their frame holds one of them from above."""
    held = [link for one in chain for link in links.above(one) if link.same_frame and link.whole not in chain]
    return len(chain) > 1 and not held and not any(one.is_magnitude for one in chain)


def moves_of_layers(layers: Layers, measures: Mapping[Quantity, Measure], links: Links) -> LayeredMoves:
    """How far each layer can move.

    A count must not fall below what lies within it and stays; so much of it is shared out among its layers beforehand,
    to the outer ones first, that no sum of changes is too much.
    """
    nothing = np.zeros_like(layers.atoms)
    moves = LayeredMoves(layers, Room(nothing, nothing))
    spare = [_spare(number, moves, measures, links) for number in range(len(layers.chain))]
    falls: list[Counts] = []
    for number in reversed(range(len(layers.chain))):
        smaller = layers.chain[number - 1].atoms if number else 0
        fall = np.minimum(layers.chain[number].atoms - smaller, np.minimum.reduce(spare[number:]))
        for outer in range(number, len(spare)):
            spare[outer] = spare[outer] - fall
        falls.insert(0, fall)
    rises = [np.where(one.possible, UNBOUNDED, 0) for one in layers.chain]
    _keep_wholes(falls, rises, moves, measures, links)
    moves.room.low = -joined(falls)
    moves.room.high = joined(rises)
    return moves


def _keep_wholes(
    falls: list[Counts], rises: list[Counts], moves: LayeredMoves, measures: Mapping[Quantity, Measure], links: Links
) -> None:
    """Keep what moves along below everything that it lies within, where that is not one of the chain that holds it.

    What two counts differ by changes by the layers between them: it is shared out among these in equal parts.
    """
    chain = {one.quantity for one in moves.layers.chain}
    for quantity, number in moves.along.items():
        for layer in range(number + 1):
            rises[layer] = np.where(measures[quantity].possible, rises[layer], 0)
        for link in links.above(quantity) if quantity not in chain else ():
            if not link.same_frame:
                continue
            there = moves.along.get(link.whole, -1)
            spare = measures[link.whole].atoms - measures[quantity].atoms
            changed = range(min(number, there) + 1, max(number, there) + 1)
            bounds = rises if there < number else falls
            for layer in changed:
                bounds[layer] = np.minimum(bounds[layer], spare // len(changed))


def _spare(number: int, moves: LayeredMoves, measures: Mapping[Quantity, Measure], links: Links) -> Counts:
    """How far a count of the chain may fall for the sake of what lies within it and is no layer."""
    chain = moves.layers.chain
    movers = [chain[number]]
    together = Moves(measures, links, movers=movers, apart={one.quantity for one in chain})
    room = falls_of(chain[number], together)
    moves.along |= {one.quantity: number for one in movers}
    choice = moves.layers.choice(0, number)
    for (unit, split), (low, high) in room.rows.items():
        moves.room.bound((unit, moves.layers.position(split, choice)), low, high)
    return -room.low
