"""The Databricks bundle at work: judged by Databricks' own package, and its tasks run one after the other."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bundle import MAIN_JOB, ROOT, arguments, job_parameters, jobs
from claimatlas import task
from comparison import read
from integration.inputs import write_small
from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration

JUDGE = """
import json, sys
from databricks.bundles.jobs import Job
for job in json.load(sys.stdin):
    try:
        Job.from_dict(job)
        print("accepted")
    except ValueError as error:
        print("refused:", error)
"""

# Where something is put that does not belong there, and what the judge must say of it.
SPOILT: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("taks",), [], "Unexpected field 'taks' for class Job"),
    (("tasks", 0, "job_cluster"), "spark", "Unexpected field 'job_cluster' for class Task"),
    (("tasks", 0, "python_wheel_task", "entrypoint"), "x", "Unexpected field 'entrypoint' for class PythonWheelTask"),
    (("tasks", 0, "python_wheel_task", "parameters"), "ingest", "Unexpected type"),
    (("parameters", 0, "value"), "x", "Unexpected field 'value' for class JobParameterDefinition"),
    (("max_concurrent_runs",), "one", "invalid literal for int()"),
    (("job_clusters", 0, "new_cluster", "data_security_mode"), "ALONE", "'ALONE' is not a valid DataSecurityMode"),
]


def spoilt(job: dict[str, Any], key: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(job)
    target: Any = changed
    for step in key[:-1]:
        target = target[step]
    target[key[-1]] = value
    return changed


@pytest.fixture(scope="module")
def databricks_bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package databricks-bundles, which the environment does not have."""
    folder = tmp_path_factory.mktemp("databricks")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(folder)]
    done = subprocess.run(
        [*pip, "--requirement", str(ROOT / "requirements" / "databricks.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.long
def test_databricks_own_package_takes_the_jobs_and_no_spoilt_ones(databricks_bundles: Path) -> None:
    sound = list(jobs().values())
    given = sound + [spoilt(jobs()[MAIN_JOB], key, value) for key, value, _ in SPOILT]
    done = subprocess.run(
        [sys.executable, "-c", JUDGE],
        env={"PYTHONPATH": str(databricks_bundles)},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[: len(sound)] == ["accepted"] * len(sound)
    for answer, (key, _, expected) in zip(said[len(sound) :], SPOILT, strict=True):
        assert answer.startswith("refused:"), key
        assert expected in answer


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_the_tasks_run_in_their_order_as_databricks_calls_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job, output = jobs()[MAIN_JOB], tmp_path / "output"
    # The output as the bundle has it: by a scheme, so that only Spark touches it.
    given = {"input": str(write_small(tmp_path / "input")), "output": output.as_uri(), "year": "2022"}
    parameters = job_parameters(job, given)
    for called in job["tasks"]:
        monkeypatch.setattr("sys.argv", ["claimatlas-task", *arguments(called, parameters)])
        task.main()
    (country,) = read(
        output,
        "gold/postnatal",
        "numerator, denominator",
        "indicator_id = 'cube_007_001a_denom' AND geo_level = 'country' AND age_category = 'all' "
        "AND increased_reimbursement = 'all' AND delivery_type = 'all'",
    )
    assert country == {"numerator": 2, "denominator": 2}
    assert "Within the bounds" in capsys.readouterr().out


def test_a_task_before_its_turn_fails(spark: SparkSession, tmp_path: Path) -> None:
    assert spark
    job = jobs()[MAIN_JOB]
    with pytest.raises(SystemExit) as caught:
        task.main(arguments(job["tasks"][1], job_parameters(job, {"output": str(tmp_path / "o"), "year": "2022"})))
    assert caught.value.code == 2
