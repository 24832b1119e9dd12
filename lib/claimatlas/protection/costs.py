"""What hiding a figure costs readers, in whole numbers, so that the pattern is the same every time."""

from __future__ import annotations

import numpy as np

from claimatlas.protection.frames import Counts, Frame, Mask

_LEVEL, _SPLIT = 2, 2
_ALIKE = 20


def weights_of(frame: Frame, cells: Counts, *, are_alike: bool = False) -> Counts:
    """The cost of each figure: more for larger places, fewer splits and larger counts, unless all are alike.

    A last digit tells equal ones apart.
    """
    tie = np.arange(cells.size, dtype=np.int64).reshape(cells.shape) * 7919 % 101
    if are_alike:
        return np.asarray(_ALIKE * 128 + tie)
    rarity = frame.depth.max(initial=0) - frame.depth
    size = 20 + np.log2(cells + 1).astype(np.int64)
    cost = size * _LEVEL ** frame.heights[:, None] * _SPLIT ** rarity[None, :]
    return np.asarray(cost * 128 + tie)


def totals_of(frame: Frame) -> tuple[Mask, Mask]:
    """The totals of places: those of all levels but the smallest, and those of all levels.

    They are what most readers come for, so they are hidden only where nothing else helps: the larger places last.
    """
    is_total = np.broadcast_to((frame.depth == 0)[None, :], (len(frame.units), len(frame.splits)))
    return np.asarray(is_total & (frame.heights > 0)[:, None]), np.asarray(is_total)
