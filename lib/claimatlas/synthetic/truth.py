"""The truth about generated claims: what a right computation must find."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.synthetic.perinatal import contact_group, listed_service
from claimatlas.synthetic.world import World

LONGEST_EPISODE_ANCHORED = 30
"""Days after its first billing that an anchored episode holds, at most."""


def true_deliveries(delivery_lines: DataFrame, delivery_stays: DataFrame) -> DataFrame:
    """The deliveries, under the default settings (chained episodes, type of the first day).

    Grain in: claim lines of deliveries; their stays. Grain out: one row per delivery: ``beneficiary_id``,
    ``delivery_date``, ``delivery_type`` (caesarean, vaginal_hospital, home), ``hospital_id`` (null:
    unknown, or at home), ``billings`` (distinct days billed), ``last_billing_date``,
    ``nights_after_delivery`` (null: no known stay) and ``episodes_anchored`` (deliveries that the anchored
    reading makes of it: 1, or 2 in a chain of more than 30 days).
    """
    is_first_day = F.col("service_date") == F.col("delivery_date")
    priority = F.when(F.col("billed_type") == "caesarean", 1).when(F.col("billed_type") == "vaginal_hospital", 2)
    line = F.struct(
        F.coalesce(priority, F.lit(3)).alias("priority"),
        F.col("hospital_id").isNull().alias("no_hospital"),
        F.col("hospital_id").alias("hospital_id"),
        F.col("billed_type").alias("billed_type"),
    )
    deliveries = (
        delivery_lines.where(F.col("net_quantity") > 0)
        .groupBy("beneficiary_id", "delivery_date")
        .agg(
            F.min(F.when(is_first_day, line)).alias("_first"),
            F.count_distinct("service_date").cast("int").alias("billings"),
            F.max("service_date").alias("last_billing_date"),
        )
    )
    stays = delivery_stays.where("own").select(
        "beneficiary_id", "delivery_date", F.col("nights").alias("nights_after_delivery")
    )
    is_long = F.datediff("last_billing_date", "delivery_date") > LONGEST_EPISODE_ANCHORED
    return deliveries.join(stays, on=["beneficiary_id", "delivery_date"], how="left").select(
        "beneficiary_id",
        "delivery_date",
        F.col("_first.billed_type").alias("delivery_type"),
        F.col("_first.hospital_id").alias("hospital_id"),
        "billings",
        "last_billing_date",
        "nights_after_delivery",
        (F.lit(1) + is_long.cast("int")).alias("episodes_anchored"),
    )


def true_contacts(world: World, perinatal_lines: DataFrame) -> DataFrame:
    """Days with a contact, around deliveries inside and just outside the generated years.

    Grain in: claim lines. Grain out: one row per ``beneficiary_id``, ``contact_date`` and
    ``contact_group``. A woman who delivers has no contact that is not here within a year of it: those
    in a window are found by joining the dates with the deliveries'.
    """
    return (
        perinatal_lines.withColumn("contact_group", contact_group(world.offers))
        .where(F.col("contact_group").isNotNull() & (F.col("net_quantity") > 0))
        .select("beneficiary_id", F.col("service_date").alias("contact_date"), "contact_group")
        .distinct()
    )


def true_services(world: World, perinatal_lines: DataFrame) -> DataFrame:
    """Days with a service of a code list that makes no contact, around deliveries.

    Grain in: claim lines. Grain out: one row per ``beneficiary_id``, ``service_date`` and ``code_list``:
    ``prenatal_technical``, and ``midwife_postnatal``, which counts as contact only under
    ``midwife_codes: source_and_postnatal``.
    """
    return (
        perinatal_lines.withColumn("code_list", listed_service(world.offers))
        .where(F.col("code_list").isNotNull() & (F.col("net_quantity") > 0))
        .select("beneficiary_id", "service_date", "code_list")
        .distinct()
    )


def true_exams(exam_lines: DataFrame) -> DataFrame:
    """Exams of therapeutic imaging.

    Grain in: claim lines. Grain out: one row per ``beneficiary_id`` and ``year`` with an exam: ``exams``
    (net quantity, bigint) and ``in_population`` (false: not in the population file of the year, so not
    counted).
    """
    is_service = F.col("copy") == 0
    return (
        exam_lines.where(is_service & (F.col("net_quantity") > 0))
        .groupBy("beneficiary_id", "year", "in_population")
        .agg(F.sum("net_quantity").alias("exams"))
        .select("beneficiary_id", "year", "exams", "in_population")
    )
