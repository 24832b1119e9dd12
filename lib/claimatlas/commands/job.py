"""What every job has around it: session, lock, run record, messages, exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from claimatlas.commands.failures import known_cause
from claimatlas.commands.options import configuration_of
from claimatlas.configuration import Configuration
from claimatlas.errors import ClaimatlasError, ConcurrentRunError, QualityGateError
from claimatlas.runs.lock import workspace
from claimatlas.runs.record import RunRecord
from claimatlas.runs.summary import summary
from claimatlas.session import get_session
from claimatlas.spark_errors import is_conflict
from claimatlas.tables.releases import publish
from claimatlas.tables.schemas import RUNS
from claimatlas.tables.store import Store

# PySpark logs every failed query with its plan and message, which may quote data.
for query_logger in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
    logging.getLogger(query_logger).disabled = True

DEBUG = "CLAIMATLAS_DEBUG"
"""Set it to see the whole trace of an unexpected failure; the trace may quote data."""
_LONGEST = 2000
"""Characters of a line of a message."""


@dataclass(frozen=True)
class Job:
    """What a job works with."""

    spark: SparkSession
    store: Store
    configuration: Configuration
    years: tuple[int, ...]
    record: RunRecord


def run_job(
    name: str,
    stages: int,
    arguments: argparse.Namespace,
    years: Callable[[Configuration], Sequence[int]],
    body: Callable[[Job], None],
) -> int:
    """Run ``body`` and give back the exit code."""
    return guarded(lambda: _run(name, stages, arguments, years, body))


def guarded(action: Callable[[], None]) -> int:
    """Do something; turn what goes wrong into one clear message and an exit code."""
    try:
        action()
    except ClaimatlasError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("Interrupted. Tables that were not yet replaced are as before; run the job again.")
        return 130
    except Exception as error:  # The message of an unknown failure may quote data, so only its kind is shown.
        if os.environ.get(DEBUG):
            traceback.print_exc()
        if is_conflict(error):
            _complain("Another run wrote to the same tables meanwhile; run the job again when it has ended.")
            return ConcurrentRunError.exit_code
        cause = known_cause(error)
        if cause:
            _complain(cause)
            return ClaimatlasError.exit_code
        kind = type(error).__name__
        if isinstance(error, PySparkException) and error.getCondition():
            kind += f", {error.getCondition()}"
        _complain(
            f"Unexpected failure ({kind}). Set {DEBUG}=1 and run again to see the whole trace; it may quote data."
        )
        return ClaimatlasError.exit_code
    return 0


def _run(
    name: str,
    stages: int,
    arguments: argparse.Namespace,
    years: Callable[[Configuration], Sequence[int]],
    body: Callable[[Job], None],
) -> None:
    configuration = configuration_of(arguments)
    reference_years = tuple(years(configuration))
    spark = get_session(f"claimatlas {name}")
    store = Store(spark, arguments.output)
    record = RunRecord(name, reference_years, configuration, stages)
    job = Job(spark, store, configuration, reference_years, record)
    with workspace(store):
        try:
            outcome = "failed"
            body(job)
            outcome = "done"
        except QualityGateError:
            outcome = "gate"
            raise
        finally:
            record.close()
            if outcome != "failed":
                store.create(RUNS)
                store.append(record.row(spark, outcome), RUNS, {"run_id": record.run_id})
        if record.publishes:
            # Last of all, so that a release never names a run without a record.
            record.note("release", publish(store, record.run_id, "run"))
        print(summary(store, configuration, reference_years, record), file=sys.stderr)
    if arguments.json:
        print(json.dumps(record.as_dict("done"), ensure_ascii=False, indent=2, sort_keys=True))


def _complain(message: str) -> None:
    # Names come from files: neither ten megabytes of one nor what would steer a terminal is shown.
    short = "\n".join(line if len(line) <= _LONGEST else line[:_LONGEST] + "…" for line in message.split("\n"))
    shown = "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in short)
    print(f"claimatlas: {shown}", file=sys.stderr)
