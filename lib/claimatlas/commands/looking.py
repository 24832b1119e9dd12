"""Read tables for the commands that only read: without Spark and Java where possible, else with Spark."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from claimatlas.commands.storage_options import storage_options
from claimatlas.console.messages import Event, say
from claimatlas.errors import NO_SPARK, InputError
from claimatlas.paths import schema_of
from claimatlas.spark.java import check_java
from claimatlas.spark.settings import is_provided_by_variables
from claimatlas.tables.reader import NotReadableError, Reader
from claimatlas.tables.schema_version import require_schema_version

if TYPE_CHECKING:
    from claimatlas.tables.store import Store

Found = TypeVar("Found")


def look(output: str, app_name: str, find: Callable[[Reader], Found]) -> Found:
    """The result of ``find`` on the tables of an output.

    Spark reads them in a catalog schema, and where the environment names a session (whose machine the paths belong to).
    Otherwise they are read without Spark. If that is impossible, one line says why, and ``find`` starts again with
    Spark; so it must not write anything before it returns.

    Raises:
        InputError: Spark is needed, and cannot be started here.
    """
    if schema_of(output) or is_provided_by_variables():
        return find(store_of(output, app_name))
    try:
        return find(_delta_reader(output))
    except NotReadableError as error:
        why = str(error)
    _require_spark(why)
    say(Event.NOTE, f"{why} Spark reads it.")
    return find(store_of(output, app_name))


def require_packages(*names: str) -> None:
    """Stop if a package that ``claimatlas[publish]`` brings is not installed.

    Raises:
        InputError: naming the first that is missing.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise InputError(f"There is no package {name} here: install claimatlas[publish].")


@contextmanager
def without_spark() -> Iterator[None]:
    """Turn ``NotReadableError`` into ``InputError``, for a command that reads tables only without Spark.

    Raises:
        InputError: one cannot be read so.
    """
    try:
        yield
    except NotReadableError as error:
        raise InputError(str(error)) from error


def store_of(output: str, app_name: str) -> Store:
    """The tables of an output, by Spark."""
    # Imported only here: a session takes seconds, and importing its package a good part of one.
    from claimatlas.commands.sessions import work_on  # noqa: PLC0415
    from claimatlas.spark.session import LocalSpark, get_session  # noqa: PLC0415
    from claimatlas.tables.store import Store  # noqa: PLC0415

    return Store.at(get_session(app_name, LocalSpark(work=work_on([output]))), output)


def _delta_reader(output: str) -> Reader:
    # Imported only here: where Spark reads, the Python need not have the package.
    try:
        from claimatlas.tables.delta_reader import DeltaReader  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("arro3", "deltalake"):
            raise
        raise NotReadableError(
            f"{sys.executable} has no package deltalake, which reads tables without Spark."
        ) from error
    reader = DeltaReader(output, storage_options(output))
    require_schema_version(reader)
    return reader


def _require_spark(why: str) -> None:
    """Stop if Spark cannot be started, and say why it is needed.

    Raises:
        InputError: with both.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise InputError(f"{why} Spark could, but {NO_SPARK}")
    if _is_running():
        return
    try:
        check_java()
    except InputError as error:
        raise InputError(f"{why} {error}") from None


def _is_running() -> bool:
    """Whether Java runs already: for `spark-submit`, or for a session of this process."""
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return True
    if "pyspark.sql" not in sys.modules:
        return False
    from pyspark.sql import SparkSession  # noqa: PLC0415 - it is there

    return SparkSession.getActiveSession() is not None
