"""The engines that tests can run on: the pure rules ask nothing of one but Spark's DataFrames.

`pytest tests/spec tests/generative --engine sail` runs them on another one than the default.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from claimatlas.session import get_session
from pyspark.sql import SparkSession

from deploy.connect.server import connect_server

CLASSIC, CONNECT, SAIL = ENGINES = ("classic", "connect", "sail")


@contextmanager
def session_of(engine: str, folder: Path) -> Iterator[SparkSession]:
    """A session of an engine, tuned for many tiny tables; `folder` is for its files.

    A single shuffle partition is fast but hides mistakes of order and ties: use the marker
    `shuffle_partitions` for tests of those.
    """
    settings = {
        "spark.default.parallelism": "1",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # Short tests end before the second compiler has paid for itself.
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    make = {CLASSIC: _classic, CONNECT: _connect, SAIL: _sail}[engine]
    with make(folder, settings) as session:
        yield session


@contextmanager
def _classic(folder: Path, settings: Mapping[str, str]) -> Iterator[SparkSession]:
    """Made as the console command makes it."""
    session = get_session("claimatlas tests", master="local[2]", driver_memory="2g", settings=settings)
    yield session
    session.stop()


@contextmanager
def _connect(folder: Path, settings: Mapping[str, str]) -> Iterator[SparkSession]:
    of_server = {"spark.master": "local[2]", "spark.driver.memory": "2g", **settings}
    with connect_server(folder, of_server) as address:
        yield from _session_at(address)


@contextmanager
def _sail(folder: Path, settings: Mapping[str, str]) -> Iterator[SparkSession]:
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
