"""Random changes of all finest counts that leave every shown figure as it is, modulo a prime.

A figure that no such change moves is determined: it follows by linear algebra. The elimination goes from the smallest
units to the largest, so that each unit's equations meet only what is left free in its parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from claimatlas.protection.frames import Frame, Mask
from claimatlas.protection.modular import Residues, inverse, multiply, negate, subtract, total

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """The solved equations of a unit: each gives the count at its pivot by those of the other columns."""

    columns: Positions
    pivots: Positions
    matrix: Residues


def random_changes(frame: Frame, shown: Mask, prime: int, possible: Mask, number: int = 2) -> Residues:
    """Random changes, each over (leaves, atoms): the shape is (number, leaves, atoms).

    ``possible``: the finest counts that can be other than 0, of the shape (leaves, atoms).
    """
    width = len(frame.atoms)
    blocks: list[Block] = []
    within: dict[int, list[Block]] = {}
    order = sorted(range(len(frame.units)), key=lambda unit: (len(frame.units[unit].leaves), -unit))
    for unit in order:
        inner = [block for child in frame.children[unit] for block in within[child]]
        leaves = np.array(frame.units[unit].leaves, dtype=np.int64)
        columns = (leaves[:, None] * width + np.arange(width)[None, :]).ravel()
        rows = _rows(frame, shown[unit], len(leaves)) * possible[leaves].ravel().astype(np.uint64)
        for block in inner:
            rows = _eliminate(rows, columns, block, prime)
        own = _solve(rows, columns, prime)
        if own is not None:
            blocks.append(own)
            inner.append(own)
        within[unit] = inner
    # What is not within another comes last, so every block's free columns are known when its turn comes.
    random = np.random.Generator(np.random.PCG64(prime % 1000))
    values = random.integers(1, prime, (len(frame.leaves) * width, number), dtype=np.uint64)
    values *= possible.ravel()[:, None].astype(np.uint64)
    for block in reversed(blocks):
        others = block.matrix.copy()
        others[np.arange(len(block.pivots)), np.searchsorted(block.columns, block.pivots)] = 0
        products = [
            total(multiply(others.T, values[block.columns, one][:, None], prime), prime) for one in range(number)
        ]
        values[block.pivots] = negate(np.stack(products, axis=1), prime)
    return np.asarray(values.T.reshape(number, len(frame.leaves), width))


def figures_of_changes(frame: Frame, changes: Residues, prime: int) -> Residues:
    """The change of every figure, by unit and split."""
    by_split = np.stack([total(changes.transpose(1, 0)[holds], prime) for holds in frame.holds], axis=1)
    return np.stack([total(by_split[list(unit.leaves)], prime) for unit in frame.units])


def _rows(frame: Frame, shown: Mask, leaves: int) -> Residues:
    """The equations of a unit: its shown figures but those that are sums of other shown ones."""
    implied = np.zeros_like(shown)
    for whole, parts in frame.sums:
        implied[whole] |= shown[list(parts)].all()
    chosen = frame.holds[shown & ~implied].astype(np.uint64)
    return np.tile(chosen, (1, leaves))


def _eliminate(rows: Residues, columns: Positions, block: Block, prime: int) -> Residues:
    """Replace the pivots of a block by what they equal."""
    if not len(rows):
        return rows
    stands = np.searchsorted(columns, block.columns)
    pivots = np.searchsorted(columns, block.pivots)
    part = rows[:, stands]
    for at, pivot in enumerate(pivots):
        factor = rows[:, pivot].copy()
        touched = np.nonzero(factor)[0]
        if len(touched):
            product = multiply(factor[touched, None], block.matrix[at][None, :], prime)
            part[touched] = subtract(part[touched], product, prime)
    rows[:, stands] = part
    return rows


def _solve(rows: Residues, columns: Positions, prime: int) -> Block | None:
    """Bring the equations of a unit to reduced form."""
    done = 0
    pivots: list[int] = []
    for _ in range(len(rows)):
        filled = np.nonzero(rows[done:].any(axis=1))[0]
        if not len(filled):
            break
        row = done + int(filled[0])
        rows[[done, row]] = rows[[row, done]]
        pivot = int(np.nonzero(rows[done])[0][0])
        scale = np.uint64(inverse(int(rows[done, pivot]), prime))
        rows[done] = multiply(rows[done], np.full_like(rows[done], scale), prime)
        touched = np.nonzero(rows[:, pivot])[0]
        touched = touched[touched != done]
        if len(touched):
            product = multiply(rows[touched, pivot][:, None], rows[done][None, :], prime)
            rows[touched] = subtract(rows[touched], product, prime)
        pivots.append(pivot)
        done += 1
    if not pivots:
        return None
    return Block(columns, columns[pivots], rows[:done].copy())
