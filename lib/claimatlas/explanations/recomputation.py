"""Compute a past run's national figures again, from past versions of silver and any configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimatlas.cells.indicators_stage import compute_indicators
from claimatlas.claims.netting import indicator_lines
from claimatlas.configuration import Configuration
from claimatlas.deliveries.deliveries_stage import compute_deliveries
from claimatlas.errors import InputError
from claimatlas.runs.context import RunContext, SilverFacts
from claimatlas.runs.record import RunRecord
from claimatlas.spark.errors import SPARK_ERRORS, is_no_longer_kept
from claimatlas.tables.published import of_country, rows_by_table
from claimatlas.tables.releases import Published
from claimatlas.tables.schemas import CLAIMS, SILVER_INPUTS, configured
from claimatlas.tables.store import Store
from claimatlas.tables.working import WorkingStore

Counts = tuple[int | None, int | None]
"""Numerator and denominator; null where they are in gold."""
NOTHING: Counts = (None, None)
"""The counts of a figure that a run does not have."""
National = dict[tuple[str, int], Counts]
"""Counts of the country by indicator and year."""


def recompute(
    base: Store, folder: str, configuration: Configuration, silver: Mapping[str, Any], years: Sequence[int]
) -> National:
    """The national figures of ``years``, computed in a folder of work; nothing published is touched.

    ``silver``: what a run's record says of its silver, with the ``versions`` of its tables.

    Raises:
        InputError: a version is no longer kept.
    """
    record = RunRecord("diff", years, configuration)
    facts = SilverFacts.of(silver)
    versions = facts.versions
    try:
        inputs = {
            table.name: base.read_version(configured(table, configuration), versions[table.name])
            for table in SILVER_INPUTS
        }
        store = WorkingStore(base, folder, inputs)
        lines = store.materialise(indicator_lines(store.read(CLAIMS), configuration), "indicator_lines")
        context = RunContext(store, configuration, tuple(years), record)
        compute_deliveries(context, facts, lines)
        compute_indicators(context, facts, None, lines)
    except SPARK_ERRORS as error:
        if not is_no_longer_kept(error):
            raise
        of_silver = ", ".join(f"{name} version {version}" for name, version in sorted(versions.items()))
        raise InputError(
            f"A run cannot be repeated: of its silver ({of_silver}) a version or its files are no longer kept."
        ) from error
    tables = rows_by_table(Published.now(store), years).values()
    return national_counts(tables, configuration.settings.geography.country_level)


def national_counts(tables: Iterable[pa.Table], country_level: str) -> National:
    """The counts of the country, over all dimensions, in tables of cells."""
    return {
        (row["indicator_id"], row["year"]): (row["numerator"], row["denominator"])
        for cells in tables
        for row in of_country(cells, country_level).to_pylist()
    }
