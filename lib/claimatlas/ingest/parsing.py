"""Understand one raw column: text or typed in, a typed value out, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.errors import InputError
from claimatlas.ingest.contract import FIRST_CODE, LAST_CODE, REPLACEMENT, WHITESPACE, InputColumn, Kind

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CALENDAR = ("0001-01-01", "9999-12-31")
"""Spark has a year 0, and years of five digits; a calendar has not, and no other program reads them."""
_DIGITS = r"^[+-]?[0-9]+$"
_TRUE, _FALSE = ("true", "1", "t", "yes"), ("false", "0", "f", "no")
_MALE, _FEMALE = ("1", "m", "male"), ("2", "f", "female")

_WHOLE = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_FRACTIONAL = (T.FloatType, T.DoubleType, T.DecimalType)
_TEXT = (T.StringType, T.CharType, T.VarcharType)


@dataclass(frozen=True)
class ParsedColumn:
    """A column after parsing.

    value: the typed value, null when missing or not understood.
    present: whether there was anything at all.
    understood: whether what was there could be parsed; true when it was missing.
    in_range: for a nomenclature code, whether it is of six digits; true for other kinds.
    """

    value: Column
    present: Column
    understood: Column
    in_range: Column


def cleaned(raw: Column, raw_type: T.DataType) -> Column:
    """A raw column without the white space around its text; empty text and not-a-number are null."""
    if isinstance(raw_type, _TEXT):
        text = raw.cast("string")
        # Trimming by a list of characters is slow: only where an end is empty, a blank, a control character or
        # beyond ASCII can there be anything to trim. Text compares byte by byte, and the last byte is found
        # without counting characters.
        last = F.substring(text.cast("binary"), -1, 1)
        suspect = (text < "!") | (text > "~") | (last <= F.lit(b" ")) | (last > F.lit(b"~"))
        return F.when(suspect, F.nullif(F.btrim(text, F.lit(WHITESPACE)), F.lit(""))).otherwise(text)
    if isinstance(raw_type, T.FloatType | T.DoubleType):
        return F.nanvl(raw, F.lit(None).cast(raw_type))  # Not-a-number is how some tools write a null.
    if isinstance(raw_type, T.NullType):
        return raw.cast("string")
    return raw


def parse_column(column: InputColumn, source: Column, raw_type: T.DataType, table: str) -> ParsedColumn:
    """Parse one column by its kind.

    ``source`` is the column ``cleaned``; ``raw_type`` is its type in the file: text is parsed strictly, typed
    columns are converted without loss.

    Raises:
        InputError: the file holds the column in a type that cannot be that kind.
    """
    if isinstance(raw_type, T.NullType):
        raw_type = T.StringType()
    present = source.isNotNull()
    always = F.lit(True)
    if column.kind == "code":
        return _code(source, raw_type, present, column, table)
    if column.kind == "sex":
        # Anything else is unknown, never a reason to reject.
        return ParsedColumn(_sex(source, raw_type, column, table), present, always, always)
    value = _PARSERS[column.kind](source, raw_type, column, table)
    understood = value.isNotNull() | ~present
    return ParsedColumn(value, present, understood, always)


def _text(source: Column, raw_type: T.DataType, column: InputColumn, table: str) -> Column:
    if isinstance(raw_type, _TEXT):
        # Two ids must not become one because the letters that tell them apart were lost.
        return F.when(F.is_valid_utf8(source) & ~F.contains(source, F.lit(REPLACEMENT)), source)
    if isinstance(raw_type, _WHOLE) or (isinstance(raw_type, T.DecimalType) and raw_type.scale == 0):
        return source.cast("string")
    raise _wrong_type(raw_type, column, table)


def _date(source: Column, raw_type: T.DataType, column: InputColumn, table: str) -> Column:
    if isinstance(raw_type, _TEXT):
        # Spark's own cast also takes 2023-1-5 and 2023; a date here is YYYY-MM-DD and nothing else.
        return F.when(source.rlike(_DATE) & (source >= _CALENDAR[0]), source.try_cast("date"))
    if isinstance(raw_type, T.DateType | T.TimestampType | T.TimestampNTZType):
        day = source.cast("date")
        first, last = (F.lit(text).cast("date") for text in _CALENDAR)
        return F.when(day.between(first, last), day)
    raise _wrong_type(raw_type, column, table)


def _integer(source: Column, raw_type: T.DataType, column: InputColumn, table: str, to: str = "int") -> Column:
    if isinstance(raw_type, _TEXT):
        # try_cast follows ANSI: digits with a sign at most, null for 1.5, 1e3, letters and overflow. But it
        # passes over control characters at the ends, which are neither.
        first, last = F.substring(source, 1, 1), F.substring(source, -1, 1)
        return F.when((first >= "+") & (first <= "9") & (last >= "0") & (last <= "9"), source.try_cast(to))
    if isinstance(raw_type, _WHOLE):
        return source.try_cast(to)
    if isinstance(raw_type, _FRACTIONAL):
        # A whole number stored as a fraction (40.0) is what tools write when a column has nulls.
        return F.when(source == F.floor(source), source.try_cast(to))
    raise _wrong_type(raw_type, column, table)


def _code(source: Column, raw_type: T.DataType, present: Column, column: InputColumn, table: str) -> ParsedColumn:
    wide = _integer(source, raw_type, column, table, to="bigint")
    in_range = wide.between(FIRST_CODE, LAST_CODE)
    understood = wide.isNotNull() | ~present
    if isinstance(raw_type, _TEXT):
        # Digits beyond 64 bits are a number too, one that is out of range.
        understood = understood | source.rlike(_DIGITS)
    value = F.when(in_range, wide.cast("int"))
    return ParsedColumn(value, present, understood, F.coalesce(in_range, ~present | ~understood))


def _boolean(source: Column, raw_type: T.DataType, column: InputColumn, table: str) -> Column:
    if isinstance(raw_type, T.BooleanType):
        return source
    text = F.lower(_simple_text(source, raw_type, column, table))
    return F.when(text.isin(*_TRUE), F.lit(True)).when(text.isin(*_FALSE), F.lit(False))


def _sex(source: Column, raw_type: T.DataType, column: InputColumn, table: str) -> Column:
    text = F.lower(_simple_text(source, raw_type, column, table))
    return F.when(text.isin(*_FEMALE), F.lit("female")).when(text.isin(*_MALE), F.lit("male"))


def _simple_text(source: Column, raw_type: T.DataType, column: InputColumn, table: str) -> Column:
    if isinstance(raw_type, _TEXT):
        return source
    if isinstance(raw_type, _WHOLE + _FRACTIONAL):
        return F.coalesce(_integer(source, raw_type, column, table, to="bigint").cast("string"), source.cast("string"))
    raise _wrong_type(raw_type, column, table)


_PARSERS = {"text": _text, "date": _date, "integer": _integer, "boolean": _boolean}


def _wrong_type(raw_type: T.DataType, column: InputColumn, table: str) -> InputError:
    expected: dict[Kind, str] = {
        "text": "text or whole numbers",
        "date": "dates, timestamps or text",
        "integer": "numbers or text",
        "code": "numbers or text",
        "boolean": "booleans, numbers or text",
        "sex": "text or numbers",
    }
    return InputError(
        f"{table}: the column {column.name} is of type {raw_type.simpleString()}; it must hold {expected[column.kind]}."
    )
