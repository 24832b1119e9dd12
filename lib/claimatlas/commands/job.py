"""Run a job: session, lock, run record, summary."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from claimatlas.commands.guard import guarded
from claimatlas.commands.options import configuration_of
from claimatlas.commands.sessions import session_for, work_of
from claimatlas.commands.summary import summary
from claimatlas.configuration import Configuration
from claimatlas.console.messages import Event, say
from claimatlas.errors import QualityGateError
from claimatlas.runs.context import RunContext
from claimatlas.runs.lock import workspace
from claimatlas.runs.record import RunRecord
from claimatlas.tables.releases import publish
from claimatlas.tables.schemas import RUNS
from claimatlas.tables.store import Store


@dataclass(frozen=True)
class Job:
    """A job: its name in the run record, how many stages it has, its reference years and its work.

    ``before``: called with the configuration before Spark starts, to refuse what can be refused without it.
    """

    name: str
    stages: int
    years: Callable[[Configuration], Sequence[int]]
    body: Callable[[RunContext], None]
    before: Callable[[Configuration], None] | None = None


def run_job(job: Job, arguments: argparse.Namespace) -> int:
    """Run a job with its session, lock, run record and summary; gives back the exit code."""
    return guarded(lambda: _run(job, arguments))


def _run(job: Job, arguments: argparse.Namespace) -> None:
    configuration = configuration_of(arguments, f"claimatlas {job.name}")
    reference_years = tuple(job.years(configuration))
    if job.before is not None:
        job.before(configuration)
    work = work_of(arguments)
    spark = session_for(job.name, arguments, work=work)
    store = Store.at(spark, arguments.output, configuration.settings.tables)
    record = RunRecord(job.name, reference_years, configuration, job.stages, spark=spark)
    record.note("conf", arguments.conf)
    record.note("work", work)
    for sentence in store.location.warnings(spark):
        record.warn(sentence)
    context = RunContext(store, configuration, reference_years, record)
    with workspace(store):
        try:
            outcome = "failed"
            job.body(context)
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
            # Publish last, so that a release never names a run without a record.
            record.note("release", publish(store, record.run_id, "run"))
        end = summary(store, configuration, reference_years, record)
        say(Event.SUMMARY, end.message, end.fields, text=end.text)
    if arguments.json:
        print(json.dumps(record.as_dict("done"), ensure_ascii=False, indent=2, sort_keys=True))
