"""Rows that share a key which must be unique: which one stays is a rule, never the order of rows."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.sources import SOURCE_FILE
from claimatlas.ingest.validation import ROW

RANK = "_rank"


def repeated_key_hashes(rows: DataFrame, table: InputTable) -> DataFrame:
    """Hashes of the keys that may stand on more than one row.

    Grain in: one row per sound row of the table. Grain out: one row per hash. Eight bytes a row are
    exchanged instead of the key; a hash that two keys share by chance is sorted out afterwards.
    """
    return rows.groupBy(key_hash(table)).count().where(F.col("count") > 1).select("_key_hash")


def key_hash(table: InputTable) -> Column:
    """The hash of a row's key."""
    return F.xxhash64(*table.key).alias("_key_hash")


def rank_duplicates(rows: DataFrame, table: InputTable) -> DataFrame:
    """Rank the rows of each key: 1 stays, the others are duplicates.

    Grain in and out: one row per sound row, with ``_row`` and ``_source_file``; the result has only the
    rows of keys that stand more than once. Rows that are equal in every column of the rule are
    ordered by what they came as, so that the same one is always kept.
    """
    everything = Window.partitionBy(*table.key)
    in_order = everything.orderBy(*[_order(name) for name in table.preference], F.col(ROW), F.col(SOURCE_FILE))
    return (
        rows.withColumn("_copies", F.count(F.lit(1)).over(everything))
        .where(F.col("_copies") > 1)
        .withColumn(RANK, F.row_number().over(in_order))
        .drop("_copies")
    )


def _order(name: str) -> Column:
    if name.startswith("-"):
        return F.col(name[1:]).desc_nulls_last()
    return F.col(name).asc_nulls_last()
