"""Choose among rows that share a key: a rule decides which row stays, never the order of rows."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.read.rows import SOURCE_FILE
from claimatlas.ingest.validate.rows import KEY_HASH, ROW, key_hash

RANK = "_rank"


def repeated_key_hashes(keys: DataFrame, table: InputTable) -> DataFrame:
    """Hashes of the keys that may occur on more than one row.

    Grain in: one row per row of the table, with the columns of its key; a row without its whole key has
    none. Grain out: one row per hash, in ``_key_hash``. Eight bytes a row are exchanged instead of the key;
    a hash that two keys share by chance is sorted out by ``rank_duplicates``.
    """
    hashes = keys.dropna(subset=list(table.key)).select(key_hash(table).alias(KEY_HASH))
    # Exchange before counting: hardly any hash occurs twice, so a partial count in each task would save nothing.
    return hashes.repartition(KEY_HASH).groupBy(KEY_HASH).count().where(F.col("count") > 1).select(KEY_HASH)


def rank_duplicates(rows: DataFrame, table: InputTable) -> DataFrame:
    """Rank the rows of each key: 1 stays, the others are duplicates.

    Grain in and out: one row per sound row, with ``_row`` and ``_source_file``. Rows that are equal in every column of
    the rule are ordered by their raw form, so that the same row always stays.
    """
    by_key = Window.partitionBy(*table.key)
    in_order = by_key.orderBy(*in_order_of_preference(table), F.col(ROW), F.col(SOURCE_FILE))
    return rows.withColumn(RANK, F.row_number().over(in_order))


def in_order_of_preference(table: InputTable) -> list[Column]:
    """The order of rows that share a key: the first one stays. Rows that tie are equal in every column of the rule."""
    return [_order(name) for name in table.preference] or [F.lit(0)]


def _order(name: str) -> Column:
    if name.startswith("-"):
        return F.col(name[1:]).desc_nulls_last()
    return F.col(name).asc_nulls_last()
