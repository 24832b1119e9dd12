"""CSV files: their header, a look at their bytes, and their lines as rows."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.configuration.mappings import Reading
from claimatlas.errors import InputError
from claimatlas.ingest.discover.source import BZIP2, GZIP, Source, packing
from claimatlas.paths import LITERAL_PATH, quoted

CORRUPT = "_corrupt_record"
"""CSV only: the whole line, when it does not have the header's number of fields."""
SOURCE_FILE = "_source_file"
"""The file that a row came from."""

_NOT_BLANK = r"[^\x00-\x20]"
_LINE, _FIELDS = "value", "_fields"
_UNUSUAL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
"""Control characters that Spark's reader of CSV loses or takes for something else."""
_LIKELY_DELIMITERS = ";\t|,"
_OF_SPARK = ("utf-8", "us-ascii", "iso-8859-1")
"""The encodings of Python's that Spark knows without being told."""
_OF_DAMAGE = (OSError, EOFError, zlib.error)


def with_header(source: Source, columns: Sequence[str]) -> Source:
    """The source with the header that its files share, and with what their bytes say.

    ``columns``: the names that the header should have some of.

    Raises:
        InputError: a file cannot be opened or has no header, its header is not text or differs from the others'.
    """
    header = _names(source, source.files[0], columns)
    for file in source.files[1:]:
        if _names(source, file, columns) != header:
            raise InputError(
                f"{source.table}: the header of {file} differs from that of {source.files[0]}: "
                "all files of a table must have the same columns in the same order."
            )
    rows: dict[Path, int | None] = {}
    irregular = False
    for file in source.files:
        try:
            found = _look_at_bytes(file, source.reading, header)
            rows[file] = found.rows
            if found.is_unusual or (found.holds_quotes and not _has_a_row_in_each_line(file, source.reading)):
                irregular = True
        except _OF_DAMAGE:
            rows[file] = None  # Who reads its rows says what is wrong with it.
    return replace(source, header=header, irregular=irregular, rows=rows)


def _names(source: Source, file: Path, columns: Sequence[str]) -> tuple[str, ...]:
    table, reading = source.table, source.reading
    try:
        with _opened(file, reading) as stream:
            line = stream.readline()
    except _OF_DAMAGE as error:
        raise InputError(f"{table}: {file} cannot be read ({_why(error)}).") from None
    try:
        text = line.decode("utf-8-sig" if reading.is_utf_8 else reading.encoding)
        names = tuple(next(_reader([text], reading), []))
    except (UnicodeDecodeError, csv.Error):
        encoding = "UTF-8" if reading.is_utf_8 else reading.encoding
        raise InputError(f"{table}: the first line of {file} is not a {encoding} CSV header.") from None
    if not any(names):
        raise InputError(f"{table}: {file} has no header.")
    _require_delimiter(table, file, names, reading, columns)
    repeated = [str(position) for position, name in enumerate(names, start=1) if names.count(name) > 1]
    if repeated:
        # By number: where there is no header these are a person's values.
        raise InputError(
            f"{table}: in the header of {file} a name stands twice: see the columns {', '.join(repeated)}."
        )
    return names


def _require_delimiter(table: str, file: Path, names: Sequence[str], reading: Reading, columns: Sequence[str]) -> None:
    """Say that the fields are separated by another sign, when that sign makes names of ours of the header."""
    known = {name.lower() for name in columns}
    if {name.lower() for name in names} & known:
        return
    line = reading.delimiter.join(names)
    for sign in _LIKELY_DELIMITERS:
        parts = [part.strip().strip('"').lower() for part in line.split(sign)]
        if sign != reading.delimiter and len(known.intersection(parts)) > 1:
            shown = "a tab" if sign == "\t" else repr(sign)
            given = "a tab" if reading.delimiter == "\t" else repr(reading.delimiter)
            text = "\\t" if sign == "\t" else sign
            raise InputError(
                f"{table}: the fields of {file} are separated by {shown}, not by {given}: declare "
                f'{table}: {{read: {{delimiter: "{text}"}}}} in a mapping file, and give it with --mapping FILE.'
            )


def _why(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "it is damaged, or not packed as its name says"


@dataclass
class _Bytes:
    holds_quotes: bool = False
    is_unusual: bool = False
    rows: int | None = 0


def _look_at_bytes(file: Path, reading: Reading, header: Sequence[str]) -> _Bytes:
    found = _Bytes()
    quote = reading.quote.encode()
    name = next(name for name in header if name)
    first = name.encode(reading.encoding)
    # Where a line may be no row: it has nothing before its end, starts with white space, or repeats the header.
    starts = (b"\n\n", b"\n\r", b"\n ", b"\n\t", b"\n" + first, b"\n" + quote + first)
    lines, returns, ends_of_windows, is_certain, before = 0, 0, 0, reading.quote not in name or not quote, b""
    with _opened(file, reading) as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            found.holds_quotes = found.holds_quotes or (bool(quote) and quote in piece)
            found.is_unusual = found.is_unusual or len(piece.translate(None, _UNUSUAL)) != len(piece)
            joined = before + piece
            is_certain = is_certain and not any(start in joined for start in starts)
            lines += piece.count(b"\n")
            returns += piece.count(b"\r")
            ends_of_windows += (before[-1:] + piece).count(b"\r\n")
            before = joined[-len(first) - 2 :]
    # What a control character does to a line is for the reader of rows to say, and an end of line of old Macs too.
    if is_certain and not found.is_unusual and returns == ends_of_windows:
        has_open_end = bool(before) and not before.endswith(b"\n")
        found.rows = lines + has_open_end - 1
    else:
        found.rows = None
    return found


def _has_a_row_in_each_line(file: Path, reading: Reading) -> bool:
    # As Latin-1 every byte is a character; lines end as Spark sees them end.
    with _opened(file, reading) as stream, io.TextIOWrapper(stream, "latin-1", newline=None) as text:
        reader = _reader(text, reading)
        try:
            return bool(sum(1 for _ in reader) == reader.line_num)
        except csv.Error:  # A quote that the rule does not explain, or what this reader does not take.
            return False


def _reader(lines: Iterator[str] | IO[str] | list[str], reading: Reading) -> csv._reader:  # type: ignore[name-defined]
    if not reading.quote:
        return csv.reader(lines, strict=True, delimiter=reading.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, strict=True, delimiter=reading.delimiter, quotechar=reading.quote)


@contextmanager
def _opened(file: Path, reading: Reading) -> Iterator[IO[bytes] | gzip.GzipFile]:
    packed = packing(file, reading)
    if packed == GZIP:
        with gzip.open(file, "rb") as stream:
            yield stream
    elif packed == BZIP2:
        with bz2.open(file, "rb") as stream:
            yield stream
    else:
        with file.open("rb") as stream:
            yield stream


# --- The rows ------------------------------------------------------------------------------------


def read_csv(spark: SparkSession, source: Source, paths: Sequence[str]) -> DataFrame:
    """The lines of CSV files; one that repeats the header, as where files were joined, is passed over.

    ``paths``: where Spark finds the files. Adds ``_source_file`` and ``_corrupt_record``.
    """
    if source.reading.encoding not in _OF_SPARK:
        # Java knows many more encodings than Spark allows by default.
        with suppress(PySparkException):  # A serverless session lets nobody choose.
            spark.conf.set("spark.sql.legacy.javaCharsets", "true")
    raw = (_read_lines if source.irregular else _read_regular)(spark, source.reading, source.header, paths)
    names = [name for name in source.header if name]
    # The first column alone tells nearly every row; one comparison of all, as Spark fails on one a column of thousands.
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
        # Every field of a line is needed to see that there are too many or too few.
        "columnPruning": "false",
        "columnNameOfCorruptRecord": CORRUPT,
        "recursiveFileLookup": "true",
    }
    raw = spark.read.options(**options).schema(T.StructType(fields)).csv(list(paths))
    return raw.withColumn(SOURCE_FILE, F.col("_metadata.file_path"))


def _read_lines(spark: SparkSession, reading: Reading, header: Sequence[str], paths: Sequence[str]) -> DataFrame:
    """Read CSV line by line, by its rule: a line that the rule does not explain is malformed.

    Spark's own reader tells nobody when it gives a field up to a line break as if it were whole, takes the quotes of
    ``"a"b`` for a part of the value or loses a control character.
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
        # Most lines have no quote, and need no rule: several times as fast.
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
    """A field by the rule of CSV (RFC 4180): within quotes, or without one at its start."""
    q, d = re.escape(quote), re.escape(delimiter)
    return rf"{q}(?:[^{q}]++|{q}{q})*+{q}|(?!{q})[^{d}]*+"


def _without_quotes(field: Column, quote: str) -> Column:
    within = F.replace(F.substring(field, F.lit(2), F.length(field) - 2), F.lit(quote * 2), F.lit(quote))
    return F.when(F.startswith(field, F.lit(quote)), within).otherwise(field)
