"""Keyed pseudonyms in place of ids: HMAC-SHA256 of the trimmed text, as 64 hexadecimal digits.

The key must not be part of a query: plans and event logs show the literals of expressions. It reaches Spark as data:
one row with the two blocks that HMAC makes of a key (RFC 2104), which are as good as the key itself.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from claimatlas.ingest.pseudonym_key import PseudonymKey

PSEUDONYMISED = ("beneficiary_id", "provider_id")
"""The columns that name a person, in every table that has them. ``claim_id`` and ``stay_id`` identify the sender's
lines, so that the sender can find a rejected row.
"""

_INNER, _OUTER = "_inner_block", "_outer_block"
_BLOCKS = T.StructType([T.StructField(name, T.BinaryType(), nullable=False) for name in (_INNER, _OUTER)])


def with_key(rows: DataFrame, key: PseudonymKey) -> DataFrame:
    """The rows with the blocks of the key, which ``pseudonym`` reads, in two more columns.

    Grain in and out: any. Adds ``_inner_block`` and ``_outer_block``, which must not be written anywhere.
    """
    blocks = rows.sparkSession.createDataFrame([(key.inner, key.outer)], _BLOCKS)
    return rows.crossJoin(F.broadcast(blocks))


def pseudonym(text: Column) -> Column:
    """The pseudonym of a text, among the rows of ``with_key``; null of null."""
    inner = F.sha2(F.concat(F.col(_INNER), text.cast("binary")), 256)
    return F.sha2(F.concat(F.col(_OUTER), F.unhex(inner)), 256)
