"""Links between the measures of a year: which measure lies within which, and which figures are the same count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from claimatlas.protection.frames import Frame
from claimatlas.protection.plan import Figure
from claimatlas.protection.quantities import EVERY, Quantity
from claimatlas.protection.slices import TypeDimension
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
class Square:
    """A count of two groups, one within the other, each beside its group: what the larger group has beyond the smaller.

    Who is counted there is never above who is there: ``counted`` less ``inner_counted`` is at most ``group`` less
    ``inner_group``.
    """

    counted: Figure
    inner_counted: Figure
    group: Figure
    inner_group: Figure

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All four."""
        return self.counted, self.inner_counted, self.group, self.inner_group

    def slack(self, measures: Mapping[Quantity, Measure]) -> int:
        """By how much it holds."""
        found = [int(measures[quantity].cells[unit, split]) for quantity, unit, split in self.figures]
        return found[2] - found[3] - found[0] + found[1]


@dataclass(frozen=True)
class Links:
    """All links of a year, and the figures that stand for one count."""

    all: tuple[Link, ...]
    twins: Mapping[Figure, tuple[Figure, ...]]
    types: TypeDimension
    squares: tuple[Square, ...] = ()

    def above(self, quantity: Quantity) -> list[Link]:
        """The links in which the quantity is the part."""
        return [link for link in self.all if link.part == quantity]

    def below(self, quantity: Quantity) -> list[Link]:
        """The links in which the quantity is the whole."""
        return [link for link in self.all if link.whole == quantity]


def links_of(measures: Mapping[Quantity, Measure], types: TypeDimension) -> Links:
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
    return Links(tuple(found), _twins(measures, types), types, tuple(_squares(measures)))


def _squares(measures: Mapping[Quantity, Measure]) -> Iterator[Square]:
    """Of what is counted twice, of a group and of a larger one: such as without a hospital, and everywhere."""
    for inner in sorted(one for one in measures if one.kind != EVERY and not one.is_magnitude):
        for outer in sorted(one for one in measures if not one.by and inner.lies_within(one)):
            groups = [replace(one, kind=EVERY, names=()) for one in (outer, inner)]
            if (inner.kind, inner.names) != (outer.kind, outer.names) or not all(one in measures for one in groups):
                continue
            for (unit, split), (upper, other) in common_figures(measures[inner].frame, measures[outer].frame):
                counted = (outer, upper, other), (inner, unit, split)
                beside = [_same_figure(measures, figure, group) for figure, group in zip(counted, groups, strict=True)]
                if beside[0] is not None and beside[1] is not None:
                    yield Square(*counted, beside[0], beside[1])


def _same_figure(measures: Mapping[Quantity, Measure], figure: Figure, other: Quantity) -> Figure | None:
    """The figure of another count at the same place and split; nothing where it has none."""
    quantity, unit, split = figure
    one, frame = measures[quantity].frame, measures[other].frame
    named = {name: value for name, value in one.named(one.splits[split]).items() if value != ALL}
    at = frame.identity_position.get(one.identities[unit])
    position = frame.split_position.get(tuple(named.get(name, ALL) for name in frame.dimensions))
    if at is None or position is None or not set(named) <= set(frame.dimensions):
        return None
    return other, at, position


def common_figures(one: Frame, other: Frame) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The figures that two frames both have, by unit and split of each."""
    dimensions = sorted({*one.dimensions, *other.dimensions})
    there = {_named(other, split, dimensions): position for split, position in other.split_position.items()}
    pairs = []
    for split, position in one.split_position.items():
        match = there.get(_named(one, split, dimensions))
        if match is None:
            continue
        for unit, identity in enumerate(one.identities):
            if identity in other.identity_position:
                pairs.append(((unit, position), (other.identity_position[identity], match)))
    return pairs


def _named(frame: Frame, split: Sequence[str], dimensions: Sequence[str]) -> tuple[str, ...]:
    named = frame.named(split)
    return tuple(named.get(name, ALL) for name in dimensions)


def _twins(measures: Mapping[Quantity, Measure], types: TypeDimension) -> dict[Figure, tuple[Figure, ...]]:
    """Figures of different tables that count the same members, planned or not, as their delivery types are the same."""
    alike: dict[Quantity, list[Quantity]] = {}
    for quantity in sorted(measures):
        alike.setdefault(quantity.bare.everywhere, []).append(quantity)
    groups: dict[tuple[object, ...], list[Figure]] = {}
    for bare, quantities in alike.items():
        for quantity in quantities if len(quantities) > 1 else ():
            frame = measures[quantity].frame
            for split, counted in enumerate(frame.splits):
                key = _meaning(frame, counted, quantity, types)
                for unit, identity in enumerate(frame.identities if key[0] else ()):
                    groups.setdefault((bare, *key, identity), []).append((quantity, unit, split))
    twins: dict[Figure, tuple[Figure, ...]] = {}
    for group in groups.values():
        if len({quantity for quantity, _, _ in group}) > 1:
            twins.update({figure: tuple(other for other in group if other != figure) for figure in group})
    return twins


def _meaning(
    frame: Frame, split: Sequence[str], quantity: Quantity, types: TypeDimension
) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """Whom a split of a count holds: the delivery types, and the values of all other dimensions."""
    held = frame.named(split)
    values: Collection[str] = set(types.value_of.values())
    if types.name in held:
        values = frame.choices[frame.dimensions.index(types.name)][held[types.name]]
    others = tuple((name, value) for name, value in held.items() if name != types.name and value != ALL)
    return types.types_in(values, quantity), others
