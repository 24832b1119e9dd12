"""Which rows of silver are looked at for what is odd, and which ids are one id written in two ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MAX_LINES = 100_000
"""Up to so many claim lines a year, all people are looked at; above it, a sample of them."""
HOSPITALS, ROWS_WITH_HOSPITAL = "hospitals", "rows_with_hospital"
SPELLED_TWICE = "_spelled_twice"


@dataclass(frozen=True)
class RowsLookedAt:
    """The rows of the people who are looked at, one of ``parts``.

    A hash of the ids chooses them: the same in every table and run. ``claims``: the lines that indicators read, of the
    years and of those beside them that windows reach; ``stays``: of the years.
    """

    claims: DataFrame
    stays: DataFrame
    parts: int


def is_of_part(parts: int) -> Column:
    """Whether a row is of the people who are looked at; all ways of writing an id are of one part."""
    return F.pmod(F.xxhash64(alike("beneficiary_id")), F.lit(parts)) == 0 if parts > 1 else F.lit(True)


def alike(column: str) -> Column:
    """An id as all ways of writing it are: without zeros at its start, in small letters, ``12.0`` as ``12``.

    So programs change an id: it was read as a number, or its letters were.
    """
    # No regular expression: every claim line that indicators read is asked.
    plain = F.lower(F.ltrim(F.col(column), F.lit("0")))
    return F.when(plain.endswith(".0"), plain.substr(F.lit(1), F.length(plain) - 2)).otherwise(plain)


def hospitals_by_year(tables: Sequence[DataFrame]) -> DataFrame:
    """Count the hospitals, and those that are written in another way elsewhere, in whichever table.

    Of the ways of writing one the commonest is right, the others are odd.

    Grain in: rows with ``hospital_id`` and ``year``. Grain out: one row per ``year``: hospitals as they are written and
    rows with one, and how many of both are odd.
    """
    rows = reduce(DataFrame.unionByName, [table.select("hospital_id", "year") for table in tables])
    written = rows.where("hospital_id IS NOT NULL").groupBy("hospital_id", "year").agg(F.count(F.lit(1)).alias("rows"))
    by_spelling = written.groupBy(alike("hospital_id").alias("_alike"), "hospital_id").agg(
        F.sum("rows").alias("all_rows"), F.collect_list(F.struct("year", "rows")).alias("years")
    )
    spellings = by_spelling.groupBy("_alike").agg(
        F.max_by("hospital_id", F.struct("all_rows", "hospital_id")).alias("commonest"),
        F.collect_list(F.struct("hospital_id", "years")).alias("each"),
    )
    each = spellings.select("commonest", F.inline("each")).select(
        (F.col("hospital_id") != F.col("commonest")).alias("is_odd"), F.inline("years")
    )
    return each.groupBy("year").agg(
        F.count(F.lit(1)).alias(HOSPITALS),
        F.count_if("is_odd").alias(HOSPITALS + SPELLED_TWICE),
        F.sum("rows").alias(ROWS_WITH_HOSPITAL),
        F.sum(F.when(F.col("is_odd"), F.col("rows")).otherwise(0)).alias(ROWS_WITH_HOSPITAL + SPELLED_TWICE),
    )
