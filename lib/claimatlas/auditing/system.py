"""The published figures as equations over what is hidden, in parts that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from claimatlas.auditing.figures import Key, Published

Row = tuple[list[tuple[int, int]], int]
"""Unknowns with their coefficients, and what their sum is."""


@dataclass
class System:
    """Non-negative unknowns and equations.

    names: of each hidden figure its unknown. gaps: of a cell's denominator less its numerator, where one is hidden.
    """

    size: int = 0
    rows: list[Row] = field(default_factory=list)
    names: dict[Key, int] = field(default_factory=dict)
    gaps: dict[tuple[Key, Key], int] = field(default_factory=dict)

    def new(self) -> int:
        """One more unknown."""
        self.size += 1
        return self.size - 1

    def parts(self) -> Iterator[tuple[list[int], list[Row]]]:
        """The unknowns that hang together, with their equations; an unknown in no equation is a part of its own."""
        parent = list(range(self.size))

        def root(unknown: int) -> int:
            while parent[unknown] != unknown:
                parent[unknown] = parent[parent[unknown]]
                unknown = parent[unknown]
            return unknown

        for members_of_row, _ in self.rows:
            for unknown, _ in members_of_row[1:]:
                parent[root(unknown)] = root(members_of_row[0][0])
        members: dict[int, list[int]] = {}
        for unknown in range(self.size):
            members.setdefault(root(unknown), []).append(unknown)
        rows: dict[int, list[Row]] = {}
        for row in self.rows:
            rows.setdefault(root(row[0][0][0]), []).append(row)
        for start in sorted(members):
            yield members[start], rows.get(start, [])


def system_of(found: Published, differences: set[tuple[str, str]]) -> System:
    """Write down every sum and every bound between figures; ``differences``: pairs of counts, larger first."""
    system = System()
    for key in sorted(found.values):
        if found.values[key] is None:
            system.names[key] = system.new()
    for whole, parts in found.equations:
        _add(system, found, whole, list(parts), is_open=False)
    for whole, parts in found.open:
        _add(system, found, whole, list(parts), is_open=True)
    watched = {(upper, lower) for upper, lower, _ in found.shares}
    for smaller, larger in found.order:
        gap = _add(system, found, larger, [smaller], is_open=True)
        if gap is not None and ((smaller, larger) in watched or (larger[0], smaller[0]) in differences):
            system.gaps[smaller, larger] = gap
    return system


def _add(system: System, found: Published, whole: Key, parts: list[Key], *, is_open: bool) -> int | None:
    """Add whole = parts (+ something, where the sum is open); gives back the unknown that stands for that."""
    row: list[tuple[int, int]] = []
    right = 0
    for key, sign in [(whole, 1), *[(part, -1) for part in parts]]:
        value = found.values[key]
        if value is None:
            row.append((system.names[key], sign))
        else:
            right -= sign * value
    if not row:
        return None
    gap = system.new() if is_open else None
    if gap is not None:
        row.append((gap, -1))
    system.rows.append((row, right))
    return gap
