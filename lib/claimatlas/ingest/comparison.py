"""A delivery of data against the silver that is there: which of its rows are new, and which rows must make way."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.duplicates import in_order_of_preference
from claimatlas.ingest.validation import KEY_HASH

FATE, IS_NEW = "_fate", "_is_new"
ACCEPTED, RESENT, DUPLICATE, SUPERSEDED, STAYS = "accepted", "resent", "duplicate", "superseded", "stays"


def common_key_hashes(delivered: DataFrame, silver: DataFrame, table: InputTable) -> DataFrame:
    """Hashes of the keys that may stand in the delivery and in silver.

    Grain in: accepted rows of the delivery; rows of silver. Grain out: one row per hash, in ``_key_hash``. Of silver
    only the key is read, and eight bytes a row are exchanged.
    """
    key = F.xxhash64(*identity(table)).alias(KEY_HASH)
    delivered_keys = delivered.select(key).groupBy(KEY_HASH).agg(F.count(F.lit(1)).alias("_rows")).select(KEY_HASH)
    return silver.select(key).join(delivered_keys, on=KEY_HASH, how="left_semi").groupBy(KEY_HASH).count().drop("count")


def fates(delivered: DataFrame, silver: DataFrame, table: InputTable) -> DataFrame:
    """What becomes of the rows whose key stands in the delivery and in silver.

    The rule for rows that share a key is that of a single ingest of everything: the first in the table's order of
    preference stays. Between equal rows the one in silver does.

    Grain in: rows of the delivery that were accepted by themselves; rows of silver. Grain out: one row per row of
    either, with the columns of silver, ``_is_new`` (of the delivery) and ``_fate``: ``accepted``, ``resent`` (silver
    has an equal row) or ``duplicate`` of the delivery; ``superseded`` or ``stays`` of silver.
    """
    both = delivered.withColumn(IS_NEW, F.lit(True)).unionByName(silver.withColumn(IS_NEW, F.lit(False)))
    of_key = Window.partitionBy(*identity(table))
    by_preference = of_key.orderBy(*in_order_of_preference(table), F.col(IS_NEW))
    content = F.struct(*table.values)
    first = F.row_number().over(by_preference) == 1
    # Equal rows stand beside each other, that of silver first.
    as_before = F.lag(content).over(by_preference).eqNullSafe(content)
    fate = (
        F.when(F.col(IS_NEW) & first, F.lit(ACCEPTED))
        .when(F.col(IS_NEW) & as_before, F.lit(RESENT))
        .when(F.col(IS_NEW), F.lit(DUPLICATE))
        .when(first, F.lit(STAYS))
        .otherwise(F.lit(SUPERSEDED))
    )
    if not table.key:
        # Rows without a key are only ever equal; two equal ones of silver are both its own.
        known = F.max(~F.col(IS_NEW)).over(of_key)
        fate = F.when(~F.col(IS_NEW), F.lit(STAYS)).when(known, F.lit(RESENT)).otherwise(F.lit(ACCEPTED))
    return both.withColumn(FATE, fate)


def identity(table: InputTable) -> list[str]:
    """What makes a row the same row: its key; every value where the table has no key."""
    return list(table.key) or table.values
