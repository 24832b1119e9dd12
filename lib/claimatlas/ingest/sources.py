"""Find an input table and read it as it is: Parquet, Delta, CSV or a catalog table."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import InputError
from claimatlas.ingest.contract import InputTable
from claimatlas.spark_errors import SPARK_ERRORS, text_of
from claimatlas.tables.analysis import analysed
from claimatlas.tables.identifiers import catalog_name, quoted
from claimatlas.tables.paths import ONE_PLACE, is_remote, is_there
from claimatlas.tables.places import NO_SUCH_SCHEMA, is_about

CORRUPT = "_corrupt_record"
"""CSV only: the whole line, when it does not have the header's number of fields."""
SOURCE_FILE = "_source_file"
"""The file that a row came from."""

_FORMATS = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}
_CSV_OPTIONS = {
    "header": "true",
    "encoding": "UTF-8",
    "sep": ",",
    "quote": '"',
    "escape": '"',
    "mode": "PERMISSIVE",
    # A line of more fields ends the job, and Spark quotes it whole in its event log. Five times what Spark allows by
    # default; each open file takes eight bytes for each.
    "maxColumns": "100000",
}
_FIELD = r'"(?:[^"]++|"")*+"|(?!")[^,]*+'
"""A field by the rule of CSV (RFC 4180): within quotes, or without one at its start."""
_WELL_FORMED = rf"^(?:,(?:{_FIELD}))*+\z"
"""A line with a comma before it: nothing in the pattern goes back, so no line is slow."""
_NOT_BLANK = r"[^\x00-\x20]"
_LINE, _FIELDS = "value", "_fields"
_UNUSUAL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
"""Control characters that Spark's reader of CSV loses or takes for something else."""


@dataclass(frozen=True)
class Source:
    """Where an input table is: a path with its format, or a catalog table; of a Delta table also its version.

    ``irregular``: of CSV, whether Spark's own reader may take some line for another than it is. ``assumed``: it is
    where a table of its name would be, and only Spark can tell whether it is.
    """

    table: str
    location: str
    format: str
    recursive: bool = False
    files: tuple[Path, ...] = ()
    version: int | None = None
    irregular: bool = False
    assumed: bool = False

    @property
    def place(self) -> str:
        """Where Spark finds it: a server of Spark Connect starts from another folder than this process."""
        return str(Path(self.location).absolute()) if self.format in ("parquet", "csv", "delta") else self.location

    @property
    def partitions(self) -> set[str]:
        """The names before the = of its folders, in lower case, when Spark takes them for columns."""
        folders = {part for file in self.files for part in file.relative_to(self.location).parts[:-1]}
        return set() if self.recursive else {unquote(folder.partition("=")[0]).lower() for folder in folders}


def find(spark: SparkSession, folder: str | None, table: str, explicit: str | None) -> Source | None:
    """Find an input table as ``locate`` does, ask Spark where only Spark can tell, and pin its version.

    Raises:
        InputError: nothing at a path that was given, several places in the folder, or it cannot be read.
    """
    source = locate(folder, table, explicit)
    if source is None:
        return None
    source = pinned(spark, source)
    missing = source.assumed and source.version is None and not _is_seen(spark, source)
    return None if missing else source


def locate(folder: str | None, table: str, explicit: str | None) -> Source | None:
    """Find an input table: the path or catalog table given for it, or its place in the input folder.

    In the folder it is a subfolder or a file of the table's name: ``claims/``, ``claims.parquet``,
    ``claims.csv``, ``claims.csv.gz``; in ``catalog.schema`` the table of its name. ``None`` when it is not there.

    Raises:
        InputError: nothing at a path that was given, or several places in the folder.
    """
    if explicit is not None:
        if not is_remote(explicit) and not is_there(Path(explicit)):
            if catalog_name(explicit, 2, 3) and not explicit.lower().endswith(tuple(_FORMATS)):
                return Source(table, explicit, "table")
            raise InputError(f"{table}: there is no file or folder {explicit}.")
        return _source(table, explicit)
    if folder is None:
        return None
    if is_remote(folder):
        return Source(table, f"{folder.rstrip('/')}/{table}", "remote", assumed=True)
    if not (is_there(Path(folder)) and Path(folder).is_dir()):
        if is_catalog_schema(folder):
            return Source(table, f"{folder}.{table}", "table", assumed=True)
        raise InputError(f"There is no input folder {folder}.")
    found = [path for suffix in ("", *_FORMATS) if is_there(path := Path(folder, table + suffix))]
    if len(found) > 1:
        raise InputError(f"{table}: found {' and '.join(path.name for path in found)} in {folder}; keep one of them.")
    return _source(table, str(found[0])) if found else None


def is_catalog_schema(folder: str) -> bool:
    """Whether the input folder is ``catalog.schema``: such a name, and no folder or file of it is here."""
    return catalog_name(folder, 2) is not None and not is_there(Path(folder))


def _is_seen(spark: SparkSession, source: Source) -> bool:
    """Whether Spark finds anything there."""
    with _saying_what_cannot_be_read(source):
        try:
            if source.format == "table":
                return spark.catalog.tableExists(source.location)
            files = spark.read.format("binaryFile").options(**ONE_PLACE, recursiveFileLookup="true")
            return not files.load(source.location).select("path").isEmpty()
        except SPARK_ERRORS as error:
            if is_about(error, ("PATH_NOT_FOUND", *NO_SUCH_SCHEMA)):
                return False
            raise


def _source(table: str, location: str) -> Source:
    if is_remote(location):
        return Source(table, location, "remote")
    path = Path(location)
    if path.is_file():
        if path.stat().st_size == 0:
            raise InputError(f"{table}: the file {location} is empty.")
        return _looked_through(Source(table, location, _format(table, path), files=(path,)))
    if (path / "_delta_log").is_dir():
        return Source(table, location, "delta")
    entries = sorted(
        entry
        for entry in path.rglob("*")
        # Spark itself leaves out names that start with _ or a dot: markers, checksums, hidden files.
        if not any(part.startswith(("_", ".")) for part in entry.relative_to(path).parts)
    )
    files = [entry for entry in entries if entry.is_file()]
    for entry in entries:
        if not entry.is_file() and (entry.is_symlink() or not entry.is_dir()):
            # Spark would pass over a link to a folder in silence, or follow one in a circle.
            raise InputError(f"{table}: {entry} is neither a file nor a folder; a link may lead to a file only.")
    if not files:
        raise InputError(f"{table}: the folder {location} holds no file.")
    formats = {_format(table, file) for file in files}
    if len(formats) > 1:
        raise InputError(f"{table}: the folder {location} mixes {' and '.join(sorted(formats))} files.")
    folders = {part for file in files for part in file.relative_to(path).parts[:-1]}
    # Spark takes key=value folders for partitions and would pass over any other subfolder in silence.
    partitioned = all("=" in name for name in folders)
    recursive = bool(folders) and not partitioned
    return _looked_through(Source(table, location, formats.pop(), recursive=recursive, files=tuple(files)))


def _looked_through(source: Source) -> Source:
    return replace(source, irregular=source.format == "csv" and _is_irregular(source.files))


def _format(table: str, file: Path) -> str:
    for suffix, name in _FORMATS.items():
        if file.name.lower().endswith(suffix):
            return name
    raise InputError(f"{table}: {file} is neither a .parquet nor a .csv file.")


def read(spark: SparkSession, source: Source) -> DataFrame:
    """The rows as they came, all columns, with ``_source_file`` and for CSV ``_corrupt_record``.

    Raises:
        InputError: the table cannot be read, or its CSV files have different headers.
    """
    with _saying_what_cannot_be_read(source):
        if source.format == "table":
            options = {} if source.version is None else {"versionAsOf": str(source.version)}
            raw = analysed(spark.read.options(**options).table(source.location))
            return _with_source_of_table(raw, source)
        if source.format == "delta":
            options = {} if source.version is None else {"versionAsOf": str(source.version)}
            raw = spark.read.format("delta").options(**options).load(source.place)
        elif source.format == "remote":
            raw = _read_remote(spark, source)
        elif source.format == "parquet":
            # mergeSchema: a column that only some of the files have must not vanish.
            options = {**ONE_PLACE, "mergeSchema": "true", "recursiveFileLookup": str(source.recursive).lower()}
            raw = spark.read.options(**options).parquet(source.place)
            if source.partitions:
                plain = spark.read.options(**options).option("recursiveFileLookup", "true")
                _refuse_hidden(source, plain.parquet(source.place).columns)
        else:
            header = _header(source)
            _refuse_hidden(source, header)
            return analysed(_read_csv(spark, source, header))
        return analysed(raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path")))


def _with_source_of_table(raw: DataFrame, source: Source) -> DataFrame:
    """The rows of a catalog table with their file, or with the table's name where it is a view or has no files."""
    try:
        with_file = raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))
        if SOURCE_FILE in with_file.columns:  # Asked, as a Connect session looks at the column no sooner.
            return with_file
    except AnalysisException:
        pass
    return raw.withColumn(SOURCE_FILE, F.lit(source.location))


def columns_of(spark: SparkSession, source: Source, table: InputTable, mapping: Mapping) -> dict[str, str]:
    """The sender's columns with their types as they came: by our name where the mapping has one, else by the sender's.

    So a column that is renamed and mapped is the same column.
    """
    ours = {mapping.source_name(table.name, column.name).lower(): column.name for column in table.columns}
    known = set(ours.values())
    columns = {}
    for field in read(spark, source).schema.fields:
        if field.name in (CORRUPT, SOURCE_FILE):
            continue
        # A column may have one of our names and be mapped to none: it is not that one.
        other = f"{field.name} (not mapped)" if field.name.lower() in known else field.name
        columns[ours.get(field.name.lower(), other)] = field.dataType.simpleString()
    return columns


def pinned(spark: SparkSession, source: Source) -> Source:
    """The source at the version that it has now, where it is a Delta table: two readings see the same rows.

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
    """What to say of a source that Spark cannot read; its own words may quote data."""
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


def _refuse_hidden(source: Source, columns: Sequence[str]) -> None:
    """Spark would take the folder's value for that of every row."""
    hidden = [name for name in columns if name.lower() in source.partitions]
    if hidden:
        raise InputError(
            f"{source.table}: folders of {source.location} are named {hidden[0]}=…, and the files have a column "
            f"{hidden[0]} too: rename the folders."
        )


def _read_remote(spark: SparkSession, source: Source) -> DataFrame:
    # An object store cannot be looked into without its client; Spark tells what is there.
    try:
        return analysed(spark.read.format("delta").load(source.location))
    except AnalysisException:
        return spark.read.option("mergeSchema", "true").parquet(source.location)


def _read_csv(spark: SparkSession, source: Source, header: list[str]) -> DataFrame:
    """The lines of CSV files; one that repeats the header, as where files were joined, is passed over."""
    raw = _read_lines(spark, source, header) if source.irregular else _read_regular(spark, source, header)
    names = [name for name in header if name]
    # The first column alone tells nearly every row; one comparison of all, as Spark fails on one a column of thousands.
    is_first = F.equal_null(F.col(quoted(names[0])), F.lit(names[0]))
    is_header = F.array(*[F.col(quoted(name)) for name in names]) == F.array(*map(F.lit, names))
    return raw.where(~(is_first & F.col(CORRUPT).isNull() & is_header))


def _read_regular(spark: SparkSession, source: Source, header: list[str]) -> DataFrame:
    fields = [T.StructField(name, T.StringType()) for name in (*header, CORRUPT)]
    options = {
        **ONE_PLACE,
        **_CSV_OPTIONS,
        # Every field of a line is needed to see that there are too many or too few.
        "columnPruning": "false",
        "columnNameOfCorruptRecord": CORRUPT,
        "recursiveFileLookup": str(source.recursive).lower(),
    }
    raw = spark.read.options(**options).schema(T.StructType(fields)).csv(source.place)
    return raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))


def _read_lines(spark: SparkSession, source: Source, header: list[str]) -> DataFrame:
    """Read CSV line by line, by its rule: a line that the rule does not explain is malformed.

    Spark's own reader tells nobody when it gives a field up to a line break as if it were whole, takes the quotes of
    ``"a"b`` for a part of the value or loses a control character.
    """
    reading = {**ONE_PLACE, "recursiveFileLookup": str(source.recursive).lower()}
    lines = spark.read.options(**reading).text(source.place)
    lines = lines.withColumn(SOURCE_FILE, F.col("_metadata.file_path")).where(F.col(_LINE).rlike(_NOT_BLANK))
    with_comma = F.concat(F.lit(","), F.col(_LINE))
    # With a comma before each field none is matched as nothing at all, which would hide the next.
    as_they_stand = F.regexp_extract_all(with_comma, F.lit(f",({_FIELD})"), F.lit(1))
    by_rule = F.when(with_comma.rlike(_WELL_FORMED), F.transform(as_they_stand, _without_quotes))
    # Most lines have no quote, and need no rule: several times as fast.
    fields = F.when(F.contains(F.col(_LINE), F.lit('"')), by_rule).otherwise(F.split(F.col(_LINE), ",", -1))
    parsed = lines.withColumn(_FIELDS, F.when(F.size(fields) == len(header), fields))
    return parsed.select(
        *[F.nullif(F.col(_FIELDS)[place], F.lit("")).alias(name) for place, name in enumerate(header)],
        F.when(F.col(_FIELDS).isNull(), F.col(_LINE)).alias(CORRUPT),
        *[F.col(name) for name in lines.columns if name != _LINE],
    )


def _without_quotes(field: Column) -> Column:
    within = F.replace(F.substring(field, F.lit(2), F.length(field) - 2), F.lit('""'), F.lit('"'))
    return F.when(F.startswith(field, F.lit('"')), within).otherwise(field)


def _is_irregular(files: Sequence[Path]) -> bool:
    """Whether a file needs the reading by lines: a look at every byte, much faster than Spark's."""
    for file in files:
        try:
            holds_quotes, is_unusual = _look_at(file)
            if is_unusual or (holds_quotes and not _has_a_row_in_each_line(file)):
                return True
        except (OSError, EOFError, zlib.error):
            continue  # Who reads its rows says what is wrong with it.
    return False


def _look_at(file: Path) -> tuple[bool, bool]:
    """Whether there are quotes, and whether there are unusual control characters."""
    holds_quotes = False
    with _opened(file) as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            holds_quotes = holds_quotes or b'"' in piece
            if len(piece.translate(None, _UNUSUAL)) != len(piece):
                return holds_quotes, True
    return holds_quotes, False


def _has_a_row_in_each_line(file: Path) -> bool:
    # As Latin-1 every byte is a character; lines end as Spark sees them end.
    with _opened(file) as stream, io.TextIOWrapper(stream, "latin-1", newline=None) as text:
        reader = csv.reader(text, strict=True)
        try:
            return sum(1 for _ in reader) == reader.line_num
        except csv.Error:  # A quote that the rule does not explain, or what this reader does not take.
            return False


def _opened(file: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb")


def _header(source: Source) -> list[str]:
    header: list[str] | None = None
    for file in source.files:
        try:
            with (gzip.open if file.name.endswith(".gz") else open)(file, "rb") as stream:
                line = stream.readline()
        except (OSError, EOFError, zlib.error):
            raise unreadable(source) from None
        try:
            names = next(csv.reader([line.decode("utf-8-sig")], strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            raise InputError(f"{source.table}: the first line of {file} is not a UTF-8 CSV header.") from None
        if not any(names):
            raise InputError(f"{source.table}: {file} has no header.")
        repeated = [str(place) for place, name in enumerate(names, start=1) if names.count(name) > 1]
        if repeated:
            # By number: where there is no header these are a person's values.
            raise InputError(
                f"{source.table}: in the header of {file} a name stands twice: see the columns {', '.join(repeated)}."
            )
        if header is None:
            header = names
        elif names != header:
            raise InputError(
                f"{source.table}: the header of {file} differs from that of {source.files[0]}: "
                "all files of a table must have the same columns in the same order."
            )
    return header or []
