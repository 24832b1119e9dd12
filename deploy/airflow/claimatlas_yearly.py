"""Airflow: the yearly chain ingest, deliveries, indicators, check, each a Spark job in client mode.

How to set it up stands in README.md beside this file. The rules are the jobs' own; here is only their order, what is
tried again, and that no two write at a time.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import DAG, BaseOperator, Param, chain
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

SUBMIT_VARIABLE = "CLAIMATLAS_SUBMIT"
"""In the workers' environment: the command that a job's script and options are appended to (`spark-submit`)."""
JOBS_VARIABLE = "CLAIMATLAS_JOBS"
"""In the workers' environment: the folder of the scripts (`/opt/claimatlas/jobs`)."""

FINAL = {
    2: "wrong options or input",
    3: "a quality gate",
}
"""The exit codes that come again however often the job is run: somebody has to look."""

YEARS_UNTIL_PUBLISHED = 2
"""A reference year is published in the fourth quarter of the second year after it."""

PARAMS = {
    "input": Param("/data/input", type="string", description="folder with claims, population, hospital_stays"),
    "output": Param("/data/output", type="string", description="root folder of the tables"),
    "year": Param(
        None,
        type=["null", "string"],
        pattern=r"^\d{4}(-\d{4})?$",
        description="reference year, or a range such as 2019-2023 (default: the second year before the run)",
    ),
    "as_of": Param(None, type=["null", "string"], format="date", description="last service date that is accepted"),
    "complete_through": Param(
        None, type=["null", "string"], format="date", description="last day that the claims reach, for the status"
    ),
    "add": Param(False, type="boolean", description="add the input to silver, instead of replacing silver by it"),
    "allow_drift": Param(False, type="boolean", description="publish national values however far they moved"),
    "conf": Param(None, type=["null", "string"], description="configuration folder (default: the shipped one)"),
    "set": Param([], type="array", items={"type": "string"}, description="settings to override, NAME=VALUE"),
}
"""What a run is given, by the names of the jobs' options."""

JOBS = {
    "ingest": ("input", "output", "as_of", "add", "conf", "set"),
    "deliveries": ("output", "year", "conf", "set"),
    "indicators": ("output", "year", "complete_through", "allow_drift", "conf", "set"),
    "check": ("output", "year", "conf", "set"),
}
"""The chain: each job, and what it takes of the params."""


class ClaimatlasJob(BaseOperator):  # type: ignore[misc] # Airflow is not installed where types are checked
    """Runs the job that the task is named after, without a shell; its exit code decides whether it is tried again."""

    def __init__(self, *, options: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401 - whatever a task takes
        """``options``: the names of the params that the job is given."""
        super().__init__(**kwargs)
        self.options = list(options)

    @cached_property
    def process(self) -> Any:  # noqa: ANN401 - Airflow has no types here
        """What runs the command and hands on its output to the task's log."""
        return SubprocessHook()

    def execute(self, context: Context) -> None:
        """Run the job.

        Raises:
            AirflowFailException: it ended with one of ``FINAL``, and is not tried again.
            AirflowException: it ended otherwise than well, and is tried again.
        """
        params = dict(context["params"])
        params["year"] = params["year"] or str(context["dag_run"].run_after.year - YEARS_UNTIL_PUBLISHED)
        submit = shlex.split(os.environ.get(SUBMIT_VARIABLE, "spark-submit"))
        script = f"{os.environ.get(JOBS_VARIABLE, '/opt/claimatlas/jobs')}/{self.task_id}.py"
        code = self.process.run_command([*submit, script, *flags(params, self.options)]).exit_code
        if code in FINAL:
            raise AirflowFailException(f"{self.task_id} ended with exit code {code}: {FINAL[code]}; see its log.")
        if code:
            raise AirflowException(f"{self.task_id} ended with exit code {code}; see its log.")

    def on_kill(self) -> None:
        """End the job with its task."""
        self.process.send_sigterm()


def flags(params: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """The options of a job's command line; each with its value in one word, so that no value is taken for an option."""
    for name in names:
        flag, value = f"--{name.replace('_', '-')}", params[name]
        if value is True:
            yield flag
        elif value:
            for one in value if isinstance(value, list) else [value]:
                yield f"{flag}={one}"


with DAG(
    "claimatlas_yearly",
    description="Raw claims to published indicators of a year",
    schedule="0 6 1 10 *",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    default_args={
        # Made with one slot, so that no other DAG of this pool writes to the same tables meanwhile either.
        "pool": "claimatlas",
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(hours=1),
    },
    tags=["claimatlas"],
) as dag:
    chain(*(ClaimatlasJob(task_id=job, options=options) for job, options in JOBS.items()))
