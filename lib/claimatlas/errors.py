"""The errors that end a job, each with the exit code that the command line gives back."""

from __future__ import annotations

NO_SPARK = "there is no Spark here: install the package with it, as claimatlas[spark], or use a Python that has one."


class ClaimatlasError(Exception):
    """A failure whose message is meant for the person at the command line.

    The message is one or a few clear sentences, names no beneficiary and holds no record.
    """

    exit_code = 1


class InputError(ClaimatlasError):
    """Wrong usage, settings or input: nothing was written."""

    exit_code = 2


class QualityGateError(ClaimatlasError):
    """The data failed a quality gate: of a run, which keeps the rejected rows and publishes nothing, or of a check."""

    exit_code = 3


class ConcurrentRunError(ClaimatlasError):
    """Another run writes to the same output."""

    exit_code = 4


def text_of(error: BaseException) -> str:
    """The full text of a failure and its causes, to search in. Never show it: it may quote data."""
    trace = getattr(error, "getStackTrace", None)
    return f"{error}\n{(trace() if callable(trace) else None) or ''}"
