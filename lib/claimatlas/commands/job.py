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
from claimatlas.commands.sessions import is_small, session_for
from claimatlas.configuration import Configuration
from claimatlas.errors import ClaimatlasError, ConcurrentRunError, QualityGateError
from claimatlas.interruption import INTERRUPTED, SENTENCE, ends_in_order, is_interrupted
from claimatlas.messages import Event, complain, is_json, say
from claimatlas.runs.lock import workspace
from claimatlas.runs.record import RunRecord
from claimatlas.runs.summary import summary
from claimatlas.session import stop_working
from claimatlas.spark_errors import is_conflict
from claimatlas.tables.releases import publish
from claimatlas.tables.schemas import RUNS
from claimatlas.tables.store import Store

# PySpark logs every failed query with its plan and message, which may quote data.
for query_logger in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
    logging.getLogger(query_logger).disabled = True

DEBUG = "CLAIMATLAS_DEBUG"
"""Set it to see the whole trace of an unexpected failure; the trace may quote data."""


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
    *,
    before: Callable[[Configuration], None] | None = None,
) -> int:
    """Run ``body`` and give back the exit code.

    ``before``: looks at what can be refused without Spark, once the configuration is loaded.
    """
    return guarded(lambda: _run(name, stages, arguments, years, body, before))


def guarded(action: Callable[[], None]) -> int:
    """Do something; turn what goes wrong into one clear message and an exit code."""
    with ends_in_order(stop_working):
        try:
            action()
        except KeyboardInterrupt:
            return _interrupted()
        except Exception as error:  # whatever it is, the person hears one sentence of it
            # What fails after Ctrl-C, as the tidying up does where Java is gone, fails because of that.
            return _interrupted() if is_interrupted() else _failed(error)
    return 0


def _interrupted() -> int:
    complain(SENTENCE, INTERRUPTED)
    return INTERRUPTED


def _failed(error: Exception) -> int:
    """Say why, and give back the exit code."""
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
    if is_conflict(error):
        code = ConcurrentRunError.exit_code
        complain("Another run wrote to the same tables meanwhile; run the job again when it has ended.", code)
        return code
    complain(known_cause(error) or _unexpected(error), ClaimatlasError.exit_code, **trace)
    return ClaimatlasError.exit_code


def _run(
    name: str,
    stages: int,
    arguments: argparse.Namespace,
    years: Callable[[Configuration], Sequence[int]],
    body: Callable[[Job], None],
    before: Callable[[Configuration], None] | None,
) -> None:
    configuration = configuration_of(arguments, f"claimatlas {name}")
    reference_years = tuple(years(configuration))
    if before is not None:
        before(configuration)
    spark = session_for(name, arguments)
    store = Store.at(spark, arguments.output)
    record = RunRecord(name, reference_years, configuration, stages, spark=spark)
    record.note("conf", arguments.conf)
    record.note("is_small", is_small(arguments))
    for sentence in store.place.warnings(spark):
        record.warn(sentence)
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
                store.append_row(record.row(outcome), RUNS, {"run_id": record.run_id})
        if record.publishes:
            # Last of all, so that a release never names a run without a record.
            record.note("release", publish(store, record.run_id, "run"))
        end = summary(store, configuration, reference_years, record)
        say(Event.SUMMARY, end.message, end.fields, text=end.text)
    if arguments.json:
        print(json.dumps(record.as_dict("done"), ensure_ascii=False, indent=2, sort_keys=True))


def _unexpected(error: Exception) -> str:
    kind = type(error).__name__
    if isinstance(error, PySparkException) and error.getCondition():
        kind += f", {error.getCondition()}"
    return f"Unexpected failure ({kind}). Set {DEBUG}=1 and run again to see the whole trace; it may quote data."
