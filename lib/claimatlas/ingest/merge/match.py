"""Compare a batch with silver: which of its rows are new, and which rows of silver they supersede."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.ingest.contract import InputTable
from claimatlas.ingest.validate.duplicates import in_order_of_preference
from claimatlas.ingest.validate.rows import KEY_HASH, key_hash
from claimatlas.tables.store import Store

ACTION, IS_NEW = "_action", "_is_new"
ACCEPTED, RESENT, DUPLICATE, SUPERSEDED, STAYS = "accepted", "resent", "duplicate", "superseded", "stays"
MAX_KEYS = 2_000_000
"""The most keys that are sent to every task: about 100 megabytes in each."""


class Matches(NamedTuple):
    """Rows whose key occurs in both the batch and silver, plus rare false positives from hash collisions.

    ``batch`` and ``silver``: the rows of either; ``new``: the other rows of the batch.
    """

    batch: DataFrame
    silver: DataFrame
    new: DataFrame


def match_by_key(store: Store, batch: DataFrame, silver: DataFrame, table: InputTable, number: int) -> Matches:
    """Find the rows whose key occurs on both sides.

    ``number``: how many rows ``batch`` has. Few keys are sent to every task, and silver is read once. When they are
    many, as many as silver's own when everything is sent again, silver's keys are read first, and eight bytes of each
    are exchanged.
    """
    name = table.name
    if number <= MAX_KEYS:
        of_silver = store.materialise(_of_keys(silver, F.broadcast(_keys(batch, table)), table), f"matched_{name}")
        common = _keys(of_silver, table)
    else:
        in_silver = silver.select(key_hash(table).alias(KEY_HASH))
        common = in_silver.join(_keys(batch, table), on=KEY_HASH, how="left_semi").distinct()
        common = store.materialise(common, f"common_{name}")
        of_silver = _of_keys(silver, common, table)
    return Matches(
        batch=_of_keys(batch, common, table),
        silver=of_silver,
        new=_of_keys(batch, common, table, how="left_anti"),
    )


def merge_actions(batch: DataFrame, silver: DataFrame, table: InputTable) -> DataFrame:
    """Decide on the rows whose key occurs in both the batch and silver.

    The rule for rows that share a key is that of a single ingest of everything: the first in the table's order of
    preference stays. Between equal rows the one in silver does.

    Grain in: rows of the batch that were accepted by themselves; rows of silver. Grain out: one row per row of
    either, with the columns of silver, ``_is_new`` (of the batch) and ``_action``: ``accepted``, ``resent`` (silver
    has an equal row) or ``duplicate`` of the batch; ``superseded`` or ``stays`` of silver.
    """
    both = batch.withColumn(IS_NEW, F.lit(True)).unionByName(silver.withColumn(IS_NEW, F.lit(False)))
    of_key = Window.partitionBy(*table.identity)
    by_preference = of_key.orderBy(*in_order_of_preference(table), F.col(IS_NEW))
    content = F.struct(*table.values)
    first = F.row_number().over(by_preference) == 1
    # Equal rows are next to each other, the row of silver first.
    as_before = F.lag(content).over(by_preference).eqNullSafe(content)
    action = (
        F.when(F.col(IS_NEW) & first, F.lit(ACCEPTED))
        .when(F.col(IS_NEW) & as_before, F.lit(RESENT))
        .when(F.col(IS_NEW), F.lit(DUPLICATE))
        .when(first, F.lit(STAYS))
        .otherwise(F.lit(SUPERSEDED))
    )
    if not table.key:
        # Rows without a key can only be equal or not. Two equal rows of silver both stay.
        known = F.max(~F.col(IS_NEW)).over(of_key)
        action = F.when(~F.col(IS_NEW), F.lit(STAYS)).when(known, F.lit(RESENT)).otherwise(F.lit(ACCEPTED))
    return both.withColumn(ACTION, action)


def _keys(rows: DataFrame, table: InputTable) -> DataFrame:
    """The hashes of the keys of ``rows``, each once."""
    return rows.select(key_hash(table).alias(KEY_HASH)).distinct()


def _of_keys(rows: DataFrame, keys: DataFrame, table: InputTable, how: str = "left_semi") -> DataFrame:
    return rows.join(keys, on=key_hash(table) == F.col(KEY_HASH), how=how)
