"""Whole-number bounds of hidden figures that follow from the published ones: carried through every sum to the end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.figures import Key, Published

Counts = npt.NDArray[np.int64]
NO_BOUND = 2**40
_MAX_ROUNDS = 1000


def ranges_of(found: Published) -> dict[Key, tuple[int, int | None]]:
    """The least and the greatest that each hidden figure can be; no greatest where nothing bounds it.

    They tell nothing that a reader cannot work out: they use what is published, and no more.
    """
    keys = sorted(found.values)
    position = {key: number for number, key in enumerate(keys)}
    low = np.array([found.values[key] or 0 for key in keys], dtype=np.int64)
    shown = np.array([found.values[key] is not None for key in keys], dtype=bool)
    high = np.where(shown, low, NO_BOUND)
    sums = [_Sums(found.equations, position, is_open=False), _Sums(found.open, position, is_open=True)]
    smaller = np.array([position[one] for one, _ in found.order], dtype=np.int64)
    larger = np.array([position[other] for _, other in found.order], dtype=np.int64)
    for _ in range(_MAX_ROUNDS):
        before = (low.sum(), high.sum())
        np.minimum.at(high, smaller, high[larger])
        np.maximum.at(low, larger, low[smaller])
        for one in sums:
            one.narrow(low, high)
        if (low.sum(), high.sum()) == before:
            break
    hidden = np.nonzero(~shown)[0]
    return {keys[i]: (int(low[i]), int(high[i]) if high[i] < NO_BOUND else None) for i in hidden}


class _Sums:
    """Equations as arrays: of each the whole, and the flat list of its parts."""

    def __init__(
        self, equations: list[tuple[Key, tuple[Key, ...]]], position: dict[Key, int], *, is_open: bool
    ) -> None:
        self.is_open = is_open
        self.wholes = np.array([position[whole] for whole, _ in equations], dtype=np.int64)
        self.parts = np.array([position[part] for _, parts in equations for part in parts], dtype=np.int64)
        self.owner = np.repeat(np.arange(len(equations)), [len(parts) for _, parts in equations])

    def narrow(self, low: Counts, high: Counts) -> None:
        """Bound wholes by their parts, and each part by the whole and the other parts; of an open sum one way only."""
        if not len(self.wholes):
            return
        least = np.zeros(len(self.wholes), dtype=np.int64)
        most = np.zeros(len(self.wholes), dtype=np.int64)
        np.add.at(least, self.owner, low[self.parts])
        np.maximum.at(low, self.wholes, least)
        # Of a part: the whole's most without the least of all others.
        upper = high[self.wholes][self.owner] - (least[self.owner] - low[self.parts])
        np.minimum.at(high, self.parts, np.where(high[self.wholes][self.owner] < NO_BOUND, upper, NO_BOUND))
        if self.is_open:
            return
        np.add.at(most, self.owner, high[self.parts])
        np.minimum.at(high, self.wholes, np.minimum(most, NO_BOUND))
        lower = low[self.wholes][self.owner] - (most[self.owner] - high[self.parts])
        np.maximum.at(low, self.parts, lower)
