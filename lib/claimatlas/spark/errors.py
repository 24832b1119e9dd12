"""Classify Spark's errors: those of a classic session, which come through Py4J, and those of Spark Connect.

A classic session tells the cause of a failure in the text of the error, Spark Connect in the server's stack trace
beside it. A pure Connect client (`pyspark-client`) has neither Py4J nor Delta's Python package.
"""

from __future__ import annotations

from pyspark.errors import PySparkException

from claimatlas.errors import text_of

SPARK_ERRORS: tuple[type[Exception], ...]
"""What Spark raises when a query fails, for `except`."""
try:
    from py4j.protocol import Py4JError
except ImportError:
    SPARK_ERRORS = (PySparkException,)
else:
    SPARK_ERRORS = (PySparkException, Py4JError)

_CONFLICTS: tuple[type[Exception], ...]
try:
    # Without this import, a classic session reports a conflict as an error of Py4J.
    from delta.exceptions import DeltaConcurrentModificationException
except ImportError:
    _CONFLICTS = ()
else:
    _CONFLICTS = (DeltaConcurrentModificationException,)

_SIGNS_OF_A_CONFLICT = ("[DELTA_CONCURRENT_", "[DELTA_METADATA_CHANGED", "[DELTA_PROTOCOL_CHANGED")
_SIGNS_OF_WHAT_IS_GONE = (
    "DELTA_FILE_NOT_FOUND",
    "DELTA_LOG_FILE_NOT_FOUND",
    "DELTA_NO_RECREATABLE_HISTORY_FOUND",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
    "DELTA_VERSION_NOT_FOUND",
    "FAILED_READ_FILE.FILE_NOT_EXIST",
    "FileNotFoundException",
)
"""An old version of a table whose files were vacuumed, or that its log no longer reaches."""


def is_conflict(error: BaseException) -> bool:
    """Whether another writer changed a table meanwhile."""
    return isinstance(error, _CONFLICTS) or any(sign in str(error) for sign in _SIGNS_OF_A_CONFLICT)


def is_no_longer_kept(error: BaseException) -> bool:
    """Whether a version of a table, or a file of it, is not there any more."""
    return any(sign in text_of(error) for sign in _SIGNS_OF_WHAT_IS_GONE)
