"""Shape raw rows by a mapping: which rows are kept, which become several lines, where each column comes from."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.configuration.mappings import FILE_NAME, ColumnSource, Mapping
from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.read.csv_rows import CORRUPT, SOURCE_FILE
from claimatlas.ingest.validate.parsing import Understanding, cleaned
from claimatlas.paths import quoted

LINE, _LINES, _UNPIVOTED = "_line", "_lines", "_unpivoted_"


def is_unpivoted(name: str) -> bool:
    """Whether a column comes from unpivoting and is not one of the sender's."""
    return name.startswith(_UNPIVOTED)


@dataclass(frozen=True)
class Given:
    """The source of a column in raw rows: a cleaned expression and its type.

    ``names``: the raw columns that it reads.
    """

    value: Column
    type: T.DataType
    names: tuple[str, ...]


def shaped(raw: DataFrame, table: InputTable, mapping: Mapping, understanding: Understanding) -> DataFrame:
    """The rows that the mapping keeps; of a row with numbered codes a line for each code, with its number in ``_line``.

    A malformed row is kept, and so is one without any code: to be rejected. Grain in: one row per raw row.
    """
    declared = mapping.table(table.name)
    if declared.keep:
        raw = raw.where(is_kept(raw, table, mapping, understanding))
    if not declared.unpivot:
        return raw
    return (
        raw.withColumn(_LINES, _lines(raw, table, mapping, understanding))
        .select(
            *[F.col(quoted(name)) for name in raw.columns if name != LINE],
            F.explode(_LINES).alias(_LINES),
        )
        .select(
            *[F.col(quoted(name)) for name in raw.columns if name != LINE],
            F.col(f"{_LINES}.{LINE}").alias(LINE),
            *[F.col(f"{_LINES}.{name}").alias(_UNPIVOTED + name) for name in declared.unpivot],
        )
    )


def is_kept(raw: DataFrame, table: InputTable, mapping: Mapping, understanding: Understanding) -> Column:
    """Whether a raw row has one of the values that the mapping keeps, in each of the columns that it names."""
    kept = F.lit(True)
    for name, values in mapping.table(table.name).keep.items():
        kept = kept & F.coalesce(kept_by(raw, name, understanding).isin(*values), F.lit(False))
    return kept | (F.col(CORRUPT).isNotNull() if CORRUPT in raw.columns else F.lit(False))


def kept_by(raw: DataFrame, name: str, understanding: Understanding) -> Column:
    """The value of a column that decides whether a row is kept, as text."""
    column, data_type = _raw_column(raw, name)
    value = cleaned(column, data_type, understanding.null_texts)
    if isinstance(data_type, T.FloatType | T.DoubleType | T.DecimalType):
        whole = F.when(value == F.floor(value), F.floor(value).try_cast("bigint"))
        return F.coalesce(whole.cast("string"), value.cast("string"))
    return value.cast("string")


def number_of_lines(raw: DataFrame, table: InputTable, mapping: Mapping, understanding: Understanding) -> Column:
    """How many lines a raw row becomes."""
    lines = F.lit(1)
    if mapping.table(table.name).unpivot:
        lines = F.size(_lines(raw, table, mapping, understanding))
    return F.when(is_kept(raw, table, mapping, understanding), lines).otherwise(F.lit(0))


def _lines(raw: DataFrame, table: InputTable, mapping: Mapping, understanding: Understanding) -> Column:
    unpivot = mapping.table(table.name).unpivot
    lines = []
    for position in range(len(unpivot["nomenclature_code"])):
        fields = [F.lit(position + 1).alias(LINE)]
        for name, sources in unpivot.items():
            column, data_type = _raw_column(raw, sources[position])
            fields.append(cleaned(column, data_type, understanding.null_texts).cast("string").alias(name))
        lines.append(F.struct(*fields))
    with_code = F.filter(F.array(*lines), lambda line: line["nomenclature_code"].isNotNull())
    # A row without any code becomes one line without a code, which is then rejected.
    return F.when(F.size(with_code) > 0, with_code).otherwise(F.array(lines[0]))


def given_columns(
    raw: DataFrame,
    table: InputTable,
    mapping: Mapping,
    found: Map[str, tuple[str, ...] | None],
    understanding: Understanding,
) -> dict[str, Given]:
    """Where each column comes from; one that is absent is not there. ``found``: the result of ``find_columns``."""
    declared = mapping.table(table.name)
    given = {}
    for name, names in found.items():
        if names is None:
            continue
        if name in declared.unpivot:
            given[name] = Given(F.col(_UNPIVOTED + name), T.StringType(), names)
            continue
        source = declared.source(name)
        given[name] = _given(raw, source, names, understanding)
        if declared.unpivot and name in table.key:
            # The lines of one row share its id, so the number of the line is added.
            numbered = F.concat(given[name].value.cast("string"), F.lit("|"), F.col(LINE).cast("string"))
            given[name] = Given(numbered, T.StringType(), names)
    return given


def _given(raw: DataFrame, source: ColumnSource, names: tuple[str, ...], understanding: Understanding) -> Given:
    if not names:
        return Given(F.lit(source.constant), T.StringType(), ())
    columns = [_raw_column(raw, name) for name in names]
    clean = [cleaned(column, data_type, understanding.null_texts) for column, data_type in columns]
    own = tuple(name for name in names if name != FILE_NAME)
    if not source.join:
        return Given(clean[0], columns[0][1], own)
    parts = [part.cast("string") for part in clean]
    # Null when a part is null: an id without one of its parts is no id.
    text = F.concat(*[item for part in parts for item in (F.lit(source.with_), part)][1:])
    return Given(text, T.StringType(), own)


def _raw_column(raw: DataFrame, name: str) -> tuple[Column, T.DataType]:
    """A raw column in any case of its name, or the name of the row's file; and its type."""
    if name.lower() == FILE_NAME:
        file = F.regexp_extract(F.col(SOURCE_FILE), r"([^/]*)$", 1)
        plain = F.try_url_decode(F.replace(file, F.lit("+"), F.lit("%2B")))
        return F.regexp_replace(plain, r"(?i)(\.[a-z]+)?\.(csv|parquet)(\.gz|\.bz2)?$", ""), T.StringType()
    field = next(field for field in raw.schema.fields if field.name.lower() == name.lower())
    return F.col(quoted(field.name)), field.dataType
