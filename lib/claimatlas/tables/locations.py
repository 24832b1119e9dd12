"""Where the tables of an output live: a folder here, a folder that Spark alone reaches, or a schema of a catalog.

All that differs between them is here; ``Store`` says what is done to a table, a location how.
"""

from __future__ import annotations

import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F

from claimatlas.errors import InputError
from claimatlas.paths import LITERAL_PATH, is_made, is_remote, make_private, quoted, schema_of
from claimatlas.spark.errors import SPARK_ERRORS
from claimatlas.tables import local_table
from claimatlas.tables.local_table import LocalTable
from claimatlas.tables.schemas import Table

SILVER = "silver"
"""The folder of single records."""
WORK = f"{SILVER}/work"
"""Intermediate results of a run, below silver because they hold single records; gone at its end."""

_TIME = "%Y%m%dt%H%M%S"
_LEFT_BEHIND = timedelta(days=2)
"""Longer than any run takes: older intermediate tables of a catalog are left over from a killed run."""
_COMMIT = f"{'[0-9]' * 20}.json"
"""The file of a commit in a Delta log."""
NO_SUCH_SCHEMA = (
    "SCHEMA_NOT_FOUND",
    "CATALOG_NOT_FOUND",
    "NO_SUCH_CATALOG_EXCEPTION",
    # If no catalog has the first name, Spark reads both as a schema within a schema of its own catalog.
    "REQUIRES_SINGLE_PART_NAMESPACE",
    "_LEGACY_ERROR_TEMP_1126",
)
"""Spark's error conditions for a missing schema or catalog."""


class Location(ABC):
    """The location of an output.

    Tables have their names of ``schemas``, such as ``silver/claims``, at every location.
    """

    is_local = False
    """Whether it is a folder of this machine's file system."""

    def __init__(self, root: str) -> None:
        """Name the output; nothing is read or made yet."""
        self.root = root

    def require(self, spark: SparkSession) -> None:  # noqa: B027 - a folder is made by writing to it
        """Stop if the output does not exist and writing to it would not create it."""

    def warnings(self, spark: SparkSession) -> list[str]:
        """Warnings for a run on this output."""
        return []

    @abstractmethod
    def path(self, name: str) -> str:
        """Where a table is."""

    def called(self, name: str) -> str:
        """The table's name at this location."""
        return name

    @abstractmethod
    def identifier(self, name: str) -> str:
        """A table's name in SQL."""

    @abstractmethod
    def exists(self, spark: SparkSession, name: str) -> bool:
        """Whether a table has been made."""

    def version(self, name: str) -> int | None:
        """The number of a table's newest commit, if it can be found without asking Delta."""
        return None

    def create(self, table: Table, properties: Mapping[str, str]) -> bool:
        """Create a table without Spark, where that is possible."""
        return False

    def local(self, name: str) -> LocalTable | None:
        """A table that is read and written without Spark, where that is possible."""
        return None

    @abstractmethod
    def read(self, reader: DataFrameReader, name: str) -> DataFrame:
        """A table by a reader that may have options, such as a version."""

    @abstractmethod
    def overwrite(self, df: DataFrame, name: str, where: str | None, options: Mapping[str, str]) -> None:
        """Write ``df`` in place of a whole table, or of exactly the rows that ``where`` holds for."""

    @abstractmethod
    def append(self, df: DataFrame, name: str, options: Mapping[str, str]) -> None:
        """Add the rows of ``df`` to a table."""

    @abstractmethod
    def drop(self, spark: SparkSession, name: str) -> None:
        """Remove a table."""

    @abstractmethod
    def materialise(self, df: DataFrame, name: str) -> DataFrame:
        """Write an intermediate result and give it back as read from there."""

    @abstractmethod
    def below(self, name: str) -> Location:
        """A separate location below ``silver/work``, which is removed with the other intermediate results."""

    @abstractmethod
    def clear_work(self, spark: SparkSession) -> None:
        """Remove intermediate results."""

    def make_private(self) -> None:  # noqa: B027 - grants are given by an object store's or a catalog's owners
        """Let only the owner into ``silver/``, where this program sets the permissions."""


class Folder(Location):
    """A root folder, with a folder for each table."""

    def identifier(self, name: str) -> str:
        """The table's folder in SQL."""
        return f"delta.{quoted(self.path(name))}"

    def read(self, reader: DataFrameReader, name: str) -> DataFrame:
        """The Delta table in a folder."""
        return reader.format("delta").load(self.path(name))

    def overwrite(self, df: DataFrame, name: str, where: str | None, options: Mapping[str, str]) -> None:
        """By Delta's ``replaceWhere``."""
        writer = df.write.format("delta").mode("overwrite").options(**options)
        if where is not None:
            writer = writer.option("replaceWhere", where)
        writer.save(self.path(name))

    def append(self, df: DataFrame, name: str, options: Mapping[str, str]) -> None:
        """To the Delta table in a folder."""
        df.write.format("delta").mode("append").options(**options).save(self.path(name))

    def materialise(self, df: DataFrame, name: str) -> DataFrame:
        """As Parquet in ``silver/work``."""
        path = self.path(f"{WORK}/{name}")
        df.write.mode("overwrite").parquet(path)
        return df.sparkSession.read.options(**LITERAL_PATH).schema(df.schema).parquet(path)


class LocalFolder(Folder):
    """A folder of this machine's file system, held by one run at a time."""

    is_local = True

    def path(self, name: str) -> str:
        """Where a table is, links resolved."""
        return f"{Path(self.root).resolve()}/{name}"

    def exists(self, spark: SparkSession, name: str) -> bool:
        """Whether a table has been made: a look into its folder, without Spark."""
        return is_made(Path(self.path(name)))

    def version(self, name: str) -> int | None:
        """The number of a table's newest commit: a look into its folder."""
        commits = Path(self.path(name), "_delta_log").glob(_COMMIT)
        return max((int(commit.stem) for commit in commits), default=None)

    def create(self, table: Table, properties: Mapping[str, str]) -> bool:
        """Make a table by its first commit."""
        return local_table.create(self.path(table.name), table, properties)

    def local(self, name: str) -> LocalTable | None:
        """A table of a protocol that the package ``deltalake`` writes."""
        return LocalTable.at(self.path(name))

    def below(self, name: str) -> Location:
        """A folder below ``silver/work``."""
        return LocalFolder(self.path(f"{WORK}/{name}"))

    def drop(self, spark: SparkSession, name: str) -> None:
        """Remove the table's folder."""
        self._remove(name)

    def clear_work(self, spark: SparkSession) -> None:
        """Remove ``silver/work``."""
        self._remove(WORK)

    def make_private(self) -> None:
        """Close ``silver/``, in whatever folder the output is and whatever the umask.

        Closing that folder is enough: nobody can open what is below it. The folder of another user stays as it is, and
        so does a folder on a file system without permissions.

        Raises:
            InputError: the folder cannot be made.
        """
        make_private(Path(self.path(SILVER)))

    def _remove(self, name: str) -> None:
        """Remove a folder ``silver/…`` or ``gold/…``, and the folders above it that are left empty."""
        shutil.rmtree(self.path(name), ignore_errors=True)
        for parent in Path(self.path(name)).parents[:2]:
            with suppress(OSError):  # Not empty: it holds files of the user or of another run.
                parent.rmdir()


class Shared(Location):
    """A location without a lock: the intermediate results of each run have names of their own.

    Otherwise a second run could read those of the first, and Delta's conflict checks would not notice.
    """

    def __init__(self, root: str) -> None:
        """Name the location, and choose the name of this run's intermediate results."""
        super().__init__(root)
        self.run = f"{datetime.now(UTC):{_TIME}}_{uuid.uuid4().hex[:8]}"

    def _of_run(self, name: str) -> str:
        """The table's name, with this run's name in it when it is an intermediate result."""
        start = f"{WORK}/"
        return f"{start}{self.run}/{name.removeprefix(start)}" if name.startswith(start) else name


class RemoteFolder(Shared, Folder):
    """A folder of an object store or another file system, by its URI."""

    _has_work = False

    def path(self, name: str) -> str:
        """The table's URI."""
        # Callers ask for a work path only in order to write to it: remember that there is something to clean up.
        self._has_work |= name.startswith(WORK)
        return f"{self.root}/{self._of_run(name)}"

    def exists(self, spark: SparkSession, name: str) -> bool:
        """Whether Delta finds a table."""
        try:
            spark.sql(f"DESCRIBE DETAIL {self.identifier(name)}").collect()
        except AnalysisException:
            return False
        return True

    def below(self, name: str) -> Location:
        """A folder below that of this run's intermediate results."""
        return RemoteFolder(self.path(f"{WORK}/{name}"))

    def drop(self, spark: SparkSession, name: str) -> None:
        """Do nothing: the table has been emptied, and Spark cannot remove its folder."""

    def clear_work(self, spark: SparkSession) -> None:
        """Overwrite this run's work folder with no rows: Spark then removes everything below it."""
        if self._has_work:
            with suppress(*SPARK_ERRORS):  # How the run ended matters more than what it leaves.
                spark.range(0).coalesce(1).write.mode("overwrite").parquet(f"{self.root}/{WORK}/{self.run}")
            self._has_work = False


class CatalogSchema(Shared):
    """A schema of a catalog: ``silver/claims`` is its table ``silver_claims``."""

    def __init__(self, parts: tuple[str, ...], prefix: str = "") -> None:
        """Name the schema by catalog and schema; ``prefix`` begins the name of each table."""
        super().__init__(".".join(parts))
        self.parts = parts
        self.prefix = prefix

    def require(self, spark: SparkSession) -> None:
        """Stop if the schema does not exist: only the owners of the catalog decide who may create one.

        Raises:
            InputError: naming it.
        """
        try:
            spark.sql(f"DESCRIBE SCHEMA {self._schema}").collect()
        except SPARK_ERRORS as error:
            if not is_about(error, NO_SUCH_SCHEMA):
                raise
            raise InputError(
                f"There is no schema {self.root} in the catalogs of this Spark: make it first, by CREATE SCHEMA "
                f"{self._schema}; or write ./{self.root} if a new folder is meant."
            ) from None

    def warnings(self, spark: SparkSession) -> list[str]:
        """Warn if Spark's own catalog is in memory only, and so forgets its tables."""
        if self.parts[0].lower() != "spark_catalog" or not _forgets_its_catalog(spark):
            return []
        return [
            f"Spark's catalog is in memory here: it forgets the tables of {self.root} when this Spark ends. Start it "
            "with a metastore (spark.sql.catalogImplementation=hive), or give a folder."
        ]

    def path(self, name: str) -> str:
        """The table's name, with catalog and schema."""
        return f"{self.root}.{self.called(name)}"

    def called(self, name: str) -> str:
        """The table's name in the schema."""
        return self.prefix + self._of_run(name).replace("/", "_")

    def identifier(self, name: str) -> str:
        """The table's name in SQL."""
        return f"{self._schema}.{quoted(self.called(name))}"

    def exists(self, spark: SparkSession, name: str) -> bool:
        """Whether the catalog has the table."""
        return spark.catalog.tableExists(self.identifier(name))

    def read(self, reader: DataFrameReader, name: str) -> DataFrame:
        """The table of the catalog."""
        return reader.table(self.identifier(name))

    def overwrite(self, df: DataFrame, name: str, where: str | None, options: Mapping[str, str]) -> None:
        """As rows that replace others of an existing table: its columns, partitions and constraints stay."""
        condition = F.lit(True) if where is None else F.expr(where)
        df.writeTo(self.identifier(name)).options(**options).overwrite(condition)

    def append(self, df: DataFrame, name: str, options: Mapping[str, str]) -> None:
        """To an existing table of the catalog."""
        df.writeTo(self.identifier(name)).options(**options).append()

    def drop(self, spark: SparkSession, name: str) -> None:
        """Drop the table."""
        spark.sql(f"DROP TABLE IF EXISTS {self.identifier(name)}")

    def materialise(self, df: DataFrame, name: str) -> DataFrame:
        """As a Delta table, as every catalog has those; without statistics, as it is read whole."""
        identifier = self.identifier(f"{WORK}/{name}")
        writer = df.writeTo(identifier).using("delta").tableProperty("delta.dataSkippingNumIndexedCols", "0")
        writer.createOrReplace()
        return df.sparkSession.read.table(identifier)

    def below(self, name: str) -> Location:
        """The same schema, with a prefix that begins the names of this run's intermediate results."""
        return CatalogSchema(self.parts, f"{self.called(f'{WORK}/{name}')}_")

    def clear_work(self, spark: SparkSession) -> None:
        """Drop this run's intermediate tables, and those of killed runs."""
        start = self.prefix + WORK.replace("/", "_") + "_"
        with suppress(*SPARK_ERRORS):  # How the run ended matters more than what it leaves.
            for row in spark.sql(f"SHOW TABLES IN {self._schema} LIKE '{WORK.replace('/', '_')}_*'").collect():
                name = row["tableName"]
                if name.startswith(start + self.run) or _is_left_behind(name.removeprefix(start)):
                    spark.sql(f"DROP TABLE IF EXISTS {self._schema}.{quoted(name)}")

    @property
    def _schema(self) -> str:
        return ".".join(map(quoted, self.parts))


def location_of(output: str) -> Location:
    """The location that an output names: a URI, a folder, or ``catalog.schema`` where no folder has that name.

    ``./a.b`` is always a folder.
    """
    root = output.rstrip("/")
    if is_remote(output):
        return RemoteFolder(root)
    parts = schema_of(output)
    return CatalogSchema(parts) if parts else LocalFolder(root)


def is_about(error: Exception, conditions: Sequence[str]) -> bool:
    """Whether an error has one of Spark's conditions.

    A few errors arrive as Java's, with the condition in their text.
    """
    if isinstance(error, PySparkException):
        return error.getCondition() in conditions
    return any(f"[{condition}]" in str(error) for condition in conditions)


def _forgets_its_catalog(spark: SparkSession) -> bool:
    try:
        return spark.conf.get("spark.sql.catalogImplementation") == "in-memory"
    except PySparkException:  # A serverless session does not show this setting, and has a metastore.
        return False


def _is_left_behind(name: str) -> bool:
    """Whether an intermediate table, by the time in its name, is older than any run that still runs."""
    try:
        made = datetime.strptime(name.partition("_")[0], _TIME).replace(tzinfo=UTC)
    except ValueError:  # Not ours.
        return False
    return datetime.now(UTC) - made > _LEFT_BEHIND
