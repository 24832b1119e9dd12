"""Links between the measures of a year: which measure lies within which, and which figures are the same count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from claimatlas.configuration import Configuration
from claimatlas.protection.frames import NOWHERE, Frame
from claimatlas.protection.plan import Figure
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.tables import Measure
from claimatlas.tables.schemas import ALL


@dataclass(frozen=True)
class Link:
    """Pairs of figures of which ``part`` is never above ``whole``: cells of either, by unit and split.

    ``same_frame``: it holds for every atom of the frame that both have, so ``pairs`` is empty.
    """

    part: Quantity
    whole: Quantity
    same_frame: bool
    pairs: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()


@dataclass(frozen=True)
class Links:
    """All links of a year, and the figures that stand for one count."""

    all: tuple[Link, ...]
    twins: Mapping[Figure, tuple[Figure, ...]]

    def above(self, quantity: Quantity) -> list[Link]:
        """The links in which the quantity is the part."""
        return [link for link in self.all if link.part == quantity]

    def below(self, quantity: Quantity) -> list[Link]:
        """The links in which the quantity is the whole."""
        return [link for link in self.all if link.whole == quantity]


def links_of(measures: Mapping[Quantity, Measure], configuration: Configuration) -> Links:
    """Find the links from the declarations."""
    found = []
    for part in sorted(measures):
        one = measures[part].frame
        above = [whole for whole in sorted(measures) if part.lies_within(whole)]
        for whole in above:
            other = measures[whole].frame
            # A link that follows from two others of the same frame says nothing of its own.
            if any(measures[mid].frame is one and mid.lies_within(whole) for mid in above if mid != whole):
                continue
            if one is other:
                found.append(Link(part, whole, same_frame=True))
            else:
                found.append(Link(part, whole, False, tuple(common_figures(one, other))))
    return Links(tuple(found), _twins(measures, configuration))


def common_figures(one: Frame, other: Frame) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The figures that two frames both have, by unit and split of each."""
    dimensions = sorted({*one.dimensions, *other.dimensions})
    there = {_named(other, split, dimensions): position for split, position in other.split_position.items()}
    pairs = []
    for split, position in one.split_position.items():
        match = there.get(_named(one, split, dimensions))
        if match is None:
            continue
        for place, unit in one.unit_position.items():
            # Who has no known place depends on how small the places of a frame are.
            if place in other.unit_position and (place[0] != NOWHERE or one.leaves == other.leaves):
                pairs.append(((unit, position), (other.unit_position[place], match)))
    return pairs


def _named(frame: Frame, split: Sequence[str], dimensions: Sequence[str]) -> tuple[str, ...]:
    named = dict(zip(frame.dimensions, split, strict=True))
    return tuple(named.get(name, ALL) for name in dimensions)


def _twins(measures: Mapping[Quantity, Measure], configuration: Configuration) -> dict[Figure, tuple[Figure, ...]]:
    """Planned figures of different quantities that count the same members, as their delivery types are the same."""
    kinds = configuration.services.delivery_types
    type_of = configuration.dimensions.of_delivery_type
    groups: dict[tuple[object, ...], list[Figure]] = {}
    for quantity, measure in sorted(measures.items()):
        frame = measure.frame
        others = [name for name in frame.dimensions if name != type_of]
        for unit, split in zip(*np.nonzero(measure.planned), strict=True):
            named = dict(zip(frame.dimensions, frame.splits[split], strict=True))
            chosen = named.get(type_of, ALL) if type_of else ALL
            types = {name for name, kind in kinds.items() if chosen in (ALL, kind.dimension)}
            types &= set(quantity.types or kinds)
            values = tuple((name, named[name]) for name in others if named[name] != ALL)
            place = frame.units[unit]
            bare = (quantity.population, quantity.kind, quantity.names, quantity.with_stay)
            key = (*bare, frozenset(types), place.level, place.code, values)
            groups.setdefault(key, []).append((quantity, int(unit), int(split)))
    twins: dict[Figure, tuple[Figure, ...]] = {}
    for group in groups.values():
        if len({quantity for quantity, _, _ in group}) > 1:
            twins.update({figure: tuple(other for other in group if other != figure) for figure in group})
    return twins
