"""What somebody knows who is alone in a figure: that count is one, and what always changes in step with it follows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from claimatlas.auditing.algebra import Residues
from claimatlas.auditing.lattice import Count
from claimatlas.auditing.programs import Reals

_MAX_FACTOR = 1000


def ties(count: Count, changes: Residues, prime: int, figures: Reals) -> Iterator[tuple[tuple[int, int], int]]:
    """Hidden figures with the value that they have once another figure, hidden or unplanned, is known to be one.

    changes: two drawn changes of every figure. Two figures whose changes have the same ratio in both are tied: whoever
    knows one knows the other. figures: a solution; it tells the constant between two tied figures.
    """
    first, second = changes
    groups: dict[int, list[tuple[int, int]]] = {}
    for node, split in np.argwhere(~count.shown & (first != 0) & (second != 0)):
        ratio = int(first[node, split]) * pow(int(second[node, split]), -1, prime) % prime
        groups.setdefault(ratio, []).append((int(node), int(split)))
    for group in groups.values():
        for known in group:
            if not count.low[known] <= 1 <= count.high[known]:
                continue
            for other in group:
                if other == known or not count.planned[other]:
                    continue
                value = _value(
                    int(first[known]), int(first[other]), prime, float(figures[known]), float(figures[other])
                )
                # The same count under two names is no news.
                if value is not None:
                    yield other, value


def _value(known: int, other: int, prime: int, figure: float, tied: float) -> int | None:
    """What a figure is when the one that it is tied to is one; none where both are the same count."""
    factor = other * pow(known, -1, prime) % prime
    factor = factor - prime if factor > prime // 2 else factor
    if abs(factor) > _MAX_FACTOR or (factor == 1 and abs(tied - figure) < 0.5):
        return None
    return round(tied + factor * (1 - figure))
