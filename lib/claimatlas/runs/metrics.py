"""Spark's own counts of a stage: the work of the Spark jobs that the stage started.

The counts are those of Spark's own user interface. The driver keeps them even without one, but
only the JVM exposes them, so this module needs a classic session. In any
other (Connect, serverless) a stage has no counts, and a note that says why. Counting never makes a run fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkAttributeError
from pyspark.sql import SparkSession

from claimatlas.spark.errors import SPARK_ERRORS

if TYPE_CHECKING:  # a pure Connect client has none
    from pyspark import SparkContext

NO_SESSION = "No session was given."
NOT_CLASSIC = "Spark Connect, and serverless Spark, give no counts to the client."
NOT_READABLE = "Spark's counts could not be read here ({kind})."
NOT_ALL = "Spark no longer keeps all of this stage's jobs (spark.ui.retainedJobs, spark.ui.retainedStages)."

PATIENCE_MILLISECONDS = 30_000
"""The longest wait for Spark to record the jobs that have already ended."""

_SUMS = {
    "tasks": ("numCompleteTasks", 1),
    "failed_tasks": ("numFailedTasks", 1),
    "executor_run_seconds": ("executorRunTime", 1e-3),
    "executor_cpu_seconds": ("executorCpuTime", 1e-9),
    "garbage_collection_seconds": ("jvmGcTime", 1e-3),
    "input_bytes": ("inputBytes", 1),
    "input_rows": ("inputRecords", 1),
    "output_bytes": ("outputBytes", 1),
    "output_rows": ("outputRecords", 1),
    "shuffle_read_bytes": ("shuffleReadBytes", 1),
    "shuffle_write_bytes": ("shuffleWriteBytes", 1),
    "spilled_memory_bytes": ("memoryBytesSpilled", 1),
    "spilled_disk_bytes": ("diskBytesSpilled", 1),
}
"""For each of our sums over Spark stages: Spark's name of it, and the factor from Spark's unit to ours."""
_PEAK = "peakExecutionMemory"
_NEVER_RUN = {"PENDING", "SKIPPED"}


@dataclass
class Work:
    """What Spark did for a stage, known when the stage has ended.

    counts: ``jobs``, ``stages`` (of Spark, each attempt), sums over the tasks of these, and the
    ``peak_execution_memory_bytes`` of that Spark stage whose tasks' peaks add up to most. note: why counts are missing.
    """

    counts: dict[str, float] = field(default_factory=dict)
    note: str | None = None


@contextmanager
def measured(spark: SparkSession | None, tag: str) -> Iterator[Work]:
    """Count Spark's work inside the block: its jobs carry ``tag``. A block that fails is not counted."""
    work = Work()
    context = _marked(spark, tag, work)
    if context is None:
        yield work
        return
    try:
        yield work
    finally:
        _unmark(context, tag, work)
    try:
        jobs, stages = _read(context)
    except SPARK_ERRORS as error:
        work.note = NOT_READABLE.format(kind=type(error).__name__)
        return
    work.counts = totals(jobs, stages, tag)
    if not is_complete(jobs, stages, tag):
        work.note = NOT_ALL


def _marked(spark: SparkSession | None, tag: str, work: Work) -> SparkContext | None:
    """The context of a classic session. From now on the jobs of this thread carry the tag."""
    if spark is None:
        work.note = NO_SESSION
        return None
    try:
        context = spark.sparkContext
        context.addJobTag(tag)
    except PySparkAttributeError:
        work.note = NOT_CLASSIC
        return None
    except SPARK_ERRORS as error:
        work.note = NOT_READABLE.format(kind=type(error).__name__)
        return None
    return context


def _unmark(context: SparkContext, tag: str, work: Work) -> None:
    try:
        context.removeJobTag(tag)
    except SPARK_ERRORS as error:
        # Java may have ended. The failure of the stage itself says why.
        work.note = NOT_READABLE.format(kind=type(error).__name__)


def _read(context: SparkContext) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The jobs and stages that Spark remembers, each as its status interface would give it.

    Java writes all of them as one text, because a request for each number would take seconds.
    """
    java: Any = context._jvm
    core = context._jsc.sc()
    core.listenerBus().waitUntilEmpty(PATIENCE_MILLISECONDS)
    store = core.statusStore()
    mapper = java.org.apache.spark.status.api.v1.JacksonMessageWriter().mapper()
    gateway: Any = context._gateway
    no_quantiles, every_task = gateway.new_array(java.double, 0), java.java.util.ArrayList()
    jobs = mapper.writeValueAsString(store.jobsList(None))
    stages = mapper.writeValueAsString(store.stageList(None, False, False, no_quantiles, every_task))
    return json.loads(jobs), json.loads(stages)


def totals(jobs: Sequence[Mapping[str, Any]], stages: Sequence[Mapping[str, Any]], tag: str) -> dict[str, float]:
    """The sums over the jobs with a tag, in the units that the names say: bytes, rows, seconds.

    A Spark stage counts for the first job that needed it, with each of its attempts. A job without a stage comes from a
    query over no data, and is not counted.
    """
    first_job: dict[int, Mapping[str, Any]] = {}
    for job in sorted(jobs, key=lambda job: int(job["jobId"])):
        for stage in job["stageIds"]:
            first_job.setdefault(stage, job)
    marked = {stage for stage, job in first_job.items() if tag in job["jobTags"]}
    done = [stage for stage in stages if stage["stageId"] in marked and stage["status"] not in _NEVER_RUN]
    counts: dict[str, float] = {
        "jobs": sum(tag in job["jobTags"] and bool(job["stageIds"]) for job in jobs),
        "stages": len(done),
    }
    for name, (theirs, unit) in _SUMS.items():
        total = sum(stage[theirs] for stage in done)
        counts[name] = total if unit == 1 else round(total * unit, 3)
    counts["peak_execution_memory_bytes"] = max((stage[_PEAK] for stage in done), default=0)
    return counts


def is_complete(jobs: Sequence[Mapping[str, Any]], stages: Sequence[Mapping[str, Any]], tag: str) -> bool:
    """Whether Spark still remembers all jobs and stages with a tag: it forgets the oldest ones."""
    marked = [job for job in jobs if tag in job["jobTags"]]
    kept = {stage["stageId"] for stage in stages}
    oldest = min((job["jobId"] for job in jobs), default=0)
    return all(set(job["stageIds"]) <= kept and not job["jobId"] == oldest > 0 for job in marked)
