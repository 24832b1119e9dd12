"""A second engine under the same rules: on Sail every scenario, and random claims, give the rows that they must.

Sail is installed for the test alone (`requirements/sail.txt`), as nothing else needs it. The tests of the rules run on
it in a process of their own: Spark's client knows one kind of session in each.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from integration.console import ROOT
from spec.runner.scenario import find_cases

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def sail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned Sail; it needs no other package."""
    folder = tmp_path_factory.mktemp("sail")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--requirement", ROOT / "requirements" / "sail.txt", "--target", folder]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def run_on_sail(sail: Path, *tests: str) -> dict[str, int]:
    """How many of the tests passed, failed and so on; what failed is shown."""
    pytest.importorskip("grpc", reason="Spark Connect's client needs the packages of the extra connect")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider", "--engine", "sail", *tests]
    path = os.pathsep.join([str(ROOT / "lib"), str(sail), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        cwd=ROOT,
        # Sail says on each broadcast join that it does not know the hint.
        env={**os.environ, "PYTHONPATH": path, "RUST_LOG": "error"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-20000:], done.stderr[-2000:])
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", done.stdout)}


def test_every_scenario(sail: Path) -> None:
    counts = run_on_sail(sail, "tests/spec/test_scenarios.py", "-k", "test_pipeline")
    assert counts == {"passed": len(find_cases())}


def test_random_claims(sail: Path) -> None:
    from generative.test_in_memory import SEEDS

    counts = run_on_sail(sail, "tests/generative/test_in_memory.py")
    assert counts == {"passed": len(SEEDS)}
