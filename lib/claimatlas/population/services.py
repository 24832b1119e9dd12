"""Services counted per beneficiary and year: the exams of therapeutic imaging.

Source page: stat_013_023_At.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import has_any_code, in_code_lists, net_services, service_key
from claimatlas.configuration import Configuration

IMPLAUSIBLE = "implausible_quantity_"
"""Before the name of a service: the net quantity of services with more than ``plausible_quantity``."""


def services_of_years(claims: DataFrame, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """The services of the declared kinds, services that were taken back included.

    Grain in: one row per accepted claim line. Grain out: one row per service: ``service_key``, ``year``,
    ``net_quantity``, ``lines``, and a boolean for each declared service.
    """
    declared = configuration.services.beneficiary_services
    lists = [name for service in declared.values() for name in service.code_lists]
    lines = claims.where(F.col("year").isin(list(years)) & has_any_code(configuration, lists))
    services = net_services(lines.where(in_code_lists(configuration, lists)), (*service_key(configuration), "year"), {})
    kinds = [in_code_lists(configuration, service.code_lists).alias(name) for name, service in declared.items()]
    return services.select("*", *kinds)


def quantities_of_beneficiaries(
    services: DataFrame, configuration: Configuration, counts_of_services: Sequence[Column] = ()
) -> DataFrame:
    """Sum the services that count.

    Grain in: the result of ``services_of_years``. Grain out: one row per ``beneficiary_id`` and ``year``
    with any line of one: ``quantity_<service>`` (sum of the net quantities, 0 when all were taken back)
    for each declared service, ``implausible_quantity_<service>`` (as much of it as comes from services with more than
    ``plausible_quantity``) and ``service_lines`` (claim lines, those taken back included); beside them the aggregates
    ``counts_of_services``.
    """
    counts = F.col("net_quantity") > 0
    is_implausible = F.col("net_quantity") > configuration.settings.plausible_quantity
    quantities = [
        F.sum(F.when(F.col(name) & counts, F.col("net_quantity")).otherwise(0)).alias(f"quantity_{name}")
        for name in configuration.services.beneficiary_services
    ]
    quantities += [
        F.sum(F.when(F.col(name) & is_implausible, F.col("net_quantity")).otherwise(0)).alias(f"{IMPLAUSIBLE}{name}")
        for name in configuration.services.beneficiary_services
    ]
    lines = F.sum("lines").alias("service_lines")
    return services.groupBy("beneficiary_id", "year").agg(*quantities, lines, *counts_of_services)
