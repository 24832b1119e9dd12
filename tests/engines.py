"""The engines that tests can run on: the pure rules ask nothing of one but Spark's DataFrames.

`pytest tests/spec/test_scenarios.py -k test_pipeline --engine sail` takes another one than the default.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from claimatlas.spark.session import LocalSpark, get_session
from claimatlas.spark.settings import LITTLE
from pyspark.sql import SparkSession

CLASSIC, SAIL = ENGINES = ("classic", "sail")


@contextmanager
def session_of(engine: str, folder: Path) -> Iterator[SparkSession]:
    """A session of an engine, tuned for many tiny tables; `folder` is for its files.

    A single shuffle partition is fast but hides mistakes of order and ties: use the marker
    `shuffle_partitions` for tests of those.
    """
    settings = {
        # As a command on little data; the submitted runs and clusters have Spark's own.
        **LITTLE,
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # Short tests end before the second compiler has paid for itself.
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    with _sail() if engine == SAIL else _classic(settings) as session:
        yield session


@contextmanager
def _classic(settings: Mapping[str, str]) -> Iterator[SparkSession]:
    """Made as the console command makes it."""
    session = get_session("claimatlas tests", LocalSpark("local[2]", "2g", settings))
    yield session
    session.stop()


@contextmanager
def _sail() -> Iterator[SparkSession]:
    """Sail in this process: an engine in Rust, without Java."""
    server = pytest.importorskip("pysail.spark").SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        host, port = server.listening_address
        yield from _session_at(f"sc://{host}:{port}")
    finally:
        server.stop()


def _session_at(address: str) -> Iterator[SparkSession]:
    os.environ["SPARK_REMOTE"] = address
    session = get_session("claimatlas tests")
    yield session
    session.stop()
    # As Spark's client leaves it, every later session would be a remote one too.
    for name in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
        os.environ.pop(name, None)
