"""Spark's errors by what they mean, of a classic session and of Spark Connect; a session that lets little choose."""

from types import SimpleNamespace
from typing import Any

import pytest
from claimatlas.commands.failures import known_cause
from claimatlas.errors import text_of
from claimatlas.ingest.read.rows import is_of_a_file
from claimatlas.spark.errors import SPARK_ERRORS, is_conflict
from claimatlas.tables.schemas import CLAIMS
from claimatlas.tables.store import Store
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException


class ConnectError(PySparkException):
    """As Spark Connect gives it: the cause stands in the server's stack trace alone."""

    def __init__(self, message: str, trace: str | None = None) -> None:
        super().__init__(message)
        self.trace = trace

    def getStackTrace(self) -> str | None:  # noqa: N802 - as Spark names it
        return self.trace


def test_both_kinds_are_caught() -> None:
    for error in (ConnectError("x"), Py4JError("x")):
        assert isinstance(error, SPARK_ERRORS)
    assert not isinstance(ValueError("x"), SPARK_ERRORS)


def test_the_causes_are_looked_at_too() -> None:
    trace = "org.apache.spark.SparkException\nCaused by: java.io.IOException: No space left on device\n\tat x"
    assert "No space is left" in (known_cause(ConnectError("Task failed.", trace)) or "")
    assert is_of_a_file(ConnectError("Job aborted.", "Caused by: org.apache.spark.SparkException: [FAILED_READ_FILE]"))
    assert not is_of_a_file(ConnectError("Job aborted."))
    assert known_cause(ConnectError("Task failed.")) is None
    assert text_of(ValueError("x")).strip() == "x"


def test_a_server_that_is_gone_is_a_known_cause() -> None:
    gone = 'status = StatusCode.UNAVAILABLE details = "failed to connect to all addresses"'
    assert "does not answer" in (known_cause(ConnectError(gone)) or "")


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("(io.delta.exceptions.ConcurrentAppendException) [DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Files were", True),
        ("[DELTA_METADATA_CHANGED] MetadataChangedException: the metadata", True),
        ("[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint", False),
    ],
)
def test_a_conflict_is_known_by_its_condition(text: str, conflict: bool) -> None:
    assert is_conflict(ConnectError(text)) is conflict


def test_a_session_that_lets_nobody_choose_is_taken_as_it_is() -> None:
    def refused(*_: Any) -> None:
        raise ConnectError("[CONFIG_NOT_AVAILABLE] Configuration is not available.")

    said = []
    spark: Any = SimpleNamespace(
        conf=SimpleNamespace(get=refused, set=refused, unset=refused),
        sql=lambda text: said.append(text) or SimpleNamespace(collect=lambda: []),
        catalog=SimpleNamespace(dropTempView=said.append),
    )

    class Rows:
        def select(self, *_: str) -> "Rows":
            return self

        def distinct(self) -> "Rows":
            return self

        def collect(self) -> list[dict[str, int]]:
            return [{"year": 2022}]

        def createOrReplaceTempView(self, name: str) -> None:  # noqa: N802 - as Spark names it
            said.append(name)

    rows: Any = Rows()
    Store(spark, "/somewhere").delete_rows(rows, CLAIMS, ("claim_id", "year"), {"run_id": "r"})
    assert [text for text in said if text.startswith("MERGE INTO ")]
    assert said[-1] == "claimatlas_rows_to_delete"
