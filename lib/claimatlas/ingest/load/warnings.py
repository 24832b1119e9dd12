"""Describe rows that are odd but accepted, with examples, and find the first and last day of the claims."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.codes import Codes
from claimatlas.configuration.mappings import Mapping
from claimatlas.configuration.settings import InputChecks
from claimatlas.ingest.codes import has_wrong_check
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.discover.source import Source
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.read.rows import read
from claimatlas.ingest.validate.columns import find_columns
from claimatlas.ingest.validate.parsing import NULL_WORDS, RawColumn, Understanding, is_null_word, parse_column
from claimatlas.ingest.validate.rows import FRACTION, HOSPITAL, TIMED, UNLISTED
from claimatlas.ingest.validate.shape import Given, given_columns, shaped
from claimatlas.spark.columns import any_of

MIN_SHOWN = 3
"""A message shows a value only if it occurs on so many rows: a rarer one may be a person's."""
MAX_LENGTH_SHOWN = 20
_MAX_SHOWN = 5
_MAX_EXAMPLES = 200
_MANY_TIMES = 0.5


def claims_facts(accepted: Column, codes: Codes) -> dict[str, Column]:
    """Aggregates that are computed while claims are written, over rows with the columns of silver.

    ``accepted``: which rows count. ``wrong_check_digit``: lines whose code has other check digits than ``codes``
    declares.
    """
    return {"wrong_check_digit": F.count_if(accepted & has_wrong_check(codes))}


UNDECLARED = "undeclared_"
"""Before a column of the population: the rows whose word in it no dimension declares."""


def inspect_population(population: DataFrame, configuration: Configuration) -> dict[str, int]:
    """Count accepted beneficiary-years, or spans, that are odd.

    An unknown sex, a birth date after the year, a sector code off its pattern (on either date), a word that no
    dimension declares.
    """
    sector_pattern = configuration.settings.geography.sector_pattern
    off_pattern = [
        F.coalesce(~F.col(name).rlike(f"^({sector_pattern})$"), F.lit(False))
        for name in population.columns
        if name.startswith("sector")
    ]
    row = population.agg(
        F.count_if(F.col("sex").isNull()).alias("unknown_sex"),
        F.count_if(F.year("birth_date") > F.col("year")).alias("birth_date_after_year"),
        F.count_if(any_of(off_pattern)).alias("sector_off_pattern"),
        *[
            F.count_if(~F.col(column).isin(*values)).alias(UNDECLARED + column)
            for column, values in configuration.dimensions.words.items()
        ],
    ).collect()[0]
    return {name: int(count) for name, count in row.asDict().items()}


def notes_of_undeclared(counts: Map[str, int]) -> list[str]:
    """What a person should know of the words that no dimension declares; ``counts``: of ``inspect_population``."""
    return [
        f"population: {name.removeprefix(UNDECLARED)} holds in {rows:,} rows a value that dimensions.yaml does not "
        "declare: these beneficiaries are unknown in the dimension."
        for name, rows in counts.items()
        if name.startswith(UNDECLARED) and rows
    ]


# --- Words ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SourceTable:
    """The rows of an input table as the sender wrote them, and what the mapping and the settings say of them."""

    spark: SparkSession
    source: Source
    table: InputTable
    mapping: Mapping
    understanding: Understanding

    def rows(self) -> tuple[DataFrame, dict[str, Given]]:
        """The rows that the mapping keeps, and its columns as the mapping names them."""
        table, mapping, understanding = self.table, self.mapping, self.understanding
        raw = shaped(read(self.spark, self.source), table, mapping, understanding)
        return raw, given_columns(raw, table, mapping, find_columns(raw, table, mapping), understanding)


def words_for_no_value(given_table: SourceTable) -> dict[str, dict[str, int]]:
    """For each text column, the words for no value that it holds, such as NULL, with their number of rows."""
    raw, given = given_table.rows()
    texts = [column.name for column in given_table.table.columns if column.kind == "text" and column.name in given]
    rows = raw.select(*[given[name].value.cast("string").alias(name) for name in texts])
    words = [
        F.when(is_null_word(F.col(name)), F.struct(F.lit(name).alias("column"), F.col(name).alias("word")))
        for name in texts
    ]
    met = rows.select(F.explode(F.filter(F.array(*words), lambda word: word.isNotNull())).alias("met"))
    found: dict[str, dict[str, int]] = {}
    for row in met.groupBy("met.column", "met.word").count().orderBy("column", "word").collect():
        found.setdefault(row["column"], {})[row["word"]] = row["count"]
    return found


def late_times(given_table: SourceTable) -> dict[str, int]:
    """For each date column with any, the number of rows with the time 22:00 or 23:00 and no zone."""
    raw, given = given_table.rows()
    table, mapping = given_table.table, given_table.mapping
    counts = []
    for column in table.columns:
        if column.kind == "date" and column.name in given:
            of, declared = given[column.name], mapping.table(table.name).columns.get(column.name)
            raw_column = RawColumn(of.value, of.type, column, table.name)
            parsed = parse_column(raw_column, declared, given_table.understanding)
            if parsed.late is not None:
                counts.append(F.count_if(parsed.late).alias(column.name))
    found = raw.agg(*counts).collect()[0].asDict() if counts else {}
    return {name: rows for name, rows in found.items() if rows}


def unlisted_words(given_table: SourceTable, column: str) -> list[str]:
    """The words of a column with their number of rows: only short words on so many rows that they are no person's."""
    raw, given = given_table.rows()
    word = given[column].value.cast("string").alias("word")
    counts = raw.select(word).where("word IS NOT NULL").groupBy("word").count()
    rows = counts.where(F.col("count") >= MIN_SHOWN).orderBy(F.desc("count"), "word").limit(_MAX_SHOWN).collect()
    return [f"{row['word']!r} {row['count']:,}" for row in rows if len(row["word"]) <= MAX_LENGTH_SHOWN]


def notes_of_words(given_table: SourceTable, loaded: Loaded) -> list[str]:
    """Warnings about the words of a table; ``loaded.words``: the words for no value that it holds."""
    table, notes = given_table.table, []
    for column, words in loaded.words.items():
        shown = ", ".join(f"{word!r}" for word in words)
        told = _share(sum(words.values()), loaded.read)
        notes.append(
            f"{table.name}: {column} is the text {shown} in {told} rows: if that stands for no value, declare it "
            "as one of null_texts, in settings.yaml or a mapping."
        )
    timed = loaded.oddities.get(TIMED, 0)
    if given_table.understanding.time_zone is None and timed > _MANY_TIMES * loaded.read:
        notes.append(
            f"{table.name}: in {_share(timed, loaded.read)} rows a date has a time of day, which was cut off: if these "
            "are midnights of another zone, their days are one too early."
        )
    for column, rows in loaded.late.items():
        notes.append(
            f"{table.name}: {column} has the time 22:00 or 23:00 without a zone in {_share(rows, loaded.read)} rows, "
            "as midnight in Belgium has in UTC: if it is that, their days are one too early."
        )
    if number := loaded.oddities.get(FRACTION):
        notes.append(
            f"{table.name}: {HOSPITAL} ends in .0 in {_share(number, loaded.read)} rows, as a number that was written "
            "as a fraction: it is another hospital than the id without it, and zeros at its start may be lost."
        )
    if number := loaded.oddities.get(UNLISTED):
        words_met = unlisted_words(given_table, "sex")
        met = f"; words met: {', '.join(words_met)}" if words_met else ""
        notes.append(
            f"{table.name}: sex is in {_share(number, loaded.read)} rows a word of no table of values, and unknown "
            f"there{met}. A mapping says what a word means: sex: {{column: …, values: {{female: […], male: […]}}}}."
        )
    return notes


def _share(number: int, of: int) -> str:
    return f"{number:,} of {of:,} ({100 * number / of if of else 0:.2f} %)"


# --- Examples of what was rejected ---------------------------------------------------------------


def examples_of_rejected(rejected: DataFrame, table: InputTable, mapping: Mapping) -> dict[str, str]:
    """For each reason ``unparseable_<column>`` the most frequent value, unless it may be a person's.

    A date is shown by its form only (9 for a digit, A for a letter), an id never. Another value is shown as it is when
    it stands on three rows at least.
    """
    kinds = {f"unparseable_{column.name}": column for column in table.columns if column.kind not in ("text", "sex")}
    row = F.from_json("row", "map<string,string>")
    exploded = rejected.select(F.explode("reasons").alias("reason"), row.alias("row"))
    value = F.lit(None).cast("string")
    for reason, column in kinds.items():
        names = mapping.table(table.name).source(column.name).names
        if len(names) != 1:
            continue
        own_value = value_in_row(F.col("row"), names[0])
        shown = _form(own_value) if column.kind == "date" else F.substring(own_value, 1, MAX_LENGTH_SHOWN + 1)
        value = F.when(F.col("reason") == reason, shown).otherwise(value)
    counts = (
        exploded.select("reason", value.alias("value")).where("value IS NOT NULL").groupBy("reason", "value").count()
    )
    found: dict[str, str] = {}
    ordered = counts.orderBy(F.desc("count"), "value").limit(_MAX_EXAMPLES)
    for one in ordered.collect():
        is_form = kinds[one["reason"]].kind == "date"
        if (is_form or one["count"] >= MIN_SHOWN) and len(one["value"]) <= MAX_LENGTH_SHOWN:
            found.setdefault(one["reason"], one["value"])
    return found


def value_in_row(row: Column, name: str) -> Column:
    """The value of a column in a row that is stored as a map. The sender's name is found in any case."""
    own = F.filter(F.map_keys(row), lambda key: F.lower(key) == name.lower())
    return F.element_at(row, F.get(own, F.lit(0)))


def _form(text: Column) -> Column:
    """The form of a text: 9 in place of a digit, A in place of a letter."""
    letters = F.regexp_replace(F.substring(text, 1, MAX_LENGTH_SHOWN + 1), r"\p{L}", "A")
    return F.regexp_replace(letters, r"\p{Nd}", "9")


def reasons_as_text(reasons: Map[str, int], examples: Map[str, str]) -> str:
    """Reasons to reject with their rows, and an example where there is one."""
    said = [
        f"{reason} {count:,}" + (f" (such as {examples[reason]!r})" if reason in examples else "")
        for reason, count in reasons.items()
    ]
    return ", ".join(said)


def remedy_of(examples: Map[str, str]) -> str:
    """The advice for values that were not understood and that are words for no value; empty when there is none."""
    words = sorted(
        {word for word in examples.values() if word in NULL_WORDS or word.strip("A") == ""} & set(NULL_WORDS)
    )
    if not words:
        return ""
    return f" {', '.join(map(repr, words))} may stand for no value: declare it as one of null_texts."


# --- The span of the claims ----------------------------------------------------------------------


@dataclass(frozen=True)
class Span:
    """The days of the claims: the first and the last day, lines by year, and stray lines.

    ``stray``: for ``before`` and ``after``, the number of lines beyond a long gap, and the last day on this side of it.
    """

    first: date | None
    last: date | None
    lines_by_year: dict[int, int]
    stray: dict[str, tuple[int, date]]

    def as_facts(self) -> dict[str, Any]:
        """As facts of silver."""
        return {
            "first_service_date": self.first.isoformat() if self.first else None,
            "last_service_date": self.last.isoformat() if self.last else None,
            "lines_by_year": {str(year): lines for year, lines in sorted(self.lines_by_year.items())},
            "stray_lines": {side: [lines, day.isoformat()] for side, (lines, day) in self.stray.items()},
        }


def span_of(claims: DataFrame, bounds: InputChecks) -> Span:
    """The span of accepted claim lines, by their days of service."""
    rows = claims.groupBy("service_date").count().collect()
    return span_of_days({row["service_date"]: row["count"] for row in rows}, bounds)


def span_of_days(lines: Map[date, int], bounds: InputChecks) -> Span:
    """The span of days with claim lines, and which lines lie beyond a long gap; ``lines``: of each day."""
    days = sorted(lines)
    by_year: dict[int, int] = {}
    for day in days:
        by_year[day.year] = by_year.get(day.year, 0) + lines[day]
    total = sum(lines.values())
    stray = {}
    for side, order in (("before", days), ("after", days[::-1])):
        if found := _stray(order, lines, total, bounds):
            stray[side] = found
    return Span(days[0] if days else None, days[-1] if days else None, by_year, stray)


def _stray(order: Sequence[date], lines: Map[date, int], total: int, bounds: InputChecks) -> tuple[int, date] | None:
    """The lines beyond the innermost long gap within the share of stray lines, and the first day that is not beyond."""
    found, beyond = None, 0
    for day, following in pairwise(order):
        beyond += lines[day]
        if beyond > bounds.stray_share * total:
            break
        if abs(following - day) > timedelta(days=bounds.longest_gap_days):
            found = (beyond, following)
    return found
