"""The attack by linear algebra: which figures, planned or not, have one value only, modulo two primes.

A change is a table of finest counts that leaves every known figure as it is. The changes that a place allows follow
from those that its parts allow, so they are found from the smallest places to the largest; then one is drawn, the other
way round. A figure that drawn changes leave at zero is determined.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.lattice import Count, Lattice, Mask

PRIMES = (2**61 - 1, 2**31 - 1)
Residues = npt.NDArray[np.object_]
"""Whole numbers of any size: rows of vectors."""


def changes_of(lattice: Lattice, known: Sequence[Mask], prime: int, draws: int = 2) -> list[Residues]:
    """Drawn changes of every figure, by count; each has the shape (draws, nodes, splits).

    known: of each count the figures whose value a reader has.
    """
    dice = random.Random(prime)  # noqa: S311 - a fixed seed, so that every run says the same
    solved = [_Solved(count, mask, prime) for count, mask in zip(lattice.counts, known, strict=True)]
    found = [np.zeros((draws, *count.low.shape), dtype=object) for count in lattice.counts]
    roots = _tied_roots(lattice, solved, prime)
    for draw in range(draws):
        factors = [dice.randrange(prime) for _ in range(len(roots))]
        joint = _combined(factors, roots, prime)
        start = 0
        for number, one in enumerate(solved):
            size = len(one.free[1])
            figures = one.draw(_combined(joint[start : start + size], one.free[1], prime), dice)
            found[number][draw] = figures @ one.count.holds.T.astype(object) % prime
            start += size
    return found


def determined(changes: Sequence[Residues]) -> Mask:
    """The figures that no drawn change moves, modulo any prime; changes: of one count, by prime."""
    return np.asarray(np.logical_and.reduce([np.asarray(one == 0).all(axis=0) for one in changes]))


class _Solved:
    """The changes that each place allows: ``free`` has a basis of them for every node."""

    def __init__(self, count: Count, known: Mask, prime: int) -> None:
        self.count, self.prime = count, prime
        self.width = len(count.finest)
        self.parts = {one.whole: one for one in count.sums}
        self._patterns: dict[bytes, Residues] = {}
        self._spans: dict[tuple[int, ...], Residues] = {}
        self.free: list[Residues] = [self._within_pattern(known[0])] * len(known)
        for node in reversed(range(1, len(known))):
            self.free[node] = self._of(node, known[node])

    def _of(self, node: int, known: Mask) -> Residues:
        if node not in self.parts:
            return self._within_pattern(known)
        spans = [self.free[part] for part in self.parts[node].parts]
        if not self.parts[node].is_closed:
            spans.append(_unit(self.width))
        names = tuple(sorted({id(one) for one in spans}))
        if names not in self._spans:
            self._spans[names] = reduced(np.concatenate(spans), self.prime)[0]
        basis = self._spans[names]
        rows = self.count.holds[known].astype(object)
        if not len(rows) or not len(basis):
            return basis
        factors = null_space(rows @ basis.T % self.prime, len(basis), self.prime)
        return np.asarray(factors @ basis % self.prime)

    def _within_pattern(self, known: Mask) -> Residues:
        """Of a place without parts: the same for all that have the same figures known."""
        name = known.tobytes()
        if name not in self._patterns:
            self._patterns[name] = null_space(self.count.holds[known].astype(object), self.width, self.prime)
        return self._patterns[name]

    def draw(self, root: Residues, dice: random.Random) -> Residues:
        """A change of the finest counts of all nodes, by the change of the largest place."""
        found = np.zeros((len(self.free), self.width), dtype=object)
        if len(found) > 1:
            found[1] = root
        for node in sorted(self.parts):
            self._share_out(node, found, dice)
        return found

    def _share_out(self, node: int, found: Residues, dice: random.Random) -> None:
        """Draw the changes of a node's parts, so that they sum to its own."""
        own = self.parts[node]
        spans = [self.free[part] for part in own.parts]
        if not own.is_closed:
            spans.append(_unit(self.width))
        drawn = [_combined([dice.randrange(self.prime) for _ in span], span, self.prime) for span in spans]
        left = (found[node] - sum(drawn)) % self.prime
        rows, owners = _independent(spans, self.prime)
        for factor, row, owner in zip(_solution(rows, left, self.prime), rows, owners, strict=True):
            drawn[owner] = (drawn[owner] + factor * row) % self.prime
        for part, change in zip(own.parts, drawn, strict=False):
            found[part] = change


def _tied_roots(lattice: Lattice, solved: Sequence[_Solved], prime: int) -> Residues:
    """The changes of all largest places together, as factors of their bases: figures that are one and the same agree.

    Twins of smaller places are left to the programs.
    """
    starts = np.cumsum([0, *(len(one.free[1]) for one in solved)])
    rows = []
    for first, second in lattice.twins:
        if first[1] == second[1] == 1:
            row = np.zeros(int(starts[-1]), dtype=object)
            for (number, _, split), sign in ((first, 1), (second, -1)):
                own = solved[number]
                held = own.free[1] @ own.count.holds[split].astype(object)
                row[starts[number] : starts[number + 1]] += sign * held
            rows.append(row % prime)
    matrix = np.array(rows, dtype=object).reshape(len(rows), int(starts[-1]))
    return null_space(matrix, int(starts[-1]), prime)


def _unit(width: int) -> Residues:
    return np.eye(width, dtype=np.int64).astype(object)


def _combined(factors: Any, rows: Residues, prime: int) -> Residues:  # noqa: ANN401 - a row of whole numbers
    if not len(rows):
        return np.zeros(rows.shape[1], dtype=object)
    return np.asarray(np.array(factors, dtype=object) @ rows % prime)


def reduced(rows: Residues, prime: int) -> tuple[Residues, list[int]]:
    """Independent rows with the same span, each with a one where all others have a zero; and where that is."""
    rows = rows % prime
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        done = len(pivots)
        below = np.nonzero(rows[done:, column])[0]
        if not len(below):
            continue
        chosen = done + int(below[0])
        if chosen != done:
            rows[[done, chosen]] = rows[[chosen, done]]
        rows[done] = rows[done] * pow(int(rows[done, column]), -1, prime) % prime
        others = np.nonzero(rows[:, column])[0]
        others = others[others != done]
        rows[others] = (rows[others] - np.outer(rows[others, column], rows[done])) % prime
        pivots.append(column)
        if len(pivots) == len(rows):
            break
    return rows[: len(pivots)], pivots


def null_space(rows: Residues, width: int, prime: int) -> Residues:
    """A basis of what the rows take to zero."""
    solved, pivots = reduced(rows, prime)
    free = [column for column in range(width) if column not in set(pivots)]
    basis = np.zeros((len(free), width), dtype=object)
    for number, column in enumerate(free):
        basis[number, column] = 1
        if pivots:
            basis[number, pivots] = -solved[:, column] % prime
    return basis


def _independent(spans: Sequence[Residues], prime: int) -> tuple[Residues, list[int]]:
    """Rows of the spans that are a basis of all of them together, each with the number of its span."""
    every = np.concatenate(spans)
    owners = [number for number, span in enumerate(spans) for _ in span]
    # Rows of equal spans add nothing: look at each once.
    seen: dict[int, int] = {}
    chosen = [row for row, owner in enumerate(owners) if seen.setdefault(id(spans[owner]), owner) == owner]
    _, pivots = reduced(every[chosen].T.copy(), prime)
    kept = [chosen[position] for position in pivots]
    return every[kept], [owners[row] for row in kept]


def _solution(rows: Residues, target: Residues, prime: int) -> list[int]:
    """The factors of independent rows that sum to a vector of their span."""
    if not len(rows):
        return []
    solved, pivots = reduced(np.concatenate([rows, target[None, :]]).T.copy(), prime)
    return [int(value) for value in solved[: len(pivots), -1]]
