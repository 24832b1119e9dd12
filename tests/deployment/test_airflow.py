"""The DAG in a real Airflow: it is imported, has the order and limits it should have, and retries what can be mended.

Most runs call a `spark-submit` of the test's own, which notes how it was called and ends as it is told; the last test
calls the real one.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from claimatlas import jars
from claimatlas.errors import ConcurrentRunError, InputError, QualityGateError
from comparison import read
from deployment.airflow_environment import ROOT, Airflow
from integration.inputs import write_small

pytestmark = [pytest.mark.long, pytest.mark.integration]

JOBS = ["ingest", "deliveries", "indicators", "check"]
RETRIES = 3

SUBMIT = """\
#!{python}
import json, sys
from pathlib import Path

folder = Path({folder!r})
job = Path(sys.argv[1]).stem
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + chr(10))
codes = json.loads((folder / "codes").read_text())
code = codes.get(job, [0]).pop(0) if codes.get(job) else 0
(folder / "codes").write_text(json.dumps(codes))
print("claimatlas: said by", job)
sys.exit(code)
"""


class Runs:
    """Runs of the DAG against a `spark-submit` that ends each job as told."""

    def __init__(self, airflow: Airflow, folder: Path) -> None:
        self.airflow, self.folder = airflow, folder
        submit = folder / "spark-submit"
        submit.write_text(SUBMIT.format(python=sys.executable, folder=str(folder)), encoding="utf-8")
        submit.chmod(0o755)

    def __call__(self, codes: dict[str, list[int]], **params: Any) -> tuple[dict[str, Any], list[list[str]]]:
        """One run, in which the calls of each job end with its codes in turn, then with 0; and how it called them."""
        (self.folder / "calls").write_text("", encoding="utf-8")
        (self.folder / "codes").write_text(json.dumps(codes), encoding="utf-8")
        path = f"{self.folder}:{self.airflow.environment['PATH']}"
        found = self.airflow.probe([params], {"PATH": path}, retry_at_once=True)
        (done,) = found["runs"]
        return done, [json.loads(line) for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    return Airflow(tmp_path_factory.mktemp("airflow") / "home", ROOT / "deploy" / "airflow")


@pytest.fixture(scope="module")
def known(airflow: Airflow) -> dict[str, Any]:
    return airflow.probe()


@pytest.fixture
def runs(airflow: Airflow, tmp_path: Path) -> Runs:
    return Runs(airflow, tmp_path)


def jobs_of(calls: list[list[str]]) -> list[str]:
    return [Path(call[0]).stem for call in calls]


def test_it_is_imported_as_the_chain_of_the_jobs(known: dict[str, Any]) -> None:
    assert known["import_errors"] == {}
    assert known["dag"] == "claimatlas_yearly"
    after = {name: task["after"] for name, task in known["tasks"].items()}
    assert after == {"ingest": [], "deliveries": ["ingest"], "indicators": ["deliveries"], "check": ["indicators"]}
    assert all((ROOT / "jobs" / f"{job}.py").is_file() for job in known["tasks"])


def test_it_starts_in_the_quarter_in_which_the_second_year_before_is_published(known: dict[str, Any]) -> None:
    assert known["schedule"] == "0 6 1 10 *"


def test_one_run_at_a_time_and_one_writer_to_the_tables(known: dict[str, Any]) -> None:
    assert (known["max_active_runs"], known["catchup"]) == (1, False)
    assert {(task["pool"], task["pool_slots"]) for task in known["tasks"].values()} == {("claimatlas", 1)}


def test_every_task_is_tried_again_later_and_later(known: dict[str, Any]) -> None:
    for task in known["tasks"].values():
        assert (task["retries"], task["retry_delay"], task["backoff"]) == (RETRIES, 300, 2)
        assert task["max_retry_delay"] == 3600


def test_what_is_final_are_the_exit_codes_of_input_and_gate(known: dict[str, Any]) -> None:
    assert known["final"] == [InputError.exit_code, QualityGateError.exit_code]


def test_a_run_calls_the_jobs_one_after_the_other_for_the_second_year_before(runs: Runs) -> None:
    done, calls = runs({})
    assert done["state"] == "success"
    output = "--output=/data/output"
    assert calls == [
        ["/opt/claimatlas/jobs/ingest.py", "--input=/data/input", output],
        ["/opt/claimatlas/jobs/deliveries.py", output, "--year=2023"],
        ["/opt/claimatlas/jobs/indicators.py", output, "--year=2023"],
        ["/opt/claimatlas/jobs/check.py", output, "--year=2023"],
    ]


def test_what_a_run_is_given_reaches_the_jobs_as_it_is(runs: Runs) -> None:
    given = {
        "input": "/in put/$(touch x); `y`",
        "output": "s3a://bucket/{{ ds }}",
        "year": "2019-2021",
        "as_of": "2025-09-30",
        "complete_through": "2025-06-30",
        "add": True,
        "accept_jumps": True,
        "set": ["episode_rule=anchored", "midwife_codes=source_and_postnatal"],
    }
    done, calls = runs({}, **given)
    assert done["state"] == "success"
    settings = [f"--set={setting}" for setting in given["set"]]
    output, year = f"--output={given['output']}", "--year=2019-2021"
    assert [call[1:] for call in calls] == [
        [f"--input={given['input']}", output, "--as-of=2025-09-30", "--add", *settings],
        [output, year, *settings],
        [output, year, "--complete-through=2025-06-30", "--accept-jumps", *settings],
        [output, year, *settings],
    ]


@pytest.mark.parametrize("code", [1, ConcurrentRunError.exit_code, 137])
def test_what_a_retry_may_mend_is_tried_again(runs: Runs, code: int) -> None:
    done, calls = runs({"indicators": [code, code]})
    assert done["state"] == "success"
    assert jobs_of(calls) == ["ingest", "deliveries", "indicators", "indicators", "indicators", "check"]
    assert done["tasks"]["indicators"] == {"state": "success", "tries": 3}


def test_what_keeps_failing_ends_the_run(runs: Runs) -> None:
    done, calls = runs({"deliveries": [1] * 10})
    assert done["state"] == "failed"
    assert jobs_of(calls) == ["ingest"] + ["deliveries"] * (1 + RETRIES)
    assert done["tasks"]["deliveries"] == {"state": "failed", "tries": 1 + RETRIES}
    assert done["tasks"]["indicators"]["state"] == "upstream_failed"


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("error", [InputError, QualityGateError])
def test_bad_input_and_quality_gates_are_not_tried_again(
    runs: Runs, job: str, error: type[InputError | QualityGateError]
) -> None:
    done, calls = runs({job: [error.exit_code] * 10})
    assert done["state"] == "failed"
    assert jobs_of(calls) == JOBS[: JOBS.index(job) + 1]
    assert done["tasks"][job] == {"state": "failed", "tries": 1}


def test_a_year_that_is_none_is_refused_before_a_job_starts(airflow: Airflow, runs: Runs) -> None:
    with pytest.raises(AssertionError, match="does not match"):
        runs({}, year="2023; rm -r x")
    assert (runs.folder / "calls").read_text(encoding="utf-8") == ""


def test_the_real_jobs_publish_a_year(airflow: Airflow, tmp_path: Path) -> None:
    """Real Airflow starts the real jobs, and the gate of `check` ends the run: three people are no country."""
    submit = Path(sys.executable).with_name("spark-submit")
    options = ["--driver-memory", "2g", "--conf", "spark.sql.shuffle.partitions=1"]
    options += ["--jars", ",".join(path.as_uri() for path in jars.find())]
    variables = {
        "CLAIMATLAS_SUBMIT": " ".join([str(submit), *options]),
        "CLAIMATLAS_JOBS": str(ROOT / "jobs"),
        "PYTHONPATH": str(ROOT / "lib"),
        "PYSPARK_PYTHON": sys.executable,
    }
    params = {"input": str(write_small(tmp_path / "input")), "output": str(tmp_path / "output"), "year": "2022"}
    (done,) = airflow.probe([params], variables)["runs"]
    states = {name: (task["state"], task["tries"]) for name, task in done["tasks"].items()}
    published = dict.fromkeys(JOBS[:-1], ("success", 1))
    assert states == {**published, "check": ("failed", 1)}, airflow.said[-5000:]
    assert "check ended with exit code 3: a quality gate" in airflow.said
    assert len(read(tmp_path / "output", "gold/releases", "release")) == 1
