"""What Spark's own counts of jobs and stages add up to for a stage of a run. Without Spark."""

from typing import Any

import pytest
from claimatlas.runs import metrics
from claimatlas.runs.metrics import NOT_CLASSIC, NOT_READABLE, Work, is_complete, measured, totals
from py4j.protocol import Py4JError
from pyspark.errors import PySparkAttributeError

OURS, OTHER = "claimatlas/r1/ingest", "claimatlas/r1/deliveries"


def job(number: int, stages: list[int], *tags: str) -> dict[str, Any]:
    return {"jobId": number, "stageIds": stages, "jobTags": list(tags)}


def stage(number: int, size: int, status: str = "COMPLETE", attempt: int = 0) -> dict[str, Any]:
    """A Spark stage all of whose counts are `size`."""
    names = [theirs for theirs, _ in metrics._SUMS.values()] + ["peakExecutionMemory"]
    return {"stageId": number, "attemptId": attempt, "status": status, **dict.fromkeys(names, size)}


def test_only_marked_jobs_count() -> None:
    jobs = [job(3, [5], OTHER), job(2, [4]), job(1, [2, 3], "somebody's", OURS), job(0, [1], OURS)]
    found = totals(jobs, [stage(number, 10**number) for number in range(1, 6)], OURS)
    assert (found["jobs"], found["stages"], found["input_rows"]) == (2, 3, 1110)


def test_what_never_ran_does_not_count_and_each_attempt_does() -> None:
    stages = [stage(1, 1, "FAILED"), stage(1, 10, attempt=1), stage(2, 100, "SKIPPED"), stage(3, 1000, "PENDING")]
    found = totals([job(0, [1, 2, 3], OURS)], stages, OURS)
    assert (found["stages"], found["tasks"], found["failed_tasks"]) == (2, 11, 11)


def test_a_stage_counts_for_the_first_job_that_needed_it() -> None:
    jobs = [job(1, [1, 2], OTHER), job(0, [1], OURS)]
    stages = [stage(1, 1), stage(2, 10)]
    assert [totals(jobs, stages, tag)["output_bytes"] for tag in (OURS, OTHER)] == [1, 10]


def test_units() -> None:
    found = totals([job(0, [1, 2], OURS)], [stage(1, 2_000_000_000), stage(2, 1_000_000_000)], OURS)
    assert found["executor_cpu_seconds"] == 3  # from nanoseconds
    assert found["executor_run_seconds"] == found["garbage_collection_seconds"] == 3_000_000  # from milliseconds
    assert found["shuffle_write_bytes"] == found["spilled_disk_bytes"] == 3_000_000_000
    assert found["peak_execution_memory_bytes"] == 2_000_000_000  # not a sum


def test_without_jobs_everything_is_zero() -> None:
    assert set(totals([], [], OURS).values()) == {0}


@pytest.mark.parametrize(
    ("jobs", "stages", "complete"),
    [
        ([job(0, [1], OURS)], [1], True),
        ([job(0, [1], OURS)], [], False),  # the stage is forgotten
        ([job(7, [1], OURS)], [1], False),  # all earlier jobs are forgotten, perhaps some of ours
        ([job(6, [1], OTHER), job(7, [2], OURS)], [2], True),
        ([], [], True),
    ],
)
def test_what_spark_has_forgotten_is_noticed(jobs: list[dict[str, Any]], stages: list[int], complete: bool) -> None:
    assert is_complete(jobs, [stage(number, 1) for number in stages], OURS) == complete


class Session:
    """A session that has, or has not, a context."""

    def __init__(self, error: Exception | None = None, later: Exception | None = None) -> None:
        self.error, self.later, self.tags = error, later, []

    @property
    def sparkContext(self) -> "Session":  # noqa: N802 - Spark's name
        if self.error:
            raise self.error
        return self

    def addJobTag(self, tag: str) -> None:  # noqa: N802
        self.tags.append(tag)

    def removeJobTag(self, tag: str) -> None:  # noqa: N802
        if self.later:
            raise self.later
        self.tags.remove(tag)


def work_in(session: Any) -> Work:
    with measured(session, OURS) as work:
        assert not isinstance(session, Session) or session.error or session.tags == [OURS]
    return work


def test_a_connect_session_has_no_counts_and_a_reason() -> None:
    error = PySparkAttributeError(
        errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": "sparkContext"}
    )
    assert work_in(Session(error)) == Work({}, NOT_CLASSIC)


def test_a_session_that_hides_java_has_no_counts_and_a_reason() -> None:
    assert work_in(Session(Py4JError("no access"))) == Work({}, NOT_READABLE.format(kind="Py4JError"))


def test_counts_that_cannot_be_read_never_make_a_run_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(context: object) -> None:
        raise Py4JError("a method is gone")

    monkeypatch.setattr(metrics, "_read", unreadable)
    assert work_in(Session()) == Work({}, NOT_READABLE.format(kind="Py4JError"))
    assert work_in(Session(later=Py4JError("Java is gone"))).counts == {}


def test_the_mark_goes_when_the_work_fails() -> None:
    session: Any = Session()
    with pytest.raises(ZeroDivisionError), measured(session, OURS):
        raise ZeroDivisionError
    assert session.tags == []


def test_without_a_session_there_is_a_reason() -> None:
    assert work_in(None).note == metrics.NO_SESSION
