"""Delivery episodes: two billings within 30 days are one delivery.

Source page: cube_007_008a_At. The page does not say within 30 days of which billing; both readings are
here. chained: of the previous one. anchored: of the first one of the episode. Day 30 is within, day 31
starts a new delivery.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

DELIVERY_ID_RULE = "claimatlas delivery 1"
"""The version of the rule of ``delivery_id``. It changes only if the rule changes."""


def _by_beneficiary() -> WindowSpec:
    """The window of a beneficiary's days or deliveries, ordered by date; no two have the same date."""
    return Window.partitionBy("beneficiary_id").orderBy("delivery_date")


def with_episode_starts(days: DataFrame, gap_days: int) -> DataFrame:
    """Find the first day of each day's episode under both readings.

    Grain in and out: one row per beneficiary and ``delivery_date``. Adds ``chained_start`` and
    ``anchored_start`` (dates).
    """
    previous = F.lag("delivery_date").over(_by_beneficiary())
    # Both readings start an episode where the gap to the previous billing is above the limit.
    cuts = F.coalesce(F.datediff("delivery_date", previous) > gap_days, F.lit(True))
    starts = F.when(cuts, F.col("delivery_date"))
    chained = days.withColumn("_cut", starts).withColumn(
        "chained_start",
        F.max("_cut").over(_by_beneficiary().rowsBetween(Window.unboundedPreceding, Window.currentRow)),
    )
    in_chain = Window.partitionBy("beneficiary_id", "chained_start")
    chain_days = F.array_sort(F.collect_list("delivery_date").over(in_chain))
    anchored = chained.withColumn("_starts", anchored_starts(chain_days, F.lit(gap_days)))
    return anchored.withColumn(
        "anchored_start", F.array_max(F.filter("_starts", lambda start: start <= F.col("delivery_date")))
    ).drop("_cut", "_starts")


def anchored_starts(sorted_days: Column, gap_days: Column) -> Column:
    """The first days of the episodes of a beneficiary's sorted days (an array), under the reading ``anchored``.

    A day starts an episode when it is more than ``gap_days`` after the start before it.
    """
    return F.aggregate(
        sorted_days,
        F.array().cast("array<date>"),
        lambda starts, day: F.when(
            F.coalesce(F.datediff(day, F.try_element_at(starts, F.lit(-1))) > gap_days, F.lit(True)),
            F.array_append(starts, day),
        ).otherwise(starts),
    )


def form_episodes(
    days: DataFrame, *, episode_rule: str, episode_type: str, implausible_interval_days: int
) -> DataFrame:
    """Form the delivery episodes.

    Grain in: one row per beneficiary and day, from ``with_episode_starts``. Grain out: one row per
    delivery: ``delivery_id``, ``beneficiary_id``, ``delivery_date`` (the first day), ``delivery_type``,
    ``hospital_id``, ``billings`` (distinct days), ``last_billing_date``, ``implausible_interval``,
    ``year`` (of the first day, also when the episode goes on after New Year).

    ``episode_type``: type and hospital are those of the first day (``first``), or of the earliest day
    with the highest priority (``highest_priority``). ``implausible_interval`` flags deliveries of one
    beneficiary fewer than that many days apart; on that very day there is no flag.
    """
    start = F.col(f"{episode_rule}_start")
    rank = F.struct("delivery_date") if episode_type == "first" else F.struct("priority", "delivery_date")
    chosen = F.min_by(F.struct("delivery_type", "hospital_id"), rank)
    episodes = days.groupBy("beneficiary_id", start.alias("delivery_date")).agg(
        chosen.alias("_chosen"),
        F.count(F.lit(1)).cast("int").alias("billings"),
        F.max(F.col("delivery_date")).alias("last_billing_date"),
    )
    too_close = [
        F.coalesce(F.abs(F.datediff(other, "delivery_date")) < implausible_interval_days, F.lit(False))
        for other in (
            F.lag("delivery_date").over(_by_beneficiary()),
            F.lead("delivery_date").over(_by_beneficiary()),
        )
    ]
    return episodes.select(
        delivery_id().alias("delivery_id"),
        "beneficiary_id",
        "delivery_date",
        F.col("_chosen.delivery_type").alias("delivery_type"),
        F.col("_chosen.hospital_id").alias("hospital_id"),
        "billings",
        "last_billing_date",
        (too_close[0] | too_close[1]).alias("implausible_interval"),
        F.year("delivery_date").alias("year"),
    )


def delivery_id() -> Column:
    """Hash of beneficiary and delivery date: the same in every run, whatever the settings.

    The date has a fixed width and comes first, so that no two pairs give the same text.
    """
    return F.sha2(
        F.concat(F.lit(f"{DELIVERY_ID_RULE} "), F.date_format("delivery_date", "yyyy-MM-dd"), "beneficiary_id"),
        256,
    )


def count_by_reading(days: DataFrame) -> DataFrame:
    """How many deliveries each year has under both readings: ``year``, ``reading``, ``deliveries``."""
    readings = [
        days.where(F.col("delivery_date") == F.col(f"{reading}_start")).select(
            F.year("delivery_date").alias("year"), F.lit(reading).alias("reading")
        )
        for reading in ("chained", "anchored")
    ]
    both = readings[0].unionByName(readings[1])
    return both.groupBy("year", "reading").agg(F.count(F.lit(1)).alias("deliveries"))
