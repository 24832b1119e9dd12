"""Judge each input row by itself: typed values, and every reason to reject it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration.codes import Codes
from claimatlas.configuration.mappings import Mapping
from claimatlas.ingest.codes import CODE, reasons_of_codes
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.pseudonym_key import PseudonymKey
from claimatlas.ingest.read.rows import CORRUPT, SOURCE_FILE
from claimatlas.ingest.validate.columns import find_columns
from claimatlas.ingest.validate.parsing import (
    ParsedColumn,
    RawColumn,
    Understanding,
    cleaned,
    is_null_word,
    parse_column,
)
from claimatlas.ingest.validate.pseudonyms import PSEUDONYMISED, pseudonym, with_key
from claimatlas.ingest.validate.shape import given_columns, is_unpivoted, shaped
from claimatlas.paths import quoted
from claimatlas.spark.columns import any_of

REASONS, ROW, REPEATED = "_reasons", "_row", "_repeated"
"""Names beside the table's own columns: every reason to reject the row, the row as it came, and whether another
row may have its key."""
TIMED, LATE, NULL_WORD, UNLISTED, FRACTION = "_timed", "_late", "_null_word", "_unlisted", "_fraction"
ODDITIES = (TIMED, LATE, NULL_WORD, UNLISTED, FRACTION)
"""Names of the columns that say how an accepted row is odd."""
OPEN = "open_"
"""The prefix of a reason: the day is declared to mean an open end, so the row is left out and not wrong."""
KEY_HASH = "_key_hash"
HOSPITAL = "hospital_id"


@dataclass(frozen=True)
class RowRules:
    """What the rows of a batch are judged by.

    A service date is accepted from ``first_service_date`` to ``as_of``, both included. ``mapping`` and
    ``understanding`` say how the sender writes; with a ``key`` the ids of persons become pseudonyms.
    """

    mapping: Mapping
    first_service_date: date
    as_of: date
    understanding: Understanding = field(default_factory=Understanding)
    key: PseudonymKey | None = None


@dataclass(frozen=True)
class RowExtras:
    """What judged rows carry beside their values.

    ``repeated``: one row per hash of a key that may occur on more than one row (``repeated_key_hashes``): ``_repeated``
    is true for these. ``every_row``: sound rows have ``_row`` too. ``oddities``: the columns of ``ODDITIES``.
    """

    repeated: DataFrame | None = None
    every_row: bool = False
    oddities: bool = False


NO_EXTRAS = RowExtras()


def validate_rows(raw: DataFrame, table: InputTable, rules: RowRules, extras: RowExtras = NO_EXTRAS) -> DataFrame:
    """Parse and judge every row.

    Grain in: one row per input row, as it came. Grain out: one row per input row that the mapping keeps, or per line of
    it where the mapping unpivots, with the columns of the
    silver table (``year`` included), ``_reasons`` (array, empty when the row is sound), ``_repeated`` (whether
    the row's key is among the repeated), ``_row`` (the row as JSON; null when it is sound and not repeated,
    unless ``every_row``) and ``_source_file``. Which of the repeated rows stays is judged later.
    ``oddities`` adds what is odd but kept: ``_timed`` (a time of day was cut off a date), ``_late`` (it has no
    zone and is 22:00 or 23:00, as midnight in Belgium has in UTC), ``_null_word`` (a text is what programs write for
    no value), ``_unlisted`` (a sex is in no table of words) and ``_fraction`` (the id of a hospital is a number that
    was written as a fraction); never null.

    With a ``key`` the ids of persons are pseudonyms, in ``_row`` too, under the sender's name and whatever else is
    wrong with the row. ``_row`` then has no column that the table does not know, as it may hold an id; and of a
    malformed row, in which nobody can tell where an id stands, the pseudonym of the line and its number of commas.

    A service date is not accepted after the booking date of its line. Every other date but that of birth is accepted
    from the first plausible date to ``as_of``.

    Raises:
        InputError: a required column is missing, or a column's type cannot hold its values.
    """
    mapping, understanding, key, repeated = rules.mapping, rules.understanding, rules.key, extras.repeated
    raw = shaped(raw, table, mapping, understanding)
    given = given_columns(raw, table, mapping, find_columns(raw, table, mapping), understanding)
    declared = mapping.table(table.name)
    types = {field.name: field.dataType for field in raw.schema.fields}
    is_csv = CORRUPT in raw.columns
    parsed = {
        column.name: parse_column(
            RawColumn(F.col(f"_clean_{column.name}"), given[column.name].type, column, table.name),
            declared.columns.get(column.name),
            understanding,
        )
        for column in table.columns
        if column.name in given
    }
    values = {
        column.name: parsed[column.name].value if column.name in parsed else F.lit(None) for column in table.columns
    }
    silver_types = {field.name: field.dataType for field in table.silver.schema.fields}
    kept = [name for name in raw.columns if name not in (CORRUPT, SOURCE_FILE) and not is_unpivoted(name)]
    hidden = (
        {}
        if key is None
        else {raw_name: name for name in PSEUDONYMISED if name in given for raw_name in given[name].names}
    )
    if key is not None:
        known = {raw_name for column in given.values() for raw_name in column.names}
        kept = [name for name in kept if name in known]
    malformed = F.col(CORRUPT).isNotNull() if is_csv else F.lit(False)

    # Two steps: each value is cleaned and parsed once, and the rules below read it by name.
    raw_columns = [
        (cleaned(_column(name), types[name]).cast("string") if name in hidden else _column(name)).alias(
            f"_raw_{position}"
        )
        for position, name in enumerate(kept)
    ]
    beside = [*([F.col(CORRUPT)] if is_csv else []), F.col(SOURCE_FILE)]
    clean = raw.select(
        *[column.value.alias(f"_clean_{name}") for name, column in given.items()],
        *raw_columns,
        *beside,
    )
    oddities = _oddities(table, parsed) if extras.oddities else {}
    staged = clean.select(
        *[value.cast(silver_types[name]).alias(name) for name, value in values.items()],
        *[part.present.alias(f"_present_{name}") for name, part in parsed.items()],
        *[part.understood.alias(f"_understood_{name}") for name, part in parsed.items()],
        *[part.in_range.alias(f"_in_range_{name}") for name, part in parsed.items() if name == CODE],
        *[part.instant.alias(f"_instant_{name}") for name, part in parsed.items() if part.instant is not None],
        *[part.open.alias(f"_open_{name}") for name, part in parsed.items() if part.open is not None],
        *[column.alias(name) for name, column in oddities.items()],
        malformed.alias("_malformed"),
        *[F.col(f"_raw_{position}") for position in range(len(kept))],
        *beside,
    )
    reasons = _reasons(table, parsed, rules)
    # Build the list only for rows with a reason: nearly all have none.
    has_reason = any_of(F.coalesce(holds, F.lit(False)) for holds in reasons.values())
    # As text first: with a function on arrays, Spark would not compile all of this into one loop.
    listed = F.split(F.concat_ws(",", *[F.when(holds, F.lit(name)) for name, holds in reasons.items()]), ",")
    judged = staged.withColumn(
        REASONS,
        F.when(F.col("_malformed"), F.array(F.lit("malformed_row")))
        .when(has_reason, listed)
        .otherwise(F.array().cast("array<string>")),
    )
    is_repeated = F.lit(False)
    if repeated is not None and table.key:
        judged = judged.join(repeated, on=key_hash(table) == F.col(KEY_HASH), how="left")
        is_repeated = F.col(KEY_HASH).isNotNull()
    if key is not None:
        judged = with_key(judged, key)
    sound = F.size(REASONS) == 0
    # Only now, so that hardly any sound row becomes JSON.
    came = {name: F.col(f"_raw_{position}") for position, name in enumerate(kept)}
    came |= {name: pseudonym(came[name]) for name in hidden}
    as_it_came = F.to_json(
        F.struct(*[value.alias(name) for name, value in came.items()]),
        {"ignoreNullFields": "false", "timeZone": "UTC"},
    )
    if is_csv:
        text = F.col(CORRUPT)
        whole = [text.alias("malformed_row")]
        if key is not None:
            delimiter = re.escape(mapping.table(table.name).read.delimiter)
            commas = (F.size(F.split(text, delimiter)) - 1).alias("commas")
            whole = [pseudonym(text).alias("malformed_row"), commas]
        line = F.to_json(F.struct(*whole))
        as_it_came = F.when(F.col("_malformed"), line).otherwise(as_it_came)
    row = as_it_came if extras.every_row else F.when(~sound | is_repeated, as_it_came)
    year = F.col("year") if table.year_of == "year" else F.year(table.year_of)
    hidden_columns = set(hidden.values())
    return judged.select(
        *[pseudonym(F.col(name)).alias(name) if name in hidden_columns else F.col(name) for name in table.values],
        F.when(sound, year).cast("int").alias("year"),
        REASONS,
        is_repeated.alias(REPEATED),
        row.alias(ROW),
        SOURCE_FILE,
        *[F.col(name) for name in oddities],
    )


def values_of(
    raw: DataFrame,
    table: InputTable,
    names: Sequence[str],
    mapping: Mapping,
    understanding: Understanding | None = None,
) -> DataFrame:
    """Some columns, parsed, whatever else is wrong with their rows; a column that is not there is null.

    Grain in and out: one row per input row that the mapping keeps, or per line of it where the mapping unpivots; a
    value is null when it is missing or not understood.
    """
    understanding = understanding or Understanding()
    raw = shaped(raw, table, mapping, understanding)
    given = given_columns(raw, table, mapping, find_columns(raw, table, mapping), understanding)
    kinds = {column.name: column for column in table.columns}
    silver_types = {field.name: field.dataType for field in table.silver.schema.fields}
    values = []
    for name in names:
        if name not in given:
            values.append(F.lit(None).cast(silver_types[name]).alias(name))
            continue
        declared = mapping.table(table.name).columns.get(name)
        raw_column = RawColumn(given[name].value, given[name].type, kinds[name], table.name)
        parsed = parse_column(raw_column, declared, understanding)
        values.append(parsed.value.cast(silver_types[name]).alias(name))
    return raw.select(*values)


def key_hash(table: InputTable) -> Column:
    """The hash of a row's key, or of the whole row where the table has no key: 64 bits of the typed values."""
    return F.xxhash64(*table.identity)


def _oddities(table: InputTable, parsed: dict[str, ParsedColumn]) -> dict[str, Column]:
    texts = [column.name for column in table.columns if column.kind == "text" and column.name in parsed]
    timed = [part.timed for part in parsed.values() if part.timed is not None]
    late = [part.late for part in parsed.values() if part.late is not None]
    unlisted = [part.unlisted for part in parsed.values() if part.unlisted is not None]
    return {
        TIMED: F.coalesce(any_of(timed), F.lit(False)),
        LATE: F.coalesce(any_of(late), F.lit(False)),
        NULL_WORD: any_of(is_null_word(parsed[name].value) for name in texts),
        UNLISTED: F.coalesce(any_of(unlisted), F.lit(False)),
        # Wrong ids of people and places show in the shares of unknown ones; there is no list of hospitals.
        FRACTION: F.coalesce(parsed[HOSPITAL].value.endswith(".0"), F.lit(False))
        if HOSPITAL in parsed
        else F.lit(False),
    }


def _reasons(table: InputTable, parsed: dict[str, ParsedColumn], rules: RowRules) -> dict[str, Column]:
    """Each reason to reject, with its condition.

    The condition is null where its value is missing, and then rejects nothing.
    """
    required = set(table.required)
    is_open = {name: F.col(f"_open_{name}") for name, part in parsed.items() if part.open is not None}
    reasons = {f"missing_{name}": ~F.col(f"_present_{name}") for name in parsed if name in required}
    reasons |= {f"unparseable_{name}": ~F.col(f"_understood_{name}") for name in parsed}
    reasons |= {
        f"instant_{name}": F.col(f"_instant_{name}") for name, part in parsed.items() if part.instant is not None
    }
    reasons |= {f"{OPEN}{name}": holds for name, holds in is_open.items() if name in required}
    if table.name == "claims":
        service_date = F.col("service_date")
        out_of_range = (service_date < F.lit(rules.first_service_date)) | (service_date > F.lit(rules.as_of))
        if "booking_date" in parsed:
            out_of_range = out_of_range | F.coalesce(service_date > F.col("booking_date"), F.lit(False))
        reasons["service_date_out_of_range"] = out_of_range
        reasons |= reasons_of_codes(_codes(table))
        reasons["zero_quantity"] = F.col("quantity") == 0
    for name in ("booking_date", "admission_date", "discharge_date"):
        if name in parsed:
            first = F.lit(rules.understanding.first_plausible_date)
            reasons[f"{name}_out_of_range"] = (F.col(name) < first) | (F.col(name) > F.lit(rules.as_of))
    if "end_date" in parsed:
        reasons["end_before_start"] = F.col("end_date") < F.col("start_date")
    if table.name == "hospital_stays":
        reasons["discharge_before_admission"] = F.col("discharge_date") < F.col("admission_date")
    return reasons


def _codes(table: InputTable) -> Codes:
    return next(column.codes for column in table.columns if column.codes)


def _column(name: str) -> Column:
    return F.col(quoted(name))
