"""What hiding a figure costs readers: whole numbers in a fixed order, so that the pattern is the same every time."""

from __future__ import annotations

import numpy as np

from claimatlas.protection.frames import Counts, Frame

_LEVEL, _SPLIT = 8, 4


def weights_of(frame: Frame, cells: Counts, dependants: int) -> Counts:
    """The cost of each figure: more for larger places, fewer splits, larger counts and more figures that go with it.

    A last digit tells equal ones apart.
    """
    levels = list(dict.fromkeys(unit.level for unit in frame.units))
    heights = np.array([len(levels) - 1 - levels.index(unit.level) for unit in frame.units])
    rarity = frame.depth.max(initial=0) - frame.depth
    size = 10 + 10 * np.log2(cells + 1).astype(np.int64)
    cost = size * _LEVEL ** heights[:, None] * _SPLIT ** rarity[None, :] * (1 + dependants)
    tie = np.arange(cells.size, dtype=np.int64).reshape(cells.shape) * 7919 % 101
    return np.asarray(cost * 128 + tie)
