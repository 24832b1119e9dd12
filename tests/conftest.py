"""What every test may use: one Spark for the whole run, left after each test as it was found."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import CLASSIC, ENGINES, session_of
from integration.console import Console
from pyspark.sql import SparkSession
from tiers import is_second

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=ENGINES,
        default=CLASSIC,
        help="what the fixture `spark` is: tests of the pure rules pass on each (default: %(default)s)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the second tier, before pytest chooses by marks."""
    for item in items:
        folder, *_, file = item.path.relative_to(ROOT / "tests").parts
        if is_second(folder, file, item.nodeid.partition("::")[2]):
            item.add_marker(pytest.mark.second)


@pytest.fixture(scope="session")
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session of the engine that `--engine` names; a local Spark without it."""
    with session_of(request.config.getoption("--engine"), tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture(autouse=True)
def _spark_left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """Undo what a test did to the shared session: settings, cached tables and temporary views."""
    if "spark" not in request.fixturenames or request.config.getoption("--engine") != CLASSIC:
        yield
        return
    session: SparkSession = request.getfixturevalue("spark")
    before = dict(session.conf.getAll)
    marker = request.node.get_closest_marker("shuffle_partitions")
    if marker:
        session.conf.set("spark.sql.shuffle.partitions", str(marker.args[0]))
    yield
    session.catalog.clearCache()
    # By Java's own catalog: `session.catalog.listTables()` takes a tenth of a second.
    views = session._jsparkSession.sessionState().catalog().listLocalTempViews("*")
    for position in range(views.size()):
        session.catalog.dropTempView(views.apply(position).table())
    after = dict(session.conf.getAll)
    for name in after.keys() - before.keys():
        session.conf.unset(name)
    for name, value in before.items():
        if after.get(name) != value:
            session.conf.set(name, value)


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A process that runs the console commands in one Spark."""
    process = Console(tmp_path_factory.mktemp("console"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """The folder of reference data beside the repository; a test that wants it is skipped without it."""
    folder = Path(os.environ.get("CLAIMATLAS_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip("no reference data beside the repository, and CLAIMATLAS_SHARED names none")
    return folder
