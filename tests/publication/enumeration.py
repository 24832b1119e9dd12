"""The reference by brute force: every table of whole counts that a reader could hold for true."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from claimatlas.protection.frames import ALL

from publication.country import units

VALUES = ("yes", "other")
MAX_WORLDS = 60_000


class TooManyError(Exception):
    """There are too many worlds to write down."""


@dataclass(frozen=True)
class Figure:
    """A figure by indicator, level, place and value; with the value that is shown, if it is."""

    count: str
    level: str
    code: str
    value: str
    shown: int | None
    truth: int


def columns(towns: Mapping[str, str], level: str, code: str, value: str) -> list[int]:
    """The finest counts that a figure is the sum of."""
    inside = next(leaves for name, place, leaves in units(towns) if (name, place) == (level, code))
    finest = list(product((*towns, ""), VALUES))
    return [position for position, (town, own) in enumerate(finest) if town in inside and value in (ALL, own)]


def worlds(rows: Sequence[tuple[list[int], int]], size: int, most: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every vector of whole counts up to ``most`` that gives each row its sum."""
    by_last: dict[int, list[tuple[list[int], int]]] = {}
    for inside, total in rows:
        by_last.setdefault(max(inside), []).append((inside, total))

    def grow(start: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        position = len(start)
        if position == size:
            yield start
            return
        high = most[position]
        for inside, total in rows:
            if position in inside:
                high = min(high, total - sum(start[one] for one in inside if one < position))
        for value in range(high + 1):
            longer = (*start, value)
            if all(sum(longer[one] for one in inside) == total for inside, total in by_last.get(position, ())):
                yield from grow(longer)

    yield from grow(())


def all_worlds(figures: Sequence[Figure], towns: Mapping[str, str], counts: Sequence[str], room: int) -> np.ndarray:
    """Every world: by count (larger ones first, each within the one before) and finest cell.

    ``room``: how far above the truth a count may be that nothing bounds.
    """
    size = 2 * (len(towns) + 1)
    tables = []
    for count in counts:
        own = [figure for figure in figures if figure.count == count]
        rows = [(columns(towns, f.level, f.code, f.value), f.shown) for f in own if f.shown is not None]
        whole = max(figure.truth for figure in own)
        found = []
        for world in worlds(rows, size, [whole + room] * size):
            found.append(world)
            if len(found) > MAX_WORLDS:
                raise TooManyError
        tables.append(np.array(found, dtype=np.int64).reshape(-1, size))
    chains = tables[0][:, None, :]
    for table in tables[1:]:
        if len(chains) * len(table) > 4_000_000:
            raise TooManyError
        fits = (table[None, :, :] <= chains[:, None, -1, :]).all(axis=2)
        outer, inner = np.nonzero(fits)
        chains = np.concatenate([chains[outer], table[inner][:, None, :]], axis=1)
    return chains
