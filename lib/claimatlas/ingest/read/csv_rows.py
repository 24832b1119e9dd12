"""Read the lines of CSV files as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.configuration.mappings import Reading
from claimatlas.ingest.discover.source import Source
from claimatlas.paths import LITERAL_PATH, quoted

CORRUPT = "_corrupt_record"
"""CSV only: the whole line, when it does not have the header's number of fields."""
SOURCE_FILE = "_source_file"
"""The file that a row came from."""

_NOT_BLANK = r"[^\x00-\x20]"
_LINE, _FIELDS = "value", "_fields"
_OF_SPARK = ("utf-8", "us-ascii", "iso-8859-1")
"""The encodings, by Python's names, that Spark reads by default."""


def read_csv(spark: SparkSession, source: Source, paths: Sequence[str]) -> DataFrame:
    """The lines of CSV files. A line that repeats the header, as in concatenated files, is skipped.

    ``paths``: where Spark finds the files. Adds ``_source_file`` and ``_corrupt_record``.
    """
    if source.reading.encoding not in _OF_SPARK:
        # Java knows many more encodings than Spark allows by default.
        with suppress(PySparkException):  # A serverless session does not let us set this.
            spark.conf.set("spark.sql.legacy.javaCharsets", "true")
    raw = (_read_lines if source.irregular else _read_regular)(spark, source.reading, source.header, paths)
    names = [name for name in source.header if name]
    # The first column decides nearly every row. The other columns are one comparison: Spark fails on thousands of them.
    is_first = F.equal_null(F.col(quoted(names[0])), F.lit(names[0]))
    is_header = F.array(*[F.col(quoted(name)) for name in names]) == F.array(*map(F.lit, names))
    return raw.where(~(is_first & F.col(CORRUPT).isNull() & is_header))


def _read_regular(spark: SparkSession, reading: Reading, header: Sequence[str], paths: Sequence[str]) -> DataFrame:
    fields = [T.StructField(name, T.StringType()) for name in (*header, CORRUPT)]
    options = {
        **LITERAL_PATH,
        "header": "true",
        "encoding": reading.encoding,
        "sep": reading.delimiter,
        "quote": reading.quote,
        "escape": reading.quote or "\\",
        "mode": "PERMISSIVE",
        # A line of more fields ends the job, and Spark quotes it whole in its event log. Five times what Spark allows
        # by default; each open file takes eight bytes for each.
        "maxColumns": "100000",
        # Spark must parse every field to see that a line has too many or too few.
        "columnPruning": "false",
        "columnNameOfCorruptRecord": CORRUPT,
        "recursiveFileLookup": "true",
    }
    raw = spark.read.options(**options).schema(T.StructType(fields)).csv(list(paths))
    return raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))


def _read_lines(spark: SparkSession, reading: Reading, header: Sequence[str], paths: Sequence[str]) -> DataFrame:
    """Read CSV line by line by RFC 4180. A line that does not follow it is malformed.

    Spark's own reader silently cuts a field at a line break, keeps the quotes of ``"a"b`` as a part of the value, or
    drops a control character.
    """
    delimiter, quote = reading.delimiter, reading.quote
    lines = spark.read.options(**LITERAL_PATH, recursiveFileLookup="true").text(list(paths))
    lines = lines.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))
    if not reading.is_utf_8:
        lines = lines.withColumn(_LINE, F.decode(F.col(_LINE).cast("binary"), reading.encoding))
    lines = lines.where(F.col(_LINE).rlike(_NOT_BLANK))
    as_they_stand = F.split(F.col(_LINE), re.escape(delimiter), -1)
    if quote:
        field = _field(delimiter, quote)
        with_delimiter = F.concat(F.lit(delimiter), F.col(_LINE))
        # With a delimiter before each field none is matched as nothing at all, which would hide the next.
        mark = re.escape(delimiter)
        found = F.regexp_extract_all(with_delimiter, F.lit(f"{mark}({field})"), F.lit(1))
        # A line with a delimiter before it: nothing in the pattern goes back, so no line is slow.
        is_well_formed = with_delimiter.rlike(rf"^(?:{mark}(?:{field}))*+\z")
        by_rule = F.when(is_well_formed, F.transform(found, lambda text: _without_quotes(text, quote)))
        # Most lines have no quote: splitting them is several times as fast.
        fields = F.when(F.contains(F.col(_LINE), F.lit(quote)), by_rule).otherwise(as_they_stand)
    else:
        fields = as_they_stand
    parsed = lines.withColumn(_FIELDS, F.when(F.size(fields) == len(header), fields))
    return parsed.select(
        *[F.nullif(F.col(_FIELDS)[position], F.lit("")).alias(name) for position, name in enumerate(header)],
        F.when(F.col(_FIELDS).isNull(), F.col(_LINE)).alias(CORRUPT),
        *[F.col(name) for name in lines.columns if name != _LINE],
    )


def _field(delimiter: str, quote: str) -> str:
    """The pattern of a field by RFC 4180: quoted, or without a quote at its start."""
    q, d = re.escape(quote), re.escape(delimiter)
    return rf"{q}(?:[^{q}]++|{q}{q})*+{q}|(?!{q})[^{d}]*+"


def _without_quotes(field: Column, quote: str) -> Column:
    within = F.replace(F.substring(field, F.lit(2), F.length(field) - 2), F.lit(quote * 2), F.lit(quote))
    return F.when(F.startswith(field, F.lit(quote)), within).otherwise(field)
