"""The first attack: which hidden figures follow from the published ones by linear algebra."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

PRIMES = (2**61 - 1, 2**31 - 1)


def determined(equations: Iterable[Sequence[tuple[int, int]]], unknowns: int) -> set[int]:
    """The unknowns that have one value only.

    Each equation is its unknowns with their coefficients; what it equals does not matter. An unknown is determined
    when it is zero in a random solution of the homogeneous equations, modulo two primes.
    """
    rows = sorted((sorted(row) for row in equations), key=lambda row: (len(row), row))
    found: set[int] | None = None
    for prime in PRIMES:
        solution = null_vector(rows, unknowns, prime)
        zeros = {unknown for unknown, value in enumerate(solution) if value == 0}
        found = zeros if found is None else found & zeros
    return found or set()


def null_vector(rows: Sequence[Sequence[tuple[int, int]]], unknowns: int, prime: int) -> list[int]:
    """A random solution of the homogeneous equations, modulo a prime."""
    pivots: dict[int, dict[int, int]] = {}
    counts = [0] * unknowns
    for row in rows:
        for unknown, _ in row:
            counts[unknown] += 1
    for row in rows:
        reduced = _reduce(dict(row), pivots, prime)
        if reduced:
            pivot = min(reduced, key=lambda unknown: (counts[unknown], unknown))
            scale = pow(reduced.pop(pivot), -1, prime)
            pivots[pivot] = {unknown: value * scale % prime for unknown, value in reduced.items()}
    dice = random.Random(prime)  # noqa: S311 - a fixed seed, so that every run says the same
    values = [0 if unknown in pivots else dice.randrange(1, prime) for unknown in range(unknowns)]
    for pivot, rest in reversed(pivots.items()):
        values[pivot] = -sum(value * values[unknown] for unknown, value in rest.items()) % prime
    return values


def _reduce(row: dict[int, int], pivots: Mapping[int, Mapping[int, int]], prime: int) -> dict[int, int]:
    """Replace each pivot in a row by what it equals."""
    waiting = [unknown for unknown in row if unknown in pivots]
    while waiting:
        pivot = waiting.pop()
        factor = row.pop(pivot, 0) % prime
        if not factor:
            continue
        for unknown, value in pivots[pivot].items():
            row[unknown] = (row.get(unknown, 0) - factor * value) % prime
            if unknown in pivots:
                waiting.append(unknown)
    return {unknown: value % prime for unknown, value in row.items() if value % prime}
