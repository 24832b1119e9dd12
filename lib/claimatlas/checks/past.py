"""What is known of the runs behind the published cells: the values that they replaced, and unknown domiciles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pyspark.sql import functions as F

from claimatlas.checks.drift import National, NationalKey, NationalValue
from claimatlas.checks.gold import national_values
from claimatlas.configuration import Configuration
from claimatlas.runs.archive import PastRun, find_run
from claimatlas.spark_errors import SPARK_ERRORS, is_no_longer_kept
from claimatlas.tables.schemas import RUNS, Table
from claimatlas.tables.store import Store


def replaced_values(
    store: Store, table: Table, configuration: Configuration, now: National, years: Sequence[int]
) -> tuple[dict[NationalKey, NationalValue], list[str]]:
    """The country's values that the runs behind ``now`` found and replaced in ``years``; none in a year's first run.

    Gives notes too: of versions that are no longer kept.
    """
    runs = store.runs_by_version(table)
    first_version = {run: version for version, run in sorted(runs.items(), reverse=True)}
    years_before: dict[int, set[int]] = defaultdict(set)
    for (_, _, year), value in now.items():
        if year in years and any(version < first_version.get(value.run_id, 0) for version in runs):
            years_before[first_version[value.run_id] - 1].add(year)
    found: dict[NationalKey, NationalValue] = {}
    notes = []
    for version, replaced in sorted(years_before.items()):
        try:
            cells = store.read_version(table, version).where(F.col("year").isin(sorted(replaced)))
            found |= national_values(cells, configuration)
        except SPARK_ERRORS as error:
            if not is_no_longer_kept(error):
                raise
            there = ", ".join(map(str, sorted(replaced)))
            notes.append(f"{table.name} version {version} is no longer kept: {there} cannot be compared with it.")
    return found, notes


def recorded_unknown_domicile(
    store: Store, configuration: Configuration, now: National, years: Sequence[int]
) -> dict[tuple[str, int], int]:
    """How many members of each population and year had no place when they were counted, by the run records."""
    if not store.exists(RUNS):
        return {}
    populations = {indicator.id: indicator.population for indicator in configuration.indicators}
    records: dict[str, PastRun | None] = {}

    def record(run_id: str) -> PastRun | None:
        if run_id not in records:
            records[run_id] = find_run(store, run_id)
        return records[run_id]

    found: dict[tuple[str, int], int] = {}
    for (indicator, _, year), value in now.items():
        population = populations.get(indicator)
        if population is None or year not in years or (population, year) in found:
            continue
        run, step = record(value.run_id), f"beneficiaries.{year}"
        if population == "deliveries":
            # An indicators job counts deliveries that another run may have formed.
            formed_by = run.record.get("deliveries_run", {}).get(str(year)) if run else None
            run, step = record(formed_by) if formed_by else None, f"deliveries.{year}"
        if run is not None and "domicile_unknown" in run.counts.get(step, {}):
            found[population, year] = run.counts[step]["domicile_unknown"]
    return found
