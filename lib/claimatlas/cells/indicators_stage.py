"""The indicators stage: from silver to the tables of gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import cube
from claimatlas.cells.members import (
    BENEFICIARIES,
    ODD_OF_BENEFICIARIES,
    beneficiary_counts,
    delivery_counts,
    require_dimensions_of_deliveries,
)
from claimatlas.cells.rows import Computable, Split, published_rows
from claimatlas.cells.standardised import rates_not_known
from claimatlas.cells.status import status_of, why_not_computable
from claimatlas.claims.netting import SERVICE_COUNTS
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.settings import SECTOR
from claimatlas.ingest.contract import HOSPITAL_STAYS_INPUT
from claimatlas.runs.context import Counts, RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.spark.questions import ask
from claimatlas.tables.cell_tables import POPULATIONS, cells_of
from claimatlas.tables.schemas import UNKNOWN, Table, configured, deliveries_table
from claimatlas.tables.store import Store


@dataclass(frozen=True)
class CountedMembers:
    """The counted members of a population.

    ``finest``: the rows of ``beneficiary_counts`` or ``delivery_counts``; ``counts``: by step of a run record.
    """

    finest: DataFrame
    counts: Counts


def compute_indicators(
    context: RunContext, silver: SilverFacts, complete_through: date | None, lines: DataFrame
) -> None:
    """Replace the cells of the years in the tables of cells.

    ``lines``: claim lines with every line of a service counted per beneficiary (``indicator_lines``).
    ``complete_through`` is the last day that the claims reach; it decides between final and provisional.
    """
    configuration, years = context.configuration, context.years
    for population, indicators in indicators_by_population(configuration).items():
        members = count_members(population, context, lines)
        context.record.count_all(members.counts)
        cells = cube(members.finest, population, indicators, configuration, years)
        write_cells(cells, population, context, silver, complete_through)


def indicators_by_population(configuration: Configuration) -> dict[Population, list[Indicator]]:
    """The declared indicators of each population that has any."""
    declared: dict[Population, list[Indicator]] = {
        population: [indicator for indicator in configuration.indicators if indicator.population == population]
        for population in POPULATIONS
    }
    return {population: indicators for population, indicators in declared.items() if indicators}


def cells_table(population: Population, store: Store, configuration: Configuration) -> Table:
    """The table of gold that holds a population's cells, with its dimensions."""
    return configured(cells_of(population, store), configuration)


def count_members(population: Population, context: RunContext, lines: DataFrame) -> CountedMembers:
    """Count the members of a population as finely as any cell needs.

    ``lines``: claim lines with every line of a service counted per beneficiary (``indicator_lines``).
    """
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    indicators = indicators_by_population(configuration)[population]
    if population == "deliveries":
        record.progress("indicators: counting deliveries")
        require_dimensions_of_deliveries(store, configuration, years)
        deliveries = store.read(deliveries_table(configuration))
        finest = store.materialise(delivery_counts(deliveries, configuration, indicators, years), "delivery_counts")
        return CountedMembers(finest, {})
    record.progress("indicators: counting beneficiaries and their services")
    counts = beneficiary_counts(store, configuration, indicators, years, lines)
    finest = store.materialise(counts.finest, "beneficiary_counts")
    return CountedMembers(finest, _counts_of_beneficiaries(finest, counts.services, configuration))


def _counts_of_beneficiaries(finest: DataFrame, services: DataFrame, configuration: Configuration) -> Counts:
    columns = [
        name
        for name in finest.columns
        if name in ODD_OF_BENEFICIARIES or name.startswith(("domicile_", "beneficiaries_with_"))
    ]
    columns += [name for name in finest.columns if name.startswith("quantity_")] + ["service_lines"]
    totals = finest.groupBy("year").agg(
        F.sum(BENEFICIARIES).alias("beneficiaries"),
        *[F.sum(name).alias(name) for name in columns],
        *[
            F.sum(F.when(F.col(name) == UNKNOWN, F.col(BENEFICIARIES)).otherwise(0)).alias(f"{UNKNOWN}_{name}")
            for name in configuration.dimensions.of("beneficiary_years")
        ],
    )
    found = ask({"services": services, "beneficiaries": totals})
    all_years = dict.fromkeys(SERVICE_COUNTS, 0)
    counts: Counts = {}
    for of_year in found["services"]:
        year = of_year.pop("year")
        for name in SERVICE_COUNTS:
            all_years[name] += of_year.pop(name)
        counts[f"beneficiary_services.{year}"] = of_year
    counts["beneficiary_services"] = all_years
    years = []
    for of_year in found["beneficiaries"]:
        years.append(of_year.pop("year"))
        counts[f"beneficiaries.{years[-1]}"] = of_year
    return {**counts, **ignored_services(counts, years)}


def ignored_services(counts: Mapping[str, Mapping[str, int]], years: Sequence[int]) -> Counts:
    """Count the services of people who are not in the population of the year; cells leave them out.

    ``counts``: the counts of a run record; both by its steps.
    """
    ignored: Counts = {}
    for year in years:
        all_of_year = counts.get(f"beneficiary_services.{year}", {})
        counted = counts.get(f"beneficiaries.{year}", {})
        ignored[f"beneficiary_services.{year}.not_in_population"] = {
            name: number - counted.get(name, 0) for name, number in all_of_year.items()
        }
    return ignored


def warn_of_years_without_dimensions(store: Store, configuration: Configuration, record: RunRecord) -> None:
    """Warn of the years of gold from before a dimension of an indicator was declared: they are split by it nowhere."""
    if configuration.dimensions.meaning is None:
        return
    for population, indicators in indicators_by_population(configuration).items():
        table = cells_table(population, store, configuration)
        names = list(dict.fromkeys(name for indicator in indicators for name in indicator.dimensions))
        if not names or not store.exists(table):
            continue
        # A dimension that was computed is nowhere null.
        rows = store.read(table).groupBy("year").agg(*[F.count(name).alias(name) for name in names])
        computed = {row["year"]: row for row in ask({"years": rows})["years"]}
        for name in names:
            years = [str(year) for year, row in sorted(computed.items()) if not row[name]]
            if years:
                record.warn(
                    f"{store.called(table)}: there was no dimension {name} when {', '.join(years)} "
                    f"{'was' if len(years) == 1 else 'were'} computed: it is null (not computed) there, and no figure "
                    "is split by it. Compute anew to split them."
                )


def write_cells(
    cells: DataFrame, population: Population, context: RunContext, silver: SilverFacts, complete_through: date | None
) -> None:
    """Replace the rows of the years in the population's table of gold by those of its cube, ``cells``."""
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    indicators = indicators_by_population(configuration)[population]
    table = cells_table(population, store, configuration)
    has_stays = HOSPITAL_STAYS_INPUT.name in silver.tables
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
    record.add_to_note("statuses", {f"{indicator} {year}": status for (indicator, year), status in statuses.items()})
    known_levels = [*configuration.geography.levels, *([SECTOR] if configuration.sector_table else [])]
    computable = Computable(statuses, known_levels, without_denominator)
    published = published_rows(cells, Split.of(population, configuration), indicators, computable)
    rows = published.withColumn("run_id", F.lit(record.run_id)).select(*table.column_names)
    record.progress(f"indicators: writing {table.name}", table=table.name)
    store.create(table)
    if any(indicator.may_exceed_100 for indicator in indicators):
        # It may have been made for percentages alone, whose intervals end at 100.
        store.require_constraints(table)
    order = ("year", "geo_level", "indicator_id", "geo_code", *configuration.dimensions.names)
    written = store.replace_years(rows, table, years, order, {"run_id": record.run_id})
    for sentence in rates_not_known(written, configuration, years):
        record.warn(sentence)
    for row in written.group_by(["year", "geo_level"]).aggregate([([], "count_all")]).to_pylist():
        record.count(f"cells.{table.name}.{row['year']}", {row["geo_level"]: row["count_all"]})
