"""Published counts, minus the affected beneficiaries' old contribution, plus their new one.

Every count in gold and in the run record is a sum over beneficiaries, so the result equals that of a full run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.cube import cube
from claimatlas.cells.indicators_stage import cells_table, ignored_services, indicators_by_population, write_cells
from claimatlas.cells.numerators import measure_columns
from claimatlas.cells.rows import Split, measures_of_rows
from claimatlas.configuration.dimensions import Population
from claimatlas.deliveries.deliveries_stage import write_deliveries
from claimatlas.increments.base import added_since, find_base, why_not
from claimatlas.increments.part import MAX_AFFECTED_BENEFICIARIES, Part, affected_beneficiaries, compute_part, extract
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.spark.errors import SPARK_ERRORS, is_no_longer_kept
from claimatlas.tables.schemas import SILVER_INPUTS, deliveries_table

_OF_BENEFICIARIES = ("deliveries", "beneficiaries", "beneficiary_services")
"""Steps of a run record (their names up to a full stop) whose counts are sums over beneficiaries."""


@dataclass(frozen=True)
class Increment:
    """The change since the published run: the affected beneficiaries, with their results before and after."""

    affected: DataFrame
    before: Part
    after: Part


def find_increment(context: RunContext, silver: SilverFacts) -> Increment | None:
    """Compute what the batches since the published run changed; ``None`` when a full run is needed.

    Progress and record say which of the two it is.
    """
    store, configuration, years, record = context.store, context.configuration, context.years, context.record
    base = find_base(store)
    reason = why_not(base, context, silver)
    if base is None or reason:
        _say_full_refresh(record, reason)
        return None
    affected = affected_beneficiaries(store, added_since(base, silver))
    number = affected.count()
    if number > MAX_AFFECTED_BENEFICIARIES:
        _say_full_refresh(record, f"more than {MAX_AFFECTED_BENEFICIARIES:,} beneficiaries are affected")
        return None
    record.progress(f"increment: computing {number:,} affected beneficiaries before and after the batch")
    former = SilverFacts.of(base.silver)
    versions = former.versions
    try:
        rows_before = {
            table.name: extract(store, affected, table, versions[table.name], configuration) for table in SILVER_INPUTS
        }
        before = compute_part(context, former, rows_before, "before")
    except SPARK_ERRORS as error:
        if not is_no_longer_kept(error):
            raise
        _say_full_refresh(record, "silver as it was before is no longer kept")
        return None
    # Most batches change one table; the others stay as they are.
    rows_after = {
        table.name: rows_before[table.name]
        if silver.versions[table.name] == versions[table.name]
        else extract(store, affected, table, silver.versions[table.name], configuration)
        for table in SILVER_INPUTS
    }
    after = compute_part(context, silver, rows_after, "after")
    record.note("increment", {"since_run": base.run_id, "beneficiaries": number})
    counts = carried_counts(base.counts, before.counts, after.counts)
    record.count_all(counts)
    # This count is no sum over beneficiaries where no affected one is in the population.
    record.count_all(ignored_services(counts, years))
    return Increment(affected, before, after)


def carried_counts(
    base: Mapping[str, Mapping[str, int]],
    before: Mapping[str, Mapping[str, int]],
    after: Mapping[str, Mapping[str, int]],
) -> dict[str, dict[str, int]]:
    """The counts of a run record that are sums over beneficiaries: ``base``, minus ``before``, plus ``after``."""
    steps = [step for step in {**base, **before, **after} if step.split(".")[0] in _OF_BENEFICIARIES]
    found = {}
    for step in steps:
        sides = [side.get(step, {}) for side in (base, before, after)]
        names = dict.fromkeys(name for side in sides for name in side)
        found[step] = {
            name: sides[0].get(name, 0) - (sides[1].get(name) or 0) + (sides[2].get(name) or 0) for name in names
        }
    return found


def replace_deliveries(context: RunContext, silver: SilverFacts, increment: Increment) -> None:
    """Replace the deliveries of the affected beneficiaries, in the years."""
    formed = context.store.read(deliveries_table(context.configuration))
    of_years = formed.where(F.col("year").isin(list(context.years)))
    of_others = of_years.join(F.broadcast(increment.affected), on="beneficiary_id", how="left_anti")
    deliveries = of_others.unionByName(increment.after.deliveries)
    write_deliveries(context, silver, deliveries)


def update_cells(context: RunContext, silver: SilverFacts, complete_through: date | None, increment: Increment) -> None:
    """Replace the cells of the years by the published ones plus the change."""
    for population in indicators_by_population(context.configuration):
        context.record.progress(
            f"increment: moving the cells of {cells_table(population, context.store, context.configuration).name}"
        )
        cells = _updated_cube(population, context, increment)
        write_cells(cells, population, context, silver, complete_through)


def _updated_cube(population: Population, context: RunContext, increment: Increment) -> DataFrame:
    """The cube of a population, as ``cube`` gives it."""
    store, configuration, years = context.store, context.configuration, context.years
    indicators = indicators_by_population(configuration)[population]
    measures = measure_columns(indicators, configuration.dimensions)
    split = Split.of(population, configuration)
    table = cells_table(population, store, configuration)
    # A run of the same configuration computed these years: each dimension of theirs is.
    published = store.read(table).where(F.col("year").isin(list(years)))
    former = measures_of_rows(published, split, indicators)
    lost = increment.before.finest[population].withColumns({name: -F.col(name) for name in measures})
    change = cube(increment.after.finest[population].unionByName(lost), population, indicators, configuration, years)
    key = ("year", "geo_level", "geo_code", *split.own)
    return former.unionByName(change).groupBy(*key).agg(*[F.sum(measure).alias(measure) for measure in measures])


def _say_full_refresh(record: RunRecord, reason: str | None) -> None:
    record.progress(f"increment: a full run is needed: {reason}")
    record.note("increment", {"full_refresh_because": reason})
