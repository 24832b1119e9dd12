"""The members of each population, counted as finely as any cell needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import finest_counts
from claimatlas.cells.numerators import sums_of_values
from claimatlas.cells.shares import DELIVERY_KIND
from claimatlas.claims.netting import SERVICE_COUNTS, service_counts
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import DELIVERY_TYPE
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.reserved import START_OF_WORKING
from claimatlas.configuration.settings import SECTOR
from claimatlas.errors import InputError
from claimatlas.population.beneficiaries import beneficiary_years
from claimatlas.population.dimensions import true_or_false
from claimatlas.population.domicile import carrying_table, domicile_counts, sector_years, with_domicile
from claimatlas.population.services import IMPLAUSIBLE, quantities_of_beneficiaries, services_of_years
from claimatlas.population.spans import by_year
from claimatlas.spark.questions import ask
from claimatlas.tables.schemas import CLAIMS, POPULATION, configured, deliveries_table
from claimatlas.tables.store import Store

BENEFICIARIES = f"{START_OF_WORKING}beneficiaries"
"""The count of all beneficiary-years of a row of ``finest``."""
ODD_OF_BENEFICIARIES = (
    "code_given",
    "code_carried",
    "code_unknown",
    "sector_given",
    "sector_refused",
    "age_implausible",
)
"""Counts of beneficiary-years that a run record keeps beside their cells."""


def require_columns_of_dimensions(store: Store, configuration: Configuration) -> None:
    """Refuse a silver from before a dimension was declared that reads a column of the population or of the claims.

    Everybody would be unknown in it.

    Raises:
        InputError: naming the column.
    """
    if configuration.dimensions.meaning is None:
        return
    dimensions = configuration.dimensions
    needed = {
        POPULATION: [own.name for own in dimensions.population_columns],
        CLAIMS: [str(dimensions.declared[name].column) for name in dimensions.of_lines],
    }
    for table, names in needed.items():
        there = store.columns(table) if names else ()
        for name in names:
            if name not in there:
                raise InputError(
                    f"{store.called(table)} in {store.root} has no column {name}, which dimensions.yaml names: it "
                    "was taken in before. Take the input in anew (--input)."
                )


def require_dimensions_of_deliveries(store: Store, configuration: Configuration, years: Sequence[int]) -> None:
    """Refuse deliveries that were formed before a dimension of theirs was declared; they would be unknown in it.

    Raises:
        InputError: naming the years and the dimension.
    """
    dimensions = configuration.dimensions
    names = [name for name in dimensions.of("deliveries") if not dimensions.declared[name].is_of_delivery]
    if dimensions.meaning is None or not names:
        return
    rows = store.read(deliveries_table(configuration)).where(F.col("year").isin(list(years)))
    known = rows.groupBy("year").agg(*[F.count(name).alias(name) for name in names])
    found = sorted(ask({"years": known})["years"], key=lambda row: int(row["year"]))
    for name in names:
        lacking = [str(row["year"]) for row in found if not row[name]]
        if lacking:
            raise InputError(
                f"There was no dimension {name} when the deliveries of {', '.join(lacking)} were formed: "
                "form them anew."
            )


class BeneficiaryCounts(NamedTuple):
    """The beneficiary-years counted as finely as any cell needs, and the services of each year, whoever had them.

    Grain of ``services``: one row per ``year``, with the counts of ``service_counts``, and for each service the people
    who had it, its net quantity, and how much of that is implausible.
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

    Grain of ``finest``: one row per year, place, sector and dimensions, with the measures of ``finest_counts`` and of
    line values; beside them ``BENEFICIARIES``, ``domicile_<source>``, how many codes were carried or refused, and for
    each service the people who had it and its net quantity.
    """
    services = services_of_years(lines, configuration, years)
    of_beneficiaries = quantities_of_beneficiaries(services, configuration, service_counts())
    quantities = store.materialise(of_beneficiaries, "beneficiary_quantities")
    population = store.read(configured(POPULATION, configuration))
    domiciled = with_domicile(
        by_year(population, configuration, years).where(F.col("year").isin(list(years))),
        carrying_table(store.spark, configuration, years),
        sector_years(store.spark, configuration, years),
        configuration,
    )
    members = beneficiary_years(domiciled, quantities, configuration)
    extra = [
        # Every indicator may have a denominator that is restricted: then no measure counts everybody.
        F.count(F.lit(1)).alias(BENEFICIARIES),
        *domicile_counts(),
        *[F.count_if(name).alias(name) for name in ODD_OF_BENEFICIARIES],
        *[
            F.count_if(F.col(f"quantity_{name}") > 0).alias(f"beneficiaries_with_{name}")
            for name in configuration.services.beneficiary_services
        ],
        *[F.sum(f"quantity_{name}").alias(f"quantity_{name}") for name in configuration.services.beneficiary_services],
        F.sum("service_lines").alias("service_lines"),
        *sums_of_values(indicators, configuration.dimensions),
    ]
    place = configuration.settings.geography.domicile_level
    finest = finest_counts(
        members, configuration.dimensions.of("beneficiary_years"), indicators, [place, SECTOR], extra
    )
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
    place = configuration.settings.geography.domicile_level
    typed = members.withColumn(DELIVERY_KIND, F.col("delivery_type")).withColumns(_of_deliveries(configuration))
    extra = [
        *domicile_counts(),
        *[
            F.when(F.count_if(F.col(flag).isNull()) == 0, F.count_if(flag)).alias(flag)
            for flag in configuration.services.delivery_flags
        ],
        F.count_if("implausible_interval").alias("implausible_interval"),
    ]
    return finest_counts(typed, configuration.dimensions.of("deliveries"), indicators, [place, "hospital_id"], extra)


def _of_deliveries(configuration: Configuration) -> dict[str, Column]:
    """The dimensions of a delivery: what a column of it says; the others stand in ``silver/deliveries`` already."""
    found = {}
    for name in configuration.dimensions.of("deliveries"):
        dimension = configuration.dimensions.declared[name]
        if dimension.source == DELIVERY_TYPE:
            found[name] = F.lit(None).cast("string")
            for kind, declared in configuration.services.delivery_types.items():
                found[name] = F.when(F.col("delivery_type") == kind, F.lit(declared.dimension)).otherwise(found[name])
        elif dimension.is_of_delivery:
            found[name] = true_or_false(F.col(str(dimension.column)))
    return found


def _totals_of_services(quantities: DataFrame, configuration: Configuration) -> DataFrame:
    names = list(configuration.services.beneficiary_services)
    return quantities.groupBy("year").agg(
        *[F.sum(name).alias(name) for name in SERVICE_COUNTS],
        *[F.count_if(F.col(f"quantity_{name}") > 0).alias(f"beneficiaries_with_{name}") for name in names],
        *[F.sum(f"{of}{name}").alias(f"{of}{name}") for of in ("quantity_", IMPLAUSIBLE) for name in names],
        F.sum("service_lines").alias("service_lines"),
    )
