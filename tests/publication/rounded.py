"""The method `rounded` by brute force: the rule in plain Python, and every world that would be published the same."""

from collections.abc import Collection, Mapping
from itertools import product

import numpy as np
import numpy.typing as npt
from claimatlas.tables.schemas import ALL

from publication.country import units
from publication.enumeration import VALUES, TooManyError, columns

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Place = tuple[str, str, str]
"""Level, code and value of the dimension."""
HIDDEN = -1
MOST = 40
"""What a finest count can be that nothing bounds."""
MAX_PAIRS = 20_000_000


def places(towns: Mapping[str, str], depth: Mapping[str, int]) -> list[Place]:
    """Every figure of a count that a plan with these depths has."""
    found = []
    for level, code, _ in units(towns):
        found += [(level, code, value) for value in ((ALL, *VALUES) if depth[level] else (ALL,))]
    return found


def sums(worlds: Counts, towns: Mapping[str, str], figures: Collection[Place]) -> Counts:
    """The figures of each world, by world and figure."""
    return np.stack([worlds[..., columns(towns, *one)].sum(axis=-1) for one in figures], axis=-1)


def of_births(births: Counts) -> Counts:
    """What is shown of counts: few are hidden, others rounded to the nearest five."""
    return np.where((births >= 1) & (births <= 7), HIDDEN, (births + 2) // 5 * 5)


def of_part(part: Counts, births: Counts, side: str) -> Counts:
    """What is shown of a part of them: nothing of few births, nor of a full group on the sensitive side."""
    is_full = (births > 0) & (part == births if side == "numerator" else part == 0)
    is_few = (births >= 1) & (births <= 7)
    return np.where(is_few | (is_full & (side != "none")), HIDDEN, of_births(part))


def tables_shown_as(shown: Counts, towns: Mapping[str, str], figures: list[Place], free: Mask, of_none: int) -> Counts:
    """Every table of finest counts of which these figures can be shown so.

    A hidden figure can be whatever its shown parts and wholes leave. ``free``: those that tell nothing. ``of_none``:
    the most that those of no known town can be, of each value.
    """
    finest = [(town, value) for town in towns for value in VALUES]
    whole = figures.index(("land", "x", ALL))
    most = MOST if free[whole] else 7 if shown[whole] == HIDDEN else int(shown[whole]) + 2
    grids = []
    for town, value in finest:
        position = figures.index(("town", town, value)) if ("town", town, value) in figures else None
        own = HIDDEN if position is None or free[position] else int(shown[position])
        grids.append(range(most + 1) if own == HIDDEN else range(max(0, own - 2), own + 3) if own else (0,))
    grids += [range(of_none + 1)] * len(VALUES)
    size = int(np.prod([len(one) for one in grids]))
    if size > 3_000_000:
        raise TooManyError
    found = np.array(list(product(*grids)), dtype=np.int64).reshape(-1, len(grids))
    figures_of = sums(found, towns, figures)
    near = (shown == HIDDEN) | free | ((figures_of + 2) // 5 * 5 == shown)
    return found[near.all(axis=1)]


def worlds(
    births: Counts,
    part: Counts,
    side: str,
    towns: Mapping[str, str],
    figures: list[Place],
    free: tuple[Mask, Mask],
    of_none: int = 0,
) -> tuple[Counts, Counts]:
    """The figures of births and of their part in every world that would be published as these are.

    ``births``, ``part``: what is shown. ``free``: of both, what is hidden for others' sake.
    """
    outer = tables_shown_as(births, towns, figures, free[0], of_none)
    outer = outer[((of_births(sums(outer, towns, figures)) == births) | free[0]).all(axis=1)]
    inner = tables_shown_as(part, towns, figures, free[1], of_none)
    if len(outer) * len(inner) > MAX_PAIRS:
        raise TooManyError
    one, other = np.nonzero((inner[None, :, :] <= outer[:, None, :]).all(axis=2))
    found = sums(outer, towns, figures)[one], sums(inner, towns, figures)[other]
    same = ((of_part(found[1], found[0], side) == part) | free[1]).all(axis=1)
    return found[0][same], found[1][same]
