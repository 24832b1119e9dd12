"""Judge each input row by itself: typed values, and every reason to reject it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration.mappings import Mapping
from claimatlas.errors import InputError
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.keys import PseudonymKey
from claimatlas.ingest.parsing import cleaned, parse_column
from claimatlas.ingest.pseudonyms import PSEUDONYMISED, pseudonym, with_key
from claimatlas.ingest.sources import CORRUPT, SOURCE_FILE
from claimatlas.services import any_of
from claimatlas.tables.identifiers import quoted

REASONS, ROW, REPEATED = "_reasons", "_row", "_repeated"
"""Names beside the table's own columns: every reason to reject the row, the row as it came, and whether another
row may have its key."""
KEY_HASH = "_key_hash"


def check_mapping(mapping: Mapping, tables: tuple[InputTable, ...]) -> None:
    """Refuse a mapping that names a column which a table does not have.

    Raises:
        InputError: naming the column.
    """
    for table in tables:
        known = {column.name for column in table.columns}
        for name in getattr(mapping, table.name):
            if name not in known:
                raise InputError(f"The mapping's table {table.name} has no column {name!r}.")


def find_columns(raw: DataFrame, table: InputTable, mapping: Mapping) -> dict[str, str | None]:
    """The sender's name of each column, ``None`` for an optional column that is absent.

    Raises:
        InputError: naming every required column that is missing, and what is there instead.
    """
    there = {name.lower(): name for name in raw.columns if name not in (CORRUPT, SOURCE_FILE)}
    found: dict[str, str | None] = {}
    missing = []
    for column in table.columns:
        wanted = mapping.source_name(table.name, column.name)
        found[column.name] = there.get(wanted.lower())
        if found[column.name] is None and column.required:
            missing.append(wanted)
    if missing:
        # A CSV file without a header begins with a person's row, which no message may show.
        has_header = CORRUPT not in raw.columns or any(found.values())
        has = f"it has {', '.join(there.values())}" if has_header else "is its first line a header?"
        raise InputError(
            f"{table.name}: the input has no column {', '.join(missing)} ({has}); "
            "name the sender's columns in a file of conf/mappings and choose it with --set mapping=NAME."
        )
    return found


def validate_rows(
    raw: DataFrame,
    table: InputTable,
    mapping: Mapping,
    *,
    first_service_date: date,
    as_of: date,
    repeated: DataFrame | None = None,
    keep_every_row: bool = False,
    key: PseudonymKey | None = None,
) -> DataFrame:
    """Parse and judge every row.

    Grain in: one row per input row, as it came; ``repeated``: one row per hash of a key that may stand on
    more than one row (``repeated_key_hashes``). Grain out: one row per input row, with the columns of the
    silver table (``year`` included), ``_reasons`` (array, empty when the row is sound), ``_repeated`` (whether
    the row's key is among ``repeated``), ``_row`` (the row as JSON; null when it is sound and not repeated,
    unless ``keep_every_row``) and ``_source_file``. Which of the repeated rows stays is judged later.

    With a ``key`` the ids of persons are pseudonyms, in ``_row`` too, under the sender's name and whatever else is
    wrong with the row. ``_row`` then has no column that the table does not know, as it may hold an id; and of a
    malformed row, in which nobody can tell where an id stands, the pseudonym of the line and its number of commas.

    A service date is accepted from ``first_service_date`` to ``as_of``, both included, and not after
    the booking date of its line.

    Raises:
        InputError: a required column is missing, or a column's type cannot hold its values.
    """
    names = find_columns(raw, table, mapping)
    types = {field.name: field.dataType for field in raw.schema.fields}
    is_csv = CORRUPT in raw.columns
    given = {column: name for column, name in names.items() if name is not None}
    parsed = {
        column.name: parse_column(column, F.col(f"_clean_{column.name}"), types[given[column.name]], table.name)
        for column in table.columns
        if column.name in given
    }
    values = {
        column.name: parsed[column.name].value if column.name in parsed else F.lit(None) for column in table.columns
    }
    silver_types = {field.name: field.dataType for field in table.silver.schema.fields}
    kept = [name for name in raw.columns if name not in (CORRUPT, SOURCE_FILE)]
    hidden = {} if key is None else {given[name]: name for name in PSEUDONYMISED if name in given}
    if key is not None:
        kept = [name for name in kept if name in given.values()]
    malformed = F.col(CORRUPT).isNotNull() if is_csv else F.lit(False)

    # In steps, so that each value is cleaned and parsed once and the rules below read it by name.
    raw_columns = [
        (cleaned(_column(name), types[name]).cast("string") if name in hidden else _column(name)).alias(f"_raw_{place}")
        for place, name in enumerate(kept)
    ]
    beside = [*([F.col(CORRUPT)] if is_csv else []), F.col(SOURCE_FILE)]
    clean = raw.select(
        *[cleaned(_column(name), types[name]).alias(f"_clean_{column}") for column, name in given.items()],
        *raw_columns,
        *beside,
    )
    staged = clean.select(
        *[value.cast(silver_types[name]).alias(name) for name, value in values.items()],
        *[part.present.alias(f"_present_{name}") for name, part in parsed.items()],
        *[part.understood.alias(f"_understood_{name}") for name, part in parsed.items()],
        *[part.in_range.alias(f"_in_range_{name}") for name, part in parsed.items() if _kind(table, name) == "code"],
        malformed.alias("_malformed"),
        *[F.col(f"_raw_{position}") for position in range(len(kept))],
        *beside,
    )
    reasons = _reasons(table, list(parsed), first_service_date=first_service_date, as_of=as_of)
    # The list is only made for a row that has a reason: nearly all have none.
    has_reason = any_of(F.coalesce(holds, F.lit(False)) for holds in reasons.values())
    # As text first: a function on arrays would keep Spark from compiling the whole of this into one loop.
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
    # Only here, so that hardly any sound row is turned into JSON.
    came = {name: F.col(f"_raw_{place}") for place, name in enumerate(kept)}
    came |= {name: pseudonym(came[name]) for name in hidden}
    as_it_came = F.to_json(
        F.struct(*[value.alias(name) for name, value in came.items()]), {"ignoreNullFields": "false"}
    )
    if is_csv:
        text = F.col(CORRUPT)
        whole = [text.alias("malformed_row")]
        if key is not None:
            whole = [pseudonym(text).alias("malformed_row"), (F.size(F.split(text, ",")) - 1).alias("commas")]
        line = F.to_json(F.struct(*whole))
        as_it_came = F.when(F.col("_malformed"), line).otherwise(as_it_came)
    row = as_it_came if keep_every_row else F.when(~sound | is_repeated, as_it_came)
    year = F.col("year") if table.year_of == "year" else F.year(table.year_of)
    return judged.select(
        *[pseudonym(F.col(name)).alias(name) if name in hidden.values() else F.col(name) for name in table.values],
        F.when(sound, year).cast("int").alias("year"),
        REASONS,
        is_repeated.alias(REPEATED),
        row.alias(ROW),
        SOURCE_FILE,
    )


def values_of(raw: DataFrame, table: InputTable, names: Sequence[str], mapping: Mapping) -> DataFrame:
    """Some required columns alone, parsed, whatever else is wrong with their rows.

    Grain in and out: one row per input row; a value is null when it is missing or not understood.
    """
    found = find_columns(raw, table, mapping)
    kinds = {column.name: column for column in table.columns}
    types = {field.name: field.dataType for field in raw.schema.fields}
    silver_types = {field.name: field.dataType for field in table.silver.schema.fields}
    values = []
    for name in names:
        own = found[name] or name
        parsed = parse_column(kinds[name], cleaned(_column(own), types[own]), types[own], table.name)
        values.append(parsed.value.cast(silver_types[name]).alias(name))
    return raw.select(*values)


def key_hash(table: InputTable) -> Column:
    """The hash of a row's key, or of the whole row where the table has no key: 64 bits of the typed values."""
    return F.xxhash64(*table.identity)


def _reasons(table: InputTable, there: list[str], *, first_service_date: date, as_of: date) -> dict[str, Column]:
    """Each reason with its condition; a rule about a value that is not there is null and holds for nothing."""
    required = set(table.required)
    reasons = {f"missing_{name}": ~F.col(f"_present_{name}") for name in there if name in required}
    reasons |= {f"unparseable_{name}": ~F.col(f"_understood_{name}") for name in there}
    if table.name == "claims":
        service_date = F.col("service_date")
        out_of_range = (service_date < F.lit(first_service_date)) | (service_date > F.lit(as_of))
        if "booking_date" in there:
            out_of_range = out_of_range | F.coalesce(service_date > F.col("booking_date"), F.lit(False))
        reasons["service_date_out_of_range"] = out_of_range
        reasons["invalid_nomenclature_code"] = ~F.col("_in_range_nomenclature_code")
        reasons["zero_quantity"] = F.col("quantity") == 0
    if table.name == "hospital_stays":
        reasons["discharge_before_admission"] = F.col("discharge_date") < F.col("admission_date")
    return reasons


def _kind(table: InputTable, name: str) -> str:
    return next(column.kind for column in table.columns if column.name == name)


def _column(name: str) -> Column:
    return F.col(quoted(name))
