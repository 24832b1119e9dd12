"""Parse one raw column of text or of a type: its typed value, and whether it was understood."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.configuration import Configuration
from claimatlas.configuration.codes import SIX_DIGITS
from claimatlas.configuration.mappings import DAY_NUMBERS, INSTANTS, ISO, SECONDS, ColumnSource
from claimatlas.errors import InputError
from claimatlas.ingest.codes import normalised
from claimatlas.ingest.contract import REPLACEMENT, WHITESPACE, InputColumn, Kind
from claimatlas.ingest.read.parquet_rows import MICROSECONDS_OF_YEARS

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIME = r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = r" ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)"
_CLOCK = rf"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_TIME}$"
_INSTANT = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME})?{_ZONE}$"
_LATE = (22, 23)
_LATE_CLOCK = r"^.{10}[T ]2[23]:00(?::00(?:[.,]0+)?)?$"
_MAX_DATE_LENGTH = 10
_CALENDAR = ("0001-01-01", "9999-12-31")
"""The days of the calendar. Spark also has a year 0 and years of five digits, which no other program reads."""
_DIGITS = r"^[+-]?[0-9]+$"
_MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
_MICROSECONDS_OF_DAY = 86_400_000_000

YES, NO, FEMALE, MALE = "yes", "no", "female", "male"
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "boolean": {
        YES: ("true", "1", "t", "yes", "y", "oui", "o", "vrai", "ja", "j", "waar", "wahr"),
        NO: ("false", "0", "f", "no", "n", "non", "faux", "nee", "neen", "onwaar", "nein", "falsch"),
    },
    "sex": {
        MALE: ("1", "m", "male", "man", "h", "homme", "masculin", "mannelijk", "mann", "männlich"),
        FEMALE: (
            "2",
            *("f", "female", "woman"),
            *("femme", "féminin", "feminin"),
            *("v", "vrouw", "vrouwelijk"),
            *("w", "frau", "weiblich"),
        ),
    },
}
"""The words of English, French, Dutch and German, in small letters, where a mapping has no table of values."""

NULL_WORDS = ("NULL", "NA", "N/A", "\\N", "nan", "NaN", "None", ".")
"""Words that programs write for no value. They count as null only if ``null_texts`` names them."""

_WHOLE = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_FRACTIONAL = (T.FloatType, T.DoubleType, T.DecimalType)
_TEXT = (T.StringType, T.CharType, T.VarcharType)


@dataclass(frozen=True)
class Understanding:
    """The settings that say how values are understood.

    time_zone: the zone that gives an instant its day; without one, only a midnight in UTC has a day. null_texts: texts
    that mean no value. date_sentinels: days that stand for something else. decimal: the sign before the digits of a
    fraction.
    """

    time_zone: str | None = None
    null_texts: tuple[str, ...] = ()
    date_sentinels: Map[date, str] = field(default_factory=dict)
    first_plausible_date: date = date(1901, 1, 1)
    decimal: str = "."

    @classmethod
    def of(cls, configuration: Configuration, table: str) -> Understanding:
        """Read them from the settings and from the mapping of a table."""
        settings, reading = configuration.settings, configuration.mapping.table(table).read
        return cls(
            time_zone=settings.time_zone,
            null_texts=tuple(dict.fromkeys((*settings.null_texts, *reading.null_texts))),
            date_sentinels=settings.date_sentinels,
            first_plausible_date=settings.first_plausible_date,
            decimal=reading.decimal,
        )


@dataclass(frozen=True)
class RawColumn:
    """A column of a table as the file has it: its values, ``cleaned``, and their type in the file."""

    value: Column
    type: T.DataType
    column: InputColumn
    table: str


@dataclass(frozen=True)
class ParsedColumn:
    """A column after parsing.

    value: the typed value, null when missing or not understood.
    present: whether there was anything at all; a day that stands for an unknown one is nothing.
    understood: whether what was there could be parsed; true when it was missing.
    in_range: for a code that is a number, whether it has so many digits; true for other kinds.
    instant: of a date, whether it is an instant whose day only a time zone could tell; none where there is no such.
    open: of a date, whether it stands for an end that is not known yet; none where no day is declared to.
    timed: of a date, whether a time of day was cut off; none where there is none.
    late: of a date without a zone, whether its time is 22:00 or 23:00, as midnight in Belgium has in UTC; none where
    there is none.
    unlisted: of a sex, whether it is a word that stands in no table; none for other kinds.
    """

    value: Column
    present: Column
    understood: Column
    in_range: Column
    instant: Column | None = None
    open: Column | None = None
    timed: Column | None = None
    unlisted: Column | None = None
    late: Column | None = None


def cleaned(raw: Column, raw_type: T.DataType, null_texts: Sequence[str] = ()) -> Column:
    """A raw column without the white space around its text.

    Empty text, not-a-number and the texts that stand for no value are null.
    """
    if isinstance(raw_type, _TEXT):
        text = raw.cast("string")
        # Trimming by a list of characters is slow: only where an end is empty, a blank, a control character or
        # beyond ASCII can there be anything to trim. Text compares byte by byte, and the last byte is found
        # without counting characters.
        last = F.substring(text.cast("binary"), -1, 1)
        suspect = (text < "!") | (text > "~") | (last <= F.lit(b" ")) | (last > F.lit(b"~"))
        trimmed = F.when(suspect, F.nullif(F.btrim(text, F.lit(WHITESPACE)), F.lit(""))).otherwise(text)
        return F.when(~trimmed.isin(*null_texts), trimmed) if null_texts else trimmed
    if isinstance(raw_type, T.FloatType | T.DoubleType):
        return F.nanvl(raw, F.lit(None).cast(raw_type))  # Not-a-number is how some tools write a null.
    if isinstance(raw_type, T.NullType):
        return raw.cast("string")
    return raw


def is_null_word(text: Column) -> Column:
    """Whether a cleaned text is what programs write where there is no value; never null."""
    # The length first: it is known without looking at the text.
    return F.coalesce((F.octet_length(text) <= max(map(len, NULL_WORDS))) & text.isin(*NULL_WORDS), F.lit(False))


def parse_column(
    raw: RawColumn, declared: ColumnSource | None = None, understanding: Understanding | None = None
) -> ParsedColumn:
    """Parse one column by its kind: text strictly, a typed column without loss.

    ``declared``: what a mapping says of it.

    Raises:
        InputError: the file holds the column in a type that cannot be that kind.
    """
    column = raw.column
    declared, understanding = declared or ColumnSource(column=column.name), understanding or Understanding()
    if isinstance(raw.type, T.NullType):
        raw = replace(raw, type=T.StringType())
    present = raw.value.isNotNull()
    always = F.lit(True)
    if column.kind == "date":
        return _parse_date(raw, declared, understanding)
    if column.kind in WORDS:
        return _parse_word(raw, declared)
    if column.kind == "word":
        # A number is the word that it is written as: 1 and 1.0 are the same.
        raw = replace(raw, value=_as_words(raw), type=T.StringType())
    if declared.values:
        raw = replace(raw, value=recoded(_as_words(raw), declared), type=T.StringType())
    codes = column.codes or SIX_DIGITS
    if column.kind == "code" and codes.are_numbers:
        return _code(raw, present, understanding.decimal)
    if column.kind == "integer":
        value = _integer(raw, decimal=understanding.decimal)
    else:
        value = _text(raw)
        if column.kind == "code":
            value = normalised(value, codes)
        if declared.pad:
            short = F.length(value) < declared.pad
            value = F.when(short, F.lpad(value, declared.pad, "0")).otherwise(value)
    return ParsedColumn(value, present, value.isNotNull() | ~present, always)


# --- Text, numbers, words ------------------------------------------------------------------------


def _text(raw: RawColumn) -> Column:
    source, raw_type = raw.value, raw.type
    if isinstance(raw_type, _TEXT):
        # Reject lost letters: without them two ids could become one.
        return F.when(F.is_valid_utf8(source) & ~F.contains(source, F.lit(REPLACEMENT)), source)
    if isinstance(raw_type, _WHOLE) or (isinstance(raw_type, T.DecimalType) and raw_type.scale == 0):
        return source.cast("string")
    raise _wrong_type(raw)


def _integer(raw: RawColumn, to: str = "int", decimal: str = ".") -> Column:
    source, raw_type = raw.value, raw.type
    if isinstance(raw_type, _TEXT):
        # try_cast follows ANSI: digits with a sign at most, null for 1.5, 1e3, letters and overflow. But it
        # passes over control characters at the ends, which are neither.
        first, last = F.substring(source, 1, 1), F.substring(source, -1, 1)
        is_plain = (first >= "+") & (first <= "9") & (last >= "0") & (last <= "9")
        plain = F.when(is_plain, source.try_cast(to))
        # A whole number that was written as a fraction, 40.0, is the same number; only looked at where it is not plain.
        whole = F.when(source.rlike(_fraction_of_zeros(decimal)), F.substring_index(source, decimal, 1).try_cast(to))
        return F.coalesce(plain, whole)
    if isinstance(raw_type, _WHOLE):
        return source.try_cast(to)
    if isinstance(raw_type, _FRACTIONAL):
        # A whole number stored as a fraction (40.0) is what tools write when a column has nulls.
        return F.when(source == F.floor(source), source.try_cast(to))
    raise _wrong_type(raw)


def _fraction_of_zeros(decimal: str) -> str:
    return rf"^[+-]?[0-9]+[{decimal}]0+$"


def _code(raw: RawColumn, present: Column, decimal: str) -> ParsedColumn:
    wide = _integer(raw, to="bigint", decimal=decimal)
    in_range = wide.between(*(raw.column.codes or SIX_DIGITS).bounds)
    understood = wide.isNotNull() | ~present
    if isinstance(raw.type, _TEXT):
        # Digits beyond 64 bits are a number too, one that is out of range.
        understood = understood | raw.value.rlike(_DIGITS)
    value = F.when(in_range, wide.cast("int"))
    return ParsedColumn(value, present, understood, F.coalesce(in_range, ~present | ~understood))


def _parse_word(raw: RawColumn, declared: ColumnSource) -> ParsedColumn:
    """A sex or a boolean by its table of words. A sex that is in no table is unknown, and never a reason to reject."""
    source, column = raw.value, raw.column
    present, always = source.isNotNull(), F.lit(True)
    if isinstance(raw.type, T.BooleanType) and column.kind == "boolean" and not declared.values:
        return ParsedColumn(source, present, always, always)
    words = declared.values or WORDS[column.kind]
    text = F.lower(_as_words(raw))
    values = {YES: F.lit(True), NO: F.lit(False)} if column.kind == "boolean" else {}
    first, *others = words.items()
    value = F.when(text.isin(*map(str.lower, first[1])), values.get(first[0], F.lit(first[0])))
    for name, listed in others:
        value = value.when(text.isin(*map(str.lower, listed)), values.get(name, F.lit(name)))
    if column.kind == "sex":
        return ParsedColumn(value, present, always, always, unlisted=present & value.isNull())
    return ParsedColumn(value, present, value.isNotNull() | ~present, always)


def recoded(text: Column, declared: ColumnSource) -> Column:
    """Our value for each of the sender's words; other words stay as they are."""
    pairs = [(value, words) for value, words in declared.values.items()]
    return reduce(
        lambda otherwise, pair: F.when(F.lower(text).isin(*map(str.lower, pair[1])), F.lit(pair[0])).otherwise(
            otherwise
        ),
        pairs,
        text,
    )


def _as_words(raw: RawColumn) -> Column:
    """The value as text; a whole number without its fraction."""
    source, raw_type = raw.value, raw.type
    if isinstance(raw_type, _TEXT):
        is_fraction = source.rlike(_fraction_of_zeros("."))
        return F.when(is_fraction, F.substring_index(source, ".", 1)).otherwise(source)
    if isinstance(raw_type, _WHOLE + _FRACTIONAL):
        return F.coalesce(_integer(raw, to="bigint").cast("string"), source.cast("string"))
    if isinstance(raw_type, T.BooleanType) and raw.column.kind == "boolean":
        return source.cast("string")
    raise _wrong_type(raw)


# --- Dates ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Day:
    """A date before its sentinels are resolved: its day and its flags."""

    day: Column
    instant: Column | None = None
    timed: Column | None = None
    late: Column | None = None


def _parse_date(raw: RawColumn, declared: ColumnSource, understanding: Understanding) -> ParsedColumn:
    present = raw.value.isNotNull()
    found = _day(raw, declared, understanding)
    first, last = (F.lit(text).cast("date") for text in _CALENDAR)
    day = F.when(found.day.between(first, last), found.day)
    is_open = None
    understood = day.isNotNull() | ~present
    if found.instant is not None:
        understood = understood | found.instant
    sentinels = understanding.date_sentinels
    if sentinels:
        of = {
            meaning: [F.lit(day) for day, said in sentinels.items() if said == meaning]
            for meaning in sentinels.values()
        }
        stands_for = day.isin(*[F.lit(day) for day in sentinels])
        if "open" in of:
            is_open = F.coalesce(day.isin(*of["open"]), F.lit(False))
        if "unknown" in of:
            present = present & ~F.coalesce(day.isin(*of["unknown"]), F.lit(False))
        day = F.when(~stands_for, day)
    return ParsedColumn(day, present, understood, F.lit(True), found.instant, is_open, found.timed, late=found.late)


def _day(raw: RawColumn, declared: ColumnSource, understanding: Understanding) -> _Day:
    source, raw_type = raw.value, raw.type
    if declared.format not in (None, ISO):
        return _formatted(raw, declared, understanding)
    if isinstance(raw_type, _TEXT):
        return _iso(source, understanding)
    if isinstance(raw_type, T.DateType):
        return _Day(source)
    if isinstance(raw_type, T.TimestampNTZType):
        day = source.cast("date")
        timed = source != day.cast("timestamp_ntz")
        is_late = timed & F.hour(source).isin(*_LATE) & (source == F.date_trunc("hour", source))
        return _Day(day, timed=timed, late=F.coalesce(is_late, F.lit(False)))
    if isinstance(raw_type, T.TimestampType):
        return _of_instant(source, understanding)
    raise _wrong_type(raw)


def _iso(source: Column, understanding: Understanding) -> _Day:
    """A date as YYYY-MM-DD. A time of day is cut off; a text with a zone is an instant."""
    # Spark's own cast also takes 2023-1-5 and 2023; a date here is YYYY-MM-DD and nothing else.
    plain = F.when(source.rlike(_DATE) & (source >= _CALENDAR[0]), source.try_cast("date"))
    # Test the length before any pattern: texts with a time are few, or all.
    is_longer = F.octet_length(source) > _MAX_DATE_LENGTH
    is_clock, is_instant = is_longer & source.rlike(_CLOCK), is_longer & source.rlike(_INSTANT)
    has_year = source >= _CALENDAR[0]
    day_of_clock = F.when(is_clock & has_year & _is_time(source), F.substring(source, 1, 10).try_cast("date"))
    found = _of_instant(F.when(is_instant & has_year, _as_instant(source)), understanding)
    day = F.coalesce(plain, day_of_clock, found.day)
    timed = (day_of_clock.isNotNull() & ~F.regexp_replace(source, "^.{10}[T ]", "").rlike("^[0:.,]+$")) | F.coalesce(
        found.timed if found.timed is not None else F.lit(False), F.lit(False)
    )
    is_late = is_clock & source.rlike(_LATE_CLOCK)
    return _Day(day, found.instant, F.coalesce(is_longer & timed, F.lit(False)), F.coalesce(is_late, F.lit(False)))


def _is_time(source: Column) -> Column:
    """Whether the hours, minutes and seconds of a text are those of a clock."""
    return source.rlike(r"^.{10}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9].*)?$")


def _as_instant(source: Column) -> Column:
    """Text with a zone as an instant; null when it is none."""
    # A zone of two digits or without a colon, and a day without a time, in the one form that Spark reads.
    text = F.regexp_replace(F.replace(source, F.lit(","), F.lit(".")), " ?(?:Z|UTC)$", "+00:00")
    text = F.regexp_replace(text, r" ?([+-][0-9]{2}):?([0-9]{2})?$", r"$1:$2")
    text = F.regexp_replace(text, r":$", ":00")
    text = F.regexp_replace(text, r"^(.{10})([+-])", "$1T00:00$2")
    text = F.regexp_replace(text, "([T ][0-9]{2}:[0-9]{2})([+-])", "$1:00$2")
    return text.try_cast("timestamp")


def _of_instant(instant: Column, understanding: Understanding) -> _Day:
    """The day of an instant in the time zone; without one that of a midnight in UTC alone.

    It is computed with numbers, so that the session's time zone does not matter.
    """
    zone = understanding.time_zone
    # The whole query fails if the shift leaves Spark's range of instants.
    instant = F.when(F.unix_micros(instant).between(*MICROSECONDS_OF_YEARS), instant)
    microseconds = F.unix_micros(F.from_utc_timestamp(instant, zone) if zone else instant)
    day_number = F.floor(microseconds / F.lit(_MICROSECONDS_OF_DAY).cast("decimal(11,0)")).cast("int")
    day = F.date_add(F.lit(date(1970, 1, 1)), day_number)
    is_midnight = F.pmod(microseconds, F.lit(_MICROSECONDS_OF_DAY)) == 0
    timed = F.coalesce(~is_midnight, F.lit(False))
    return _Day(day, timed=timed) if zone else _Day(F.when(is_midnight, day), instant=timed, timed=timed)


def _formatted(raw: RawColumn, declared: ColumnSource, understanding: Understanding) -> _Day:
    """A date as a mapping says that it is written."""
    name = declared.format or ISO
    if name in DAY_NUMBERS or name in SECONDS or name in INSTANTS:
        number = _number(raw, understanding.decimal)
        if name in INSTANTS:
            units = F.lit(INSTANTS[name]).cast("decimal(10,0)")
            microseconds = F.floor(number * F.lit(1_000_000).cast("decimal(7,0)") / units).try_cast("bigint")
            return _of_instant(F.timestamp_micros(microseconds), understanding)
        # As numbers: a literal before 1583 is another day in the calendar of older Java.
        start = (date.fromisoformat(DAY_NUMBERS.get(name) or SECONDS[name]) - date(1970, 1, 1)).days
        days = number if name in DAY_NUMBERS else number / F.lit(86400).cast("decimal(5,0)")
        whole = F.floor(days)
        return _Day(
            F.date_add(F.lit(date(1970, 1, 1)), (whole + start).try_cast("int")),
            timed=F.coalesce(days != whole, F.lit(False)),
        )
    text = raw.value if isinstance(raw.type, _TEXT) else _as_words(raw)
    pattern = "^" + "".join(f"({part})" if field else part for field, part in declared.parts) + "$"
    fields = [field for field, _ in declared.parts if field]

    def part(*names: str) -> Column | None:
        position = next((position for position, field in enumerate(fields, start=1) if field in names), None)
        return None if position is None else F.regexp_extract(text, pattern, position)

    month = part("MM", "M")
    if (name_of_month := part("MMM")) is not None:
        position = F.instr(F.lit(_MONTHS), F.upper(name_of_month))
        month = F.when(position % 3 == 1, ((position + 2) / 3).cast("int").cast("string"))
    day = part("dd", "d")
    ymd = F.concat_ws(
        "-",
        *[year for year in [part("yyyy")] if year is not None],
        F.lpad(F.lit(str(declared.month)) if month is None else month, 2, "0"),
        F.lpad(F.lit(str(declared.day)) if day is None else day, 2, "0"),
    )
    is_of_form = text.rlike(pattern)
    times = [found for name in ("HH", "mm", "ss") if (found := part(name)) is not None]
    timed = F.concat_ws("", *times).rlike("[1-9]") & is_of_form if times else None
    value = F.when(is_of_form & ymd.rlike(_DATE) & (ymd >= _CALENDAR[0]), ymd.try_cast("date"))
    return _Day(value, timed=None if timed is None else F.coalesce(timed, F.lit(False)))


def _number(raw: RawColumn, decimal: str) -> Column:
    """A number, exactly; null for what is none."""
    source, raw_type = raw.value, raw.type
    if isinstance(raw_type, _TEXT):
        pattern = rf"^[+-]?[0-9]+(?:[{decimal}][0-9]+)?$"
        return F.when(source.rlike(pattern), F.replace(source, F.lit(decimal), F.lit("."))).try_cast("decimal(28,9)")
    if isinstance(raw_type, _WHOLE + _FRACTIONAL):
        return source.try_cast("decimal(28,9)")
    raise _wrong_type(raw)


def _wrong_type(raw: RawColumn) -> InputError:
    column = raw.column
    expected: dict[Kind, str] = {
        "text": "text or whole numbers",
        "date": "dates, timestamps or text",
        "integer": "numbers or text",
        "code": "numbers or text",
        "boolean": "booleans, numbers or text",
        "sex": "text or numbers",
        "word": "text or numbers",
    }
    remedy = ""
    if column.kind == "date" and isinstance(raw.type, _WHOLE + _FRACTIONAL):
        remedy = f" A number is a date by a format in a mapping: {column.name}: {{column: …, format: yyyyMMdd}}."
    return InputError(
        f"{raw.table}: the column {column.name} is of type {raw.type.simpleString()}; it must hold "
        f"{expected[column.kind]}.{remedy}"
    )
