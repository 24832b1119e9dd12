"""Services counted per beneficiary and year: in Belgium the exams of therapeutic imaging.

Source page: stat_013_023_At.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.claims.netting import has_any_code, in_code_lists, net_services, service_key
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import LineValue
from claimatlas.ingest.codes import among

IMPLAUSIBLE = "implausible_quantity_"
"""Before the name of a service: the net quantity of services with more than ``plausible_quantity``."""


def split_services(configuration: Configuration) -> list[tuple[str, LineValue]]:
    """The services that an indicator splits by a column of the claim lines, with each value of it; each pair once."""
    dimensions = configuration.dimensions
    pairs = [
        (indicator.numerator.quantity_of_service, value)
        for indicator in configuration.indicators
        for name in indicator.dimensions
        if name in dimensions.of_lines
        for value in dimensions.line_values(name)
    ]
    return list(dict.fromkeys((service, value) for service, value in pairs if service is not None))


def services_of_years(claims: DataFrame, configuration: Configuration, years: Sequence[int]) -> DataFrame:
    """The services of the declared kinds, services that were taken back included.

    Grain in: one row per accepted claim line. Grain out: one row per service: ``service_key``, ``year``,
    ``net_quantity``, ``lines``, a boolean for each declared service, and for each line value that splits one whether a
    line with a positive quantity has it.
    """
    declared = configuration.services.beneficiary_services
    lists = [name for service in declared.values() for name in service.code_lists]
    lines = claims.where(F.col("year").isin(list(years)) & has_any_code(configuration, lists))
    rules = {
        value.is_met: F.coalesce(among(F.col(value.attribute), [value.entry]), F.lit(False))
        for _, value in split_services(configuration)
        if value.entry is not None
    }
    services = net_services(
        lines.where(in_code_lists(configuration, lists)), (*service_key(configuration), "year"), rules
    )
    kinds = [in_code_lists(configuration, service.code_lists).alias(name) for name, service in declared.items()]
    return services.select("*", *kinds)


def quantities_of_beneficiaries(
    services: DataFrame, configuration: Configuration, counts_of_services: Sequence[Column] = ()
) -> DataFrame:
    """Sum the services that count.

    Grain in: the result of ``services_of_years``. Grain out: one row per ``beneficiary_id`` and ``year``
    with any line of one: ``quantity_<service>`` (sum of the net quantities, 0 when all were taken back)
    for each declared service, the same for each line value that splits one, ``implausible_quantity_<service>`` (as much
    of it as comes from services with more than ``plausible_quantity``) and ``service_lines`` (claim lines, those taken
    back included); beside them the aggregates ``counts_of_services``.
    """
    counts = F.col("net_quantity") > 0
    is_implausible = F.col("net_quantity") > configuration.settings.plausible_quantity
    has = {f"quantity_{name}": F.col(name) for name in configuration.services.beneficiary_services}
    has |= {
        value.quantity(name): F.col(name) & _is_of(value, configuration)
        for name, value in split_services(configuration)
    }
    quantities = [
        F.sum(F.when(condition & counts, F.col("net_quantity")).otherwise(0)).alias(name)
        for name, condition in has.items()
    ]
    quantities += [
        F.sum(F.when(F.col(name) & is_implausible, F.col("net_quantity")).otherwise(0)).alias(f"{IMPLAUSIBLE}{name}")
        for name in configuration.services.beneficiary_services
    ]
    lines = F.sum("lines").alias("service_lines")
    return services.groupBy("beneficiary_id", "year").agg(*quantities, lines, *counts_of_services)


def _is_of(value: LineValue, configuration: Configuration) -> Column:
    """Whether a service is of a line value: the first declared one that one of its lines has, else the unknown one."""
    every = configuration.dimensions.line_values(value.dimension)
    before = [F.col(other.is_met) for other in every[: every.index(value)]]
    is_of_none_before = reduce(Column.__and__, [~is_met for is_met in before], F.lit(True))
    return is_of_none_before if value.entry is None else is_of_none_before & F.col(value.is_met)
