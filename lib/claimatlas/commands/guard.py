"""Turn every failure of a command into one clear message and an exit code.

Spark's errors are recognised only if Spark is loaded: commands that only read need not load it.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable

from claimatlas.commands.failures import known_cause
from claimatlas.console.interruption import INTERRUPTED, SENTENCE, ends_in_order, is_interrupted
from claimatlas.console.messages import complain, is_json
from claimatlas.errors import ClaimatlasError, ConcurrentRunError

# PySpark logs every failed query with its plan and message, which may quote data.
for query_logger in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
    logging.getLogger(query_logger).disabled = True

DEBUG = "CLAIMATLAS_DEBUG"
"""The variable that shows the full trace of an unexpected failure. The trace may quote data."""


def guarded(action: Callable[[], None]) -> int:
    """Run a command; turn a failure into one clear message and an exit code."""
    with ends_in_order(_stop_working):
        try:
            action()
        except KeyboardInterrupt:
            return _interrupted()
        except Exception as error:  # whatever it is, the person hears one sentence of it
            # A failure after Ctrl-C is a consequence of it, such as a clean-up when Java has ended.
            return _interrupted() if is_interrupted() else _failed(error)
    return 0


def _has_spark() -> bool:
    return "claimatlas.spark.session" in sys.modules or "pyspark.errors" in sys.modules


def _stop_working() -> None:
    if _has_spark():
        from claimatlas.spark.session import stop_working  # noqa: PLC0415 - see above

        stop_working()


def _interrupted() -> int:
    complain(SENTENCE, INTERRUPTED)
    return INTERRUPTED


def _failed(error: Exception) -> int:
    """Report the failure, and give back the exit code."""
    if isinstance(error, ClaimatlasError):
        complain(str(error), error.exit_code)
        return error.exit_code
    # The message of an unknown failure may quote data, so only its kind is shown.
    trace = {}
    if os.environ.get(DEBUG):
        text = "".join(traceback.format_exception(error))
        if is_json():
            trace["trace"] = text
        else:
            print(text, end="", file=sys.stderr)
    if _is_conflict(error):
        code = ConcurrentRunError.exit_code
        complain("Another run wrote to the same tables meanwhile; run the job again when it has ended.", code)
        return code
    complain(known_cause(error) or _unexpected(error), ClaimatlasError.exit_code, **trace)
    return ClaimatlasError.exit_code


def _is_conflict(error: Exception) -> bool:
    if not _has_spark():
        return False
    from claimatlas.spark.errors import is_conflict  # noqa: PLC0415 - see above

    return is_conflict(error)


def _unexpected(error: Exception) -> str:
    kind = type(error).__name__
    if _has_spark():
        from pyspark.errors import PySparkException  # noqa: PLC0415 - see above

        if isinstance(error, PySparkException) and error.getCondition():
            kind += f", {error.getCondition()}"
    return f"Unexpected failure ({kind}). Set {DEBUG}=1 and run again to see the whole trace; it may quote data."
