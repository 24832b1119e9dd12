"""A part of silver: all rows of the affected beneficiaries, before and after a batch.

Episodes, windows, domicile, ages and quantities of a beneficiary depend on her own rows only. A computation over all
rows of the affected beneficiaries, of every year, therefore gives the same results as a full run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claimatlas.cells.indicators_stage import count_members, indicators_by_population
from claimatlas.claims.netting import indicator_lines
from claimatlas.configuration import Configuration
from claimatlas.configuration.dimensions import Population
from claimatlas.deliveries.deliveries_stage import deliveries_of
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.tables.schemas import CHANGED, CLAIMS, Table, configured, deliveries_table
from claimatlas.tables.store import Store
from claimatlas.tables.working import WorkingStore

MAX_AFFECTED_BENEFICIARIES = 1_000_000
"""The most affected beneficiaries: their ids are sent to every task."""


@dataclass(frozen=True)
class Part:
    """The results for the affected beneficiaries.

    ``deliveries``: rows of ``silver/deliveries``; ``finest``: for each population the counts of ``count_members``;
    ``counts``: what a run record counts of them.
    """

    deliveries: DataFrame
    finest: Mapping[Population, DataFrame]
    counts: Mapping[str, Mapping[str, int]]


def affected_beneficiaries(store: Store, runs: Sequence[str]) -> DataFrame:
    """Beneficiaries touched by the given ingest runs. Grain out: one row per ``beneficiary_id``."""
    changed = store.read(CHANGED).where(F.col("run_id").isin(list(runs)))
    return store.materialise(changed.select("beneficiary_id").distinct(), "affected")


def extract(store: Store, affected: DataFrame, table: Table, version: int, configuration: Configuration) -> DataFrame:
    """The rows of the affected beneficiaries in a version of a silver table; of claims the ``indicator_lines``."""
    rows = store.read_version(configured(table, configuration), version)
    if table is CLAIMS:
        rows = indicator_lines(rows, configuration)
    of_affected = rows.join(F.broadcast(affected), on="beneficiary_id", how="left_semi")
    return store.materialise(of_affected, f"affected_{table.name.replace('/', '_')}_{version}")


def compute_part(context: RunContext, silver: SilverFacts, inputs: Mapping[str, DataFrame], name: str) -> Part:
    """Form the deliveries and count the members of the years among the affected beneficiaries.

    ``silver``: the silver that they are read from; ``inputs``: of each of its tables the result of ``extract``;
    ``name``: of the folder of work.
    """
    configuration, years = context.configuration, context.years
    # The join with the few deliveries selects the services around them, so no other lines need to be materialised.
    claims = context.store.read_version(CLAIMS, silver.versions[CLAIMS.name])
    working = WorkingStore(context.store, name, {**inputs, CLAIMS.name: claims})
    aside = RunContext(working, configuration, years, RunRecord(name, years, configuration))
    lines = inputs[CLAIMS.name]
    formed = deliveries_of(aside, lines)
    working.provide(deliveries_table(configuration), formed.rows)
    members = {
        population: count_members(population, aside, lines) for population in indicators_by_population(configuration)
    }
    counts = dict(formed.counts)
    for counted in members.values():
        counts |= counted.counts
    finest = {population: counted.finest for population, counted in members.items()}
    return Part(working.read(deliveries_table(configuration)), finest, counts)
