"""The solver, given a part of a model: with all other unknowns as they are, or anywhere within their bounds."""

from __future__ import annotations

import numpy as np

from claimatlas.auditing.lattice import ContradictionError
from claimatlas.auditing.programs import Model, Reals
from claimatlas.errors import QualityGateError
from claimatlas.solver import highs, quiet_solver


class Program:
    """Linear programs over some unknowns of a model; each starts from where the last one ended."""

    def __init__(self, model: Model, chosen: np.ndarray, at: Reals | None, *, interior: bool = False) -> None:
        """Take the chosen unknowns (a mask).

        at: a solution at which all others stay. Without it they may be anything within their bounds, so what this
        program cannot reach, nothing can.
        """
        highspy = highs()
        self._highspy = highspy
        self.columns = np.nonzero(chosen)[0]
        number = np.full(model.size, -1, dtype=np.int64)
        number[self.columns] = np.arange(len(self.columns))
        rows = model.rows
        owner = np.repeat(np.arange(len(rows.low)), np.diff(rows.start))
        inside = chosen[rows.index]
        touched = np.zeros(len(rows.low), dtype=bool)
        touched[owner[inside]] = True
        outside = ~inside & touched[owner]
        low, high = self._bounds_without_others(model, at, owner, outside)
        if at is not None:
            # A solution is right up to rounding: what it gives is right here.
            sums = np.bincount(owner[inside], rows.value[inside] * at[rows.index[inside]], len(rows.low))
            low, high = np.minimum(low, sums), np.maximum(high, sums)
        kept = np.nonzero(touched)[0]
        lengths = np.bincount(owner[inside], minlength=len(rows.low))[kept]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.columns), len(kept)
        lp.col_cost_ = np.zeros(len(self.columns))
        lp.col_lower_, lp.col_upper_ = model.low[self.columns], model.high[self.columns]
        lp.row_lower_, lp.row_upper_ = low[kept], high[kept]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        lp.a_matrix_.index_ = number[rows.index[inside]].astype(np.int32)
        lp.a_matrix_.value_ = rows.value[inside]
        self._solver = quiet_solver()
        self._is_interior = interior
        if interior:
            self._solver.setOptionValue("solver", "ipm")
            self._solver.setOptionValue("run_crossover", "off")
        self._solver.passModel(lp)
        self._all = np.arange(len(self.columns), dtype=np.int32)
        self.runs = 0

    @staticmethod
    def _bounds_without_others(
        model: Model, at: Reals | None, owner: np.ndarray, outside: np.ndarray
    ) -> tuple[Reals, Reals]:
        """The bounds of the rows, less what the other unknowns are, or may be."""
        rows = model.rows
        low, high = rows.low.copy(), rows.high.copy()
        own, index, value = owner[outside], rows.index[outside], rows.value[outside]
        if at is not None:
            sums = np.bincount(own, value * at[index], len(low))
            return low - sums, high - sums
        most = np.where(value > 0, value * model.high[index], value * model.low[index])
        least = np.where(value > 0, value * model.low[index], value * model.high[index])
        return low - np.bincount(own, most, len(low)), high - np.bincount(own, least, len(low))

    def least(self, costs: Reals) -> Reals:
        """The chosen unknowns in a solution of the least costs; costs: of each chosen one.

        Raises:
            ContradictionError: there is none: what is published contradicts itself.
            QualityGateError: the solver gave up.
        """
        self._solver.changeColsCost(len(self.columns), self._all, costs)
        self._solver.run()
        self.runs += 1
        status = self._solver.getModelStatus()
        if self._is_interior and status == self._highspy.HighsModelStatus.kUnknown:
            # The interior method got stuck: rarely, and another finds its way.
            self._solver.setOptionValue("solver", "simplex")
            self._solver.run()
            status = self._solver.getModelStatus()
            self._solver.setOptionValue("solver", "ipm")
        if status == self._highspy.HighsModelStatus.kInfeasible:
            raise ContradictionError("The published figures contradict each other: no table of counts has them all.")
        if status != self._highspy.HighsModelStatus.kOptimal:
            name = self._solver.modelStatusToString(status)
            raise QualityGateError(f"A linear program over the published figures has no solution ({name}).")
        return np.array(self._solver.getSolution().col_value, dtype=float)
