"""The second attack: the bounds of hidden figures by linear programs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from claimatlas.auditing.system import Row
from claimatlas.errors import QualityGateError
from claimatlas.solver import highs, quiet_solver

_EPSILON = 1e-6
_ROUNDS = 24
MOST = 1e7
"""No count is above this: a bound for those that nothing bounds."""


class Programs:
    """The programs over one part of a system; its unknowns are numbered from 0 there."""

    def __init__(self, members: Sequence[int], rows: Sequence[Row]) -> None:
        highspy = highs()
        self.number = {unknown: position for position, unknown in enumerate(members)}
        self.size = len(members)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.size, len(rows)
        model.col_cost_ = np.zeros(self.size)
        model.col_lower_, model.col_upper_ = np.zeros(self.size), np.full(self.size, MOST)
        right = np.array([value for _, value in rows], dtype=float)
        model.row_lower_ = model.row_upper_ = right
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.cumsum([0, *(len(row) for row, _ in rows)]).astype(np.int32)
        model.a_matrix_.index_ = np.array([self.number[u] for row, _ in rows for u, _ in row], dtype=np.int32)
        model.a_matrix_.value_ = np.array([value for row, _ in rows for _, value in row], dtype=float)
        self._highs = highspy
        self._solver = quiet_solver()
        self._solver.passModel(model)
        self._columns = np.arange(self.size, dtype=np.int32)
        self.runs = 0

    def least(self, costs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The solution with the least costs.

        Raises:
            QualityGateError: there is none: what is published contradicts itself, or the solver gave up.
        """
        self._solver.changeColsCost(self.size, self._columns, costs)
        self._solver.run()
        self.runs += 1
        if self._solver.getModelStatus() != self._highs.HighsModelStatus.kOptimal:
            raise QualityGateError("A linear program over the published figures has no solution: they do not add up.")
        return np.array(self._solver.getSolution().col_value, dtype=float)


def bounds_of(
    members: Sequence[int], rows: Sequence[Row], targets: Collection[int], needed: int
) -> tuple[dict[int, tuple[int, int]], int]:
    """The whole-number bounds of targets that are closer together than ``needed``; and how many programs it took.

    Every solution widens what is known of all targets, so only those that stay narrow get programs of their own.
    """
    programs = Programs(members, rows)
    wanted = np.array(sorted(programs.number[unknown] for unknown in targets), dtype=np.int64)
    first = programs.least(np.zeros(programs.size))[wanted]
    least, most = first.copy(), first.copy()
    random = np.random.Generator(np.random.PCG64(2))
    for turn in range(_ROUNDS):
        narrow = most - least < needed - _EPSILON
        if not narrow.any():
            break
        costs = np.zeros(programs.size)
        costs[wanted[narrow]] = random.integers(1, 8, int(narrow.sum())) * (-1.0 if turn % 2 == 0 else 1.0)
        _take(programs.least(costs)[wanted], least, most)
    found = {}
    for position in np.nonzero(most - least < needed - _EPSILON)[0]:
        for sign in (-1.0, 1.0):
            if most[position] - least[position] < needed - _EPSILON:
                costs = np.zeros(programs.size)
                costs[wanted[position]] = sign
                _take(programs.least(costs)[wanted], least, most)
        low, high = math.ceil(least[position] - _EPSILON), math.floor(most[position] + _EPSILON)
        if high - low < needed:
            found[members[int(wanted[position])]] = (low, high)
    return found, programs.runs


def _take(values: npt.NDArray[np.float64], least: npt.NDArray[np.float64], most: npt.NDArray[np.float64]) -> None:
    np.minimum(least, values, out=least)
    np.maximum(most, values, out=most)
