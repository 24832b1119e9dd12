"""Delivery days: one per beneficiary and date, whatever was billed on it.

Source page: cube_007_008a_At (codes and priority).
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import CODE_COLUMNS, has_any_code, in_code_lists, net_services, service_key
from claimatlas.configuration import Configuration


def delivery_services(claims: DataFrame, configuration: Configuration) -> DataFrame:
    """The delivery services with their type, services that were taken back included.

    Grain in: one row per accepted claim line. Grain out: one row per service: ``service_key``,
    ``net_quantity``, ``hospital_id``, ``lines``, ``delivery_type``, ``priority`` (1 wins).
    """
    types = configuration.services.delivery_types
    lists = [kind.code_list for kind in types.values()]
    lines = claims.where(has_any_code(configuration, lists) & in_code_lists(configuration, lists))
    services = net_services(lines, service_key(configuration), {})
    delivery_type, priority = F.lit(None).cast("string"), F.lit(None).cast("int")
    # The outermost condition wins, so the types come by descending priority number: 1 is outermost.
    for name, kind in sorted(types.items(), key=lambda item: -item[1].priority):
        is_kind = in_code_lists(configuration, [kind.code_list])
        delivery_type = F.when(is_kind, F.lit(name)).otherwise(delivery_type)
        priority = F.when(is_kind, F.lit(kind.priority)).otherwise(priority)
    return services.select("*", delivery_type.alias("delivery_type"), priority.alias("priority"))


def delivery_days(services: DataFrame) -> DataFrame:
    """Keep one delivery of each beneficiary and day.

    That of the type with the highest priority (1 before 2); within a priority the lowest known hospital, then the
    lowest code (and the first code system), so that the order of rows never matters.

    Grain in: one row per delivery service. Grain out: one row per ``beneficiary_id`` and
    ``delivery_date``, with ``priority``, ``delivery_type``, ``hospital_id``.
    """
    best = F.min(
        F.struct(
            "priority",
            F.col("hospital_id").isNull().alias("no_hospital"),
            "hospital_id",
            *[name for name in CODE_COLUMNS if name in services.columns],
            "delivery_type",
        )
    )
    return (
        services.where(F.col("net_quantity") > 0)
        .groupBy("beneficiary_id", F.col("service_date").alias("delivery_date"))
        .agg(best.alias("best"))
        .select("beneficiary_id", "delivery_date", "best.priority", "best.delivery_type", "best.hospital_id")
    )
