"""Every figure that the published ones are sums of, planned or not: by count, place and split, with its bounds.

A place is a node; the smallest places and those of unknown domicile have no parts. The figures of a count are a table
of nodes by splits. A split is a value, or ``all``, for each dimension of the count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.figures import Key, Published, whom
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.publication import Publication, published_values
from claimatlas.configuration.settings import HOSPITAL
from claimatlas.errors import InputError
from claimatlas.tables.schemas import ALL

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
NO_BOUND = 2**40


class ContradictionError(InputError):
    """No table of counts has all that is published, or taken for known."""


@dataclass(frozen=True)
class Sum:
    """A node and its parts; not closed: there may be members in none of the parts."""

    whole: int
    parts: tuple[int, ...]
    is_closed: bool


class Places:
    """The places of a year as nodes: those of unknown domicile first, then the levels from the largest on."""

    def __init__(self, configuration: Configuration, year: int, levels: Sequence[str]) -> None:
        self.levels = tuple(levels)
        leaves: dict[tuple[int, str], set[str]] = {}
        for place in configuration.geography.vintage(year).values():
            for rank, level in enumerate(self.levels):
                if place.parents[level]:
                    leaves.setdefault((rank, place.parents[level]), set()).add(place.code)
        order = sorted(leaves)
        self.names: list[tuple[str, str]] = [("", ""), *((self.levels[rank], code) for rank, code in order)]
        self.ranks = [-1, *(rank for rank, _ in order)]
        # Only the largest level counts those of unknown domicile.
        self._leaves = [frozenset({""}), *(frozenset(leaves[one] | ({""} if one[0] == 0 else set())) for one in order)]
        self.position = {name: node for node, name in enumerate(self.names)}
        self._parents = [self._parent(node) for node in range(len(self.names))]

    def _parent(self, node: int) -> int | None:
        own, rank = self._leaves[node], self.ranks[node]
        above = [
            other
            for other in range(1, len(self.names))
            if (0 <= self.ranks[other] < rank or rank < 0) and own <= self._leaves[other]
        ]
        return min(above, key=lambda other: (len(self._leaves[other]), -self.ranks[other]), default=None)

    def number(self, depth: int) -> int:
        """How many nodes there are down to a level."""
        return sum(rank <= depth for rank in self.ranks)

    def rest(self, _depth: int) -> tuple[int, ...]:
        """The nodes that nobody publishes: those of unknown domicile."""
        return (0,)

    def sums(self, depth: int) -> list[Sum]:
        """Each node with the nodes within it, the largest first, down to a level."""
        parts: dict[int, list[int]] = {}
        for node in range(self.number(depth)):
            parent = self._parents[node]
            if parent is not None:
                parts.setdefault(parent, []).append(node)
        found = []
        for whole, inside in sorted(parts.items()):
            covered = frozenset().union(*(self._leaves[node] for node in inside))
            found.append(Sum(whole, tuple(inside), covered == self._leaves[whole]))
        return found


class Hospitals(Places):
    """The hospitals of a year as nodes below the country, the last of them for those without a hospital.

    Nodes 0 and 1 are those of unknown domicile and the country, as everywhere: what both kinds of places have.
    """

    def __init__(self, configuration: Configuration, year: int, codes: Iterable[str]) -> None:
        country = configuration.geography.levels[0]
        super().__init__(configuration, year, (country,))
        own = [(HOSPITAL, code) for code in sorted(codes)]
        self.names = [*self.names[:2], *own, ("", HOSPITAL)]
        self.position = {name: node for node, name in enumerate(self.names)}

    def number(self, depth: int) -> int:
        """How many nodes there are; depth 0: down to the country."""
        return len(self.names) if depth else 2

    def sums(self, depth: int) -> list[Sum]:
        """The country and all hospitals, with those without one; who has an unknown domicile is in one of these too."""
        return [Sum(1, tuple(range(2, len(self.names))), True)] if depth else super().sums(0)

    def rest(self, depth: int) -> tuple[int, ...]:
        """The nodes that nobody publishes: those of unknown domicile, and those without a hospital."""
        return (0, len(self.names) - 1) if depth else (0,)


@dataclass
class Count:
    """What is counted: its dimensions with their values, and its table of figures.

    width: how many columns of dimensions there are. places: whose nodes it has, down to ``depth``. low, high:
    whole-number bounds. planned, shown: whether a figure is published, and whether with its value. bounded: whether the
    method tells bounds of it, and not the count itself.
    """

    name: str
    columns: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]
    width: int
    places: Places
    depth: int
    sums: list[Sum]
    low: Counts
    high: Counts
    planned: Mask
    shown: Mask
    bounded: Mask

    @property
    def hidden(self) -> Mask:
        """Whether a figure is published without its value."""
        return self.planned & ~self.shown

    @property
    def rest(self) -> list[int]:
        """The nodes that nobody publishes."""
        return list(self.places.rest(self.depth))

    @cached_property
    def splits(self) -> list[tuple[str, ...]]:
        """Each split."""
        return list(product(*[(*names, ALL) for names in self.values]))

    @cached_property
    def position(self) -> dict[tuple[str, ...], int]:
        """Where a split stands."""
        return {split: number for number, split in enumerate(self.splits)}

    @cached_property
    def finest(self) -> list[int]:
        """The splits without ``all``: every figure of a place is a sum of these."""
        return [number for number, split in enumerate(self.splits) if ALL not in split]

    @cached_property
    def holds(self) -> Mask:
        """Whether a split (rows) holds a finest one (columns)."""
        return np.array(
            [
                [all(s in (ALL, a) for s, a in zip(split, self.splits[one], strict=True)) for one in self.finest]
                for split in self.splits
            ],
            dtype=bool,
        ).reshape(len(self.splits), len(self.finest))

    @cached_property
    def by_dimension(self) -> list[tuple[int, tuple[int, ...]]]:
        """Each split that sums over a dimension, with its parts."""
        found = []
        for number, split in enumerate(self.splits):
            for axis, value in enumerate(split):
                if value == ALL:
                    parts = [(*split[:axis], name, *split[axis + 1 :]) for name in self.values[axis]]
                    found.append((number, tuple(self.position[part] for part in parts)))
        return found

    def full_split(self, split: int) -> tuple[str, ...]:
        """The value of every column of dimensions."""
        named = dict(zip(self.columns, self.splits[split], strict=True))
        return tuple(named.get(column, ALL) for column in range(self.width))

    def own_split(self, split: tuple[str, ...]) -> int | None:
        """Where a split of every column stands; none when the count is not split so."""
        if any(value != ALL for column, value in enumerate(split) if column not in self.columns):
            return None
        return self.position.get(tuple(split[column] for column in self.columns))


@dataclass(frozen=True)
class Order:
    """A count that is never above another; ``splits``: the pairs of splits that both have. ``gap``: their difference.

    same_splits: both have the same ones, so the difference is a count with the same sums.
    """

    part: int
    whole: int
    gap: Count
    splits: tuple[Counts, Counts]
    same_splits: bool

    @property
    def nodes(self) -> int:
        """The places that both have."""
        return len(self.gap.low)

    @property
    def cells(self) -> tuple[Any, Any]:
        """The figures of the one, and of the other, that the difference is of: what to index their tables with."""
        nodes = np.arange(self.nodes)
        return np.ix_(nodes, self.splits[0]), np.ix_(nodes, self.splits[1])


@dataclass(frozen=True)
class Square:
    """Two differences of which the first is never above the second: by order, and the splits that both have.

    Who is counted of those that a larger group has beyond a smaller one is never above their number.
    """

    counted: Order
    members: Order
    nodes: int
    splits: tuple[Counts, Counts]

    @property
    def cells(self) -> tuple[Any, Any]:
        """The figures of the one difference, and of the other: what to index their tables with."""
        nodes = np.arange(self.nodes)
        return np.ix_(nodes, self.splits[0]), np.ix_(nodes, self.splits[1])


@dataclass(frozen=True)
class FewOrFull:
    """Figures of which the method tells that they are few, or all that they lie within.

    nodes, splits: of the order's difference. few: the most that is few.
    """

    order: Order
    nodes: Counts
    splits: Counts
    few: int

    @property
    def cells(self) -> tuple[Counts, Counts]:
        """The figures: what to index the table of the order's smaller count with."""
        return self.nodes, self.order.splits[0][self.splits]


@dataclass
class Lattice:
    """The counts of a year and population, which bounds which, and figures that are one and the same."""

    places: Places
    counts: list[Count]
    orders: list[Order] = field(default_factory=list)
    twins: list[tuple[tuple[int, int, int], tuple[int, int, int]]] = field(default_factory=list)
    squares: list[Square] = field(default_factory=list)
    either: list[FewOrFull] = field(default_factory=list)

    @cached_property
    def number(self) -> dict[str, int]:
        """Where a count stands, by name."""
        return {count.name: number for number, count in enumerate(self.counts)}

    def find(self, key: Key) -> tuple[int, int, int]:
        """Where a published figure stands: count, node, split.

        Raises:
            InputError: its place or one of its values is not declared.
        """
        name, level, code, split = key
        number = self.number[name]
        node = self.counts[number].places.position.get((level, code))
        own = self.counts[number].own_split(split)
        if node is None or node >= len(self.counts[number].low):
            raise InputError(f"published/cells has the place {code} of {level}, which geography/ does not have.")
        if own is None:
            raise InputError(f"published/cells has the split {'/'.join(split)}, which is not declared.")
        return number, node, own

    def bounds(self, number: int, node: int, split: int) -> tuple[int, int]:
        """The least and the most of a figure."""
        count = self.counts[number]
        return int(count.low[node, split]), int(count.high[node, split])

    def of_nothing(self) -> Lattice:
        """The same counts, of which nothing is known yet."""
        empty = deepcopy(self)
        for count in empty.counts:
            count.low[:], count.high[:], count.shown[:], count.bounded[:] = 0, NO_BOUND, False, False
        for order in empty.orders:
            order.gap.low[:], order.gap.high[:], order.gap.shown[:] = 0, NO_BOUND, False
        return empty

    def key(self, number: int, node: int, split: int) -> Key:
        """The published name of a figure."""
        count = self.counts[number]
        return (count.name, *count.places.names[node], count.full_split(split))


def values_of(
    configuration: Configuration, publication: Publication, population: Population
) -> dict[int, tuple[str, ...]]:
    """The values that are published in each column of dimensions, by the column's position."""
    names = configuration.dimensions.names
    return {
        names.index(name): published_values(configuration, publication, population, name)
        for name in configuration.dimensions.of(population)
    }


def lattice_of(
    found: Published,
    configuration: Configuration,
    publication: Publication,
    population: Population,
    year: int,
) -> Lattice:
    """Arrange the published figures.

    Raises:
        InputError: a place or a value that is not declared.
    """
    levels = configuration.geography.levels
    values = values_of(configuration, publication, population)
    used: dict[str, tuple[set[int], set[str]]] = {}
    for name, level, _, split in found.values:
        columns, of_levels = used.setdefault(name, (set(), set()))
        columns.update(column for column, value in enumerate(split) if value != ALL)
        of_levels.add(level)
    rank = {**{level: number for number, level in enumerate(levels)}, HOSPITAL: 1}
    own_levels = [level for _, of_levels in used.values() for level in of_levels if level != HOSPITAL]
    places = Places(configuration, year, levels[: max(map(rank.__getitem__, own_levels), default=0) + 1])
    hospitals = Hospitals(configuration, year, {code for _, level, code, _ in found.values if level == HOSPITAL})
    counts = []
    for name, (columns, of_levels) in sorted(used.items()):
        own = {column: values[column] for column in sorted(columns)}
        width = len(configuration.dimensions.names)
        depth = max(rank[level] for level in of_levels)
        counts.append(_count(name, own, width, depth, hospitals if HOSPITAL in of_levels else places))
    lattice = Lattice(places, counts)
    for key, value in found.values.items():
        number, *cell = lattice.find(key)
        count, cell_at = counts[number], (cell[0], cell[1])
        count.planned[cell_at] = True
        if value is not None:
            count.shown[cell_at] = True
            count.low[cell_at] = count.high[cell_at] = value
    lattice.orders = [_order(lattice, part, whole) for part, whole in sorted({(a[0], b[0]) for a, b in found.order})]
    lattice.twins = _twins(lattice, found, configuration, publication)
    lattice.squares = _squares(lattice, found)
    return lattice


def _squares(lattice: Lattice, found: Published) -> list[Square]:
    """The squares of which all four counts are published."""
    orders = {(order.part, order.whole): order for order in lattice.orders}
    squares = []
    for outer, inner, group, inner_group in sorted(set(found.squares)):
        names = (outer, inner, group, inner_group)
        if any(name not in lattice.number for name in names):
            continue
        one, two, three, four = (lattice.number[name] for name in names)
        counted, members = orders.get((two, one)), orders.get((four, three))
        if counted is None or members is None:
            continue
        other = {members.gap.full_split(split): split for split in range(len(members.gap.splits))}
        own = [(split, other.get(counted.gap.full_split(split))) for split in range(len(counted.gap.splits))]
        both = np.array([pair for pair in own if pair[1] is not None], dtype=np.int64).reshape(-1, 2)
        # Nodes of the country and those of unknown domicile are the same wherever they are.
        alike = counted.gap.places is members.gap.places
        nodes = min(counted.nodes, members.nodes) if alike else 2
        squares.append(Square(counted, members, nodes, (both[:, 0], both[:, 1])))
    return squares


def _twins(
    lattice: Lattice, found: Published, configuration: Configuration, publication: Publication
) -> list[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """Figures of two counts that count the same members, published or not, as their delivery types are the same."""
    there: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for number, count in enumerate(lattice.counts):
        meaning = found.meaning[count.name]
        for split in range(len(count.splits)):
            types, others = whom(meaning, count.full_split(split), configuration, publication)
            if types:
                there.setdefault((meaning.bare, types, others), []).append((number, split))
    twins = []
    for (first, split), *rest in there.values():
        for second, other in rest:
            one, two = lattice.counts[first], lattice.counts[second]
            if first != second:
                # Who has no known place depends on how small the places of a count are.
                start = 0 if one.depth == two.depth else 1
                nodes = range(start, min(len(one.low), len(two.low)))
                if one.places is not two.places:
                    nodes = range(1, 2)
                twins += [((first, node, split), (second, node, other)) for node in nodes]
    return twins


def _count(name: str, values: dict[int, tuple[str, ...]], width: int, depth: int, places: Places) -> Count:
    shape = (places.number(depth), int(np.prod([len(names) + 1 for names in values.values()], dtype=int)))
    nothing = np.zeros(shape, dtype=bool)
    low, high = np.zeros(shape, dtype=np.int64), np.full(shape, NO_BOUND, dtype=np.int64)
    return Count(
        name,
        tuple(values),
        tuple(values.values()),
        width,
        places,
        depth,
        places.sums(depth),
        low,
        high,
        nothing,
        nothing.copy(),
        nothing.copy(),
    )


def _order(lattice: Lattice, part: str, whole: str) -> Order:
    """The difference of two counts where both are counted."""
    one, other = lattice.counts[lattice.number[part]], lattice.counts[lattice.number[whole]]
    common = {column: names for column, names in zip(one.columns, one.values, strict=True) if column in other.columns}
    # Of places of two kinds both have the country, and those of unknown domicile.
    depth = min(one.depth, other.depth) if one.places is other.places else 0
    gap = _count(f"{whole} - {part}", common, one.width, depth, one.places)
    positions = []
    for count in (one, other):
        positions.append(np.array([count.own_split(gap.full_split(split)) for split in range(len(gap.splits))]))
    return Order(
        lattice.number[part],
        lattice.number[whole],
        gap,
        (positions[0].astype(np.int64), positions[1].astype(np.int64)),
        one.columns == other.columns,
    )


def narrow(lattice: Lattice, most: int = 10_000) -> int:
    """Carry the bounds through every sum and difference to the fixed point; gives back how many rounds it took.

    Raises:
        ContradictionError: what is published contradicts itself.
    """
    tables = [*lattice.counts, *(order.gap for order in lattice.orders)]
    for turn in range(most):
        before = [(int(table.low.sum()), int(table.high.sum())) for table in tables]
        for order in lattice.orders:
            _by_order(lattice, order)
        for some in lattice.either:
            _by_number(lattice, some)
        for one, other in lattice.twins:
            _by_twin(lattice, one, other)
        for square in lattice.squares:
            counted, members = square.counted.gap, square.members.gap
            first, second = square.cells
            counted.high[first] = np.minimum(counted.high[first], members.high[second])
            members.low[second] = np.maximum(members.low[second], counted.low[first])
        for table in tables:
            _by_dimension(table)
            _by_place(table)
        if any((table.low > table.high).any() for table in tables):
            raise ContradictionError("The published figures contradict each other: no table of counts has them all.")
        if [(int(table.low.sum()), int(table.high.sum())) for table in tables] == before:
            return turn + 1
    return most


def _by_order(lattice: Lattice, order: Order) -> None:
    part, whole, gap = lattice.counts[order.part], lattice.counts[order.whole], order.gap
    one, other = order.cells
    low, high = part.low[one], part.high[one]
    least, greatest = whole.low[other], whole.high[other]
    part.low[one] = np.maximum(low, least - gap.high)
    part.high[one] = np.minimum(high, greatest - gap.low)
    whole.low[other] = np.maximum(least, low + gap.low)
    whole.high[other] = np.minimum(greatest, high + gap.high)
    gap.low[:] = np.maximum(gap.low, least - high)
    gap.high[:] = np.minimum(gap.high, greatest - low)


def _by_number(lattice: Lattice, some: FewOrFull) -> None:
    """What is not few is a full group, and of what is not a full group there are few."""
    part, gap = lattice.counts[some.order.part], some.order.gap
    cells, of_gap = some.cells, (some.nodes, some.splits)
    gap.high[of_gap] = np.where(part.low[cells] > some.few, 0, gap.high[of_gap])
    part.high[cells] = np.where(gap.low[of_gap] > 0, np.minimum(part.high[cells], some.few), part.high[cells])


def _by_twin(lattice: Lattice, one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    first, second = lattice.counts[one[0]], lattice.counts[other[0]]
    low = max(first.low[one[1:]], second.low[other[1:]])
    high = min(first.high[one[1:]], second.high[other[1:]])
    for count, cell_at in ((first, one[1:]), (second, other[1:])):
        count.low[cell_at], count.high[cell_at] = low, high


def _by_dimension(table: Count) -> None:
    low, high = table.low.T, table.high.T
    for whole, parts in table.by_dimension:
        _by_sum(low, high, whole, list(parts), is_closed=True)


def _by_place(table: Count) -> None:
    for one in table.sums:
        _by_sum(table.low, table.high, one.whole, list(one.parts), is_closed=one.is_closed)


def _by_sum(low: Counts, high: Counts, whole: int, parts: Iterable[int], *, is_closed: bool) -> None:
    """Bound a row by those that it is the sum of, and each of them by the whole and the others."""
    inside = list(parts)
    least = low[inside].sum(axis=0)
    low[whole] = np.maximum(low[whole], least)
    high[inside] = np.minimum(high[inside], high[whole] - (least - low[inside]))
    if is_closed:
        most = high[inside].sum(axis=0)
        high[whole] = np.minimum(high[whole], most)
        low[inside] = np.maximum(low[inside], low[whole] - (most - high[inside]))
