"""The members of each population, counted as finely as any cell needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import finest_counts
from claimatlas.cells.shares import DELIVERY_KIND
from claimatlas.claims.netting import SERVICE_COUNTS, service_counts
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import SECTOR
from claimatlas.population.beneficiaries import beneficiary_years
from claimatlas.population.domicile import carrying_table, domicile_counts, sector_years, with_domicile
from claimatlas.population.services import quantities_of_beneficiaries, services_of_years
from claimatlas.population.spans import by_year
from claimatlas.tables.schemas import POPULATION
from claimatlas.tables.store import Store

ODD_OF_BENEFICIARIES = (
    "code_given",
    "code_carried",
    "code_unknown",
    "sector_given",
    "sector_refused",
    "age_implausible",
)
"""Counts of beneficiary-years that a run record keeps beside their cells."""


class BeneficiaryCounts(NamedTuple):
    """The beneficiary-years counted as finely as any cell needs, and the services of each year, whoever had them.

    Grain of ``services``: one row per ``year``, with the counts of ``service_counts``, and for each service the people
    who had it and its net quantity.
    """

    finest: DataFrame
    services: DataFrame


def beneficiary_counts(
    store: Store,
    configuration: Configuration,
    indicators: Sequence[Indicator],
    years: Sequence[int],
    lines: DataFrame,
) -> BeneficiaryCounts:
    """Count the beneficiary-years of ``years``.

    ``lines``: claim lines with every line of a service counted per beneficiary (``indicator_lines``).

    Grain of ``finest``: one row per year, place, sector and dimensions, with the measures of ``finest_counts``;
    beside them ``domicile_<source>``, how many codes were carried or refused, and for each service the
    people who had it and its net quantity.
    """
    services = services_of_years(lines, configuration, years)
    of_beneficiaries = quantities_of_beneficiaries(services, configuration, service_counts())
    quantities = store.materialise(of_beneficiaries, "beneficiary_quantities")
    domiciled = with_domicile(
        by_year(store.read(POPULATION), configuration, years).where(F.col("year").isin(list(years))),
        carrying_table(store.spark, configuration, years),
        sector_years(store.spark, configuration, years),
        configuration,
    )
    members = beneficiary_years(domiciled, quantities, configuration)
    extra = [
        *domicile_counts(),
        *[F.count_if(name).alias(name) for name in ODD_OF_BENEFICIARIES],
        *[
            F.count_if(F.col(f"quantity_{name}") > 0).alias(f"beneficiaries_with_{name}")
            for name in configuration.services.beneficiary_services
        ],
        *[F.sum(f"quantity_{name}").alias(f"quantity_{name}") for name in configuration.services.beneficiary_services],
        F.sum("service_lines").alias("service_lines"),
    ]
    place = configuration.settings.geography.domicile_level
    finest = finest_counts(members, "beneficiary_years", indicators, [place, SECTOR], extra)
    return BeneficiaryCounts(finest, _totals_of_services(quantities, configuration))


def delivery_counts(
    deliveries: DataFrame, configuration: Configuration, indicators: Sequence[Indicator], years: Sequence[int]
) -> DataFrame:
    """Count the deliveries of ``years``, rows of ``silver/deliveries``.

    Grain out: one row per year, place, hospital and dimensions, with the measures of ``finest_counts``;
    beside them ``domicile_<source>``, each flag (null where it is null of one delivery: it was not computed, which is
    not false), and ``implausible_interval``.
    """
    members = deliveries.where(F.col("year").isin(list(years)))
    delivery_type = F.lit(None).cast("string")
    for name, kind in configuration.services.delivery_types.items():
        delivery_type = F.when(F.col("delivery_type") == name, F.lit(kind.dimension)).otherwise(delivery_type)
    place = configuration.settings.geography.domicile_level
    typed = members.withColumn(DELIVERY_KIND, F.col("delivery_type")).withColumn("delivery_type", delivery_type)
    extra = [
        *domicile_counts(),
        *[
            F.when(F.count_if(F.col(flag).isNull()) == 0, F.count_if(flag)).alias(flag)
            for flag in configuration.services.delivery_flags
        ],
        F.count_if("implausible_interval").alias("implausible_interval"),
    ]
    return finest_counts(typed, "deliveries", indicators, [place, "hospital_id"], extra)


def _totals_of_services(quantities: DataFrame, configuration: Configuration) -> DataFrame:
    names = list(configuration.services.beneficiary_services)
    return quantities.groupBy("year").agg(
        *[F.sum(name).alias(name) for name in SERVICE_COUNTS],
        *[F.count_if(F.col(f"quantity_{name}") > 0).alias(f"beneficiaries_with_{name}") for name in names],
        *[F.sum(f"quantity_{name}").alias(f"quantity_{name}") for name in names],
        F.sum("service_lines").alias("service_lines"),
    )
