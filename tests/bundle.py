"""The Databricks bundle as the tests see it: what is written, and what Databricks makes of it when a job runs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "databricks"
MAIN_JOB, NOTEBOOKS_JOB = "claimatlas", "claimatlas_notebooks"


def bundle() -> dict[str, Any]:
    """The file `databricks.yml`."""
    return yaml.safe_load((FOLDER / "databricks.yml").read_text(encoding="utf-8"))


def included() -> list[Path]:
    """The files that it includes."""
    return sorted(file for pattern in bundle()["include"] for file in FOLDER.glob(pattern))


def jobs() -> dict[str, dict[str, Any]]:
    """The jobs by name, of every included file."""
    return {
        name: job
        for file in included()
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["resources"]["jobs"].items()
    }


def job_parameters(job: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a run: those that are given, and the defaults of the others."""
    defaults = {parameter["name"]: parameter["default"] for parameter in job["parameters"]}
    assert given.keys() <= defaults.keys(), "a parameter that the job does not have"
    return {**defaults, **given}


def arguments(task: Mapping[str, Any], parameters: Mapping[str, str]) -> list[str]:
    """What a wheel task is called with; a reference to a parameter that there is not is an error."""
    return [
        re.sub(r"\{\{job\.parameters\.(\w+)\}\}", lambda found: parameters[found[1]], text)
        for text in task["python_wheel_task"]["parameters"]
    ]
