"""What the method `rounded` tells of the figures: a rounded count lies near what is shown, a hidden one is 1 to 7.

A hidden count can be another where the method hides it for another reason: with its denominator, of a full group, or
for the sake of others. Readers are told of no such case; that there must be one they see where not all can be 1 to 7.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from claimatlas.auditing.figures import Key, Published
from claimatlas.auditing.lattice import NO_BOUND, FewOrFull, Lattice
from claimatlas.configuration.publication import Publication
from claimatlas.configuration.rounding import HIDDEN_BELOW, bounds_of


def bound_by_method(
    lattice: Lattice,
    found: Published,
    publication: Publication,
    country_level: str,
    beyond: Collection[Key] | None = (),
) -> None:
    """Write the bounds that the method tells into the lattice of these figures.

    ``beyond``: figures that a reader knows to be hidden for the sake of others; ``None``: any hidden figure can be one.
    """
    hidden = {key: (1, HIDDEN_BELOW - 1) for key, value in found.values.items() if value is None}
    hidden.update((key, (0, NO_BOUND)) for key in list(hidden) if key[0] in found.magnitudes)
    for upper, lower, side in found.shares:
        if upper in hidden:
            low, high = hidden[upper]
            if lower in hidden or side == "complement":
                low = 0
            if side == "numerator":
                high = NO_BOUND
            if publication.is_exact(upper[1], country_level):
                # Of exact counts a small difference hides one of them too.
                low, high = 0, NO_BOUND
            hidden[upper] = (low, high)
    for smaller, larger in found.order:
        if smaller in hidden and publication.is_exact(smaller[1], country_level) and larger in found.values:
            hidden[smaller] = (0, NO_BOUND)
    for key, value in found.values.items():
        number, node, split = lattice.find(key)
        count = lattice.counts[number]
        if value is None:
            low, high = (0, NO_BOUND) if beyond is None or key in beyond else hidden[key]
            count.bounded[node, split] = (low, high) != (0, NO_BOUND)
        elif publication.is_exact(key[1], country_level):
            continue
        else:
            low, high = bounds_of(value)
            count.bounded[node, split] = low < high
        count.low[node, split], count.high[node, split] = low, high
    _bound_groups(lattice, found, publication, country_level, beyond)


def _bound_groups(
    lattice: Lattice,
    found: Published,
    publication: Publication,
    country_level: str,
    beyond: Collection[Key] | None,
) -> None:
    """A full group is hidden on its sensitive side: what is shown is none, and what is hidden is one, or few.

    Where counts are exact, what is hidden may be nearly a full group too.
    """
    gaps = {(order.part, order.whole): number for number, order in enumerate(lattice.orders)}
    either: dict[int, list[tuple[int, int]]] = {}
    for upper, lower, side in found.shares:
        if side != "numerator":
            continue
        part, node, split = lattice.find(upper)
        number = gaps[part, lattice.number[lower[0]]]
        order = lattice.orders[number]
        own = int(np.nonzero(order.splits[0] == split)[0][0])
        some = found.values[upper] or found.values[lower]
        is_for_others = beyond is None or upper in beyond
        if found.values[upper] is not None and some:
            order.gap.low[node, own] = max(1, int(order.gap.low[node, own]))
            order.gap.bounded[node, own] = True
        elif (
            not is_for_others
            and not publication.is_exact(upper[1], country_level)
            and (some or lower in (beyond or ()))
        ):
            either.setdefault(number, []).append((node, own))
    for number, cells in either.items():
        nodes, splits = np.array(cells, dtype=np.int64).T
        lattice.either.append(FewOrFull(lattice.orders[number], nodes, splits, HIDDEN_BELOW - 1))
