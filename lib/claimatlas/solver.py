"""The solver of linear programs, without what it prints on standard output when it is first made."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Any

from claimatlas.errors import InputError

_NEEDS = "linear programs need the packages numpy and highspy: install claimatlas[publish]."


def quiet_solver() -> Any:  # noqa: ANN401 - the solver has no types
    """A solver that prints nothing and gives the same answer each time: one thread, a fixed seed.

    Raises:
        InputError: the package is not there.
    """
    solver = highs().Highs()
    for name, value in (
        ("output_flag", False),
        ("log_to_console", False),
        ("threads", 1),
        ("random_seed", 1),
        ("parallel", "off"),
    ):
        solver.setOptionValue(name, value)
    return solver


@cache
def highs() -> Any:  # noqa: ANN401 - the solver has no types
    """The module of the solver.

    Raises:
        InputError: it is not there.
    """
    try:
        import highspy  # noqa: PLC0415 - only what publishes needs it
    except ModuleNotFoundError:
        raise InputError(_NEEDS) from None
    # The first solver prints its name in spite of its settings; standard output is for results. The report of `protect`
    # names the solver and its version.
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]
        ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
    return highspy
