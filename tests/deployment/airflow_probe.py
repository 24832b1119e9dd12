"""Run by a Python that has Airflow: imports the DAG as Airflow does, and runs it as Airflow does.

Reads one JSON object from standard input: `runs`, a list of the params of each run, and `retry_at_once`. Writes one to
the file that its argument names: what Airflow knows of the DAG, and for each run the tasks with their states and tries.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError


def structure(dag: DAG) -> dict[str, Any]:
    tasks = {
        task.task_id: {
            "after": sorted(task.upstream_task_ids),
            "retries": task.retries,
            "retry_delay": task.retry_delay.total_seconds(),
            "backoff": task.retry_exponential_backoff,
            "max_retry_delay": task.max_retry_delay.total_seconds(),
            "pool": task.pool,
            "pool_slots": task.pool_slots,
            "options": task.options,
        }
        for task in dag.tasks
    }
    return {
        "tasks": tasks,
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": str(dag.schedule),
        "params": {name: dag.params.get_param(name).value for name in dag.params},
        "final": sorted(sys.modules[type(dag.tasks[0]).__module__].FINAL),
    }


def run(dag: DAG, number: int, params: dict[str, Any]) -> dict[str, Any]:
    # A moment of its own for each run, as Airflow tells runs apart by it.
    moment = datetime(2025, 10, 1, 6, number, tzinfo=UTC)
    try:
        done = dag.test(run_after=moment, logical_date=moment, run_conf=params)
    except ParamValidationError as error:
        return {"state": f"refused: {error}", "tasks": {}}
    tasks = {task.task_id: {"state": str(task.state), "tries": task.try_number} for task in done.get_task_instances()}
    return {"state": str(done.state), "tasks": tasks}


def main() -> None:
    asked = json.load(sys.stdin)
    bag = DagBag()
    (dag,) = bag.dags.values()
    found = {"import_errors": bag.import_errors, "dag": dag.dag_id, **structure(dag)}
    if asked["retry_at_once"]:
        for task in dag.tasks:
            task.retry_delay, task.retry_exponential_backoff = timedelta(0), 0
    found["runs"] = [run(dag, number, params) for number, params in enumerate(asked["runs"])]
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
