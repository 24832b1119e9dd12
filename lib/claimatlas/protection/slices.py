"""Counts that another's table holds: what counts some delivery types only, where another count is split by them.

Such a count needs no table of its own. As figures of one table the two move together, and every sum of both holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from claimatlas.protection.frames import Counts, Frame, Mask
from claimatlas.protection.quantities import Quantity
from claimatlas.tables.schemas import ALL


@dataclass(frozen=True)
class Slice:
    """Where a count stands: the count whose table has it, and the published values of the delivery types in it."""

    host: Quantity
    values: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """What a count's table has: the rank of its smallest level, and its dimensions; ``by``: as its count has it."""

    depth: int
    dimensions: frozenset[str]
    by: str = ""

    def covers(self, other: Shape) -> bool:
        """Whether it has every place and dimension of the other."""
        return self.by == other.by and self.depth >= other.depth and self.dimensions >= other.dimensions


@dataclass(frozen=True)
class TypeDimension:
    """The dimension of the delivery types: its name, and the published value of each type; no name: there is none."""

    name: str | None
    value_of: Mapping[str, str]

    def types_in(self, values: Collection[str], quantity: Quantity) -> frozenset[str]:
        """The types of these values that a quantity counts."""
        counted = quantity.types or tuple(self.value_of)
        return frozenset(name for name in counted if self.value_of[name] in values)

    def values_of(self, quantity: Quantity, host: Quantity) -> tuple[str, ...] | None:
        """The values of a host's table that a count within it is the sum of; none where it is no sum of them."""
        every = dict.fromkeys(self.value_of.values())
        held = tuple(value for value in every if self.types_in((value,), quantity))
        return held if self.types_in(held, host) == frozenset(quantity.types) else None


def find_slices(shapes: Mapping[Quantity, Shape], dimension: TypeDimension) -> dict[Quantity, Slice]:
    """The counts that need no table of their own: another that counts more types has all their places and splits."""
    found: dict[Quantity, Slice] = {}
    if dimension.name is None:
        return found
    size = len(dimension.value_of)
    # What counts most types comes first: it holds the others and is held by none of them.
    order = sorted(shapes, key=lambda one: (-(len(one.types) or size), one))
    for quantity in order:
        if not quantity.types:
            continue
        needed = replace(shapes[quantity], dimensions=shapes[quantity].dimensions | {dimension.name})
        for host in order:
            is_larger = not host.types or set(quantity.types) < set(host.types)
            is_alike = host.bare == quantity.bare
            if host not in found and is_alike and is_larger and shapes[host].covers(needed):
                values = dimension.values_of(quantity, host)
                if values is not None:
                    found[quantity] = Slice(host, values)
                    break
    return found


@dataclass(frozen=True)
class Use:
    """Values that are counted together: at these levels, split by no more than these dimensions."""

    values: tuple[str, ...]
    levels: tuple[str, ...]
    dimensions: frozenset[str]


def counted(frame: Frame, dimension: str | None, uses: Sequence[Use]) -> Mask:
    """The figures that somebody may ask for: all without a group of values, and groups where they are published."""
    found = np.repeat(frame.plain[None, :], len(frame.units), axis=0)
    if dimension not in frame.dimensions:
        return found
    axis = frame.dimensions.index(dimension)
    for use in uses:
        choice = frame.choice(dimension, use.values)
        splits = [
            split[axis] == choice
            and all(
                value == ALL or name in use.dimensions
                for name, value in zip(frame.dimensions, split, strict=True)
                if name != dimension
            )
            for split in frame.splits
        ]
        units = [unit.level in use.levels for unit in frame.units]
        found |= np.outer(np.array(units, dtype=bool), np.array(splits, dtype=bool))
    return found


Cells = tuple[Counts, Counts]
"""Positions of units and of splits: what to index a table of figures with, as `numpy.ix_` gives it."""


def positions(units: Sequence[int], splits: Sequence[int]) -> Cells:
    """What indexes these units by these splits."""
    first, second = np.ix_(np.array(units, dtype=np.int64), np.array(splits, dtype=np.int64))
    return first, second
