"""Measure how the number of deliveries depends on the 30-day rule: counts for a study, never a person's days."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claimatlas.deliveries.episodes import anchored_starts


def gaps_between_days(days: DataFrame) -> DataFrame:
    """Count the gaps between consecutive delivery days of a beneficiary, by length in days.

    Grain in: one row per beneficiary and ``delivery_date``. Grain out: one row per ``gap_days`` that occurs:
    ``gap_days``, ``times``.
    """
    previous = F.lag("delivery_date").over(Window.partitionBy("beneficiary_id").orderBy("delivery_date"))
    gaps = days.select(F.datediff("delivery_date", previous).alias("gap_days"))
    return gaps.where(F.col("gap_days").isNotNull()).groupBy("gap_days").agg(F.count(F.lit(1)).alias("times"))


def count_by_gap(days: DataFrame, gaps: Sequence[int]) -> DataFrame:
    """How many deliveries each year would have, under both readings, for each number of days of the rule.

    For each of ``gaps`` the same as ``count_by_reading`` of ``with_episode_starts``, in one pass over the days.

    Grain in: one row per beneficiary and ``delivery_date``. Grain out: one row per ``gap_days``, ``reading``
    (``chained``, ``anchored``) and ``year`` with a delivery: ``deliveries``.
    """
    by_beneficiary = days.groupBy("beneficiary_id").agg(F.array_sort(F.collect_list("delivery_date")).alias("_days"))
    tried = by_beneficiary.select("_days", F.explode(F.array(*map(F.lit, gaps))).alias("gap_days"))
    # A day starts a delivery if it has no day before it, or if that day is too far away.
    chained = F.filter(
        "_days",
        lambda day, at: (
            (at == 0) | (F.datediff(day, F.element_at("_days", F.greatest(at, F.lit(1)))) > F.col("gap_days"))
        ),
    )
    starts = tried.select(
        "gap_days",
        F.explode(
            F.create_map(
                F.lit("chained"), chained, F.lit("anchored"), anchored_starts(F.col("_days"), F.col("gap_days"))
            )
        ).alias("reading", "_starts"),
    )
    counted = starts.select("gap_days", "reading", F.explode("_starts").alias("_start"))
    year = F.year("_start").alias("year")
    return counted.groupBy("gap_days", "reading", year).agg(F.count(F.lit(1)).alias("deliveries"))


def first_contact_by_day(deliveries: DataFrame, last_day: int) -> DataFrame:
    """How many deliveries had their first contact by each day after them.

    Grain in: one row per delivery, as in ``silver/deliveries``. Grain out: one row per ``year`` and ``day`` from 0 to
    ``last_day``: ``with_contact`` (a contact on that day or before, within the postnatal window) and ``deliveries``.
    """
    first = F.datediff("first_contact_date", "delivery_date")
    each_day = deliveries.select(
        "year", first.alias("_first"), F.explode(F.sequence(F.lit(0), F.lit(last_day))).alias("day")
    )
    return each_day.groupBy("year", "day").agg(
        F.count_if(F.col("_first") <= F.col("day")).alias("with_contact"), F.count(F.lit(1)).alias("deliveries")
    )
