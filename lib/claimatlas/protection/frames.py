"""The shape of a table of counts: its places and dimensions, and how the finest counts sum to every figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from claimatlas.tables.schemas import ALL

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NOWHERE = ""
"""The leaf of those whose place is not known: they count in the largest unit alone.

They are a unit of no level too, which nobody publishes: what the largest unit has beyond its parts tells their number.
"""


Identity = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Unit:
    """A place of some level, by the positions of the leaves that it consists of."""

    level: str
    code: str
    leaves: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """Leaves (places that are not divided further) by dimensions.

    A table of finest counts ("atoms") has the shape (leaves, values of all dimensions in one axis); a table of figures
    ("cells") has (units, splits): a split is a choice of a value, a group of values, or ``all``, for each dimension.
    groups: for each dimension the sets of values that some figure counts together, if there are any.
    """

    leaves: tuple[str, ...]
    units: tuple[Unit, ...]
    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[tuple[str, ...], ...], ...] = ()

    @cached_property
    def choices(self) -> list[dict[str, tuple[str, ...]]]:
        """For each dimension what a split may choose, with the values that it holds."""
        groups = self.groups or ((),) * len(self.values)
        return [
            {**{value: (value,) for value in names}, **{group_name(group): group for group in own}, ALL: names}
            for names, own in zip(self.values, groups, strict=True)
        ]

    def choice(self, dimension: str, values: Sequence[str]) -> str:
        """The choice of a dimension that holds these values.

        Raises:
            KeyError: no figure counts them together.
        """
        own = self.choices[self.dimensions.index(dimension)]
        return {frozenset(held): name for name, held in own.items()}[frozenset(values)]

    @cached_property
    def atoms(self) -> list[tuple[str, ...]]:
        """Each choice of one value a dimension."""
        return list(product(*self.values))

    @cached_property
    def splits(self) -> list[tuple[str, ...]]:
        """Each choice of a value, a group or ``all`` for each dimension."""
        return list(product(*self.choices))

    @cached_property
    def plain(self) -> Mask:
        """Whether a split chooses values and ``all`` only, as the splits of gold do."""
        return np.array(
            [
                all(value == ALL or value in names for value, names in zip(split, self.values, strict=True))
                for split in self.splits
            ],
            dtype=bool,
        )

    @cached_property
    def split_position(self) -> dict[tuple[str, ...], int]:
        """Where a split stands."""
        return {split: position for position, split in enumerate(self.splits)}

    @cached_property
    def unit_position(self) -> dict[tuple[str, str], int]:
        """Where a unit stands, by level and code."""
        return {(unit.level, unit.code): position for position, unit in enumerate(self.units)}

    @cached_property
    def identities(self) -> list[Identity]:
        """What each unit is, in other frames too: who has no known place depends on how small the places are."""
        return [(unit.level, unit.code, self.leaves if unit.level == NOWHERE else ()) for unit in self.units]

    @cached_property
    def identity_position(self) -> dict[Identity, int]:
        """Where the unit stands that is this."""
        return {identity: position for position, identity in enumerate(self.identities)}

    def named(self, split: Sequence[str]) -> dict[str, str]:
        """A split by the names of its dimensions."""
        return dict(zip(self.dimensions, split, strict=True))

    @cached_property
    def holds(self) -> Mask:
        """Whether a split (rows) holds an atom (columns)."""
        return np.array(
            [
                [all(a in held[s] for s, a, held in zip(split, atom, self.choices, strict=True)) for atom in self.atoms]
                for split in self.splits
            ],
            dtype=bool,
        ).reshape(len(self.splits), len(self.atoms))

    @cached_property
    def contains(self) -> Mask:
        """Whether a unit (rows) contains a leaf (columns)."""
        found = np.zeros((len(self.units), len(self.leaves)), dtype=bool)
        for position, unit in enumerate(self.units):
            found[position, list(unit.leaves)] = True
        return found

    @cached_property
    def unplaced(self) -> Mask:
        """Whether a figure, by unit and split, counts those whose place is not known."""
        rows = [unit.level == NOWHERE for unit in self.units]
        return np.repeat(np.array(rows, dtype=bool)[:, None], len(self.splits), axis=1)

    @cached_property
    def heights(self) -> Counts:
        """How many levels lie below each unit's; more than below any other for those whose place is not known."""
        levels = [NOWHERE, *dict.fromkeys(unit.level for unit in self.units if unit.level != NOWHERE)]
        return np.array([len(levels) - 1 - levels.index(unit.level) for unit in self.units], dtype=np.int64)

    @cached_property
    def depth(self) -> Counts:
        """By how many dimensions each split is split; what counts a group of values is not split by them."""
        return np.array(
            [sum(value in names for value, names in zip(split, self.values, strict=True)) for split in self.splits],
            dtype=np.int64,
        )

    @cached_property
    def sums(self) -> list[tuple[int, tuple[int, ...]]]:
        """For each split and dimension that it sums values of: its position, and those of its parts."""
        found = []
        for position, split in enumerate(self.splits):
            for axis, value in enumerate(split):
                if value not in self.values[axis]:
                    parts = [(*split[:axis], name, *split[axis + 1 :]) for name in self.choices[axis][value]]
                    found.append((position, tuple(self.split_position[part] for part in parts)))
        return found

    def cells(self, atoms: Counts) -> Counts:
        """All figures of a table of atoms."""
        by_unit = np.stack([atoms[list(unit.leaves)].sum(axis=0) for unit in self.units])
        return by_unit @ self.holds.T.astype(np.int64)

    @cached_property
    def children(self) -> list[tuple[int, ...]]:
        """For each unit the largest units within it; they need not cover it."""
        sets = [frozenset(unit.leaves) for unit in self.units]
        order = sorted(range(len(sets)), key=lambda position: (len(sets[position]), -position))
        parent = {}
        for rank, inner in enumerate(order):
            for outer in order[rank + 1 :]:
                if sets[inner] <= sets[outer] and outer != inner:
                    parent[inner] = outer
                    break
        found: list[list[int]] = [[] for _ in sets]
        for inner, outer in sorted(parent.items()):
            found[outer].append(inner)
        return [tuple(inner) for inner in found]


def group_name(values: Sequence[str]) -> str:
    """The name of values that are counted together; of none at all too."""
    return "+".join(values) or "+"


def frame_of_places(
    levels: Sequence[str],
    places: Sequence[tuple[str, dict[str, str]]],
    dimensions: Sequence[str],
    values: Sequence[Sequence[str]],
) -> Frame:
    """The frame of a geography: ``places`` are the leaves, each with its code at every level; ``""``: lies in none.

    Units are those of unknown place, then the levels from the largest to the smallest, each level by code.
    """
    leaves = [code for code, _ in places]
    members: dict[tuple[int, str], list[int]] = {}
    for position, (_, parents) in enumerate(places):
        for rank, level in enumerate(levels):
            if parents[level]:
                members.setdefault((rank, parents[level]), []).append(position)
    for (rank, _), inside in members.items():
        if rank == 0:
            inside.append(len(leaves))
    units = tuple(Unit(levels[rank], code, tuple(found)) for (rank, code), found in sorted(members.items()))
    unplaced = Unit(NOWHERE, NOWHERE, (len(leaves),))
    return Frame((*leaves, NOWHERE), (unplaced, *units), tuple(dimensions), tuple(tuple(names) for names in values))
