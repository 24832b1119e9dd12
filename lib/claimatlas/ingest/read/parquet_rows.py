"""Read the rows of Parquet files, also of files that differ in the types of their columns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.errors import InputError
from claimatlas.ingest.discover.source import Layout, Source
from claimatlas.ingest.read.csv_rows import SOURCE_FILE
from claimatlas.paths import LITERAL_PATH, quoted

_WHOLE = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_TIMES = (T.DateType, T.TimestampNTZType, T.TimestampType)
_NANOSECONDS = "spark.sql.legacy.parquet.nanosAsLong"
MICROSECONDS_OF_YEARS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""The first and last microsecond of the years 1 to 9999 in UTC, since 1970: no calendar has another instant."""


def read_parquet(spark: SparkSession, source: Source) -> DataFrame:
    """The rows of Parquet files, each with its file.

    Columns whose types differ between files are widened if that loses nothing.

    Raises:
        InputError: naming a column and the files whose types of it do not go together.
    """
    with suppress(PySparkException):  # A serverless session lets nobody choose.
        # Spark reads nanosecond timestamps, which pandas writes, as numbers, or fails.
        spark.conf.set(_NANOSECONDS, "true")
    options = {**LITERAL_PATH, "recursiveFileLookup": "true"}
    if not source.layouts:
        return _with_file(spark.read.options(**options, mergeSchema="true").parquet(source.absolute_location), None)
    if len(source.layouts) == 1:
        (layout,) = source.layouts
        schema = spark.read.options(**options).parquet(_path(layout.files[0])).schema
        return _with_file(spark.read.options(**options).schema(schema).parquet(source.absolute_location), layout)
    parts = []
    for layout in source.layouts:
        schema = spark.read.options(**options).parquet(_path(layout.files[0])).schema
        paths = [_path(file) for file in layout.files]
        parts.append(_with_file(spark.read.options(**options).schema(schema).parquet(*paths), layout))
    return _union_by_name(source, parts)


def _path(file: Path) -> str:
    return str(file.absolute())


def _with_file(raw: DataFrame, layout: Layout | None) -> DataFrame:
    columns = {field.name: _as_read(field, layout) for field in raw.schema.fields}
    changed = {name: column for name, column in columns.items() if column is not None}
    # First of all: the file's metadata is gone after a projection.
    with_file = raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))
    # Spark Connect refuses an empty set of columns.
    return with_file.withColumns(changed) if changed else with_file


def _as_read(field: T.StructField, layout: Layout | None) -> Column | None:
    """The column in the type that is meant: nanoseconds as timestamps, untyped bytes as text.

    ``None`` if it stays as it is.
    """
    column = F.col(quoted(field.name))
    nanoseconds = layout.nanoseconds if layout else {}
    if layout and field.name in layout.nulls:
        return F.lit(None)
    if field.name in nanoseconds and isinstance(field.dataType, T.LongType):
        return from_nanoseconds(column, is_instant=nanoseconds[field.name])
    if isinstance(field.dataType, T.BinaryType):
        return column.cast("string")  # Old writers stored text as bytes. Bytes that are not UTF-8 are found later.
    return None


def from_nanoseconds(nanoseconds: Column, *, is_instant: bool) -> Column:
    """Nanoseconds since 1970 as an instant, or as the time of a clock without a zone; cut to microseconds."""
    microseconds = F.floor(nanoseconds / F.lit(1000).cast("decimal(4,0)")).cast("bigint")
    if is_instant:
        return F.timestamp_micros(microseconds)
    return clock_of_microseconds(microseconds)


def clock_of_microseconds(microseconds: Column) -> Column:
    """Microseconds since 1970 as the time of a clock without a zone, whatever the session's zone."""
    seconds = (microseconds.cast("decimal(20,0)") / F.lit(1_000_000).cast("decimal(7,0)")).cast("decimal(18,6)")
    return F.lit("1970-01-01 00:00:00").cast("timestamp_ntz") + F.make_dt_interval(secs=seconds)


def _union_by_name(source: Source, parts: Sequence[DataFrame]) -> DataFrame:
    """The union of the rows of all layouts by column name. A column that a layout lacks is null."""
    types: dict[str, list[tuple[T.DataType, Path]]] = {}
    names: dict[str, str] = {}
    for layout, part in zip(source.layouts, parts, strict=True):
        for field in part.schema.fields:
            names.setdefault(field.name.lower(), field.name)
            types.setdefault(field.name.lower(), []).append((field.dataType, layout.files[0]))
    wanted = {name: _widened(source.table, names[name], found) for name, found in types.items()}
    shaped = []
    for part in parts:
        there = {field.name.lower(): field for field in part.schema.fields}
        shaped.append(
            part.select(
                *[
                    (_cast(there[name], data_type) if name in there else F.lit(None).cast(data_type)).alias(names[name])
                    for name, data_type in wanted.items()
                ]
            )
        )
    return reduce(DataFrame.unionByName, shaped)


def _widened(  # noqa: PLR0911 - a rule for each family of types
    table: str, name: str, found: Sequence[tuple[T.DataType, Path]]
) -> T.DataType:
    """The type that holds the values of all files without loss. It is text where only some of the times have a zone."""
    kinds = [data_type for data_type, _ in found if not isinstance(data_type, T.NullType)]
    if not kinds:
        return T.StringType()
    first = kinds[0]
    if all(kind == first for kind in kinds):
        return first
    if all(isinstance(kind, _WHOLE) for kind in kinds):
        return T.LongType()
    if all(isinstance(kind, (*_WHOLE, T.FloatType, T.DoubleType)) for kind in kinds):
        return T.DoubleType()
    if all(isinstance(kind, (*_WHOLE, T.DecimalType)) for kind in kinds):
        scale = max(kind.scale for kind in kinds if isinstance(kind, T.DecimalType))
        digits = max(kind.precision - kind.scale if isinstance(kind, T.DecimalType) else 19 for kind in kinds)
        if digits + scale <= 38:
            return T.DecimalType(digits + scale, scale)
    if all(isinstance(kind, _TIMES) for kind in kinds):
        # As text where instants are among them: days, times without a zone and instants stay distinct.
        has_instants = any(isinstance(kind, T.TimestampType) for kind in kinds)
        return T.StringType() if has_instants else T.TimestampNTZType()
    if all(isinstance(kind, (T.StringType, T.CharType, T.VarcharType)) for kind in kinds):
        return T.StringType()
    other = next(position for position, (kind, _) in enumerate(found) if kind not in (first, T.NullType()))
    where = next(file for kind, file in found if kind == first)
    raise InputError(
        f"{table}: the column {name} is of type {first.simpleString()} in {where} and of type "
        f"{found[other][0].simpleString()} in {found[other][1]}: write it in one type."
    )


def _cast(field: T.StructField, data_type: T.DataType) -> Column:
    column = F.col(quoted(field.name))
    if isinstance(data_type, T.StringType) and isinstance(field.dataType, T.TimestampType):
        # As text, so that an instant stays distinct from times without a zone.
        microseconds = F.unix_micros(column)
        of_utc = clock_of_microseconds(F.when(microseconds.between(*MICROSECONDS_OF_YEARS), microseconds))
        text = F.concat(F.date_format(of_utc, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"), F.lit("Z"))
        return F.coalesce(text, column.cast("string"))  # An instant outside these years is no date, but is kept.
    if isinstance(data_type, T.StringType) and isinstance(field.dataType, T.TimestampNTZType):
        return F.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS")
    return column.cast(data_type)
