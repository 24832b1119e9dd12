"""The indicators stage: from silver to the tables of gold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import cube, finest_counts
from claimatlas.cells.rows import published_rows
from claimatlas.cells.status import NOT_COMPUTABLE, missing_code_lists, status_of
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator, Population
from claimatlas.configuration.settings import SECTOR
from claimatlas.population.beneficiaries import beneficiary_years
from claimatlas.population.domicile import carrying_table, sector_years, with_domicile
from claimatlas.population.services import quantities_of_beneficiaries, services_of_years
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import CLAIMS, IMAGING, POPULATION, POSTNATAL, UNKNOWN, Table, deliveries_table
from claimatlas.tables.store import Store


def compute_indicators(
    store: Store,
    configuration: Configuration,
    years: Sequence[int],
    record: RunRecord,
    complete_through: date | None,
) -> None:
    """Replace the cells of ``years`` in ``gold/imaging`` and ``gold/postnatal``.

    ``complete_through`` is the last day that the claims reach; it decides between final and provisional.
    """
    imaging = _of("beneficiary_years", configuration)
    if imaging:
        record.progress("indicators: counting beneficiaries and their imaging")
        finest = store.keep(_count_beneficiaries(store, configuration, imaging, years, record), "beneficiary_counts")
        _note_beneficiaries(finest, configuration, record)
        _publish(
            finest,
            "beneficiary_years",
            imaging,
            IMAGING,
            store,
            configuration,
            years,
            record,
            complete_through,
        )
    perinatal = _of("deliveries", configuration)
    if perinatal:
        record.progress("indicators: counting deliveries")
        finest = store.keep(_count_deliveries(store, configuration, perinatal, years), "delivery_counts")
        _publish(finest, "deliveries", perinatal, POSTNATAL, store, configuration, years, record, complete_through)


def _of(population: Population, configuration: Configuration) -> list[Indicator]:
    return [indicator for indicator in configuration.indicators if indicator.population == population]


def _count_beneficiaries(
    store: Store,
    configuration: Configuration,
    indicators: Sequence[Indicator],
    years: Sequence[int],
    record: RunRecord,
) -> DataFrame:
    services = store.keep(services_of_years(store.read(CLAIMS), configuration, years), "beneficiary_services")
    quantities = store.keep(quantities_of_beneficiaries(services, configuration), "beneficiary_quantities")
    _note_services(services, quantities, configuration, record)
    domiciled = with_domicile(
        store.read(POPULATION).where(F.col("year").isin(list(years))),
        carrying_table(store.spark, configuration, years),
        sector_years(store.spark, configuration, years),
        configuration,
    )
    members = beneficiary_years(domiciled, quantities, configuration)
    extra = [
        *[
            F.count_if(F.col("domicile_source") == source).alias(f"domicile_{source}")
            for source in ("31_december", "30_june", UNKNOWN)
        ],
        *[F.count_if(name).alias(name) for name in ("code_carried", "code_unknown", "sector_refused")],
        *[
            F.count_if(F.col(f"quantity_{name}") > 0).alias(f"beneficiaries_with_{name}")
            for name in configuration.services.beneficiary_services
        ],
        *[F.sum(f"quantity_{name}").alias(f"quantity_{name}") for name in configuration.services.beneficiary_services],
        F.sum("service_lines").alias("service_lines"),
    ]
    place = configuration.settings.geography.domicile_level
    return finest_counts(members, "beneficiary_years", indicators, [place, SECTOR], extra)


def _count_deliveries(
    store: Store, configuration: Configuration, indicators: Sequence[Indicator], years: Sequence[int]
) -> DataFrame:
    members = store.read(deliveries_table(configuration)).where(F.col("year").isin(list(years)))
    delivery_type = F.lit(None).cast("string")
    for name, kind in configuration.services.delivery_types.items():
        delivery_type = F.when(F.col("delivery_type") == name, F.lit(kind.dimension)).otherwise(delivery_type)
    place = configuration.settings.geography.domicile_level
    return finest_counts(members.withColumn("delivery_type", delivery_type), "deliveries", indicators, [place])


def _note_services(services: DataFrame, quantities: DataFrame, configuration: Configuration, record: RunRecord) -> None:
    names = list(configuration.services.beneficiary_services)
    row = services.agg(
        F.coalesce(F.sum("lines"), F.lit(0)).alias("claim_lines"),
        F.count(F.lit(1)).alias("services"),
        F.count_if(F.col("net_quantity") <= 0).alias("services_taken_back"),
    ).collect()[0]
    record.count("beneficiary_services", row.asDict())
    totals = quantities.groupBy("year").agg(
        *[F.count_if(F.col(f"quantity_{name}") > 0).alias(f"beneficiaries_with_{name}") for name in names],
        *[F.sum(f"quantity_{name}").alias(f"quantity_{name}") for name in names],
        F.sum("service_lines").alias("service_lines"),
    )
    for total in totals.collect():
        values = total.asDict()
        record.count(f"beneficiary_services.{values.pop('year')}", values)


def _note_beneficiaries(finest: DataFrame, configuration: Configuration, record: RunRecord) -> None:
    columns = [
        name for name in finest.columns if name.startswith(("domicile_", "code_", "sector_", "beneficiaries_with_"))
    ]
    columns += [name for name in finest.columns if name.startswith("quantity_")] + ["service_lines"]
    totals = finest.groupBy("year").agg(
        F.sum("denominator").alias("beneficiaries"), *[F.sum(name).alias(name) for name in columns]
    )
    for total in totals.collect():
        values = total.asDict()
        year = values.pop("year")
        record.count(f"beneficiaries.{year}", values)
        # Services of people who are not in the population of the year: left out, and counted here.
        all_of_year = record.counts.get(f"beneficiary_services.{year}", {})
        ignored = {name: all_of_year[name] - values[name] for name in all_of_year}
        record.count(f"beneficiary_services.{year}.not_in_population", ignored)


def _publish(
    finest: DataFrame,
    population: Population,
    indicators: Sequence[Indicator],
    table: Table,
    store: Store,
    configuration: Configuration,
    years: Sequence[int],
    record: RunRecord,
    complete_through: date | None,
) -> None:
    statuses = {
        (indicator.id, year): status_of(indicator, year, configuration, complete_through)
        for indicator in indicators
        for year in sorted(set(years))
    }
    for indicator in indicators:
        if NOT_COMPUTABLE in {statuses[indicator.id, year] for year in years}:
            empty = ", ".join(missing_code_lists(indicator, configuration))
            record.warn(f"{indicator.id} is not computable: the code list {empty} is empty.")
    record.note("statuses", {**record.notes.get("statuses", {}), **{f"{i} {y}": s for (i, y), s in statuses.items()}})
    cells = cube(finest, population, indicators, configuration, years)
    rows = published_rows(cells, population, indicators, statuses, record.run_id, table)
    record.progress(f"indicators: writing {table.name}")
    store.create(table)
    order = [
        "year",
        "geo_level",
        "indicator_id",
        "geo_code",
        "age_category",
        "increased_reimbursement",
        "delivery_type",
        "sex",
    ]
    where = f"year IN ({', '.join(str(int(year)) for year in sorted(set(years)))})"
    # One file a partition: the published tables are small.
    store.replace(rows.repartition(1).sortWithinPartitions(*order), table, where, {"run_id": record.run_id})
    written = store.read(table).where(F.col("year").isin(list(years))).groupBy("year", "geo_level")
    for row in written.agg(F.count(F.lit(1)).alias("cells")).collect():
        record.count(f"cells.{table.name}.{row['year']}", {row["geo_level"]: row["cells"]})
