"""The DAG in a real Airflow: it is imported, has the order and limits it should have, and retries what can be mended.

Most runs call a `spark-submit` of the test's own, which notes how it was called and ends as it is told; the last test
calls the real one.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from claimatlas.errors import ConcurrentRunError, InputError, QualityGateError
from claimatlas.spark import jars
from comparison import read
from deployment.airflow_environment import ROOT, Airflow
from integration.inputs import write_small

pytestmark = [pytest.mark.long, pytest.mark.integration]

JOBS = ["ingest", "deliveries", "indicators", "check"]
RETRIES = 3
FINAL = [InputError.exit_code, QualityGateError.exit_code]
MENDABLE = [1, ConcurrentRunError.exit_code, 137]
"""Exit codes that another try may mend: unexpected failure, another run at work, killed."""

GIVEN = {
    "input": "/in put/$(touch x); `y`",
    "output": "s3a://bucket/{{ ds }}",
    "year": "2019-2021",
    "as_of": "2025-09-30",
    "complete_through": "2025-06-30",
    "add": True,
    "allow_drift": True,
    "set": ["episode_rule=anchored", "midwife_codes=source_and_postnatal"],
}

SUBMIT = """\
#!{python}
import json, sys
from pathlib import Path

folder = Path({folder!r})
job, *options = sys.argv[1:]
(output,) = [option.removeprefix("--output=") for option in options if option.startswith("--output=")]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps([output, job, options]) + chr(10))
codes = json.loads((folder / "codes").read_text())
left = codes.get(output, {{}}).get(Path(job).stem, [])
code = left.pop(0) if left else 0
(folder / "codes").write_text(json.dumps(codes))
print("claimatlas: said by", job)
sys.exit(code)
"""
"""A `spark-submit` that notes how it was called, and ends the jobs of each output with the codes of a list in turn."""


@dataclass(frozen=True)
class Scenario:
    """A run of the DAG: what it is given, and how the calls of each job end, in turn; then well."""

    params: dict[str, Any]
    codes: dict[str, list[int]]

    @property
    def output(self) -> str:
        """By this the runs are told apart."""
        return str(self.params.get("output", "/data/output"))


SCENARIOS = {
    "by default": Scenario({}, {}),
    "given": Scenario(GIVEN, {}),
    "no year": Scenario({"output": "/no-year", "year": "2023; rm -r x"}, {}),
    "keeps failing": Scenario({"output": "/keeps-failing"}, {"deliveries": [1] * 10}),
    **{f"mended {code}": Scenario({"output": f"/mended-{code}"}, {"indicators": [code, code]}) for code in MENDABLE},
    **{
        f"final {job} {code}": Scenario({"output": f"/final-{job}-{code}"}, {job: [code] * 10})
        for job in JOBS
        for code in FINAL
    },
}


@dataclass(frozen=True)
class Ran:
    """What became of a scenario: the state of the run, each task's state and tries, and the calls, in order."""

    state: str
    tasks: dict[str, dict[str, Any]]
    calls: list[list[str]]

    @property
    def jobs(self) -> list[str]:
        """The jobs that were called."""
        return [Path(call[0]).stem for call in self.calls]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    return Airflow(tmp_path_factory.mktemp("airflow") / "home", ROOT / "deploy" / "airflow")


@pytest.fixture(scope="module")
def known(airflow: Airflow) -> dict[str, Any]:
    return airflow.probe()


@pytest.fixture(scope="module")
def ran(airflow: Airflow, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Every scenario, run in one Airflow."""
    folder = tmp_path_factory.mktemp("submit")
    submit = folder / "spark-submit"
    submit.write_text(SUBMIT.format(python=sys.executable, folder=str(folder)), encoding="utf-8")
    submit.chmod(0o755)
    codes = {scenario.output: scenario.codes for scenario in SCENARIOS.values()}
    (folder / "codes").write_text(json.dumps(codes), encoding="utf-8")
    variables = {"PATH": f"{folder}:{airflow.environment['PATH']}"}
    found = airflow.probe([scenario.params for scenario in SCENARIOS.values()], variables, retry_at_once=True)
    calls: dict[str, list[list[str]]] = {}
    for line in (folder / "calls").read_text(encoding="utf-8").splitlines():
        output, job, options = json.loads(line)
        calls.setdefault(output, []).append([job, *options])
    return {
        name: Ran(**run, calls=calls.get(scenario.output, []))
        for (name, scenario), run in zip(SCENARIOS.items(), found["runs"], strict=True)
    }


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
    assert known["final"] == FINAL


def test_a_run_calls_the_jobs_one_after_the_other_for_the_second_year_before(ran: dict[str, Ran]) -> None:
    run = ran["by default"]
    assert run.state == "success"
    output = "--output=/data/output"
    assert run.calls == [
        ["/opt/claimatlas/jobs/ingest.py", "--input=/data/input", output],
        ["/opt/claimatlas/jobs/deliveries.py", output, "--year=2023"],
        ["/opt/claimatlas/jobs/indicators.py", output, "--year=2023"],
        ["/opt/claimatlas/jobs/check.py", output, "--year=2023"],
    ]


def test_what_a_run_is_given_reaches_the_jobs_as_it_is(ran: dict[str, Ran]) -> None:
    run = ran["given"]
    assert run.state == "success"
    settings = [f"--set={setting}" for setting in GIVEN["set"]]
    output, year = f"--output={GIVEN['output']}", "--year=2019-2021"
    assert [call[1:] for call in run.calls] == [
        [f"--input={GIVEN['input']}", output, "--as-of=2025-09-30", "--add", *settings],
        [output, year, *settings],
        [output, year, "--complete-through=2025-06-30", "--allow-drift", *settings],
        [output, year, *settings],
    ]


def test_a_year_that_is_none_starts_no_job(ran: dict[str, Ran]) -> None:
    run = ran["no year"]
    assert run.state != "success"
    assert run.calls == []


@pytest.mark.parametrize("code", MENDABLE)
def test_what_a_retry_may_mend_is_tried_again(ran: dict[str, Ran], code: int) -> None:
    run = ran[f"mended {code}"]
    assert run.state == "success"
    assert run.jobs == ["ingest", "deliveries", "indicators", "indicators", "indicators", "check"]
    assert run.tasks["indicators"] == {"state": "success", "tries": 3}


def test_what_keeps_failing_ends_the_run(ran: dict[str, Ran]) -> None:
    run = ran["keeps failing"]
    assert run.state == "failed"
    assert run.jobs == ["ingest"] + ["deliveries"] * (1 + RETRIES)
    assert run.tasks["deliveries"] == {"state": "failed", "tries": 1 + RETRIES}
    assert run.tasks["indicators"]["state"] == "upstream_failed"


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("code", FINAL)
def test_bad_input_and_quality_gates_are_not_tried_again(ran: dict[str, Ran], job: str, code: int) -> None:
    run = ran[f"final {job} {code}"]
    assert run.state == "failed"
    assert run.jobs == JOBS[: JOBS.index(job) + 1]
    assert run.tasks[job] == {"state": "failed", "tries": 1}


def test_the_real_jobs_publish_a_year(airflow: Airflow, tmp_path: Path) -> None:
    """Real Airflow starts the real jobs; the check ends the run, as the values of two people jump from year to year."""
    submit = Path(sys.executable).with_name("spark-submit")
    options = ["--driver-memory", "2g", "--conf", "spark.sql.shuffle.partitions=1"]
    options += ["--jars", ",".join(path.as_uri() for path in jars.find())]
    variables = {
        "CLAIMATLAS_SUBMIT": " ".join([str(submit), *options]),
        "CLAIMATLAS_JOBS": str(ROOT / "jobs"),
        "PYTHONPATH": str(ROOT / "lib"),
        "PYSPARK_PYTHON": sys.executable,
    }
    params = {"input": str(write_small(tmp_path / "input")), "output": str(tmp_path / "output"), "year": "2022-2023"}
    (done,) = airflow.probe([params], variables)["runs"]
    states = {name: (task["state"], task["tries"]) for name, task in done["tasks"].items()}
    published = dict.fromkeys(JOBS[:-1], ("success", 1))
    assert states == {**published, "check": ("failed", 1)}, airflow.said[-5000:]
    assert "check ended with exit code 3: a quality gate" in airflow.said
    assert len(read(tmp_path / "output", "gold/releases", "release")) == 1
