"""The Databricks bundle: that its parts fit each other, the package, the commands and the lock."""

import argparse
import importlib
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from bundle import FOLDER, MAIN_JOB, NOTEBOOKS_JOB, ROOT, arguments, bundle, included, job_parameters, jobs
from claimatlas import cli, task
from claimatlas.spark import artifacts
from claimatlas.spark.settings import SESSION, without_huge_methods

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAIN = jobs()[MAIN_JOB]
TASKS = {found["task_key"]: found for found in MAIN["tasks"]}
EVERY_TASK = [
    pytest.param(found, id=f"{name}.{found['task_key']}") for name, job in jobs().items() for found in job["tasks"]
]


def texts(value: Any) -> Iterator[str]:
    """Every text in a piece of configuration."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def pinned() -> dict[str, str]:
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z][a-z0-9-]*)==(\S+)", text, flags=re.MULTILINE))


# --- The bundle itself --------------------------------------------------------------------------------


def test_there_is_one_target_for_development_and_one_for_production() -> None:
    targets = bundle()["targets"]
    assert {name: target["mode"] for name, target in targets.items()} == {"dev": "development", "prod": "production"}
    assert [name for name, target in targets.items() if target.get("default")] == ["dev"]
    # A production target runs as nobody's own account, from one place.
    assert targets["prod"]["run_as"] == {"service_principal_name": "${var.service_principal}"}
    assert "${workspace.current_user" not in targets["prod"]["workspace"]["root_path"]


def test_the_two_targets_do_not_share_their_tables() -> None:
    schemas = [target["variables"]["schema"] for target in bundle()["targets"].values()]
    assert len(set(schemas)) == 2


def test_every_variable_that_is_used_is_declared_and_the_other_way_round() -> None:
    used = {
        name
        for piece in [bundle()["targets"], *jobs().values()]
        for text in texts(piece)
        for name in re.findall(r"\$\{var\.(\w+)\}", text)
    }
    assert used == set(bundle()["variables"])
    assert all(variable["description"] for variable in bundle()["variables"].values())


def test_every_path_leads_somewhere() -> None:
    assert included()
    for path in bundle()["sync"]["paths"]:
        assert (FOLDER / path).is_dir()
    (artifact,) = bundle()["artifacts"].values()
    assert (FOLDER / artifact["path"] / "pyproject.toml").is_file()
    for found in jobs()[NOTEBOOKS_JOB]["tasks"]:
        notebook = FOLDER / "resources" / found["notebook_task"]["notebook_path"]
        assert notebook.read_text(encoding="utf-8").startswith("# Databricks notebook source\n")
        # What is not copied to the workspace cannot be run there.
        assert any(notebook.resolve().is_relative_to((FOLDER / path).resolve()) for path in bundle()["sync"]["paths"])


@pytest.mark.parametrize("found", EVERY_TASK)
def test_every_task_has_the_wheel_that_the_bundle_builds(found: dict[str, Any]) -> None:
    (artifact,) = bundle()["artifacts"].values()
    (source,) = [FOLDER / file["source"] for file in artifact["files"]]
    (wheel,) = [FOLDER / "resources" / library["whl"] for library in found["libraries"] if "whl" in library]
    assert wheel.resolve() == source.resolve() == ROOT / "dist" / f"{PROJECT['name']}-*.whl"


@pytest.mark.parametrize("found", EVERY_TASK)
def test_every_task_has_what_the_wheel_needs_in_the_versions_of_the_lock(found: dict[str, Any]) -> None:
    # Every runtime has its pyarrow, which its Spark needs in that version.
    needed = {re.split(r"[<>=~!]", text)[0].lower() for text in PROJECT["dependencies"]} - {"pyarrow"}
    libraries = [library["pypi"]["package"] for library in found["libraries"] if "pypi" in library]
    assert sorted(libraries) == sorted(f"{name}=={pinned()[name]}" for name in needed)


def test_the_wheel_brings_no_spark_of_its_own() -> None:
    names = {re.split(r"[<>=~!]", text)[0] for text in PROJECT["dependencies"]}
    assert not names & {"pyspark", "delta-spark"}
    assert sorted(PROJECT["optional-dependencies"]["spark"]) == [
        f"delta-spark=={artifacts.DELTA_VERSION}",
        f"pyspark=={artifacts.SPARK_VERSION}",
    ]


# --- The main job -------------------------------------------------------------------------------------


def test_the_tasks_follow_each_other() -> None:
    before = {name: [needed["task_key"] for needed in found.get("depends_on", [])] for name, found in TASKS.items()}
    assert before == {"ingest": [], "deliveries": ["ingest"], "indicators": ["deliveries"], "check": ["indicators"]}


def test_nothing_runs_twice_at_once_and_nothing_is_tried_again() -> None:
    assert MAIN["max_concurrent_runs"] == 1
    assert all(found["max_retries"] == 0 for job in jobs().values() for found in job["tasks"])


def test_the_cluster_has_the_session_settings_of_the_package() -> None:
    for job in jobs().values():
        (cluster,) = job["job_clusters"]
        assert cluster["new_cluster"]["spark_conf"] == {**SESSION, **without_huge_methods("")}
        assert all(found["job_cluster_key"] == cluster["job_cluster_key"] for found in job["tasks"])


@pytest.mark.parametrize("name", TASKS)
def test_the_entry_point_is_one_of_the_package(name: str) -> None:
    called = TASKS[name]["python_wheel_task"]
    assert called["package_name"] == PROJECT["name"]
    points = PROJECT["entry-points"]["packages"]
    module, _, function = points[called["entry_point"]].partition(":")
    assert getattr(importlib.import_module(module), function) is task.main


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """The options that the commands understood; nothing else of them is done."""
    found: list[argparse.Namespace] = []

    def keep(_job: object, options: argparse.Namespace) -> int:
        found.append(options)
        return 0

    for name in ("ingest", "deliveries", "indicators"):
        monkeypatch.setattr(f"claimatlas.commands.{name}.run_job", keep)
    monkeypatch.setattr("claimatlas.commands.check._check", found.append)
    return found


GIVEN = {
    "input": "/Volumes/a/b/c/in",
    "output": "dbfs:/Volumes/a/b/c/out",
    "year": "2022-2023",
    "as_of": "2024-12-31",
    "complete_through": "2024-11-30",
    "conf": "/Volumes/a/b/c/conf",
}


@pytest.mark.parametrize("name", TASKS)
def test_the_command_understands_its_parameters(name: str, parsed: list[argparse.Namespace]) -> None:
    called = arguments(TASKS[name], job_parameters(MAIN, GIVEN))
    assert called[0] == name
    task.main(called)
    (options,) = parsed
    assert (options.output, options.conf) == (GIVEN["output"], GIVEN["conf"])
    if name == "ingest":
        assert (options.input, options.as_of) == (GIVEN["input"], date(2024, 12, 31))
    else:
        assert options.year_groups == [[2022, 2023]]
    if name == "indicators":
        assert options.complete_through == date(2024, 11, 30)


@pytest.mark.parametrize("name", TASKS)
def test_the_command_understands_the_defaults(name: str, parsed: list[argparse.Namespace]) -> None:
    task.main(arguments(TASKS[name], job_parameters(MAIN, {"year": "2023"})))
    (options,) = parsed
    assert options.conf is None
    assert options.output.startswith("dbfs:/Volumes/")
    assert getattr(options, "as_of", None) is None
    assert getattr(options, "complete_through", None) is None


def test_every_parameter_of_the_job_is_used() -> None:
    used = {
        name
        for found in TASKS.values()
        for text in found["python_wheel_task"]["parameters"]
        for name in re.findall(r"\{\{job\.parameters\.(\w+)\}\}", text)
    }
    assert used == {parameter["name"] for parameter in MAIN["parameters"]}


# --- The entry point ----------------------------------------------------------------------------------


def test_a_task_that_did_its_work_just_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["claimatlas-task", "--version"])
    task.main()


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_task_that_failed_says_so_by_an_exception(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "main", lambda _: code)
    with pytest.raises(SystemExit) as caught:
        task.main(["check", "--output=somewhere"])
    assert caught.value.code == code


def test_only_an_option_without_a_value_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(cli, "main", lambda given: called.append(given) or 0)
    task.main(["run-year", "--conf=", "--output=a=", "--set=mapping=", "--json", "", "--as-of=2023-01-01"])
    assert called == [["run-year", "--output=a=", "--set=mapping=", "--json", "", "--as-of=2023-01-01"]]


def test_without_spark_a_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named 'pyspark' in {name}", name="pyspark")

    monkeypatch.setattr("importlib.import_module", absent)
    assert cli.main(["check", "--output", "out"]) == 2
    assert capsys.readouterr().err.startswith("claimatlas: there is no Spark here: ")


def test_another_module_that_is_missing_is_no_missing_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name, name="another")

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["check", "--output", "out"])
