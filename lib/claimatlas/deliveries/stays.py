"""The hospital stay of a delivery, and the nights from delivery to discharge."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def nights_after_delivery(deliveries: DataFrame, stays: DataFrame) -> DataFrame:
    """Nights from the delivery to the discharge of its stay.

    A stay is the delivery's when it is of the same beneficiary and ``admission_date <= delivery_date <=
    discharge_date``. Of several, those of the delivery's hospital if there are any, then the one that
    ends last. Discharge on the day of delivery is 0 nights.

    Grain in: one row per delivery; one row per accepted stay. Grain out: one row per ``delivery_id`` with
    a stay: ``nights_after_delivery``.
    """
    mothers = F.broadcast(
        deliveries.select(
            "delivery_id",
            "delivery_date",
            F.col("beneficiary_id").alias("_mother"),
            F.col("hospital_id").alias("_hospital"),
        )
    )
    holds_delivery = (
        (F.col("beneficiary_id") == F.col("_mother"))
        & (F.col("admission_date") <= F.col("delivery_date"))
        & (F.col("delivery_date") <= F.col("discharge_date"))
    )
    in_its_hospital = F.coalesce(F.col("hospital_id") == F.col("_hospital"), F.lit(False))
    best = F.max(F.struct(in_its_hospital.alias("in_its_hospital"), "discharge_date"))
    return (
        stays.join(mothers, on=holds_delivery, how="inner")
        .groupBy("delivery_id", "delivery_date")
        .agg(best.alias("best"))
        .select(
            "delivery_id", F.datediff("best.discharge_date", "delivery_date").cast("int").alias("nights_after_delivery")
        )
    )
