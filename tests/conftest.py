"""What every test may use: one Spark for the whole run, left after each test as it was found."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from claimatlas.session import get_session
from integration.console import Console
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local Spark, made as the console command makes it, tuned for many tiny tables.

    A single shuffle partition is fast but hides mistakes of order and ties: use the marker
    `shuffle_partitions` for tests of those.
    """
    home = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.default.parallelism": "1",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.warehouse.dir": str(home / "warehouse"),
        # Short tests end before the second compiler has paid for itself.
        "spark.driver.extraJavaOptions": (f"-Dderby.system.home={home} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"),
    }
    session = get_session("claimatlas tests", master="local[2]", driver_memory="2g", settings=settings)
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def _spark_left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """Undo what a test did to the shared session: settings, cached tables and temporary views."""
    if "spark" not in request.fixturenames:
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
