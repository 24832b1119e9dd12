"""Counts that lie within each other as one table: the smallest, and what each larger one has beyond it.

In a world of a single count all that moves with it changes by the same. Of layers each changes by itself: one place
gains members who are not counted, another loses some who are, and the totals of both counts stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from claimatlas.protection.frames import Counts, Frame, Mask, group_name
from claimatlas.protection.quantities import Quantity
from claimatlas.protection.tables import Measure
from claimatlas.tables.schemas import ALL

_DIMENSION = "layer"


class Layers:
    """The table of a chain of counts, each within the next: of one frame, with one dimension more, the layer.

    A split chooses neighbouring layers: up to a count's own they are that count, those between two their difference.
    """

    def __init__(self, chain: Sequence[Measure]) -> None:
        self.chain = tuple(chain)
        own = self.chain[0].frame
        names = tuple(str(number) for number in range(len(self.chain)))
        self._ranges = [names[first : last + 1] for first in range(len(names)) for last in range(first + 1, len(names))]
        groups = tuple(one for one in self._ranges if one != names)
        self.frame = Frame(
            own.leaves,
            own.units,
            (*own.dimensions, _DIMENSION),
            (*own.values, names),
            (*(own.groups or ((),) * len(own.values)), groups),
        )
        self._names = names
        self._choices = list(self.frame.choices[-1])
        self.per_split = len(self._choices)
        self.atoms = self._of_layers([one.atoms for one in self.chain])
        self.cells = self.frame.cells(self.atoms)

    def _of_layers(self, counts: Sequence[Counts]) -> Counts:
        """The finest counts of the layers, from those of the chain."""
        layers = [counts[0], *[larger - smaller for smaller, larger in pairwise(counts)]]
        return joined(layers)

    def choice(self, first: int, last: int) -> int:
        """The choice of the layers from ``first`` to ``last``."""
        names = self._names[first : last + 1]
        name = ALL if names == self._names else names[0] if len(names) == 1 else group_name(names)
        return self._choices.index(name)

    def position(self, split: int, choice: int) -> int:
        """Where a split of the chain's frame stands, with a choice of layers."""
        return split * self.per_split + choice

    @cached_property
    def members(self) -> dict[int, Measure]:
        """The choices that are a count of the chain."""
        return {self.choice(0, number): one for number, one in enumerate(self.chain)}

    def of_members(self, figures: Sequence[Counts]) -> Counts:
        """Numbers of the figures of each count of the chain, in the order of the splits; 0 for differences."""
        found = np.zeros(self.cells.shape, dtype=np.int64)
        for number, of_count in enumerate(figures):
            found[:, self.choice(0, number) :: self.per_split] = of_count
        return found

    @property
    def shown(self) -> Mask:
        """The figures that a reader sees."""
        return np.asarray(self.of_members([one.shown.astype(np.int64) for one in self.chain]) > 0)

    def figure(self, unit: int, split: int) -> tuple[Quantity, int, int]:
        """A figure of a count of the chain."""
        return self.members[split % self.per_split].quantity, unit, split // self.per_split


def joined(layers: Sequence[Counts]) -> Counts:
    """Numbers of the finest counts, by layer, as a table of layers has them."""
    return np.stack(layers, axis=-1).reshape(len(layers[0]), -1)
