"""Stop an ingest that rejects too many rows, lacks the population of a year, or would leave figures incomplete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import chain

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.configuration.codelists import SYSTEM, CodeListRow
from claimatlas.errors import InputError
from claimatlas.ingest.codes import CODE, named_by, normalised
from claimatlas.ingest.contract import CLAIMS_INPUT, POPULATION_INPUT, InputTable
from claimatlas.ingest.load.warnings import reasons_as_text, remedy_of, value_in_row
from claimatlas.ingest.load.write import Loaded
from claimatlas.ingest.shortfall import Shortfall
from claimatlas.ingest.validate.parsing import recoded
from claimatlas.ingest.validate.rows import OPEN

_ANY_YEAR = None
_LEAST_REJECTED = 3
"""With fewer rejected rows, no share exceeds 5 % beyond chance: 3 of 20 rows are 5.2 % at least."""


def too_many_rejected(tables: Sequence[Loaded], configuration: Configuration) -> list[Loaded]:
    """The tables whose share of rejected rows is above ``max_rejected_share``."""
    return [table for table in tables if table.rejected_share > configuration.settings.max_rejected_share]


def gate_message(tables: Sequence[Loaded], configuration: Configuration, kept_in: str) -> str:
    """The message about these tables. ``kept_in``: where their rejected rows are."""
    shares = "; ".join(
        f"{table.table}: {table.rejected:,} of {table.read:,} rows ({100 * table.rejected_share:.2f} %: "
        + f"{reasons_as_text(table.reasons, table.examples)})"
        for table in tables
    )
    limit = 100 * configuration.settings.max_rejected_share
    remedy = "".join(dict.fromkeys(remedy_of(table.examples) for table in tables))
    return (
        f"Too many rows were rejected, more than max_rejected_share ({limit:g} %): {shares}. Nothing was published; "
        f"the rejected rows are in {kept_in}.{remedy}"
    )


def years_of_population(rows: DataFrame, table: InputTable, as_of: date) -> set[int]:
    """The years that a population has rows of; of spans those that they touch, an open one until ``as_of``."""
    years = F.col("year")
    if table.year_of != "year":
        last = F.year(F.coalesce("end_date", F.lit(as_of)))
        years = F.explode(F.when(F.year("start_date") <= last, F.sequence(F.year("start_date"), last)))
    found: set[int] = {row["year"] for row in rows.select(years.alias("year")).distinct().collect()}
    return found


def refuse_missing(
    years: Sequence[int], found: set[int], loaded: Loaded | None = None, kept_in: str | None = None
) -> None:
    """Refuse reference years without a row in the population.

    ``loaded``: what became of the rows of the population, which may all have been rejected; ``kept_in``: where the
    rejected ones are then.

    Raises:
        InputError: naming them, and the reasons for which rows were rejected.
    """
    missing = sorted(set(years) - found)
    if not missing:
        return
    because = ""
    if loaded is not None and loaded.rejected:
        because = (
            f" Of its {loaded.read:,} rows {loaded.rejected:,} were rejected: "
            f"{reasons_as_text(loaded.reasons, loaded.examples)}; the rejected rows are in {kept_in}."
            f"{remedy_of(loaded.examples)}"
        )
    raise InputError(
        f"The population has no row for {years_listed(missing)}; it holds "
        f"{years_listed(sorted(found)) or 'no year at all'}.{because}"
    )


def years_listed(years: Sequence[int]) -> str:
    """Years in a message."""
    return ", ".join(map(str, years))


# --- What figures would lack ---------------------------------------------------------------------


def null_words_as_ids(loaded: Loaded) -> list[Shortfall]:
    """Rows whose beneficiary id is a word for no value, such as NULL: they would count as one person."""
    words = loaded.words.get("beneficiary_id", {})
    odd = sum(words.values())
    if not odd:
        return []
    shown = ", ".join(map(repr, sorted(words)))
    return [
        Shortfall(
            "null_text_as_person",
            odd,
            loaded.read,
            f"{loaded.table}: beneficiary_id is the text {shown} in {odd:,} of {loaded.read:,} rows "
            f"({100 * odd / loaded.read:.2f} %), all of which would be one person's. If it stands for no value, "
            "declare it as one of null_texts.",
        )
    ]


def midnights_in_utc(loaded: Loaded) -> list[Shortfall]:
    """Columns of dates that look like midnights in Belgium written in UTC: each day would be one too early."""
    return [
        Shortfall(
            "midnight_elsewhere",
            rows,
            loaded.read,
            f"{loaded.table}: {column} has the time 22:00 or 23:00 without a zone in {rows:,} of {loaded.read:,} rows "
            f"({100 * rows / loaded.read:.2f} %), as midnight in Belgium has in UTC: their days would be one too "
            "early. Send the zone with the time and say by time_zone whose day it is, or send days alone.",
        )
        for column, rows in loaded.late.items()
    ]


def rejected_together(
    loaded: Loaded,
    table: InputTable,
    accepted: DataFrame,
    by_year: Mapping[int, int],
    configuration: Configuration,
) -> list[Shortfall]:
    """The years, and the groups of code lists in a year, of which many rows were rejected.

    A small share of all rows may be all of the deliveries, or half of a year among many.

    Args:
        loaded: what became of the rows of the table.
        table: which table it is.
        accepted: its accepted rows, with the columns of silver.
        by_year: how many of them each year has.
        configuration: the code lists, and how the sender's columns are named.
    """
    if loaded.rejected_rows is None or table.name not in (CLAIMS_INPUT.name, POPULATION_INPUT.name):
        return []
    year = _year_in_row(table, configuration)
    groups = _groups_of_codes(configuration)
    # Of a duplicate another row stays; what is declared to be open is left out on purpose.
    is_lost = F.exists("reasons", lambda reason: (reason != table.duplicate_reason) & ~reason.startswith(OPEN))
    code, system = _code_in_row(table, configuration), _system_in_row(table, configuration)
    named = _names(groups, code, system) if code is not None else F.array().cast("array<string>")
    # By the groups that name a code, not by the code: a column that was taken for codes has as many values as rows.
    counts = loaded.rejected_rows.where(is_lost).groupBy(year.alias("year"), named.alias("named")).count()
    rejected = {(row["year"], frozenset(row["named"])): row["count"] for row in counts.collect()}
    # Of a year without an accepted row, such as one before the first service date, there is no figure.
    rejected = {key: rows for key, rows in rejected.items() if key[0] is _ANY_YEAR or by_year.get(key[0])}
    found = list(_of_years(loaded, rejected, by_year))
    groups = {name: rows for name, rows in groups.items() if _by_year(rejected, name).total() >= _LEAST_REJECTED}
    if groups:
        of_groups = accepted.where(named_by(chain.from_iterable(groups.values())))
        # By code first: the lists are gone through once a code, not once a line.
        of_codes = of_groups.groupBy("year", *(name for name in (CODE, SYSTEM) if name in accepted.columns)).count()
        kept = of_codes.groupBy("year", _names(groups).alias("named")).agg(F.sum("count").alias("count"))
        there = {(row["year"], frozenset(row["named"])): row["count"] for row in kept.collect()}
        for name in groups:
            found += _of_group(loaded, name, rejected, there)
    return found


_Counts = Mapping[tuple[int | None, frozenset[str]], int]
_Groups = Mapping[str, Sequence[CodeListRow]]
"""Rows by their year and the groups of code lists that name their code; and the rows of the lists of each group."""


def _names(groups: _Groups, code: Column | None = None, system: Column | None = None) -> Column:
    """The groups that name a code."""
    met = [F.when(named_by(rows, code, system), F.lit(name)) for name, rows in groups.items() if rows]
    return F.array_compact(F.array(*met)).cast("array<string>")


def _of_years(loaded: Loaded, rejected: _Counts, accepted: Mapping[int, int]) -> Iterator[Shortfall]:
    out: Counter[int | None] = Counter()
    for (year, _), rows in rejected.items():
        out[year] += rows
    for year in sorted(year for year in out if year is not None):
        yield _shortfall(loaded, f"of the rows of {year}", out[year], accepted[year])


def _of_group(loaded: Loaded, name: str, rejected: _Counts, accepted: _Counts) -> Iterator[Shortfall]:
    out, stay = (_by_year(counts, name) for counts in (rejected, accepted))
    for year in sorted(year for year in out if year is not None):
        yield _shortfall(loaded, f"of the lines of {name} in {year}", out[year], stay[year])
    if out[_ANY_YEAR]:
        # Rows of an unknown year count in the total over all years.
        yield _shortfall(loaded, f"of the lines of {name} in all years", out.total(), stay.total())


def _by_year(counts: _Counts, group: str) -> Counter[int | None]:
    found: Counter[int | None] = Counter()
    for (year, named), rows in counts.items():
        if group in named:
            found[year] += rows
    return found


def _shortfall(loaded: Loaded, which: str, rejected: int, accepted: int) -> Shortfall:
    of = rejected + accepted
    said = reasons_as_text(loaded.reasons, loaded.examples)
    return Shortfall(
        "rejected_together",
        rejected,
        of,
        f"{loaded.table}: {which} {rejected:,} of {of:,} ({100 * rejected / of:.2f} %) were rejected; the reasons of "
        f"all rejected rows: {said}.",
    )


def _groups_of_codes(configuration: Configuration) -> _Groups:
    """What the lists of each part of ``services.yaml`` name, at whatever time it is valid."""
    return {
        ".".join(part): tuple(row for name in names for row in configuration.code_lists[name].rows)
        for part, names in configuration.services.code_lists_by_part().items()
    }


def _year_in_row(table: InputTable, configuration: Configuration) -> Column:
    value = _value(table, table.year_of, configuration)
    if table.year_of == "year":
        return value.try_cast("double").try_cast("int")
    return F.when(value.rlike("^[0-9]{4}-[0-9]{2}-[0-9]{2}"), F.substring(value, 1, 4).cast("int"))


def _code_in_row(table: InputTable, configuration: Configuration) -> Column | None:
    if CODE not in table.values:
        return None
    value, codes = _value(table, CODE, configuration), configuration.settings.codes
    return value.try_cast("double").try_cast("int") if codes.are_numbers else normalised(value, codes)


def _system_in_row(table: InputTable, configuration: Configuration) -> Column | None:
    if not configuration.settings.codes.systems or SYSTEM not in table.values:
        return None
    source = configuration.mapping.table(table.name).source(SYSTEM)
    value = _value(table, SYSTEM, configuration) if source.names else F.lit(source.constant)
    return recoded(value, source)


def _value(table: InputTable, column: str, configuration: Configuration) -> Column:
    """The value of a column in a rejected row as it came; null where it is made of several, or not as it came."""
    declared = configuration.mapping.table(table.name)
    source = declared.source(column)
    if len(source.names) != 1 or column in declared.unpivot or source.format is not None:
        return F.lit(None).cast("string")
    return F.trim(value_in_row(F.from_json("row", "map<string,string>"), source.names[0]))
