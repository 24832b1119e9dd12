"""The tables of an output, and the only ways to write them: replace all, replace an exact slice, append."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.errors import PySparkException
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from claimatlas.configuration.settings import CellTables
from claimatlas.errors import ClaimatlasError, InputError, text_of
from claimatlas.paths import LITERAL_PATH, quoted
from claimatlas.spark.errors import SPARK_ERRORS
from claimatlas.spark.frames import analyse_now
from claimatlas.tables.cell_tables import cell_tables_of, require_names
from claimatlas.tables.local_table import LocalTable, UnreadableError, as_rows
from claimatlas.tables.locations import Location, location_of
from claimatlas.tables.reader import Row, Value, Where, missing_table, named, values_of
from claimatlas.tables.schema_version import require_schema_version
from claimatlas.tables.schemas import DECLARED_PROPERTY, FLAG, TEXT, Column, Table

DELETION_VECTORS = "delta.enableDeletionVectors"
_SKIPPING = "spark.databricks.delta.stats.skipping"
_COMMIT_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_ROWS_TO_DELETE = "claimatlas_rows_to_delete"
LINEAGE = "openlineage"
"""In the name of a listener that tells which table was made from which."""
_YEARS_AT_ONCE = 8
"""The years of a small table that are collected at once: Spark collects one gigabyte at most."""
_FEW_ROWS, _FEW_FILES = 200_000, 32
"""Tables with at most so many rows and files are read from their files directly; Spark lists more files with a job."""
MAX_HELD = 1_000_000
"""Rows up to which a small table is read by the driver."""
_DAMAGED = (
    "JsonParseException",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
    "DELTA_STATE_RECOVER",
    "DELTA_TABLE_NOT_FOUND",
)


class Store:
    """The Delta tables of one output: below a root folder, or in a schema of a catalog."""

    def __init__(self, spark: SparkSession, output: str | Location, names: CellTables | None = None) -> None:
        """Name the output; nothing is read or made yet. ``names``: of the tables of cells, where it has none yet."""
        self.spark = spark
        self.location = location_of(output) if isinstance(output, str) else output
        self._names = names

    @classmethod
    def at(cls, spark: SparkSession, output: str, names: CellTables | None = None) -> Store:
        """The tables of an output that a user names.

        Raises:
            InputError: it is a schema that no catalog has, or its tables have other stored names than these.
        """
        store = cls(spark, output, names)
        store.location.require(spark)
        require_schema_version(store)
        if names is not None:
            require_names(store, names)
        return store

    @cached_property
    def cell_tables(self) -> tuple[Table, Table]:
        """The table of the cells of beneficiary-years and that of deliveries, under the names that the output has."""
        return cell_tables_of(self, self._names)

    @property
    def root(self) -> str:
        """The output as it was named."""
        return self.location.root

    @property
    def is_local(self) -> bool:
        """Whether the output is a folder of this machine's file system."""
        return self.location.is_local

    def _local(self, table: Table) -> LocalTable | None:
        """The table as it is read and written without Spark; nothing where that cannot be, or a listener is to hear."""
        return None if self._tells_lineage else self.location.local(table.name)

    @cached_property
    def _tells_lineage(self) -> bool:
        """Whether a listener tells who writes which table: of a write that is not Spark's it would hear nothing."""
        try:
            return LINEAGE in (self.spark.conf.get("spark.extraListeners", "") or "").lower()
        except PySparkException:  # A serverless session does not show this setting, and has no listener of ours.
            return False

    def path(self, name: str) -> str:
        """Where a table is."""
        return self.location.path(name)

    def called(self, table: Table) -> str:
        """The table's name at its location: ``silver/claims`` in a folder, ``silver_claims`` in a schema."""
        return self.location.called(table.name)

    def identifier(self, table: Table) -> str:
        """The table's name in SQL."""
        return self.location.identifier(table.name)

    def exists(self, table: Table) -> bool:
        """Whether the table has been made."""
        return self.location.exists(self.spark, table.name)

    def columns(self, table: Table) -> list[str]:
        """The columns that a table has, in their order."""
        names: list[str] = self._found(table).names
        return names

    def require_fitting(self, table: Table) -> None:
        """Raise early what ``create`` would raise. It creates and changes nothing.

        Raises:
            InputError: a table of another schema is there.
        """
        if self.exists(table):
            self._missing_columns(table)

    def create(self, table: Table) -> None:
        """Make the table, if it is not there, with its comments, partitioning and constraints.

        An existing table gets the declared columns that it lacks: null in its rows until they are rewritten.

        Raises:
            InputError: a table of another schema is there.
        """
        if self.exists(table):
            missing = self._missing_columns(table)
            if missing:
                noted = ",".join(table.ever_declared(self.properties(table)))
                self.spark.sql(f"ALTER TABLE {self.identifier(table)} ADD COLUMNS ({_declared(missing)})")
                self.set_properties(table, {DECLARED_PROPERTY: noted})
            return
        if self.location.create(table, table.properties):
            return
        columns = _declared(table.columns)
        statement = f"CREATE TABLE IF NOT EXISTS {self.identifier(table)} ({columns}) USING DELTA"
        if table.partitioned_by:
            statement += f" PARTITIONED BY ({', '.join(map(quoted, table.partitioned_by))})"
        statement += f" COMMENT {_literal(table.comment)}"
        self.spark.sql(f"{statement} TBLPROPERTIES ({_pairs(table.properties)})")

    def require_constraints(self, table: Table) -> None:
        """Give a table that is there the constraints of its schema, where it was made with others of these names."""
        held = self.properties(table)
        for name, check in table.constraints:
            if held.get(f"delta.constraints.{name}") != check:
                identifier = self.identifier(table)
                self.spark.sql(f"ALTER TABLE {identifier} DROP CONSTRAINT IF EXISTS {quoted(name)}")
                self.spark.sql(f"ALTER TABLE {identifier} ADD CONSTRAINT {quoted(name)} CHECK ({check})")

    def read(self, table: Table) -> DataFrame:
        """The table's newest version.

        Of a table whose columns a configuration declares those that are declared: null where it lacks one.

        Raises:
            InputError: the table is not there.
        """
        if not self.exists(table):
            raise missing_table(self.called(table), self.root)
        held = self._read_by_itself(table)
        if held is not None:
            return _with_declared(held, table)
        with self._opening(table):
            self._allow_deleted_rows(table)
            rows = analyse_now(self.location.read(self.spark.read, table.name))
        return _with_declared(rows, table)

    def replace(
        self, df: DataFrame, table: Table, where: str | None, metadata: Mapping[str, str], *, is_few: bool = False
    ) -> None:
        """Write ``df`` in place of the whole table, or of exactly the rows that ``where`` holds for.

        An empty ``df`` empties the slice. Rows outside ``where`` make the write fail. ``is_few``: the driver can hold
        the rows.
        """
        if is_few and (local := self._local(table)):
            local.replace(self._written(df, table).toArrow(), where, metadata)
            return
        self.location.overwrite(self._written(df, table), table.name, where, _commit(metadata))

    def replace_years(
        self, df: DataFrame, table: Table, years: Sequence[int], order: Sequence[str], metadata: Mapping[str, str]
    ) -> pa.Table:
        """Write ``df`` in place of exactly the rows of ``years``, ordered, one file a partition: for small tables.

        Its rows go through the driver, and are given back.
        """
        chosen = sorted({int(year) for year in years})
        where = f"year IN ({', '.join(map(str, chosen))})"
        rows = self._collected(self._written(df, table), chosen).sort_by([(name, "ascending") for name in order])
        local = self._local(table)
        if local is not None:
            local.replace(rows, where, metadata)
        else:
            one_file = self.spark.createDataFrame(rows).repartition(1).sortWithinPartitions(*order)
            self.location.overwrite(one_file, table.name, where, _commit(metadata))
        return rows

    def append(self, df: DataFrame, table: Table, metadata: Mapping[str, str], *, is_few: bool = False) -> None:
        """Add the rows of ``df``; ``is_few``: the driver can hold them."""
        if is_few and (local := self._local(table)):
            local.append(self._written(df, table).toArrow(), metadata)
            return
        self.location.append(self._written(df, table), table.name, _commit(metadata))

    def append_row(self, values: Sequence[object], table: Table, metadata: Mapping[str, str]) -> None:
        """Add one row, its values in the order of the columns."""
        local = self._local(table)
        if local is not None:
            local.append(as_rows([values], table), metadata)
        else:
            self.append(self.spark.createDataFrame([tuple(values)], table.schema), table, metadata)

    def delete(self, table: Table, condition: str) -> None:
        """Delete the rows that a fixed condition of the code holds for."""
        local = self._local(table)
        if local is not None:
            local.delete(condition, {})
            return
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
        rows.select(*key).createOrReplaceTempView(_ROWS_TO_DELETE)
        # A serverless session does not let us set this: its commit does not name the run. Only gold is asked for runs.
        with suppress(PySparkException):
            self.spark.conf.set(_COMMIT_METADATA, json.dumps(metadata, sort_keys=True))
        try:
            self.spark.sql(
                f"MERGE INTO {self.identifier(table)} t USING {_ROWS_TO_DELETE} s "
                f"ON {same} AND t.year IN ({', '.join(map(str, partitions))}) WHEN MATCHED THEN DELETE"
            )
        finally:
            with suppress(PySparkException):
                self.spark.conf.unset(_COMMIT_METADATA)
            self.spark.catalog.dropTempView(_ROWS_TO_DELETE)

    def arrow(self, table: Table, version: int | None = None, years: Sequence[int] | None = None) -> pa.Table:
        """The rows of a small table in the driver: of its newest version, or of another; of all years, or of some."""
        held = None
        if local := self._local(table):
            with suppress(UnreadableError):
                held = local.rows(version)
        if held is not None:
            return held if years is None else held.filter(pc.is_in(held["year"], pa.array(years, pa.int32())))
        df = self.read(table) if version is None else self.read_version(table, version)
        return (df if years is None else df.where(F.col("year").isin(list(years)))).toArrow()

    def rows_by_year(self, table: Table) -> dict[int | None, int]:
        """The rows of each value of ``year``, a column that the table is partitioned by; null is one."""
        if local := self._local(table):
            return local.rows_by_year()
        return {row["year"]: row["count"] for row in self.read(table).groupBy("year").count().collect()}

    def without_year(self, table: Table, number: int) -> tuple[DataFrame, bool]:
        """The ``number`` rows whose ``year`` is null, and whether they stay readable when the table has lost them."""
        local = self._local(table) if number <= MAX_HELD else None
        if local is not None:
            return self.spark.createDataFrame(local.without_year()), True
        return self.read(table).where(F.col("year").isNull()), False

    def version(self, table: Table) -> int:
        """The table's newest version."""
        seen = self.location.version(table.name)
        # Asking Delta costs a job.
        return int(str(self.history(table)["version"])) if seen is None else seen

    def history(self, table: Table) -> dict[str, object]:
        """The table's newest commit."""
        with self._opening(table):
            if local := self._local(table):
                return local.history(1)[0]
            return self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)} LIMIT 1").collect()[0].asDict()

    def read_version(self, table: Table, version: int) -> DataFrame:
        """The table as of a version, with the columns that ``read`` gives."""
        held = self._read_by_itself(table, version)
        if held is not None:
            return _with_declared(held, table)
        with self._opening(table):
            self._allow_deleted_rows(table)
            rows = analyse_now(self.location.read(self.spark.read.option("versionAsOf", version), table.name))
        return _with_declared(rows, table)

    def rows(
        self,
        table: Table,
        columns: Mapping[str, str] | None = None,
        where: Where | None = None,
        *,
        version: int | None = None,
        distinct: bool = False,
    ) -> list[Row]:
        """A few rows as plain Python: see ``Reader``."""
        given = named(*table.column_names) if columns is None else columns
        if table.is_small and not distinct and given == named(*given):
            return self._plain_rows(table, list(given), where or {}, version)
        found = self.read(table) if version is None else self.read_version(table, version)
        for name, wanted in (where or {}).items():
            found = found.where(_is_one_of(F.col(quoted(name)), wanted))
        found = found.select(*[F.expr(sql).alias(name) for name, sql in given.items()])
        rows = (found.distinct() if distinct else found).collect()
        return [{name: _as_python(value) for name, value in row.asDict(recursive=True).items()} for row in rows]

    def _plain_rows(self, table: Table, columns: Sequence[str], where: Where, version: int | None) -> list[Row]:
        """The same of columns as they are, in a small table: without a query where that can be."""
        found = self.arrow(table, version)
        lacking = [column for column in table.declared if column.name not in found.column_names]
        for column in lacking:
            kind = pa.bool_() if column.type == FLAG else pa.string()
            found = found.append_column(column.name, pa.nulls(found.num_rows, kind))
        for name, wanted in where.items():
            values, may_be_null = values_of(wanted)
            fits = pc.is_in(found[name], pa.array(values, found.schema.field(name).type))
            found = found.filter(pc.or_(fits, pc.is_null(found[name])) if may_be_null else fits)
        rows: list[Row] = found.select(list(columns)).to_pylist()
        return rows

    def runs_by_version(self, table: Table) -> dict[int, str]:
        """The run that wrote each version, where a run did."""
        local = self._local(table)
        if local is not None:
            rows = [
                {"version": commit["version"], "userMetadata": commit.get("userMetadata")} for commit in local.history()
            ]
        else:
            history = self.spark.sql(f"DESCRIBE HISTORY {self.identifier(table)}").select("version", "userMetadata")
            rows = [row.asDict() for row in history.collect()]
        # Another program may have written text of its own there.
        ours = [row for row in rows if (row["userMetadata"] or "").startswith('{"run_id":')]
        return {row["version"]: json.loads(row["userMetadata"])["run_id"] for row in ours}

    def properties(self, table: Table) -> dict[str, str]:
        """The table's properties."""
        with self._opening(table):
            if local := self._local(table):
                return local.properties()
            rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.identifier(table)}").collect()
        return {row["key"]: row["value"] for row in rows}

    def set_properties(self, table: Table, properties: Mapping[str, str]) -> None:
        """Set properties of the table, in one commit."""
        # Only Spark knows what one of Delta's own properties requires of readers.
        of_delta = any(name.startswith("delta.") for name in properties)
        if not of_delta and (local := self._local(table)):
            local.set_properties(properties)
            return
        self.spark.sql(f"ALTER TABLE {self.identifier(table)} SET TBLPROPERTIES ({_pairs(properties)})")

    def restore(self, table: Table, version: int) -> None:
        """Bring back the content of an earlier version."""
        if self.version(table) != version:
            self.spark.sql(f"RESTORE TABLE {self.identifier(table)} TO VERSION AS OF {version}")

    def drop(self, table: Table) -> None:
        """Remove a table that this run made, so that a failed run leaves nothing behind."""
        self.location.drop(self.spark, table.name)

    def materialise(self, df: DataFrame, name: str) -> DataFrame:
        """Write an intermediate result once and give it back as read from there.

        A replacement of ``cache`` that a Spark Connect or serverless session has too, and that
        survives the loss of an executor.
        """
        return self.location.materialise(df, name)

    def make_private(self) -> None:
        """Let only the owner into ``silver/`` of a local folder.

        Raises:
            InputError: the folder cannot be made.
        """
        self.location.make_private()

    def clear_work(self) -> None:
        """Remove the intermediate results."""
        self.location.clear_work(self.spark)

    @contextmanager
    def _opening(self, table: Table) -> Iterator[None]:
        """Name the table whose log is damaged: Spark's message names an internal class only."""
        try:
            yield
        except SPARK_ERRORS as error:
            text = text_of(error)
            if not any(sign in text for sign in _DAMAGED):
                raise
            raise ClaimatlasError(
                f"The table {self.called(table)} in {self.root} cannot be read: its Delta log (_delta_log) is damaged "
                "or incomplete. Bring back that folder from a backup; nothing was written."
            ) from error

    def _allow_deleted_rows(self, table: Table) -> None:
        """Let Delta use file statistics again: it needs them to read a table from which single rows were deleted."""
        if not table.loses_single_rows or self._looks_at_statistics():
            return
        if self.properties(table).get(DELETION_VECTORS) == "true":
            self.spark.conf.set(_SKIPPING, "true")

    def _read_by_itself(self, table: Table, version: int | None = None) -> DataFrame | None:
        """The rows of a local table, without Spark reading its log; ``None`` where Spark must read it.

        To read the log costs queries, more than those of few rows. A small table is read by the driver, of another one
        that has few rows in few files Spark reads these.
        """
        local = self._local(table)
        if local is None:
            return None
        try:
            rows = local.number_of_rows(version)
            if table.is_small:
                return self.spark.createDataFrame(local.rows(version)) if rows <= MAX_HELD else None
            files = local.files(version)
        except UnreadableError:
            return None  # Spark can read it, or says why not.
        if not files or rows > _FEW_ROWS or len(files) > _FEW_FILES:
            return None
        reader = self.spark.read.options(**LITERAL_PATH, basePath=local.path)
        return reader.schema(StructType.fromJson(local.schema())).parquet(*files)

    def _collected(self, df: DataFrame, years: Sequence[int]) -> pa.Table:
        """All rows, some years at a time: Spark limits how much it collects at once."""
        if len(years) <= _YEARS_AT_ONCE:
            return df.toArrow()
        chosen = [list(years[start : start + _YEARS_AT_ONCE]) for start in range(0, len(years), _YEARS_AT_ONCE)]
        parts = [df.where(F.col("year").isin(some)) for some in chosen]
        # The write refuses rows of other years, so one such row is enough.
        parts.append(df.where(~F.coalesce(F.col("year").isin(list(years)), F.lit(False))).limit(1))
        return pa.concat_tables([part.toArrow() for part in parts])

    def _looks_at_statistics(self) -> bool:
        try:
            return self.spark.conf.get(_SKIPPING, "true") == "true"
        except PySparkException:  # A serverless session does not let us set this: it always uses statistics.
            return True

    def _checked(self, df: DataFrame, table: Table) -> DataFrame:
        # Delta silently fills a missing column with nulls: compare before each write.
        if _types(df.schema) != _types(table.schema):
            raise ClaimatlasError(f"Internal error: the rows for {table.name} do not have its columns.")
        return df.select(*map(quoted, table.column_names))

    def _written(self, df: DataFrame, table: Table) -> DataFrame:
        """The rows in the table's columns, with what stands in columns that are no longer declared."""
        checked = self._checked(df, table)
        # Write the values explicitly: kinds of locations differ in whether they fill a missing column.
        former = [
            F.lit(table.without if kind == TEXT else None).cast(kind).alias(name)
            for name, kind in self._former_columns(table).items()
        ]
        return checked.select("*", *former) if former else checked

    def _found(self, table: Table) -> StructType:
        with self._opening(table):
            if local := self._local(table):
                return StructType.fromJson(local.schema())
            return self.location.read(self.spark.read, table.name).schema

    def _missing_columns(self, table: Table) -> list[Column]:
        """The declared columns that an existing table lacks.

        Raises:
            InputError: anything else about its columns is not as declared.
        """
        found, wanted, declared = _types(self._found(table)), _types(table.schema), table.declared
        missing = [column for column in table.columns if column.name not in found]
        differences = [f"it lacks {column.name}" for column in missing if column not in declared]
        former = self._former_columns(table)
        for name, kind in found.items():
            if name not in wanted and name not in former:
                differences.append(f"it has {name} beside them")
            elif wanted.get(name, kind) != kind:
                differences.append(f"{name} is {kind} and not {wanted[name]}")
        if differences:
            raise InputError(
                f"The table {self.called(table)} in {self.root} has other columns than this version writes "
                f"({', '.join(differences)}: another version or configuration made it); choose another --output."
            )
        return missing

    def _former_columns(self, table: Table) -> dict[str, str]:
        """The columns of an existing table that are no longer declared, with their types."""
        if not table.has_declared:
            return {}
        schema = self._found(table)
        others = {name: kind for name, kind in _types(schema).items() if name not in table.column_names}
        texts = table.ever_declared(self.properties(table)) if TEXT in others.values() else []
        return {
            name: kind
            for name, kind in others.items()
            if (kind == FLAG and schema[name].nullable) or (kind == TEXT and name in texts)
        }


def _declared(columns: Sequence[Column]) -> str:
    """The columns as SQL declarations."""
    return ", ".join(
        f"{quoted(column.name)} {column.type}{' NOT NULL' if column.required else ''} "
        f"COMMENT {_literal(column.comment)}"
        for column in columns
    )


def _with_declared(rows: DataFrame, table: Table) -> DataFrame:
    """The declared columns of a table that another configuration wrote; those that it lacks were not computed: null.

    A table that is read without its configuration has its columns as they are.
    """
    if not table.has_declared:
        return rows
    there = [quoted(name) for name in table.column_names if name in rows.columns]
    lacking = [column for column in table.declared if column.name not in rows.columns]
    return rows.select(*there, *[F.lit(None).cast(column.type).alias(column.name) for column in lacking])


def _is_one_of(column: SparkColumn, wanted: Value | Collection[Value]) -> SparkColumn:
    values, may_be_null = values_of(wanted)
    found = column.isin(values)
    return found | column.isNull() if may_be_null else found


def _as_python(value: Any) -> Any:  # noqa: ANN401 - a column may have any type
    """The value. Spark gives instants in local time without a zone; they are returned in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _types(schema: StructType) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in schema}


def _commit(metadata: Mapping[str, str]) -> dict[str, str]:
    """The option of a write that puts ``metadata`` into its commit."""
    return {"userMetadata": json.dumps(metadata, sort_keys=True)}


def _pairs(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{_literal(key)} = {_literal(value)}" for key, value in sorted(properties.items()))


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
