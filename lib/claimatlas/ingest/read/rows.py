"""Read an input table as it is: Parquet, Delta, CSV or a catalog table, each row with the file that it came from."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Map
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import InputError, text_of
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.discover.examine import examined
from claimatlas.ingest.discover.source import NO_VALUE, Source, listed, packing, partitions_of
from claimatlas.ingest.read.csv_rows import CORRUPT, SOURCE_FILE, read_csv
from claimatlas.ingest.read.parquet_rows import read_parquet
from claimatlas.paths import LITERAL_PATH, catalog_name, quoted
from claimatlas.spark.errors import SPARK_ERRORS
from claimatlas.spark.frames import analyse_now
from claimatlas.tables.locations import NO_SUCH_SCHEMA, is_about

__all__ = ["CORRUPT", "SOURCE_FILE", "read"]

_PACKED_FOR_SPARK = (".gz", ".bz2", ".deflate", ".zst", ".lz4", ".snappy")
"""The endings by which Spark recognises a compressed file. It is case-sensitive."""
_SCHEME = "^(?:[A-Za-z][A-Za-z0-9+.-]+:)?/*"
"""The scheme and authority before the path of a URI."""
_MAX_PATH_LENGTH = 100_000
_SKIPPING = "spark.databricks.delta.stats.skipping"


def confirmed(spark: SparkSession, source: Source) -> Source | None:
    """The source as Spark finds it: Delta at its version, every listed file among those that Spark reads.

    Raises:
        InputError: it cannot be read, or Spark would pass over a file.
    """
    source = pinned(spark, source)
    if source.assumed and source.version is None and not _is_seen(spark, source):
        return None
    if source.files:
        with _saying_what_cannot_be_read(source):
            read_files = {_local(uri) for uri in read(spark, source).inputFiles()}
        wanted = {str(_links(source).get(file, file.absolute())): file for file in source.files}
        passed_over = [file for path, file in wanted.items() if os.path.normpath(path) not in read_files]
        if passed_over:
            raise InputError(
                f"{source.table}: Spark does not read {listed(passed_over)}: its name may hold what no path can hold "
                "there; rename it."
            )
    return source


def _local(uri: str) -> str:
    return os.path.normpath(unquote(urlsplit(uri).path))


def _is_seen(spark: SparkSession, source: Source) -> bool:
    """Whether Spark finds anything at the location."""
    with _saying_what_cannot_be_read(source):
        try:
            if source.format == "table":
                return spark.catalog.tableExists(source.location)
            files = spark.read.format("binaryFile").options(**LITERAL_PATH, recursiveFileLookup="true")
            return not files.load(source.location).select("path").isEmpty()
        except SPARK_ERRORS as error:
            if is_about(error, ("PATH_NOT_FOUND", *NO_SUCH_SCHEMA)):
                return False
            raise


def read(spark: SparkSession, source: Source) -> DataFrame:
    """The raw rows with all columns, ``_source_file`` and, for CSV, ``_corrupt_record``.

    A folder ``key=value`` gives a column of text; where the value is missing, and of a file outside such folders, it is
    null.

    Raises:
        InputError: the table cannot be read, or its files do not go together.
    """
    source = examined(source)
    with _saying_what_cannot_be_read(source):
        if source.format == "table":
            return _with_source_of_table(analyse_now(_at_version(spark, source).table(source.location)), source)
        if source.format == "delta":
            return analyse_now(_read_delta(spark, source).withColumn(SOURCE_FILE, F.col("_metadata.file_path")))
        if source.format == "remote":
            return analyse_now(_read_remote(spark, source))
        _refuse_hidden(source, source.names or [])
        if source.format == "parquet":
            raw = read_parquet(spark, source)
            if not source.layouts:
                _refuse_hidden(source, raw.columns)
        else:
            raw = _with_own_names(read_csv(spark, source, _paths(spark, source)), source)
        return analyse_now(_with_partitions(raw, source.absolute_location, source.partitions.values()))


def columns_of(spark: SparkSession, source: Source, table: InputTable, mapping: Mapping) -> dict[str, str]:
    """The sender's columns with their types as they came: by our name where the mapping has one, else by the sender's.

    A column that the sender renamed and the mapping renames back is thus the same column.
    """
    ours = {mapping.source_name(table.name, column.name).lower(): column.name for column in table.columns}
    known = set(ours.values())
    columns = {}
    for field in read(spark, source).schema.fields:
        if field.name in (CORRUPT, SOURCE_FILE):
            continue
        # A column of the sender may have one of our names without being mapped to it: it is another column.
        other = f"{field.name} (not mapped)" if field.name.lower() in known else field.name
        columns[ours.get(field.name.lower(), other)] = field.dataType.simpleString()
    return columns


def names_asked(spark: SparkSession, sources: Map[str, Source | None]) -> dict[str, list[str]]:
    """The column names of tables that only Spark can read: Delta, catalogs, object stores."""
    return {
        name: [column for column in read(spark, source).columns if column not in (CORRUPT, SOURCE_FILE)]
        for name, source in sources.items()
        if source is not None and source.names is None
    }


def rows_of_files(spark: SparkSession, source: Source) -> dict[str, int]:
    """How many rows each file has; those of a file without any are 0.

    The footers of Parquet and the lines of plain CSV tell it; else the rows are read.
    """
    if source.rows and None not in source.rows.values():
        return {str(file): rows or 0 for file, rows in source.rows.items()}
    counted = read(spark, source).groupBy(SOURCE_FILE).count().collect()
    found = {row[SOURCE_FILE]: int(row["count"]) for row in counted}
    if not source.files:
        return dict(sorted(found.items()))
    by_path = {_local(uri): rows for uri, rows in found.items()}
    return {str(file): by_path.get(os.path.normpath(file.absolute()), 0) for file in source.files}


def _read_delta(spark: SparkSession, source: Source) -> DataFrame:
    return _at_version(spark, source).format("delta").load(source.absolute_location)


def _at_version(spark: SparkSession, source: Source) -> DataFrameReader:
    """A reader for the version that the source is pinned to.

    It lets Delta look at the statistics of files, as it must where a table has deletion vectors.
    """
    with suppress(PySparkException):  # A serverless session lets nobody choose: there they are always looked at.
        spark.conf.set(_SKIPPING, "true")
    return spark.read.options(**({} if source.version is None else {"versionAsOf": str(source.version)}))


def _with_source_of_table(raw: DataFrame, source: Source) -> DataFrame:
    """The rows of a catalog table with their file, or with the table's name where it is a view or has no files."""
    try:
        with_file = raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))
        if SOURCE_FILE in with_file.columns:  # Force analysis: a Connect session resolves the column no sooner.
            return with_file
    except AnalysisException:
        pass
    return raw.withColumn(SOURCE_FILE, F.lit(source.location))


def _read_remote(spark: SparkSession, source: Source) -> DataFrame:
    # Only Spark can list an object store here.
    try:
        return analyse_now(_read_delta(spark, source).withColumn(SOURCE_FILE, F.col("_metadata.file_path")))
    except AnalysisException:
        raw = read_parquet(spark, source)
        root = source.location.rstrip("/") + "/"
        names = partitions_of(unquote(uri).removeprefix(root) for uri in raw.inputFiles() if "=" in uri)
        hidden = [name for name in raw.columns if name.lower() in names]
        if hidden:
            raise _hides(source, names[hidden[0].lower()], hidden[0]) from None
        return _with_partitions(raw, source.location, names.values())


# --- Folders key=value ---------------------------------------------------------------------------


def _with_partitions(raw: DataFrame, root: str, names: Iterable[str]) -> DataFrame:
    """A column of text for each key of the folders below ``root``: Spark itself would make a number of 010."""
    columns = {name: _value_of_folder(root, name) for name in sorted(names)}
    return raw.withColumns(columns) if columns else raw


def _value_of_folder(root: str, name: str) -> Column:
    steps = len([step for step in os.path.normpath(_without_scheme(root)).split("/") if step not in ("", ".")])
    path = F.split(F.regexp_replace(F.col(SOURCE_FILE), _SCHEME, ""), "/")
    # Folders below the root alone: one above it may be named alike. The last step is the file.
    below = F.slice(path, F.lit(steps + 1), F.greatest(F.size(path) - (steps + 1), F.lit(0)))
    # The path is a URI, and the writer of the folder has escaped the value by itself before.
    folders = F.transform(below, lambda step: F.url_decode(F.replace(step, F.lit("+"), F.lit("%2B"))))
    own = F.filter(folders, lambda step: F.lower(F.substring_index(step, "=", 1)) == name.lower())
    once = F.substring(F.get(own, F.lit(0)), len(name) + 2, _MAX_PATH_LENGTH)
    value = F.try_url_decode(F.replace(once, F.lit("+"), F.lit("%2B")))
    return F.nullif(F.nullif(F.coalesce(value, once), F.lit("")), F.lit(NO_VALUE))


def _without_scheme(path: str) -> str:
    return re.sub(_SCHEME, "", path)


def _refuse_hidden(source: Source, columns: Sequence[str]) -> None:
    """Refuse a column that folder and file both have: their values may differ, and either may be right."""
    partitions = source.partitions
    inside = [*source.header, *(name for layout in source.layouts for name in layout.columns)] or list(columns)
    hidden = [name for name in inside if name.lower() in partitions]
    if hidden:
        raise _hides(source, partitions[hidden[0].lower()], hidden[0])


def _hides(source: Source, folder: str, column: str) -> InputError:
    return InputError(
        f"{source.table}: folders of {source.location} are named {folder}=…, and the files have a column "
        f"{column} too: rename the folders."
    )


# --- Compressed files whose names do not say so ------------------------------------------------------

_made: dict[tuple[Path, ...], dict[Path, Path]] = {}


def _links(source: Source) -> dict[Path, Path]:
    """A link for each packed file that Spark would not know by its name: ``CLAIMS.CSV.GZ``, or a mapping says it."""
    if source.format != "csv":
        return {}
    odd = tuple(file for file in source.files if packing(file, source.reading) != _packing_for_spark(file))
    if not odd:
        return {}
    if odd not in _made or not all(link.exists() for link in _made[odd].values()):
        folder = Path(tempfile.mkdtemp(prefix="claimatlas-links-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        links = {}
        for position, file in enumerate(odd):
            links[file] = folder / f"{position}.csv{packing(file, source.reading) or ''}"
            links[file].symlink_to(file.absolute())
        _made[odd] = links
    return _made[odd]


def _packing_for_spark(file: Path) -> str | None:
    return next((ending for ending in _PACKED_FOR_SPARK if file.name.endswith(ending)), None)


def _paths(spark: SparkSession, source: Source) -> list[str]:
    """Where Spark finds the files."""
    links = _links(source)
    if not links:
        return [source.absolute_location]
    if not spark.conf.get("spark.master", "").startswith("local"):  # type: ignore[union-attr]
        raise InputError(
            f"{source.table}: on a cluster Spark knows a packed file by its name only: let the name of "
            f"{listed(list(links))} end in .csv.gz, in small letters."
        )
    return [str(links.get(file, file.absolute())) for file in source.files]


def _with_own_names(raw: DataFrame, source: Source) -> DataFrame:
    """The rows of links with the files that the links lead to."""
    links = _links(source)
    if not links:
        return raw
    names = F.array(*[F.lit(file.absolute().as_uri().replace("file:///", "file:/")) for file in links])
    position = F.regexp_extract(F.col(SOURCE_FILE), r"/claimatlas-links-[^/]*/([0-9]+)\.csv[^/]*$", 1)
    own = F.when(position != "", F.get(names, position.cast("int")))
    return raw.withColumn(SOURCE_FILE, F.coalesce(own, F.col(SOURCE_FILE)))


# --- Versions and failures -----------------------------------------------------------------------


def pinned(spark: SparkSession, source: Source) -> Source:
    """The source pinned to its present version if it is a Delta table, so that two reads see the same rows.

    Raises:
        InputError: the table cannot be read.
    """
    if source.format == "delta":
        identifier = f"delta.{quoted(str(Path(source.location).resolve()))}"
    elif source.format == "remote":
        identifier = f"delta.{quoted(source.location)}"
    elif source.format == "table":
        identifier = ".".join(map(quoted, catalog_name(source.location, 2, 3) or ()))
    else:
        return source
    with _saying_what_cannot_be_read(source):
        try:
            newest = spark.sql(f"DESCRIBE HISTORY {identifier} LIMIT 1").collect()[0]
        except SPARK_ERRORS:
            if source.format == "delta":
                raise
            return source  # Parquet, a view: without versions. Who reads it says if it is not there.
    format_read = "delta" if source.format == "remote" else source.format
    return replace(source, format=format_read, version=newest["version"])


@contextmanager
def _saying_what_cannot_be_read(source: Source) -> Iterator[None]:
    try:
        yield
    except AnalysisException as error:
        raise InputError(
            f"{source.table}: {source.location} cannot be read ({error.getCondition() or 'unknown reason'})."
        ) from None
    except SPARK_ERRORS as error:
        raise unreadable(source) from error


def unreadable(source: Source) -> InputError:
    """The error for a source that Spark cannot read. Spark's own message may quote data."""
    if source.format == "remote":
        return InputError(
            f"{source.table}: {source.location} is neither a Delta table nor Parquet files, or Spark does not reach "
            "it; CSV is read from folders of this machine only."
        )
    return InputError(
        f"{source.table}: a file in {source.location} cannot be read: it is damaged, was removed meanwhile, "
        "or holds a column in another type than the other files."
    )


def is_of_a_file(error: Exception) -> bool:
    """Whether Spark failed because it could not read a file."""
    signs = (
        "FAILED_READ_FILE",
        "CANNOT_READ_FILE",
        "is not a Parquet file",
        "PATH_NOT_FOUND",
        "FileNotFoundException",
        "CANNOT_MERGE_SCHEMAS",
        "MALFORMED_CSV",
    )
    text = text_of(error)
    return any(sign in text for sign in signs)
