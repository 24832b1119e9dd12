"""Parts of a model that are searched together: what hangs together, and within that some places of some counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from claimatlas.auditing.lattice import Count, Lattice, Mask, Places
from claimatlas.auditing.programs import Indices, Model
from claimatlas.auditing.targets import Terms

LARGEST = 3
"""Of the places without parts, how many of each larger place stand for it in a search over the whole country."""


def components_of(model: Model, terms: Terms) -> Indices:
    """For each unknown the smallest one that it hangs together with, by any chain of rows and of what is aimed at.

    A figure that is the sum of unknowns without a row in common has no bounds but those of all of them together.
    """
    rows = model.rows
    owner = np.concatenate([np.repeat(np.arange(len(rows.low)), np.diff(rows.start)), len(rows.low) + terms.owner])
    index = np.concatenate([rows.index, terms.index])
    label = np.arange(model.size)
    while True:
        least = np.full(len(rows.low) + len(terms.known), model.size, dtype=np.int64)
        np.minimum.at(least, owner, label[index])
        fresh = label.copy()
        np.minimum.at(fresh, index, least[owner])
        # Each goes on to what its own label has become, so chains shrink by half a round.
        fresh = fresh[fresh]
        if (fresh == label).all():
            return label
        label = fresh


def pools_of(lattice: Lattice, counts: Sequence[int], most: int) -> Iterator[list[tuple[int, Mask]]]:
    """Nodes of some counts whose figures are searched together, smaller places first; the country as a whole last.

    most: about how many places of the smallest level a pool has.
    """
    leaders = [lattice.counts[number] for number in counts]
    for places in dict.fromkeys(leader.places for leader in leaders):
        deepest = max((leader for leader in leaders if leader.places is places), key=lambda count: count.depth)
        for nodes in (*_groups(deepest, most), _spine(deepest)):
            yield [(number, _nodes_of(lattice.counts[number], places, nodes)) for number in counts]


def _nodes_of(count: Count, places: Places, nodes: Mask) -> Mask:
    """Nodes of some places as a count has them: of places of another kind the country alone."""
    if count.places is places:
        return nodes[: len(count.low)]
    found = np.zeros(len(count.low), dtype=bool)
    found[1] = nodes[1]
    return found


def _groups(count: Count, most: int) -> Iterator[Mask]:
    """The largest places with no more than so many within them, each with all that it lies in."""
    size = len(count.low)
    parts = {one.whole: one.parts for one in count.sums}
    above = {part: whole for whole, inside in parts.items() for part in inside}

    def within(node: int) -> list[int]:
        found = [node]
        for part in parts.get(node, ()):
            found += within(part)
        return found

    groups = {node: within(node) for node in range(size)}
    single: dict[int, list[int]] = {}
    for node, inside in groups.items():
        if len(inside) > most or (node in above and len(groups[above[node]]) <= most):
            continue
        if len(inside) == 1 and node in above:
            single.setdefault(above[node], []).append(node)
            continue
        yield _with_wholes(inside, above, size)
    for inside in single.values():
        for start in range(0, len(inside), most):
            yield _with_wholes(inside[start : start + most], above, size)


def _with_wholes(inside: Sequence[int], above: Mapping[int, int], size: int) -> Mask:
    """Places of one whole, with all that they lie in."""
    mask = np.zeros(size, dtype=bool)
    mask[list(inside)] = True
    node = inside[0]
    while node in above:
        node = above[node]
        mask[node] = True
    return mask


def _spine(count: Count) -> Mask:
    """Every place with parts, and some of the others: those with the largest counts."""
    size = len(count.low)
    mask = np.zeros(size, dtype=bool)
    whole = count.low[:, -1]
    inner = {one.whole for one in count.sums}
    for one in count.sums:
        mask[one.whole] = True
        leaves = sorted((part for part in one.parts if part not in inner), key=lambda part: (-int(whole[part]), part))
        mask[leaves[:LARGEST]] = True
    return mask


def with_inner_places(lattice: Lattice, pool: Sequence[tuple[int, Mask]]) -> list[tuple[int, Mask]]:
    """A pool with every place that has parts: what they show binds the parts."""
    found = []
    for number, nodes in pool:
        mask = nodes.copy()
        mask[[one.whole for one in lattice.counts[number].sums]] = True
        found.append((number, mask))
    return found


def chosen_of(model: Model, pool: Sequence[tuple[int, Mask]]) -> Mask:
    """The unknowns of a pool."""
    chosen = np.zeros(model.size, dtype=bool)
    for number, nodes in pool:
        own = model.column[number][nodes]
        chosen[own[own >= 0]] = True
    return chosen
