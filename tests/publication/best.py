"""The best pattern of a small table: the fewest hidden cells that leave every secret wide enough, by enumeration.

Nothing here is shared with the product: every change of the finest counts by at most ``K - 1`` is written down, and of
all sets of cells the smallest is looked for in which each secret has the changes that it needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from publication.country import ALL, BIM, Atom, K, units

MAX_CHANGES = 700_000
MAX_STEPS = 200_000


class TooLargeError(Exception):
    """There are too many changes or sets to write down."""


@dataclass(frozen=True)
class Table:
    """Drawn counts of a country: by indicator, each within the one before, and what they are split by."""

    towns: Mapping[str, str]
    dimensions: tuple[str, ...]
    counts: Mapping[str, Mapping[Atom, int]]
    plan: Mapping[str, object]


@dataclass(frozen=True)
class Cell:
    """A published cell: the finest counts within it, by position, of the indicator at this position of the table."""

    indicator: int
    inside: tuple[int, ...]
    key: tuple[str, ...]


def best_pattern(table: Table, *, totals_last: bool) -> int:
    """How many cells the best pattern hides; ``totals_last``: of those that hide the fewest totals, the larger first.

    Totals of places are what the product hides last, so this is the best that it can reach.

    Raises:
        TooLargeError: the table has too many of them.
    """
    cells, truth = cells_of(table)
    changes = _changes(truth)
    numbers = len(truth)
    by_cell = [changes[:, cell.indicator, list(cell.inside)].sum(axis=1) for cell in cells]
    moved = np.stack(by_cell, axis=1) != 0
    now = [int(truth[cell.indicator, list(cell.inside)].sum()) for cell in cells]
    position = {(cell.indicator, cell.key): number for number, cell in enumerate(cells)}
    # With a hidden count go those within it.
    below = [
        sum(1 << position[inner, cell.key] for inner in range(cell.indicator, numbers) if (inner, cell.key) in position)
        for cell in cells
    ]
    weights = np.array([1 << number for number in range(len(cells))], dtype=object)
    secrets: list[np.ndarray] = []
    small: list[int] = []
    start = 0
    for number, cell in enumerate(cells):
        if 1 <= now[number] < K:
            small.append(number)
            secrets.append(by_cell[number])
            start |= below[number]
        for larger in range(cell.indicator):
            whole = position[larger, cell.key]
            gap = now[whole] - now[number]
            if 1 <= gap < K or (larger == 0 and gap == 0 and now[whole] > 0):
                secrets.append(by_cell[whole] - by_cell[number])
                start |= below[number]
    unique, inverse = np.unique(moved, axis=0, return_inverse=True)
    masks = [_closed(int(weights[row].sum()) if row.any() else 0, below) for row in unique]
    options = [_options(secret, inverse.ravel(), masks, start) for secret in secrets]
    insider = Insider(by_cell, unique, inverse.ravel(), masks, [n for n, count in enumerate(now) if count == 1], small)
    prices = [_price(cell) if totals_last else 1 for cell in cells]
    return _smallest(start, options, insider, prices).bit_count()


def _price(cell: Cell) -> int:
    if any(value != ALL for value in cell.key[2:]):
        return 1
    return 100 if cell.key[0] == "town" else 10_000


@dataclass(frozen=True)
class Insider:
    """Somebody who knows one record, so a count of one: no other small count may be told by it."""

    by_cell: Sequence[np.ndarray]
    unique: np.ndarray
    inverse: np.ndarray
    masks: Sequence[int]
    ones: Sequence[int]
    small: Sequence[int]

    def learns(self, chosen: int) -> list[int] | None:
        """If a small count follows from a count of one: the sets of cells of which one must be hidden too."""
        shown = [cell for cell in range(self.unique.shape[1]) if not chosen >> cell & 1]
        worlds = ~self.unique[:, shown].any(axis=1)[self.inverse]
        for one in self.ones:
            for other in self.small:
                if one == other or not (chosen >> one & 1 and chosen >> other & 1):
                    continue
                first, second = self.by_cell[one], self.by_cell[other]
                # The same count under two names is no news.
                if (first[worlds] == second[worlds]).all():
                    continue
                free = (first == 0) & (second != 0)
                if not (free & worlds).any():
                    return _minimal({self.masks[row] & ~chosen for row in set(self.inverse[free].tolist())})
        return None


def cells_of(table: Table) -> tuple[list[Cell], np.ndarray]:
    """The planned cells, and the finest counts by indicator."""
    values = [("yes", "other") if "increased_reimbursement" in table.dimensions else (ALL,)]
    values.append(("caesarean", "vaginal") if "delivery_type" in table.dimensions else (ALL,))
    finest = list(product((*table.towns, ""), *values))
    merged = {"yes": ("yes",), "other": BIM[1:], ALL: BIM}
    truth = np.array(
        [
            [
                sum(
                    count
                    for (town, bim, kind), count in counts.items()
                    if town == place and bim in merged[own] and kinds in (ALL, kind)
                )
                for place, own, kinds in finest
            ]
            for counts in table.counts.values()
        ]
    )
    cells = []
    for number in range(len(table.counts)):
        for level, code, leaves in units(table.towns):
            most = table.plan.get(level)
            for split in product(*[(*own, ALL) if own != (ALL,) else own for own in values]):
                if most != "all" and sum(value != ALL for value in split) > int(str(most)):
                    continue
                inside = tuple(
                    place
                    for place, (town, *own) in enumerate(finest)
                    if town in leaves and all(one in (ALL, two) for one, two in zip(split, own, strict=True))
                )
                cells.append(Cell(number, inside, (level, code, *split)))
    return cells, truth


def _changes(truth: np.ndarray) -> np.ndarray:
    """Every change of the finest counts by less than ``K`` that leaves counts of people, each within the last."""
    per_place = []
    for place in range(truth.shape[1]):
        found = [
            change
            for change in product(range(1 - K, K), repeat=len(truth))
            if all(truth[i, place] + one >= 0 for i, one in enumerate(change))
            and all(truth[i, place] + change[i] >= truth[i + 1, place] + change[i + 1] for i in range(len(truth) - 1))
        ]
        per_place.append(np.array(found, dtype=np.int8))
    size = 1
    for one in per_place:
        size *= len(one)
    if size > MAX_CHANGES:
        raise TooLargeError
    chosen = np.indices([len(one) for one in per_place]).reshape(len(per_place), -1)
    return np.stack([per_place[place][chosen[place]] for place in range(len(per_place))], axis=2).astype(np.int64)


def _closed(mask: int, below: Sequence[int]) -> int:
    for number, inner in enumerate(below):
        if mask >> number & 1:
            mask |= inner
    return mask


def _options(secret: np.ndarray, inverse: np.ndarray, masks: Sequence[int], start: int) -> list[int]:
    """The smallest sets of cells, beyond those that must be hidden, of which one is enough for a secret."""
    enough = _minimal({masks[row] & ~start for row in set(inverse[abs(secret) >= K - 1].tolist())})
    for step in range(1, K - 1):
        rises = _minimal({masks[row] & ~start for row in set(inverse[secret >= step].tolist())})
        falls = _minimal({masks[row] & ~start for row in set(inverse[secret <= step + 1 - K].tolist())})
        enough = _minimal({*enough, *(one | other for one in rises for other in falls)})
    return enough


def _minimal(masks: set[int]) -> list[int]:
    found: list[int] = []
    for mask in sorted(masks, key=lambda mask: (mask.bit_count(), mask)):
        if not any(one & mask == one for one in found):
            found.append(mask)
    return found


def _smallest(start: int, options: Sequence[Sequence[int]], insider: Insider, prices: Sequence[int]) -> int:
    best: list[int | None] = [None]
    steps = [0]
    seen: set[int] = set()

    def cost(mask: int) -> int:
        return sum(price for number, price in enumerate(prices) if mask >> number & 1)

    def search(chosen: int) -> None:
        steps[0] += 1
        if steps[0] > MAX_STEPS:
            raise TooLargeError
        now = cost(chosen)
        if chosen in seen or (best[0] is not None and now >= cost(best[0])):
            return
        seen.add(chosen)
        waiting = [one for one in options if not any(mask & ~(chosen & ~start) == 0 for mask in one)]
        if not waiting:
            more = insider.learns(chosen)
            if more is None:
                best[0] = chosen
            for mask in more or ():
                search(chosen | mask)
            return
        # The secret that needs most, at its best, bounds what is still to come.
        costs = [min(cost(mask & ~chosen) for mask in one) for one in waiting]
        if best[0] is not None and now + max(costs) >= cost(best[0]):
            return
        hardest = waiting[costs.index(max(costs))]
        for mask in sorted(hardest, key=lambda mask: (cost(mask & ~chosen), mask)):
            search(chosen | mask)

    search(start)
    assert best[0] is not None
    return best[0]
