"""Runs that several modules look at: each costs much, so it is made once and copied by who changes it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from comparison import CONF
from integration.console import ROOT, Console, Said, plain_environment, submit
from integration.inputs import plant, write_small
from reference import Result, Tables, compute
from reference.other_hand import write_input

YEARS = (2022, 2023)


@dataclass(frozen=True)
class Run:
    """A run that nobody may change: what it read, wrote and said, and what is expected."""

    source: Path
    tables: Tables
    output: Path
    said: Said
    years: tuple[int, ...]
    expected: Result


@pytest.fixture(scope="session")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The main job by `spark-submit`, from the checkout, on an extract of another hand than the generator's."""
    folder = tmp_path_factory.mktemp("submitted")
    source, output = folder / "input", folder / "output"
    tables = write_input(source, beneficiaries=500, seed=7, files=3)
    plant(source, tables)
    said = submit(
        ROOT / "jobs" / "run_year.py",
        ["--input", source, "--output", output, "--year", "2022", "--year", "2023"],
        plain_environment(folder, with_package=True),
    )
    assert said.code == 0, said.everything
    return Run(source, tables, output, said, YEARS, compute(tables, YEARS, conf_dir=CONF))


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for `--py-files`, as scripts/package.py builds it."""
    pytest.importorskip("hatchling")
    checkout = tmp_path_factory.mktemp("package") / "checkout"
    for name in ("lib", "conf", "scripts"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, checkout)
    command = [sys.executable, checkout / "scripts" / "package.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = (checkout / "dist").glob("claimatlas-*.zip")
    return found


@pytest.fixture(scope="session")
def archived(submitted: Run, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One more year, computed from the silver of `submitted` by the package in a zip, with `--json`."""
    folder = tmp_path_factory.mktemp("archived")
    output = shutil.copytree(submitted.output, folder / "output")
    # It tells where the package comes from: a Python with the package installed must not be believed.
    script = folder / "job.py"
    script.write_text(
        "import runpy, sys, claimatlas\n"
        "print('package:', claimatlas.__file__, file=sys.stderr)\n"
        f"runpy.run_path({str(ROOT / 'jobs' / 'run_year.py')!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    said = submit(
        script,
        ["--output", output, "--year", "2021", "--json"],
        plain_environment(folder, with_package=False),
        py_files=str(archive),
    )
    assert said.code == 0, said.everything
    expected = compute(submitted.tables, [2021], conf_dir=CONF)
    return Run(submitted.source, submitted.tables, output, said, (2021,), expected)


@pytest.fixture(scope="session")
def small_silver(console: Console, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with the silver of the small input; it may be copied, not changed."""
    folder = tmp_path_factory.mktemp("small")
    said = console.run("ingest", "--input", write_small(folder / "input"), "--output", folder / "output")
    assert said.code == 0, said.err
    return folder / "output"


@pytest.fixture(scope="session")
def small_published(console: Console, small_silver: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small silver with the gold of 2022; it may be copied, not changed."""
    output = Path(shutil.copytree(small_silver, tmp_path_factory.mktemp("published") / "output"))
    said = console.run("run-year", "--output", output, "--year", "2022")
    assert said.code == 0, said.err
    return output


@pytest.fixture
def copied(submitted: Run, tmp_path: Path) -> Path:
    """A copy of the tables of `submitted` that a test may change."""
    return Path(shutil.copytree(submitted.output, tmp_path / "output"))


@pytest.fixture
def small_copied(small_silver: Path, tmp_path: Path) -> Path:
    """A copy of the small silver that a test may change."""
    return Path(shutil.copytree(small_silver, tmp_path / "output"))


@pytest.fixture
def published_copied(small_published: Path, tmp_path: Path) -> Path:
    """A copy of the small silver and gold that a test may change."""
    return Path(shutil.copytree(small_published, tmp_path / "output"))
