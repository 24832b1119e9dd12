"""Every scenario, through the pipeline and through the plain-Python reference."""

from pathlib import Path

import pytest
from spec.runner import plain
from spec.runner.compare import check
from spec.runner.pipeline import Pipeline
from spec.runner.scenario import Case, find_cases

CASES = find_cases()
every_case = pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(CASES, tmp_path_factory.mktemp("conf"))


@every_case
def test_pipeline(case: Case, pipeline: Pipeline, request: pytest.FixtureRequest) -> None:
    # Spark is asked for by name, so that only the first case of a run pays for finding it as it was left.
    check(case, pipeline.run(case, lambda: request.getfixturevalue("spark")))


@every_case
def test_reference(case: Case, tmp_path: Path) -> None:
    check(case, plain.run(case, tmp_path))
