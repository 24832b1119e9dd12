"""Runs that several modules look at: each costs much, so it is made once and copied by who changes it."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from comparison import CONF
from integration.console import ROOT, Console, Said, plain_environment, submit
from reference import Result, Tables, compute
from reference.other_hand import write_input

YEARS = (2022, 2023)


@dataclass(frozen=True)
class Run:
    """A run of the main job that nobody may change: what it read, wrote and said, and what is expected."""

    source: Path
    tables: Tables
    output: Path
    said: Said
    expected: Result


@pytest.fixture(scope="session")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The main job by `spark-submit`, from the checkout, on an extract of another hand than the generator's."""
    folder = tmp_path_factory.mktemp("submitted")
    source, output = folder / "input", folder / "output"
    tables = write_input(source, beneficiaries=700, seed=7, files=3)
    said = submit(
        ROOT / "jobs" / "run_year.py",
        ["--input", source, "--output", output, "--year", "2022", "--year", "2023"],
        plain_environment(folder, with_package=True),
    )
    assert said.code == 0, said.err
    return Run(source, tables, output, said, compute(tables, YEARS, conf_dir=CONF))


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for `--py-files`, as scripts/package.py builds it."""
    checkout = tmp_path_factory.mktemp("package") / "checkout"
    for name in ("lib", "conf", "scripts"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, checkout)
    done = subprocess.run(
        [sys.executable, checkout / "scripts" / "package.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = (checkout / "dist").glob("claimatlas-*.zip")
    return found


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A process that runs the console commands in one Spark."""
    process = Console(tmp_path_factory.mktemp("console"))
    yield process
    process.close()


@pytest.fixture
def copied(submitted: Run, tmp_path: Path) -> Path:
    """A copy of the run's tables that a test may change."""
    return shutil.copytree(submitted.output, tmp_path / "output")


@pytest.fixture(scope="session")
def small_input() -> Callable[[Path], Path]:
    """Writes the smallest input that runs: two women, three years, no mistake."""
    return write_small_input


def write_small_input(folder: Path) -> Path:
    """An input folder of a dozen rows."""
    folder.mkdir(parents=True)
    people = [f"{who},{year},1990-01-01,f,1,11002" for who in ("ann", "bea") for year in (2021, 2022, 2023)]
    lines = ["beneficiary_id,year,birth_date,sex,increased_reimbursement,municipality_31_december", *people]
    (folder / "population.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
