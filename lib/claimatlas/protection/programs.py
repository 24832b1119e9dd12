"""Linear programs over the finest counts of some places, with all other counts as they are: solved by HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from claimatlas.solver import highs, quiet_solver

Floats = npt.NDArray[np.float64]
_EPSILON = 1e-6


class Program:
    """A linear program with fixed rows, whose costs and bounds change between runs.

    rows: for each the columns (each with coefficient 1) and its two bounds. Every solution is one of a single thread
    with a fixed seed, so that it is the same on every machine.
    """

    def __init__(
        self,
        low: Floats,
        high: Floats,
        rows: Sequence[npt.NDArray[np.int64]],
        bounds: Sequence[tuple[float, float]],
        signs: Sequence[Floats] | None = None,
    ) -> None:
        self._highs = solver = highs()
        self.size = len(low)
        model = solver.HighsLp()
        model.num_col_, model.num_row_ = self.size, len(rows)
        model.col_cost_ = np.zeros(self.size)
        model.col_lower_, model.col_upper_ = low, high
        model.row_lower_ = np.array([lower for lower, _ in bounds], dtype=float)
        model.row_upper_ = np.array([upper for _, upper in bounds], dtype=float)
        matrix = model.a_matrix_
        matrix.format_ = solver.MatrixFormat.kRowwise
        matrix.start_ = np.cumsum([0, *map(len, rows)]).astype(np.int32)
        matrix.index_ = (np.concatenate(rows) if rows else np.zeros(0)).astype(np.int32)
        values = signs if signs is not None else [np.ones(len(row)) for row in rows]
        matrix.value_ = np.concatenate(values) if rows else np.zeros(0)
        model.sense_ = solver.ObjSense.kMinimize
        self._solver = quiet_solver()
        # The models are small and many: to simplify each first took a quarter of all processor time of a national year.
        self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(model)
        self._columns = np.arange(self.size, dtype=np.int32)
        self.runs = 0

    def least(self, costs: Floats, *, whole: bool = False) -> Floats | None:
        """The solution of the least cost; nothing when there is none. ``whole``: in whole numbers."""
        self._solver.changeColsCost(self.size, self._columns, np.asarray(costs, dtype=float))
        if whole:
            kinds = np.full(self.size, self._highs.HighsVarType.kInteger)
            self._solver.changeColsIntegrality(self.size, self._columns, kinds)
        self._solver.run()
        self.runs += 1
        if whole:
            kinds = np.full(self.size, self._highs.HighsVarType.kContinuous)
        status = self._solver.getModelStatus()
        if whole:
            found = self._solution(status)
            self._solver.changeColsIntegrality(self.size, self._columns, kinds)
            return found
        return self._solution(status)

    def bound_row(self, row: int, low: float, high: float) -> None:
        """Change the bounds of a row."""
        self._solver.changeRowBounds(row, low, high)

    def _solution(self, status: Any) -> Floats | None:  # noqa: ANN401 - the solver has no types
        if status != self._highs.HighsModelStatus.kOptimal:
            return None
        return np.array(self._solver.getSolution().col_value, dtype=float)


def as_whole(values: Floats) -> npt.NDArray[np.int64] | None:
    """The values as whole numbers; nothing when one of them is not."""
    rounded = np.rint(values)
    return rounded.astype(np.int64) if np.abs(values - rounded).max(initial=0) < _EPSILON else None


def solver_version() -> str:
    """The version of the solver."""
    return str(highs().Highs().version())
