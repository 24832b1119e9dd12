"""Beneficiary-years with dimensions, domicile and services."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.configuration import Configuration
from claimatlas.population.ages import completed_years
from claimatlas.population.dimensions import dimension_columns
from claimatlas.population.services import split_services
from claimatlas.tables.schemas import UNKNOWN


def beneficiary_years(domiciled: DataFrame, quantities: DataFrame, configuration: Configuration) -> DataFrame:
    """Join the beneficiary-years with their services.

    Grain in: one row per beneficiary-year with its domicile; one row per beneficiary-year with a service.
    Grain out: one row per beneficiary-year: ``year``, the domicile's columns, ``age_implausible``, ``age`` (in
    completed years on 31 December; null: unknown), ``recorded_sex``, its dimensions (of that age), and
    ``quantity_<service>`` and the quantities of line values (0 without any). Services of someone who is not in the
    population of the year are left out.
    """
    last_day = F.make_date("year", F.lit(12), F.lit(31))
    age = completed_years(F.col("birth_date"), last_day)
    quantities_of_services = [f"quantity_{name}" for name in configuration.services.beneficiary_services]
    quantities_of_services += [value.quantity(service) for service, value in split_services(configuration)]
    plausible = configuration.settings.plausible_age
    place = configuration.settings.geography.domicile_level
    return domiciled.join(quantities, on=["beneficiary_id", "year"], how="left").select(
        "year",
        place,
        "sector",
        "domicile_source",
        "code_given",
        "code_carried",
        "code_unknown",
        "sector_given",
        "sector_refused",
        F.coalesce(~age.between(plausible.from_, plausible.to), F.lit(False)).alias("age_implausible"),
        F.when(age >= 0, age).cast("int").alias("age"),
        F.coalesce("sex", F.lit(UNKNOWN)).alias("recorded_sex"),
        *dimension_columns(configuration.dimensions, "beneficiary_years", age),
        *[F.coalesce(name, F.lit(0)).alias(name) for name in quantities_of_services],
        F.coalesce("service_lines", F.lit(0)).alias("service_lines"),
    )
