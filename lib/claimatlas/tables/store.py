"""Where the tables live, and the only ways to write them: whole, by an exact slice, or appended."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.spark_errors import SPARK_ERRORS, text_of
from claimatlas.tables.analysis import analysed
from claimatlas.tables.identifiers import quoted
from claimatlas.tables.paths import ONE_PLACE
from claimatlas.tables.schemas import Table

SILVER = "silver"
"""The folder of single records."""
WORK = f"{SILVER}/work"
"""Intermediate results of a run, below silver because they hold single records; gone at its end."""

DELETION_VECTORS = "delta.enableDeletionVectors"
_SKIPPING = "spark.databricks.delta.stats.skipping"
_COMMIT_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_GOING = "claimatlas_rows_going"
_DAMAGED = (
    "JsonParseException",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
    "DELTA_STATE_RECOVER",
)


class Store:
    """Delta tables under one root folder."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        """Name the root folder; nothing is read or made yet."""
        self.spark = spark
        self.root = root.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine's file system."""
        return "://" not in self.root and not self.root.startswith("dbfs:")

    def path(self, name: str) -> str:
        """Where a table is."""
        root = str(Path(self.root).resolve()) if self.is_local else self.root
        return f"{root}/{name}"

    def identifier(self, table: Table) -> str:
        """The table's name in SQL."""
        return f"delta.{quoted(self.path(table.name))}"

    def exists(self, table: Table) -> bool:
        """Whether the table has been made."""
        if self.is_local:
            return Path(self.path(table.name), "_delta_log").is_dir()
        try:
            self.spark.sql(f"DESCRIBE DETAIL {self.identifier(table)}").collect()
        except AnalysisException:
            return False
        return True

    def create(self, table: Table) -> None:
        """Make the table, if it is not there, with its comments, partitioning and constraints.

        Raises:
            InputError: a table of another schema is there.
        """
        if self.exists(table):
            with self._opening(table):
                found = self.spark.read.format("delta").load(self.path(table.name)).schema
            if _types(found) != _types(table.schema):
                raise InputError(
                    f"The table {table.name} in {self.root} has other columns than this version writes "
                    "(another version or configuration made it); choose another --output."
                )
            return
        columns = ", ".join(
            f"{quoted(column.name)} {column.type}{' NOT NULL' if column.required else ''} "
            f"COMMENT {_literal(column.comment)}"
            for column in table.columns
        )
        properties = {f"delta.constraints.{name}": check for name, check in table.constraints}
        if table.retention:
            properties["delta.logRetentionDuration"] = table.retention
            properties["delta.deletedFileRetentionDuration"] = table.retention
        if table.statistics:
            properties["delta.dataSkippingStatsColumns"] = ",".join(table.statistics)
        statement = f"CREATE TABLE IF NOT EXISTS {self.identifier(table)} ({columns}) USING DELTA"
        if table.partitioned_by:
            statement += f" PARTITIONED BY ({', '.join(map(quoted, table.partitioned_by))})"
        statement += f" COMMENT {_literal(table.comment)}"
        if properties:
            statement += f" TBLPROPERTIES ({_pairs(properties)})"
        self.spark.sql(statement)

    def read(self, table: Table) -> DataFrame:
        """The table's newest version.

        Raises:
            InputError: the table is not there.
        """
        if not self.exists(table):
            raise InputError(f"There is no table {table.name} in {self.root}: run the job that writes it first.")
        with self._opening(table):
            self._allow_deleted_rows(table)
            return analysed(self.spark.read.format("delta").load(self.path(table.name)))

    def replace(self, df: DataFrame, table: Table, where: str | None, metadata: Mapping[str, str]) -> None:
        """Write ``df`` in place of the whole table, or of exactly the rows that ``where`` holds for.

        An empty ``df`` empties the slice. Rows outside ``where`` make the write fail.
        """
        writer = self._checked(df, table).write.format("delta").mode("overwrite")
        if where is not None:
            writer = writer.option("replaceWhere", where)
        writer.option("userMetadata", json.dumps(metadata, sort_keys=True)).save(self.path(table.name))

    def replace_years(
        self, df: DataFrame, table: Table, years: Sequence[int], order: Sequence[str], metadata: Mapping[str, str]
    ) -> None:
        """Write ``df`` in place of exactly the rows of ``years``, ordered, one file a partition: for small tables."""
        where = f"year IN ({', '.join(str(int(year)) for year in sorted(set(years)))})"
        self.replace(df.repartition(1).sortWithinPartitions(*order), table, where, metadata)

    def append(self, df: DataFrame, table: Table, metadata: Mapping[str, str]) -> None:
        """Add the rows of ``df``."""
        writer = self._checked(df, table).write.format("delta").mode("append")
        writer.option("userMetadata", json.dumps(metadata, sort_keys=True)).save(self.path(table.name))

    def delete(self, table: Table, condition: str) -> None:
        """Delete the rows that a fixed condition of the code holds for."""
        self.spark.sql(f"DELETE FROM {self.identifier(table)} WHERE {condition}")  # noqa: S608 - fixed conditions

    def delete_rows(self, rows: DataFrame, table: Table, key: Sequence[str], metadata: Mapping[str, str]) -> None:
        """Delete the rows of a large table that share their ``key``, partition included, with one of ``rows``.

        Their files are not written anew: Delta notes beside each which rows are gone (deletion vectors), from then on
        a feature of the table that its readers must know.
        """
        if self.properties(table).get(DELETION_VECTORS) != "true":
            self.set_properties(table, {DELETION_VECTORS: "true"})
        self._allow_deleted_rows(table)
        partitions = sorted({row["year"] for row in rows.select("year").distinct().collect()})
        same = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in key)
        rows.select(*key).createOrReplaceTempView(_GOING)
        # A serverless session lets nobody choose: its commit does not name the run, which is asked of gold alone.
        with suppress(PySparkException):
            self.spark.conf.set(_COMMIT_METADATA, json.dumps(metadata, sort_keys=True))
        try:
            self.spark.sql(
                f"MERGE INTO {self.identifier(table)} t USING {_GOING} s "
                f"ON {same} AND t.year IN ({', '.join(map(str, partitions))}) WHEN MATCHED THEN DELETE"
            )
        finally:
            with suppress(PySparkException):
                self.spark.conf.unset(_COMMIT_METADATA)
            self.spark.catalog.dropTempView(_GOING)

    def version(self, table: Table) -> int:
        """The table's newest version."""
        return int(str(self.history(table)["version"]))

    def history(self, table: Table) -> dict[str, object]:
        """The table's newest commit."""
        with self._opening(table):
            return self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1").collect()[0].asDict()

    def read_version(self, table: Table, version: int) -> DataFrame:
        """The table as of a version."""
        with self._opening(table):
            self._allow_deleted_rows(table)
            reader = self.spark.read.format("delta").option("versionAsOf", version)
            return analysed(reader.load(self.path(table.name)))

    def runs_by_version(self, table: Table) -> dict[int, str]:
        """The run that wrote each version, where a run did."""
        rows = self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)}").select("version", "userMetadata").collect()
        # Another program may have written its own text there.
        ours = [row for row in rows if (row["userMetadata"] or "").startswith('{"run_id":')]
        return {row["version"]: json.loads(row["userMetadata"])["run_id"] for row in ours}

    def properties(self, table: Table) -> dict[str, str]:
        """The table's properties."""
        with self._opening(table):
            rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.identifier(table)}").collect()
        return {row["key"]: row["value"] for row in rows}

    def set_properties(self, table: Table, properties: Mapping[str, str]) -> None:
        """Set properties of the table, in one commit."""
        self.spark.sql(f"ALTER TABLE {self.identifier(table)} SET TBLPROPERTIES ({_pairs(properties)})")

    def restore(self, table: Table, version: int) -> None:
        """Bring back the content of an earlier version."""
        if self.version(table) != version:
            self.spark.sql(f"RESTORE TABLE {self.identifier(table)} TO VERSION AS OF {version}")

    def drop(self, table: Table) -> None:
        """Remove a table that this run made, so that a failed run leaves nothing behind."""
        if self.is_local:
            self._remove(table.name)

    def keep(self, df: DataFrame, name: str) -> DataFrame:
        """Write an intermediate result once and give it back as read from there.

        A replacement of ``cache`` that a Spark Connect or serverless session has too, and that
        survives the loss of an executor.
        """
        path = self.path(f"{WORK}/{name}")
        df.write.mode("overwrite").parquet(path)
        return self.spark.read.options(**ONE_PLACE).schema(df.schema).parquet(path)

    def make_private(self) -> None:
        """Let nobody but its owner into ``silver/``, in whatever folder the output is and whatever the umask.

        That folder is enough, as nobody gets below it. One that belongs to somebody else is left as it is, and so is
        one where the file system has no permissions, as on an object store.

        Raises:
            InputError: the folder cannot be made.
        """
        if not self.is_local:
            return
        folder = Path(self.path(SILVER))
        try:
            folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The output folder {folder} cannot be written ({error.strerror}).") from None
        if folder.stat().st_uid == os.geteuid():
            with suppress(OSError):
                folder.chmod(stat.S_IRWXU)

    def clear_work(self) -> None:
        """Remove intermediate results; on an object store they stay until the next run overwrites them."""
        if self.is_local:
            self._remove(WORK)

    def _remove(self, name: str) -> None:
        """Remove a folder ``silver/…`` or ``gold/…``, and the folders above it that are left empty."""
        shutil.rmtree(self.path(name), ignore_errors=True)
        for parent in Path(self.path(name)).parents[:2]:
            with suppress(OSError):  # Not empty: something of the user's or of another run is in it.
                parent.rmdir()

    @contextmanager
    def _opening(self, table: Table) -> Iterator[None]:
        """Say which table's log is damaged; Spark names a class of its own."""
        try:
            yield
        except SPARK_ERRORS as error:
            text = text_of(error)
            if not any(sign in text for sign in _DAMAGED):
                raise
            raise ClaimatlasError(
                f"The table {table.name} in {self.root} cannot be read: its Delta log (_delta_log) is damaged or "
                "incomplete. Bring back that folder from a backup; nothing was written."
            ) from error

    def _allow_deleted_rows(self, table: Table) -> None:
        """Let Delta look at the statistics again, which it must to read a table of which single rows were deleted."""
        if not table.loses_single_rows or self._looks_at_statistics():
            return
        if self.properties(table).get(DELETION_VECTORS) == "true":
            self.spark.conf.set(_SKIPPING, "true")

    def _looks_at_statistics(self) -> bool:
        try:
            return self.spark.conf.get(_SKIPPING, "true") == "true"
        except PySparkException:  # A serverless session lets nobody choose: there they are always looked at.
            return True

    def _checked(self, df: DataFrame, table: Table) -> DataFrame:
        # Delta fills a missing column with nulls without a word: compare before each write.
        if _types(df.schema) != _types(table.schema):
            raise ClaimatlasError(f"Internal error: the rows for {table.name} do not have its columns.")
        return df.select(*map(quoted, table.column_names))


def _types(schema: StructType) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in schema}


def _pairs(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{_literal(key)} = {_literal(value)}" for key, value in sorted(properties.items()))


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
