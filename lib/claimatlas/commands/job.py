"""What every job has around it: session, lock, run record, messages, exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from claimatlas.commands.failures import known_cause
from claimatlas.commands.options import configuration_of
from claimatlas.configuration import Configuration
from claimatlas.errors import ClaimatlasError, ConcurrentRunError, QualityGateError
from claimatlas.messages import Event, complain, is_json, say
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
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


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
        complain(str(error), error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        complain("Interrupted. Tables that were not yet replaced are as before; run the job again.", INTERRUPTED)
        return INTERRUPTED
    except Exception as error:  # The message of an unknown failure may quote data, so only its kind is shown.
        trace = {}
        if os.environ.get(DEBUG):
            if is_json():
                trace["trace"] = traceback.format_exc()
            else:
                traceback.print_exc()
        if is_conflict(error):
            code = ConcurrentRunError.exit_code
            complain("Another run wrote to the same tables meanwhile; run the job again when it has ended.", code)
            return code
        complain(known_cause(error) or _unexpected(error), ClaimatlasError.exit_code, **trace)
        return ClaimatlasError.exit_code
    return 0


def _run(
    name: str,
    stages: int,
    arguments: argparse.Namespace,
    years: Callable[[Configuration], Sequence[int]],
    body: Callable[[Job], None],
) -> None:
    configuration = configuration_of(arguments, f"claimatlas {name}")
    reference_years = tuple(years(configuration))
    spark = get_session(f"claimatlas {name}")
    store = Store.at(spark, arguments.output)
    record = RunRecord(name, reference_years, configuration, stages, spark=spark)
    record.note("conf", arguments.conf)
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
                store.append(record.row(spark, outcome), RUNS, {"run_id": record.run_id})
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
