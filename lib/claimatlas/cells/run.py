"""The indicators stage: from silver to the tables of gold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import cube
from claimatlas.cells.members import beneficiary_counts, delivery_counts
from claimatlas.cells.rows import published_rows
from claimatlas.cells.status import status_of, why_not_computable
from claimatlas.configuration import Configuration
from claimatlas.configuration.indicators import Indicator, Population
from claimatlas.ingest.contract import HOSPITAL_STAYS_INPUT
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import CELL_DIMENSIONS, IMAGING, POSTNATAL, Table
from claimatlas.tables.store import Store


def compute_indicators(
    store: Store,
    configuration: Configuration,
    years: Sequence[int],
    record: RunRecord,
    complete_through: date | None,
    lines: DataFrame,
) -> None:
    """Replace the cells of ``years`` in ``gold/imaging`` and ``gold/postnatal``.

    ``lines``: claim lines with every line of a service counted per beneficiary (``few_lines``).
    ``complete_through`` is the last day that the claims reach; it decides between final and provisional.
    """
    imaging = _of("beneficiary_years", configuration)
    if imaging:
        record.progress("indicators: counting beneficiaries and their imaging")
        finest = store.keep(
            beneficiary_counts(store, configuration, imaging, years, record, lines), "beneficiary_counts"
        )
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
        finest = store.keep(delivery_counts(store, configuration, perinatal, years), "delivery_counts")
        _publish(finest, "deliveries", perinatal, POSTNATAL, store, configuration, years, record, complete_through)


def _of(population: Population, configuration: Configuration) -> list[Indicator]:
    return [indicator for indicator in configuration.indicators if indicator.population == population]


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
    has_stays = HOSPITAL_STAYS_INPUT.name in record.notes["silver"]["tables"]
    statuses = {
        (indicator.id, year): status_of(indicator, year, configuration, complete_through, has_stays=has_stays)
        for indicator in indicators
        for year in sorted(set(years))
    }
    for indicator in indicators:
        reason = why_not_computable(indicator, configuration, has_stays=has_stays)
        if reason:
            record.warn(reason)
    without_denominator = {indicator.id for indicator in indicators if indicator.needs_stays and not has_stays}
    record.note("statuses", {**record.notes.get("statuses", {}), **{f"{i} {y}": s for (i, y), s in statuses.items()}})
    cells = cube(finest, population, indicators, configuration, years)
    rows = published_rows(cells, population, indicators, statuses, without_denominator, record.run_id, table)
    record.progress(f"indicators: writing {table.name}")
    store.create(table)
    order = ("year", "geo_level", "indicator_id", "geo_code", *CELL_DIMENSIONS)
    store.replace_years(rows, table, years, order, {"run_id": record.run_id})
    written = store.read(table).where(F.col("year").isin(list(years))).groupBy("year", "geo_level")
    for row in written.agg(F.count(F.lit(1)).alias("cells")).collect():
        record.count(f"cells.{table.name}.{row['year']}", {row["geo_level"]: row["cells"]})
