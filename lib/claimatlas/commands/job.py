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
from datetime import date

from delta.exceptions import DeltaConcurrentModificationException
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from claimatlas.commands.options import configuration_of
from claimatlas.configuration import Configuration
from claimatlas.errors import ClaimatlasError, ConcurrentRunError, InputError, QualityGateError
from claimatlas.ingest.marker import facts_of_silver
from claimatlas.runs.lock import exclusive
from claimatlas.runs.record import RunRecord
from claimatlas.runs.summary import summary
from claimatlas.session import get_session
from claimatlas.tables.schemas import CLAIMS, HOSPITAL_STAYS, POPULATION, RUNS, deliveries_table
from claimatlas.tables.store import Store

# PySpark logs every failed query with its plan and message, which may quote data.
for query_logger in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
    logging.getLogger(query_logger).disabled = True

DELIVERIES_OF = "claimatlas.deliveries."
"""Table property of ``silver/deliveries``, with the year: the ingest and the run that its deliveries come from."""

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
    except DeltaConcurrentModificationException:
        _complain("Another run wrote to the same tables meanwhile; run the job again when it has ended.")
        return ConcurrentRunError.exit_code
    except KeyboardInterrupt:
        _complain("Interrupted. Tables that were not yet replaced are as before; run the job again.")
        return 130
    except Exception as error:  # The message of an unknown failure may quote data, so only its kind is shown.
        if os.environ.get(DEBUG):
            traceback.print_exc()
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
    with exclusive(store):
        try:
            outcome = "failed"
            body(job)
            outcome = "done"
        except QualityGateError:
            outcome = "gate"
            raise
        finally:
            record.close()
            store.clear_work()
            if outcome != "failed":
                store.create(RUNS)
                store.append(record.row(spark, outcome), RUNS, {"run_id": record.run_id})
        print(summary(store, configuration, reference_years, record), file=sys.stderr)
    if arguments.json:
        print(json.dumps(record.as_dict("done"), ensure_ascii=False, indent=2, sort_keys=True))


def use_silver(job: Job) -> None:
    """Note which silver the job computes from.

    Raises:
        InputError: there is none, its ingest did not finish, or it has no population of a year.
    """
    facts = facts_of_silver(job.store)
    population = job.store.read(POPULATION).where(F.col("year").isin(list(job.years)))
    missing = sorted(set(job.years) - {row["year"] for row in population.select("year").distinct().collect()})
    if missing:
        raise InputError(f"The population in silver has no row for {', '.join(map(str, missing))}.")
    versions = {table.name: job.store.version(table) for table in (CLAIMS, POPULATION, HOSPITAL_STAYS)}
    job.record.note("silver", {**facts, "versions": versions})


def unmark_deliveries(job: Job) -> None:
    """Take the marks of the years off ``silver/deliveries`` before it is written: a run may end between the two."""
    table = deliveries_table(job.configuration)
    marks = job.store.properties(table) if job.store.exists(table) else {}
    for year in job.years:
        if marks.get(f"{DELIVERIES_OF}{year}", "{}") != "{}":
            job.store.set_property(table, f"{DELIVERIES_OF}{year}", "{}")


def mark_deliveries(job: Job) -> None:
    """Say on ``silver/deliveries`` for which years, from which silver and by what configuration, it was computed."""
    table = deliveries_table(job.configuration)
    origin = {**_origin(job), "run": job.record.run_id}
    for year in job.years:
        job.store.set_property(table, f"{DELIVERIES_OF}{year}", json.dumps(origin, sort_keys=True))
    job.record.note("deliveries_run", {str(year): job.record.run_id for year in job.years})


def require_deliveries(job: Job) -> None:
    """Refuse to count deliveries that were not computed from the silver that is there: none is not zero.

    Raises:
        InputError: naming the years.
    """
    table = deliveries_table(job.configuration)
    properties = job.store.properties(table) if job.store.exists(table) else {}
    origins = {year: json.loads(properties.get(f"{DELIVERIES_OF}{year}", "{}")) for year in job.years}
    expected = _origin(job)
    missing = [
        str(year)
        for year, origin in origins.items()
        if any(origin.get(name) != value for name, value in expected.items())
    ]
    if missing:
        raise InputError(
            f"There is no table {table.name} of {', '.join(missing)} from this silver and with this configuration in "
            f"{job.store.root}: run the job deliveries first."
        )
    job.record.note("deliveries_run", {str(year): origin["run"] for year, origin in origins.items()})


def _origin(job: Job) -> dict[str, str]:
    """What deliveries depend on: the ingest, and the parts of the configuration that they are formed by."""
    hashes = job.record.hashes
    return {"ingest": job.record.notes["silver"]["run_id"]} | {
        part: hashes[part] for part in ("settings", "services", "code_lists", "geography", "sector_table")
    }


def complete_through(job: Job, given: date | None) -> date | None:
    """The last day that the claims reach: as given, else the latest accepted service date."""
    last = job.record.notes["silver"]["last_service_date"]
    day = given or (date.fromisoformat(last) if last else None)
    job.record.note("complete_through", day.isoformat() if day else None)
    return day


def _complain(message: str) -> None:
    print(f"claimatlas: {message}", file=sys.stderr)
