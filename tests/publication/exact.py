"""The second attacker: bounds of hidden figures by a simplex in exact rational arithmetic, for small tables.

It shares nothing with the first: the unknowns are the finest counts of the country's towns, and the rows are written
from the published figures one by one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from publication.enumeration import Figure, columns


class ExactPrograms:
    """Non-negative unknowns under equations, with a feasible solution from which each search goes on.

    Rows of the tableau say what a basic unknown is; Bland's rule keeps it from going round in circles.
    """

    def __init__(self, rows: Sequence[tuple[Mapping[int, int], int]], size: int) -> None:
        """Find a first solution.

        Raises:
            ValueError: there is none.
        """
        self.size = size
        width = size + len(rows)
        self.tableau: list[list[Fraction]] = []
        self.basis = list(range(size, width))
        for number, (terms, right) in enumerate(rows):
            sign = -1 if right < 0 else 1
            line = [Fraction(0)] * (width + 1)
            for unknown, factor in terms.items():
                line[unknown] = Fraction(sign * factor)
            line[size + number] = Fraction(1)
            line[-1] = Fraction(sign * right)
            self.tableau.append(line)
        self._search([Fraction(int(column >= size)) for column in range(width)], width)
        if any(line[-1] for line, own in zip(self.tableau, self.basis, strict=True) if own >= size):
            raise ValueError("no table of counts has the figures that are shown")
        self._drop_artificial()

    def _drop_artificial(self) -> None:
        kept = []
        for number, line in enumerate(self.tableau):
            if self.basis[number] >= self.size:
                entering = next((column for column in range(self.size) if line[column]), None)
                if entering is None:
                    continue
                self._pivot(number, entering)
            kept.append(number)
        self.tableau = [[*self.tableau[number][: self.size], self.tableau[number][-1]] for number in kept]
        self.basis = [self.basis[number] for number in kept]

    def least(self, costs: Mapping[int, int]) -> Fraction | None:
        """The least that a sum of unknowns can be; none when nothing bounds it."""
        if not self._search([Fraction(costs.get(column, 0)) for column in range(self.size)], self.size):
            return None
        return sum(
            (costs.get(own, 0) * line[-1] for line, own in zip(self.tableau, self.basis, strict=True)), Fraction(0)
        )

    def bounds(self, terms: Mapping[int, int]) -> tuple[int, int | None]:
        """The whole numbers between which a sum of unknowns lies."""
        low = self.least(terms)
        high = self.least({unknown: -factor for unknown, factor in terms.items()})
        assert low is not None
        return math.ceil(low), None if high is None else math.floor(-high)

    def _search(self, costs: Sequence[Fraction], width: int) -> bool:
        """Go to a solution of the least cost; false when there is none."""
        reduced = list(costs)
        for line, own in zip(self.tableau, self.basis, strict=True):
            if costs[own]:
                reduced = [a - costs[own] * b for a, b in zip(reduced, line, strict=False)]
        while True:
            entering = next((column for column in range(width) if reduced[column] < 0), None)
            if entering is None:
                return True
            ratios = [
                (line[-1] / line[entering], self.basis[number], number)
                for number, line in enumerate(self.tableau)
                if line[entering] > 0
            ]
            if not ratios:
                return False
            leaving = min(ratios)[2]
            self._pivot(leaving, entering)
            factor = reduced[entering]
            reduced = [a - factor * b for a, b in zip(reduced, self.tableau[leaving], strict=False)]

    def _pivot(self, leaving: int, entering: int) -> None:
        own = self.tableau[leaving]
        scale = own[entering]
        own = self.tableau[leaving] = [value / scale if value else value for value in own]
        for number, line in enumerate(self.tableau):
            factor = line[entering]
            if number != leaving and factor:
                self.tableau[number] = [a - factor * b if b else a for a, b in zip(line, own, strict=True)]
        self.basis[leaving] = entering


def exact_bounds(
    figures: Sequence[Figure], towns: Mapping[str, str], counts: Sequence[str]
) -> dict[tuple[str, Figure], tuple[int, int | None]]:
    """The bounds of each count, and of its gap to each larger one; ``counts``: each lies within the one before.

    The unknowns are the finest counts of the smallest count, and of each larger one what it has beyond the next.
    """
    size = 2 * (len(towns) + 1)

    def terms(number: int, inside: Sequence[int], beyond: int | None = None) -> dict[int, int]:
        steps = range(number, len(counts)) if beyond is None else range(number, beyond)
        return {step * size + column: 1 for step in steps for column in inside}

    rows = []
    for figure in figures:
        if figure.shown is not None:
            inside = columns(towns, figure.level, figure.code, figure.value)
            rows.append((terms(counts.index(figure.count), inside), figure.shown))
    programs = ExactPrograms(rows, size * len(counts))
    found = {}
    for figure in figures:
        number = counts.index(figure.count)
        inside = columns(towns, figure.level, figure.code, figure.value)
        found["count", figure] = programs.bounds(terms(number, inside))
        for larger in range(number):
            found[f"gap {counts[larger]}", figure] = programs.bounds(terms(larger, inside, beyond=number))
    return found
